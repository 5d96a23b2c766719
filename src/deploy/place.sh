# Unpacks a program that has been copied here, puts it in place as a whole, and links it where nobody else's stands.
# Arguments: the folder of programs, the archive's name in its .arriving, its SHA-512, the folder that it becomes,
# how many links there are, NAME and PROGRAM of each, and what is wanted of the archive (all when none).

main() {
  set -eu
  LC_ALL=C PATH=$PATH:/usr/bin:/bin
  export LC_ALL PATH
  mkdir -p "$1"
  exec 9<"$1"
  flock 9 # the folder itself: of two runs at once one would take away what the other has unpacked, and not yet put in place
  programs=$1 archive=$1/.arriving/$2 digest=$3 folder=$1/$4 links=$5
  shift 5
  new=$folder.new
  list=$programs/.links.$$
  trap 'rm -rf "$list" "$new"' EXIT
  : >"$list"
  while [ "$links" -gt 0 ]; do
    printf '%s %s\n' "$1" "$2" >>"$list"
    shift 2
    links=$((links - 1))
  done
  unpack "$@"
  while read -r name program; do link "$name" "$program"; done <"$list"
  rm -f "$archive"
}

unpack() {
  [ ! -d "$folder" ] || return 0
  printf '%s  %s\n' "$digest" "$archive" | sha512sum --check --status || {
    rm -f "$archive"
    echo 'what arrived is not what was sent' >&2
    exit 65
  }
  rm -rf "$new"
  mkdir -p "$new"
  tar --extract --gzip --file "$archive" --directory "$new" --strip-components 1 --no-same-owner "$@"
  chmod -R u=rwX,go=rX "$new"
  sync # before it gets its name: that stands for something complete, after a power cut too
  mv -T "$new" "$folder"
}

link() {
  place=/usr/local/bin/$1
  case $(readlink -- "$place") in
    "$programs"/*) ;;
    *) if [ -e "$place" ] || [ -L "$place" ]; then return 0; fi ;;
  esac
  mkdir -p /usr/local/bin
  ln -s "$folder/$2" "$place.new.$$"
  mv -T "$place.new.$$" "$place"
}

main "$@" </dev/null
