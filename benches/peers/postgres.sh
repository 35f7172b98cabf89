# shellcheck shell=bash disable=SC2034,SC2154 # names are shared with run
# PostgreSQL over a unix socket, in a cluster of its own, measured by pgbench with prepared statements. It is measured twice:
#
#   postgres              the conditional UPDATE and the INSERT of the event are one statement, the fastest way we know
#   postgres_transaction  they are two, between BEGIN and COMMIT, as applications mostly do it
#
# Its settings are the defaults, but for the shared buffers; it runs as the user postgres, because it refuses to run as root.

POSTGRES_SETTINGS=(-c listen_addresses= -c fsync=on -c synchronous_commit=on -c full_page_writes=on -c shared_buffers=256MB)
as_postgres=()

postgres_start() {
    local bin
    directory=$scratch/postgres
    mkdir -p "$directory"
    bin=$(newest_postgres)
    PATH=$bin:$PATH
    if [ "$(id -u)" = 0 ]; then
        as_postgres=(env -C / setpriv --reuid postgres --regid postgres --init-groups)
    fi
    [ -d "$directory/data" ] || postgres_init
    launch INT "$scratch/postgres.log" "${as_postgres[@]}" setpriv --pdeathsig INT -- "$bin/postgres" -D "$directory/data" \
        -c unix_socket_directories="$sockets/postgres" "${POSTGRES_SETTINGS[@]}"
    until_it sql -c 'SELECT 1'
}

postgres_init() {
    mkdir -p "$sockets/postgres"
    if [ ${#as_postgres[@]} -gt 0 ]; then
        chown postgres "$directory" "$sockets/postgres"
        "${as_postgres[@]}" test -w "$directory" ||
            stop_with 69 "the user postgres cannot reach $directory; see --scratch"
    fi
    attend "${as_postgres[@]}" initdb -D "$directory/data" -U postgres -A trust --encoding UTF8 --locale C.UTF-8 \
        >"$scratch/postgres.log" 2>&1
}

sql() {
    PGOPTIONS='-c client_min_messages=warning' psql -X -q -At -v ON_ERROR_STOP=1 -v skus="$SKUS" -v stock="$STOCK" -h "$sockets/postgres" -U postgres -d postgres "$@"
}

# postgres_some SCRIPT SECONDS [OPTION...]: sends for so long, and adds to done_least what was done
postgres_some() {
    local threads=2 script=$1 seconds=$2
    shift 2
    [ "$connections" -gt 1 ] || threads=1
    attend pgbench -h "$sockets/postgres" -U postgres -n -M prepared -c "$connections" -j $threads -T "$seconds" \
        -D keys="$keys" -f "$here/$script" "$@" postgres >"$scratch/pgbench.log" 2>&1 ||
        stop_with 69 "pgbench: $(tail -n 3 "$scratch/pgbench.log")"
    done_least=$((done_least + $(sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "$scratch/pgbench.log")))
}

postgres_load() {
    postgres_measure postgres_statement.sql
}

# postgres_measure SCRIPT
postgres_measure() {
    sql -f "$here/postgres_schema.sql"
    postgres_some "$1" "$warm_up"
    postgres_some "$1" "$duration" --log --log-prefix "$scratch/transactions"
    rate=$(sed -n 's/^tps = \([0-9.]*\) .*/\1/p' "$scratch/pgbench.log" | tail -n 1)
    # The third number of a line is the transaction's time in microseconds.
    read -r p50 p99 < <(awk '{print $3}' "$scratch"/transactions.* | sort -n |
        awk '{all[NR] = $1} END {print all[int((NR + 1) / 2)] / 1000, all[int((NR * 99 + 99) / 100)] / 1000}')
    rm -f "$scratch"/transactions.*
}

# Pieces taken, versions passed and events must be as many as there were transactions.
postgres_check() {
    local counts
    counts=$(sql -f "$here/postgres_check.sql")
    [ "$counts" = "$done_least|$done_least|$done_least" ] ||
        refuse "$done_least transactions were done, but taken|versions|events are $counts"
}

postgres_settings() {
    local name settings=()
    for name in fsync synchronous_commit full_page_writes wal_sync_method wal_level shared_buffers max_wal_size commit_delay; do
        settings+=("$name=$(sql -c "SHOW $name")")
    done
    jq -n --arg version "$(postgres --version | sed 's/postgres (PostgreSQL)/PostgreSQL/; s/ (.*//')" \
        --arg reached "unix socket, ${1:-one prepared statement}" '{version: $version, settings: $ARGS.positional,
        reached: $reached, load: "pgbench, 2 threads", durable: "WAL synced before every answer"}' --args -- "${settings[@]}"
}

postgres_transaction_start() {
    postgres_start
}

postgres_transaction_load() {
    postgres_measure postgres_transaction.sql
}

postgres_transaction_check() {
    postgres_check
}

postgres_transaction_settings() {
    postgres_settings 'BEGIN, two prepared statements, COMMIT'
}
