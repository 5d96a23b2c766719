# Tells what a machine is and has, a line NAME=VALUE each, for machine-answer.ts.
# Arguments: the folder of the project, its port for HTTP, its port for HTTPS, and paths in it that would be replaced.
# Changes nothing.

main() {
  LC_ALL=C
  export LC_ALL
  folder=$1
  shift
  echo 'moorage machine 1'
  echo "began=$(date +%s.%N)"
  node_and_npm # with the PATH of whoever logs in, which is what commands there will have
  PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  operating_system
  resources
  docker_engine
  for port in "$1" "$2"; do holder "$port"; done
  shift 2
  contents
  uncommitted "$@"
  echo "ended=$(date +%s.%N)"
  echo complete=yes
}

tell() {
  printf '%s=' "$1"
  printf %s "$2" | tr '\n\r' '  '
  echo
}

node_and_npm() {
  path=$(command -v node) && {
    tell node_path "$(readlink -f -- "$path")"
    tell node_version "$(node_of "$path" --version)"
  }
  path=$(command -v npm) && tell npm_version "$(node_of "$path" --version)"
  for name in node npm npx; do
    place=/usr/local/bin/$name
    { [ -e "$place" ] || [ -L "$place" ]; } || continue
    case $(readlink -- "$place") in /usr/local/lib/moorage/*) ;; *) tell taken "$place" ;; esac
  done
}

node_of() { timeout 20 "$@" 2>/dev/null; }

operating_system() {
  (
    ID='' ID_LIKE='' VERSION_ID='' VERSION_CODENAME='' PRETTY_NAME=''
    [ -r /etc/os-release ] && . /etc/os-release
    tell id "$ID"
    tell like "$ID_LIKE"
    tell version "$VERSION_ID"
    tell codename "$VERSION_CODENAME"
    tell name "$PRETTY_NAME"
  )
  machine=$(uname -m) # the kernel's
  [ "$(getconf LONG_BIT 2>/dev/null)" != 32 ] || machine="$machine with a 32-bit system"
  tell machine "$machine"
  tell libc "$(getconf GNU_LIBC_VERSION 2>/dev/null || { ls /lib/ld-musl-* >/dev/null 2>&1 && echo musl; })"
  [ -d /run/systemd/system ] && tell systemd yes
  command -v rsync >/dev/null && tell rsync yes
  command -v apt-cache >/dev/null &&
    tell node_candidate "$(apt-cache policy nodejs 2>/dev/null | sed -n 's/^ *Candidate: *//p')"
}

resources() {
  tell memory "$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)"
  tell swap "$(awk '$1 == "SwapTotal:" { print $2 }' /proc/meminfo)"
  space folder "$folder"
  space docker /var/lib/docker
  space programs /usr
}

# Which file system a path is or will be on, and the bytes that are free there.
space() {
  place=$2
  while [ ! -e "$place" ]; do place=$(dirname -- "$place"); done
  free=$(stat -f -c '%a * %S' -- "$place")
  tell "space_$1" "$(stat -c %d -- "$place") $(($free))"
}

docker_engine() {
  command -v dockerd >/dev/null && tell dockerd "$(command -v dockerd)"
  command=$(asked --version) # Podman may be the command, or what answers it
  engine=$(asked version --format '{{.Server.Version}} {{range .Server.Components}}{{.Name}} {{end}}') || engine=
  case "$command;$engine" in
  'podman version '*) tell podman "${command##* }" ;;
  *'Podman Engine'*) tell podman "${engine%% *}" ;;
  *';'?*) tell engine "${engine%% *}" ;;
  esac
  version=$(asked compose version --short) && tell compose "$version"
}

asked() { timeout 20 docker "$@" 2>/dev/null; }

# A folder as it was asked for, where it is the same one by another path: Compose notes what links lead to.
as_asked() {
  if [ "$(readlink -f -- "$1")" = "$(readlink -f -- "$folder")" ]; then echo "$folder"; else echo "$1"; fi
}

# Who has a port: a container, or else a program by proc_net(5).
holder() {
  tell port "$1"
  label='{{.Label "com.docker.compose.project.working_dir"}}'
  container=$(asked ps --filter "publish=$1" --format "{{.Names}} $label" | head -n 1)
  [ -n "$container" ] && tell "container_$1" "${container%% *} $(as_asked "${container#* }")"
  inode=$(awk -v port="$(printf ':%04X' "$1")" \
    '$4 == "0A" && substr($2, length($2) - 4) == port { print $10; exit }' /proc/net/tcp /proc/net/tcp6 2>/dev/null)
  [ -n "$inode" ] || return 0
  opened=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" -print 2>/dev/null | head -n 1)
  process=$(echo "$opened" | cut -d / -f 3)
  tell "listener_$1" "${process:-0} $(cat "/proc/$process/comm" 2>/dev/null)"
}

contents() {
  nearest=$folder
  while [ ! -e "$nearest" ] && [ ! -L "$nearest" ]; do nearest=$(dirname -- "$nearest"); done
  [ -d "$nearest" ] || tell blocked "$nearest"
  [ -w "$nearest" ] || tell read_only "$nearest"
  unmounted
  [ -d "$folder" ] || return 0
  tell there yes
  [ -e "$folder/.moorage-copy" ] && tell copying yes
  if grep -q '"name": *"moorage"' "$folder/package.json" 2>/dev/null; then
    tell moorage "$(sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p' "$folder/package.json" | head -n 1)"
  fi
  ls -A -- "$folder" | grep -vx 'lost+found' | head -n 5 | while read -r entry; do tell entry "$entry"; done
}

# Work in a git clone that nobody could get back. What a deployment has written there before (copy.ts) is none.
uncommitted() {
  { [ -e "$folder/.git" ] && [ ! -e "$(git_folder)/moorage-deployed" ]; } || return 0
  set -- --no-optional-locks -c core.quotePath=false -c status.renames=false \
    status --porcelain --untracked-files=normal -- "$@"
  if changes=$(clone_git "$@" 2>/dev/null); then
    printf '%s\n' "$changes" | cut -c 4- | while read -r path; do [ -z "$path" ] || tell uncommitted "$path"; done
  else
    tell git_failed "$(clone_git "$@" 2>&1 >/dev/null | head -n 1)"
  fi
}

# Of a worktree it is elsewhere.
git_folder() {
  if [ -d "$folder/.git" ]; then echo "$folder/.git"; else
    (cd -- "$folder" && cd -- "$(sed -n 's/^gitdir: //p' .git)" && pwd)
  fi
}

# As the one whose clone it is: its configuration may name programs to run.
clone_git() {
  owner=$(stat -L -c %u -- "$folder")
  if [ "$owner" = "$(id -u)" ]; then
    set -- git -C "$folder" "$@"
  else
    set -- setpriv --reuid "$owner" --regid "$(stat -L -c %g -- "$folder")" --clear-groups git -C "$folder" "$@"
  fi
  HOME=/nonexistent timeout 20 "$@"
}

# Where fstab(5) has a disk for the folder that is not mounted: what is written now would lie beneath it.
unmounted() {
  [ -r /etc/fstab ] || return 0
  while read -r device point _; do
    case $device in '#'*) continue ;; esac
    case $point in /?*) ;; *) continue ;; esac
    case $folder/ in "$point"/*) ;; *) continue ;; esac
    grep -qF " $point " /proc/mounts || tell unmounted "$point"
  done </etc/fstab
}

# As a function it runs only once all of it has arrived, and nothing that it starts reads on in its text.
main "$@" </dev/null
