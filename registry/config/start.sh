#!/bin/sh
# Starts distribution on its socket: with its storage and cache where STORAGE and CACHE say, and with a password check of
# its own where AUTH says so. Secrets stay in the environment. `start.sh collect` takes away what is unused instead.
set -eu
. /etc/moorage/lease.sh
maintenance=/run/maintenance
socket=${SOCKET:-/run/registry/registry.sock}

fail() {
    echo "$1" >&2
    exit 1
}

# distribution reads the values of its variables as YAML, where 0123 would be a number. The settings allow no quotes.
text() {
    eval "export REGISTRY_$1=\"'\$$2'\""
}

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
    *) fail "AUTH: '$AUTH' is neither gate nor registry" ;;
esac

case "${STORAGE:-filesystem}" in
    filesystem) export REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/var/lib/registry ;;
    s3)
        text STORAGE_S3_REGION S3_REGION
        text STORAGE_S3_BUCKET S3_BUCKET
        text STORAGE_S3_ACCESSKEY S3_ACCESS_KEY
        text STORAGE_S3_SECRETKEY S3_SECRET_KEY
        text STORAGE_S3_ROOTDIRECTORY S3_ROOT_DIRECTORY
        # distribution 2 goes by path wherever there is an endpoint, and knows no setting for it.
        if [ -n "$S3_ENDPOINT" ]; then text STORAGE_S3_REGIONENDPOINT S3_ENDPOINT; fi
        if [ -z "$S3_PATH_STYLE" ] && [ -n "$S3_ENDPOINT" ]; then S3_PATH_STYLE=true; fi
        export REGISTRY_STORAGE_S3_FORCEPATHSTYLE="${S3_PATH_STYLE:-false}"
        if [ "$S3_REDIRECT" = true ]; then export REGISTRY_STORAGE_REDIRECT_DISABLE=false; fi
        export SSL_CERT_DIR=/etc/ssl/certs:/run/s3-trust ;;
    *) fail "STORAGE: '$STORAGE' is neither filesystem nor s3" ;;
esac

if [ "${1:-}" = collect ]; then
    shift
    . /etc/moorage/collect.sh
fi

# While somebody collects, nobody writes, and nothing is remembered that may be gone: until the lease ends, or is not
# held any more because its holder was killed. Then it ends itself, and the engine starts it as it is to be. Where the
# registry has moved nobody writes either.
asked=$(asked_for "$maintenance")
case "$asked" in
    collecting | moved)
        [ "$asked" = moved ] || CACHE=none
        export REGISTRY_STORAGE_MAINTENANCE_READONLY='{ enabled: true }'
        (while [ "$(asked_for "$maintenance")" = "$asked" ]; do sleep 1; done && kill -TERM $$) & ;;
esac

case "${CACHE:-memory}" in
    none) export REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR='' ;;
    memory) ;;
    stack | server)
        export REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR=redis
        # As a whole, for both generations of distribution: 2 reads addr and pool, 3 reads addrs and username. What Redis
        # does not say soon the storage says.
        times="dialtimeout: 1s, readtimeout: 1s, writetimeout: 1s, pool: { maxidle: 16, idletimeout: 300s }"
        login="username: '$REDIS_USER', password: '$REDIS_PASSWORD', db: ${REDIS_DATABASE:-0}"
        export REGISTRY_REDIS="{ addr: '$REDIS_ADDRESS', addrs: ['$REDIS_ADDRESS'], $login, $times }" ;;
    *) fail "CACHE: '$CACHE' is none of memory, stack and server" ;;
esac

# Where somebody else than root set the registry up, the folder for images gives its group to all that is made in it:
# who set it up can then remove tags.
umask 002

# A killed registry leaves its socket behind. A new one is for all that see it: the volume says who does.
export REGISTRY_HTTP_ADDR="$socket"
rm -f "$socket"
(while [ ! -S "$socket" ]; do sleep 0.05; done && chmod 666 "$socket" &)
exec registry serve /etc/moorage/registry.yml
