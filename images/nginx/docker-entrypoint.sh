#!/bin/sh
# Runs what is executable in /docker-entrypoint.d, in order: *.envsh is sourced, *.sh is run. Then nginx.
set -e
if [ "$1" = nginx ]; then
    for script in /docker-entrypoint.d/*; do
        [ -x "$script" ] || continue
        case "$script" in
            *.envsh) . "$script" ;;
            *.sh) "$script" ;;
        esac
    done
fi
exec "$@"
