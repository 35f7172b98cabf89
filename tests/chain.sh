#!/bin/sh
# A chain on one machine: three stores, each a node with its own log, and a central node that follows them over HTTP.
# Sells in all of them, kills one in the middle, brings it back, and compares central with the sum of the three logs.
#
#   cargo build --release && tests/chain.sh          (or ONHAND=/path/to/onhand tests/chain.sh)
#
# Needs sh and curl. Leaves nothing behind. Exit code 0: central is the sum of the logs.
set -eu

onhand=${ONHAND:-target/release/onhand}
rounds=${ROUNDS:-40}
scratch=$(mktemp -d)
export LOG_LEVEL=error SYNC_INTERVAL_MS=20

cleanup() {
    for file in "$scratch"/*.pid; do
        [ -f "$file" ] && kill -9 "$(cat "$file")" 2>/dev/null || true
    done
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# start NAME PORT [OPTION...]: a node, and waits until it takes requests; its address is in NAME.url
start() {
    name=$1 port=$2
    shift 2
    rm -f "$scratch/$name.url"
    "$onhand" serve --rate-limit-rps 0 --data-dir "$scratch/$name" --port "$port" --ready-file "$scratch/$name.url" "$@" \
        2>>"$scratch/$name.log" &
    echo $! >"$scratch/$name.pid"
    tries=0
    until [ -f "$scratch/$name.url" ]; do
        tries=$((tries + 1))
        [ $tries -le 600 ] || { cat "$scratch/$name.log"; exit 1; }
        sleep 0.05
    done
}

url() { cat "$scratch/$1.url"; }

# sell STORE: a delivery of eight pieces and five sales, in one batch. Says how it went.
sell() {
    curl -s -o /dev/null -m 5 -w '%{http_code}' -H 'content-type: application/json' "$(url "$1")/inventory/batch" -d '{
      "atomic": false, "operations": [
        {"op": "adjust", "storeId": "'"$1"'", "sku": "TEA", "delta": 5}, {"op": "adjust", "storeId": "'"$1"'", "sku": "MUG", "delta": 3},
        {"op": "adjust", "storeId": "'"$1"'", "sku": "TEA", "delta": -1}, {"op": "adjust", "storeId": "'"$1"'", "sku": "MUG", "delta": -2},
        {"op": "reserve", "storeId": "'"$1"'", "sku": "TEA", "qty": 2}]}' || true
}

# levels: one line for each level on stdin: store, SKU, on hand, reserved, version
levels() {
    tr '{' '\n' | sed -n 's/.*"storeId":"\([^"]*\)","sku":"\([^"]*\)".*"onHand":\([0-9]*\),"reserved":\([0-9]*\),"version":\([0-9]*\).*/\1 \2 \3 \4 \5/p' | sort
}

for store in BERLIN PARIS ROME; do start $store 0; done
start CENTRAL 0 --source "$(url BERLIN)" --source "$(url PARIS)" --source "$(url ROME)"
echo "three stores and a central node are running: $(url CENTRAL)"

sold=0 refused=0 round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    if [ $round -eq $((rounds / 3)) ]; then
        kill -9 "$(cat "$scratch/PARIS.pid")"
        echo "round $round: PARIS is killed"
    fi
    if [ $round -eq $((rounds / 2)) ]; then
        "$onhand" sync --server "$(url CENTRAL)" 2>&1 | grep -E '^in central|could not' || true
    fi
    if [ $round -eq $((rounds * 2 / 3)) ]; then
        address=$(url PARIS)
        start PARIS "${address##*:}"
        echo "round $round: PARIS is back"
    fi
    for store in BERLIN PARIS ROME; do
        if [ "$(sell $store)" = 200 ]; then sold=$((sold + 1)); else refused=$((refused + 1)); fi
    done
done
echo "$sold batches were acknowledged, $refused got no answer"

"$onhand" sync --server "$(url CENTRAL)"
curl -s "$(url CENTRAL)/central/inventory?limit=1000" | levels >"$scratch/central"
for store in BERLIN PARIS ROME; do
    "$onhand" rebuild --data-dir "$scratch/$store" --output "$scratch/$store.levels" >/dev/null
    levels <"$scratch/$store.levels"
done | sort >"$scratch/logs"
cat "$scratch/central"
if [ -s "$scratch/logs" ] && cmp "$scratch/central" "$scratch/logs"; then
    echo "central is the sum of the three logs"
else
    echo "central is NOT the sum of the three logs:"
    cat "$scratch/logs"
    exit 1
fi
