# shellcheck shell=bash disable=SC2034,SC2154 # names are shared with run
# Redis over a unix socket: a script checks, decrements, counts the version and appends to the stream, and the append-only
# file is synced before every answer. Measured by redis-benchmark. It is neither rewritten nor saved meanwhile, which
# is in its favour.

REDIS_SETTINGS=(--appendonly yes --appendfsync always --auto-aof-rewrite-percentage 0 --save '')
# Requests of each connection from which the rate is guessed.
REDIS_FIRST=150

redis() {
    redis-cli -s "$sockets/redis" "$@"
}

redis_start() {
    launch TERM "$directory/log" redis-server --port 0 --unixsocket "$sockets/redis" --dir "$directory" --daemonize no \
        "${REDIS_SETTINGS[@]}"
    until_it redis_answers
}

redis_answers() {
    [ "$(redis ping)" = PONG ]
}

# redis_some REQUESTS: sends so many, and sets rate, p50 and p99
redis_some() {
    attend redis-benchmark -s "$sockets/redis" -c "$connections" -n "$1" -r "$keys" --precision 3 --csv \
        evalsha "$script" 2 level:__rand_int__ events 1 >"$directory/bench.csv" || stop_with 69 "redis-benchmark: $(tail -n 1 "$directory/bench.csv")"
    # "the command","requests a second","average","least","p50","p95","p99","most"
    read -r rate p50 p99 < <(tail -n 1 "$directory/bench.csv" | tr -d '"' | awk -F , '{print $(NF - 6), $(NF - 3), $(NF - 1)}')
    sent=$((sent + $1))
}

# redis-benchmark counts requests, not seconds: how many make up the time is guessed from the rate before.
redis_load() {
    local sent=0
    script=$(redis -x script load <"$here/redis_reserve.lua")
    redis --eval "$here/redis_stock.lua" , "$SKUS" "$STOCK" >/dev/null
    redis_some $((connections * REDIS_FIRST))
    redis_some "$(awk "BEGIN {print int($rate * $warm_up) + 1}")"
    redis_some "$(awk "BEGIN {print int($rate * $duration) + 1}")"
    done_least=$sent
}

# Pieces taken, versions passed and events must be as many as there were answers.
redis_check() {
    local counts
    counts=$(redis --eval "$here/redis_check.lua" , "$SKUS" "$STOCK")
    [ "$counts" = "$done_least|$done_least|$done_least" ] ||
        refuse "$done_least reserves were answered, but taken|versions|events are $counts"
}

redis_settings() {
    local name settings=()
    for name in appendonly appendfsync no-appendfsync-on-rewrite auto-aof-rewrite-percentage save io-threads; do
        settings+=("$name=$(redis config get "$name" | tail -n 1)")
    done
    jq -n --arg version "$(redis-server --version | sed 's/.* v=\([^ ]*\).*/Redis \1/')" '{version: $version,
        settings: $ARGS.positional, reached: "unix socket, EVALSHA", load: "redis-benchmark, 1 thread",
        durable: "fdatasync before every answer"}' --args -- "${settings[@]}"
}
