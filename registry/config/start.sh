#!/bin/sh
# Without a users file distribution makes up a user and logs its password. An empty file means: nobody yet.
set -eu
users=/auth/registry.password
[ -e "$users" ] || (umask 077 && : >"$users")
exec registry serve /etc/moorage/registry.yml
