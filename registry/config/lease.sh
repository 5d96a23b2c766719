# Sourced. A lease is a file NAME.lease of one line, `PHASE FROM UNTIL`, in seconds since 1970: its holder writes it anew
# every second, so that one who is killed holds nothing for long. A clock that was set back ends it too.
# `moved.lease` alone has no end: the registry goes to another machine, or has gone there (src/stack/moved.ts).
# What the leases in a folder ask for, the strongest first: `moved`, `collecting`, `closed`, `closing`, or nothing.
asked_for() {
    asked='' now=$(date +%s)
    for lease in "$1"/*.lease; do
        [ -r "$lease" ] && read -r phase from until <"$lease" || continue
        [ "$now" -ge "$from" ] 2>/dev/null && [ "$now" -lt "$until" ] 2>/dev/null || continue
        case "$phase $asked" in
            moved* | 'collecting ' | 'collecting c'* | 'closed ' | 'closed closing' | 'closing ') asked=$phase ;;
        esac
    done
    echo "$asked"
}
