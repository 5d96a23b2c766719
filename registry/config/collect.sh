# Sourced by start.sh, in a container of its own: takes away the folders that are listed in a file (see
# src/collection/collect.ts), then the blobs that no manifest names. It holds a lease of its own, so that nobody writes while it
# works, whatever becomes of who started it; and it does not go on once nobody holds one.
lease=$maintenance/collector.lease
folders=$maintenance/collector.folders
case " $* " in
    *' --dry-run '*) exec registry garbage-collect "$@" /etc/moorage/registry.yml ;;
esac
[ "$(asked_for "$maintenance")" = collecting ] || fail 'writes are not closed: nothing was collected'

hold() {
    now=$(date +%s)
    echo "collecting $now $((now + LEASE_SECONDS))" >"$lease.new" && mv "$lease.new" "$lease"
}
hold
(
    if [ -e "$folders" ]; then
        while read -r folder; do
            rm -rf "/var/lib/registry/docker/registry/v2/repositories/${folder:?}"
        done <"$folders"
        rm -f "$folders"
    fi
    exec registry garbage-collect "$@" /etc/moorage/registry.yml
) &
collector=$!
(
    while sleep 1; do
        # Frozen for so long that others write again: what it knows is old.
        if [ "$(asked_for "$maintenance")" != collecting ]; then kill -KILL "$collector"; exit; fi
        hold || : # a full disk may have room a second later; if not, the lease ends, and with it the collector
    done
) &
holder=$!
result=0
wait "$collector" || result=$?
kill "$holder" 2>/dev/null && wait "$holder" || :
rm -f "$lease" "$lease.new"
exit "$result"
