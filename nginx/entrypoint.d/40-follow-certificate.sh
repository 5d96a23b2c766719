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

follow() {
    loaded=$(readlink "$current")
    while sleep 1; do
        wanted=$(readlink "$current") || continue
        [ "$wanted" != "$loaded" ] || continue
        loaded=$wanted
        if nginx -t -q; then
            nginx -s reload && echo "certificate $wanted loaded"
        else
            echo "certificate $wanted NOT loaded: the configuration is broken" >&2
        fi
    done
}
follow &
