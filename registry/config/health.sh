#!/bin/sh
# The registry's health check. The registry has no network to be asked by, so what it has counted, and how much room its
# disk has, goes to where the exporter reads it (docs/monitoring.md).
wget -q -T 4 -O /dev/null http://127.0.0.1:5001/debug/health || exit 1

# From here on nothing makes a registry unwell.
images=/var/lib/registry
cd /run/metrics 2>/dev/null || exit 0
wget -q -T 4 -O .registry http://127.0.0.1:5001/metrics || exit 0

tell() {
    printf '# HELP %s %s\n# TYPE %s gauge\n%s %s\n' "$1" "$2" "$1" "$1" "$3" >>.registry
}

if [ "$STORAGE" = filesystem ] && disk=$(stat -f -c '%a %b %S' "$images"); then
    set -- $disk
    tell moorage_disk_free_bytes 'Room that is free on the disk of the images.' "$(($1 * $3))"
    tell moorage_disk_size_bytes 'How large the disk of the images is.' "$(($2 * $3))"
fi
mv .registry registry.prom
exit 0
