# shellcheck shell=bash disable=SC2034,SC2154 # names are shared with run
# A bare axum handler (bare_axum/main.rs) under the load of `onhand bench`: what HTTP and JSON alone allow here.

axum_start() {
    launch TERM "$directory/log" "$bare_axum"
    until_it test -s "$directory/log"
    url=$(<"$directory/log")
}

axum_load() {
    onhand_bench "$url"
}

# It has no stock; that the load saw no errors is all there is to check.
axum_check() { :; }

axum_settings() {
    jq -n --arg version "axum $(sed -n '/^name = "axum"$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)" '{version: $version,
        reached: "HTTP/1.1 on TCP, JSON", load: "onhand bench, 1 thread", durable: "nothing is kept: the ceiling of HTTP"}'
}
