# Holds the lock of a folder for as long as somebody at the other end of standard input is there: one character at least
# every $4 seconds. Arguments: the folder, who holds it, seconds to wait for whoever is just letting go, that silence, and
# where locks are. Says "held"; ends with 75 and says who else holds it.

main() {
  set -eu
  LC_ALL=C PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
  export LC_ALL PATH
  umask 077
  name=$(printf %s "$(readlink -m -- "$1")" | sha256sum | cut -c 1-16)
  lock=$5/moorage-$name.lock
  take "$3"
  printf '%s, since %s\n' "$2" "$(date -u '+%Y-%m-%d %H:%M:%S UTC')" >"$lock"
  echo held
  # Without the lock itself: what is killed here holds it no longer.
  while [ -n "$(timeout "$4" dd bs=64 count=1 2>/dev/null 9>&-)" ]; do :; done
  rm -f -- "$lock" # while it is held: whoever waits for it looks whether it is still there
}

take() {
  while :; do
    exec 9>>"$lock"
    flock --timeout "$1" 9 || {
      cat -- "$lock"
      exit 75
    }
    [ ! "$lock" -ef /proc/self/fd/9 ] || return 0
  done
}

main "$@"
