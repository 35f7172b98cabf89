# shellcheck shell=bash disable=SC2034,SC2154 # names are shared with run
# Onhand, over HTTP and JSON on TCP, every reserve with an idempotency key, measured by its own `onhand bench`.
# The rate limit is off and the queue is as long as there are connections, as in the node that `onhand bench` starts.

ONHAND_SETTINGS=(--rate-limit-rps 0 --load-shed-queue-max 1024 --connections-max 1024 --log-level warn)

onhand_start() {
    launch TERM "$directory/log" "$onhand" serve --host 127.0.0.1 --port 0 --ready-file "$directory/ready" \
        --data-dir "$directory/data" "${ONHAND_SETTINGS[@]}"
    until_it test -s "$directory/ready"
    url=$(<"$directory/ready")
}

onhand_load() {
    onhand_bench "$url"
}

# onhand_bench URL: the load of `measure`; the bare handler is measured with it too
onhand_bench() {
    local arguments=(--connections "$connections" --skus "$SKUS" --duration "$duration" --warm-up "$warm_up")
    case $work in
    hot) arguments+=(--workload reserve --keys hot) ;;
    uniform) arguments+=(--workload reserve --keys uniform) ;;
    get) arguments+=(--workload get --keys hot) ;;
    batch) arguments+=(--workload batch --keys uniform --batch-size "$BATCH") ;;
    esac
    if ! attend "$onhand" bench --server "$1" "${arguments[@]}" --json "$directory/bench.json" >"$directory/bench.log" 2>&1; then
        refuse "the load saw errors: $(grep -m 1 -e '^FAIL' -e '^error' "$directory/bench.log" || tail -n 1 "$directory/bench.log")"
        return 0
    fi
    read -r rate p50 p99 done_least < <(jq -r '[.operationsPerSecond, .latencyMs.p50, .latencyMs.p99,
        (.statuses["200"] // 0) * .operationsPerRequest] | join(" ")' "$directory/bench.json")
    [ "$work" != get ] || done_least=0
}

# Every level must be what was brought less what is reserved, the events as many as the changes, at least those that were
# acknowledged while it was measured; and the log must add up to all of it.
onhand_check() {
    local cursor='' page reserved=0 levels=0 events sound=yes
    while :; do
        page=$(curl -fsS "$url/stores/BENCH/inventory?limit=1000${cursor:+&cursor=$cursor}" | jq -r --argjson stock "$STOCK" '
            [([.items[].reserved] | add), (.items | length), .nextCursor // "-",
             ([.items[] | .onHand == $stock and .qty + .reserved == $stock] | all)] | join(" ")') || {
            refuse 'its levels cannot be read'
            return 0
        }
        read -r sum count cursor agree <<<"$page"
        reserved=$((reserved + sum)) levels=$((levels + count))
        [ "$agree" = true ] || refuse 'a level is not what was brought less what is reserved'
        [ "$cursor" != - ] || break
    done
    halt
    attend "$onhand" verify --data-dir "$directory/data" >"$directory/verify" 2>&1 || sound=no
    events=$(awk '$1 == "events" {print $2}' "$directory/verify")
    if [ $sound = no ] || ! grep -q '^sound:' "$directory/verify"; then
        refuse "onhand verify says: $(tail -n 1 "$directory/verify")"
    elif [ "$levels" -ne "$SKUS" ] || [ "$events" -ne $((SKUS + reserved)) ]; then
        refuse "$levels levels have $reserved pieces reserved, but there are $events events"
    elif [ "$reserved" -lt "$done_least" ]; then
        refuse "$done_least reserves were acknowledged, but $reserved are there"
    fi
}

onhand_settings() {
    jq -n --arg version "$("$onhand" --version)" '{version: $version, settings: $ARGS.positional,
        reached: "HTTP/1.1 on TCP, JSON, an Idempotency-Key with every reserve", load: "onhand bench, 1 thread",
        durable: "fdatasync before every answer"}' --args -- "${ONHAND_SETTINGS[@]}"
}
