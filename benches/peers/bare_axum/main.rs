//! A bare axum handler: what HTTP and JSON alone allow on a machine. `benches/peers/run` measures it beside a node.
//!
//! It answers the routes that `onhand bench` calls, with levels as long as those of a node, and that is all: it looks at
//! no path, keeps nothing and writes nothing. Its address is the one line on stdout, once it takes requests.

use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::io;
use tokio::net::TcpListener;

/// Where `onhand bench` begins: a route that no level has.
const BATCH: &str = "/inventory/batch";
const LEVEL: &str = "/stores/{store}/inventory/{sku}";
const RESERVE: &str = "/stores/{store}/inventory/{sku}/reserve";

#[derive(Deserialize)]
struct Reserve {
    qty: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Level {
    store_id: &'static str,
    sku: &'static str,
    qty: u64,
    on_hand: u64,
    reserved: u64,
    version: u64,
    updated_at: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<Reservation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reservation {
    reservation_id: &'static str,
    qty: u64,
}

/// The answer to the stock that the load brings first.
#[derive(Serialize)]
struct Brought {
    refused: u64,
}

async fn level() -> Json<Level> {
    Json(after(0, None))
}

async fn reserve(Json(wish): Json<Reserve>) -> Json<Level> {
    let reservation = Reservation { reservation_id: "01a1fa0d-1f90-7478-9417-58c82ae9a2ac", qty: wish.qty };
    Json(after(wish.qty, Some(reservation)))
}

async fn batch() -> Json<Brought> {
    Json(Brought { refused: 0 })
}

fn after(reserved: u64, reservation: Option<Reservation>) -> Level {
    let on_hand = 1_000_000_000;
    Level {
        store_id: "BENCH",
        sku: "SKU-0000000",
        qty: on_hand - reserved.min(on_hand),
        on_hand,
        reserved,
        version: 150_000,
        updated_at: "2026-11-20T17:42:07.194Z",
        reservation,
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // As in a node: a small answer does not wait for more to come.
        let _ = stream.set_nodelay(true);
    });
    let routes =
        Router::new().route(LEVEL, get(level)).route(RESERVE, post(reserve)).route(BATCH, post(batch));
    axum::serve(listener, routes).await
}
