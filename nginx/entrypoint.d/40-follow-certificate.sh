#!/bin/sh
# Waits for the first certificate, then reloads nginx whenever `current` points to another one. A configuration
# that does not pass `nginx -t` is never loaded; nginx goes on with the one it has.
set -eu
[ "$LISTEN" = tls ] || exit 0
current=/etc/nginx/tls/current

announced=
while [ ! -e "$current/fullchain.pem" ]; do
    [ -n "$announced" ] || echo "waiting for the first certificate (the renewer or init-tls makes it)"
    announced=yes
    sleep 0.2
done

# The file's inode too: where all was deleted, a name may come again.
pointed() {
    readlink "$current" && ls -Li "$current/fullchain.pem"
}

follow() {
    loaded=$(pointed) || loaded=
    complained=
    while sleep 1; do
        wanted=$(pointed 2>/dev/null) || continue
        [ "$wanted" != "$loaded" ] || continue
        name=$(readlink "$current") || continue
        if problem=$(nginx -t -q 2>&1); then
            nginx -s reload && loaded=$wanted && echo "certificate $name loaded"
        elif [ "$complained" != "$wanted" ]; then
            complained=$wanted
            echo "$problem" >&2
            echo "certificate $name NOT loaded: the configuration is broken; trying again until it is mended" >&2
        fi
    done
}
follow &
