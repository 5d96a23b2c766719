#!/bin/sh
# push.sh BASE REPOSITORY [FILE DIGEST]...: all at once, each as Docker does it (POST, PATCH, PUT). Says how long it took.
set -eu
base=$1 repository=$2
shift 2

send() {
    curl --silent --show-error --fail --http1.1 --cacert /load/ca.pem --config /load/login.curl --output /dev/null \
        --header Expect: --header Content-Type: "$@"
}

absolute() { # distribution's Location is relative where it was told so
    case "$1" in
        /*) echo "$base$1" ;;
        *) echo "$1" ;;
    esac
}

push() {
    upload=$(send --data '' --write-out '%header{location}' "$base/v2/$repository/blobs/uploads/")
    upload=$(send --request PATCH --upload-file "$1" --write-out '%header{location}' "$(absolute "$upload")")
    send --request PUT --data '' "$(absolute "$upload")&digest=$2"
}

begun=$(date +%s%N)
pushes=''
while [ $# -gt 0 ]; do
    push "$1" "$2" &
    pushes="$pushes $!"
    shift 2
done
for each in $pushes; do wait "$each"; done
echo "{\"seconds\":$(($(date +%s%N) - begun))e-9}"
