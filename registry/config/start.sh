#!/bin/sh
# Without a users file distribution makes up a user and logs its password. An empty file means: nobody yet.
set -eu
users=/auth/registry.password
if [ ! -e "$users" ]; then
    (umask 077 && : >"$users")
    chown "$(stat -c %u:%g /auth)" "$users" # for whoever cloned the project
fi
exec registry serve /etc/moorage/registry.yml
