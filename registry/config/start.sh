#!/bin/sh
# Starts distribution on its socket, with a password check of its own where AUTH says so.
set -eu
socket=${SOCKET:-/run/registry/registry.sock}

case "$AUTH" in
    gate) ;; # whoever reaches the socket has been let through
    registry)
        users=/auth/registry.password
        export REGISTRY_AUTH=htpasswd REGISTRY_AUTH_HTPASSWD_REALM=Moorage REGISTRY_AUTH_HTPASSWD_PATH="$users"
        # Without this file distribution makes up a user and logs its password. An empty one means: nobody yet.
        if [ ! -e "$users" ]; then
            (umask 077 && : >"$users")
            chown "$(stat -c %u:%g /auth)" "$users" # for whoever cloned the project
        fi ;;
    *)
        echo "AUTH: '$AUTH' is neither gate nor registry" >&2
        exit 1 ;;
esac

# A killed registry leaves its socket behind. A new one is for all that see it: the volume says who does.
rm -f "$socket"
(while [ ! -S "$socket" ]; do sleep 0.05; done && chmod 666 "$socket" &)
exec registry serve /etc/moorage/registry.yml
