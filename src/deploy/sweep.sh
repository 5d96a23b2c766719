# Takes away programs that were copied here and that nobody needs any more: no link leads to them, nothing runs by them,
# and nothing that starts by itself names them. Arguments: the folder of programs, and names in it that stay.
# Prints the names of those that went.

main() {
  set -eu
  LC_ALL=C PATH=$PATH:/usr/bin:/bin
  export LC_ALL PATH
  [ -d "$1" ] || return 0
  programs=$1
  shift
  exec 9<"$programs"
  flock 9 # as whoever puts one in place does (place.sh)
  cd -- "$programs"
  for each in node-* npm-*; do
    [ -d "$each" ] || continue
    case " $* " in *" $each "*) continue ;; esac
    if needed "$programs/$each/"; then continue; fi
    rm -rf -- "./$each"
    echo "$each"
  done
}

# A process may have been started by the program, or by node with the program as its text.
needed() {
  [ -n "$(find /usr/local/bin /proc/[0-9]*/exe -maxdepth 1 -lname "$1*" 2>/dev/null)" ] ||
    grep -qsF -- "$1" /proc/[0-9]*/cmdline ||
    grep -rqsF -- "$1" /etc/systemd/system /etc/crontab /etc/cron.d /var/spool/cron
}

main "$@" </dev/null
