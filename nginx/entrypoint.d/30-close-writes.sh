#!/bin/sh
# Tells nginx which writes to refuse, by files in its own /tmp (see templates/writes.map): what the leases ask for that
# `npm run gc` holds, and the one without an end of `npm run move-to`. Before nginx starts, and then every second.
set -eu
. /etc/moorage/lease.sh
maintenance=/run/maintenance
closing=/tmp/writes-closing
closed=/tmp/writes-closed
moved=/tmp/writes-moved

refuse() {
    [ "$1" = moved ] || rm -f "$moved"
    case "$1" in
        moved) : >"$moved"; : >"$closing"; : >"$closed" ;;
        collecting | closed) : >"$closing"; : >"$closed" ;;
        closing) : >"$closing"; rm -f "$closed" ;;
        *) rm -f "$closed" "$closing" ;;
    esac
}

# A lease that is taken away ends at once. One that ran out has to be seen so three times: its holder may only have had
# the clock set forward under it, and whoever must not go on has a moment to notice.
follow() {
    last=$1 missed=0
    while sleep 1; do
        asked=$(asked_for "$maintenance")
        if [ -z "$asked" ] && [ -n "$last" ] && [ "$missed" -lt 2 ] && ls "$maintenance"/*.lease >/dev/null 2>&1; then
            missed=$((missed + 1))
            continue
        fi
        missed=0
        [ "$asked" = "$last" ] || refuse "$asked"
        last=$asked
    done
}

asked=$(asked_for "$maintenance")
refuse "$asked"
follow "$asked" &
