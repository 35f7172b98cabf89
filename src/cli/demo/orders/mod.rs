//! `onhand demo --orders`: a chain of 16 stores, its customers, and a crash among their orders.

mod tally;

use self::tally::{Counts, check};
use super::node::{SERVER, STOP_MAX, verify};
use crate::terminal::child::ChildServer;
use crate::terminal::client::{NodeClient, NodeResponse, encode};
use crate::terminal::print::print_line;
use futures_util::future::join_all;
use http::{HeaderMap, HeaderValue, Method};
use onhand_runtime::exit::{Exit, Failure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

const STORES: [&str; 16] = [
    "AMSTERDAM",
    "BERLIN",
    "BRUSSELS",
    "DUBLIN",
    "HELSINKI",
    "LISBON",
    "LONDON",
    "LYON",
    "MADRID",
    "MILAN",
    "OSLO",
    "PARIS",
    "PRAGUE",
    "ROME",
    "VIENNA",
    "WARSAW",
];
const SKUS: usize = 60;
const CUSTOMERS: usize = 300;
const ORDERS: usize = 1_000;
/// Orders under way at once.
const WAVE: usize = 50;
/// The node is killed this long after a wave in the middle has begun.
const INTO_WAVE: Duration = Duration::from_millis(15);

/// An order as a customer sends it.
struct Wish {
    id: String,
    body: Value,
    lines: usize,
}

/// Plays the demo.
///
/// # Errors
/// [`Exit::Failed`] when a piece is missing or sold twice.
pub(super) async fn play(data_dir: &Path) -> Result<(), Failure> {
    let program = ChildServer::this_program()?;
    let node = ChildServer::start(&program, data_dir, &SERVER)?;
    let client = NodeClient::new(node.url())?;
    print_line(format!("A node runs on {}, its data is in {}.", node.url(), data_dir.display()))?;
    let mut chance = fastrand::Rng::with_seed(2_026);
    let stocked = stock(&client, &mut chance).await?;
    print_line(format!("{} stores got {stocked} pieces of {SKUS} SKUs.\n", STORES.len()))?;
    let wishes: Vec<Wish> = (1..=ORDERS).map(|number| wish(number, &mut chance)).collect();
    print_line(format!(
        "ORDERS: {CUSTOMERS} customers send {ORDERS}. Each clicks twice, and retries without looking."
    ))?;
    let started = Instant::now();
    let (mut counts, middle) = (Counts::default(), ORDERS / 2);
    send_all(&client, wishes.get(..middle).unwrap_or_default(), &mut counts).await?;

    let (torn, rest) = wishes.get(middle..).unwrap_or_default().split_at(WAVE);
    print_line(format!("CRASH: kill -9 {}, while {WAVE} orders are under way.", node.id()))?;
    // Whether these came through, nobody knows. They are sent again.
    let wave = pin!(join_all(torn.iter().map(|wish| place(&client, wish))));
    tokio::select! {
        () = tokio::time::sleep(INTO_WAVE) => {}
        _ = wave => {}
    }
    node.kill()?;
    let node = ChildServer::start(&program, data_dir, &SERVER)?;
    let client = NodeClient::new(node.url())?;
    send_all(&client, torn, &mut counts).await?;
    send_all(&client, rest, &mut counts).await?;
    print_line(format!(
        "{} answers in {:.2} s; {} orders are sent to their customers.\n",
        counts.requests,
        started.elapsed().as_secs_f64(),
        counts.placed
    ))?;
    ship_all(&client, &wishes).await?;
    check(&client, stocked, &counts).await?;
    node.stop(STOP_MAX)?;
    verify(&program, data_dir)?;
    print_line("\nEvery piece adds up. Your turn: onhand serve, and POST /orders")
}

async fn stock(client: &NodeClient, chance: &mut fastrand::Rng) -> Result<i64, Failure> {
    let (mut operations, mut stocked) = (Vec::new(), 0);
    for store in STORES {
        for sku in 0..SKUS {
            // Not every store has everything.
            let pieces = if chance.u8(..3) == 0 { 0 } else { chance.i64(1..12) };
            if pieces > 0 {
                operations.push(json!({"op": "adjust", "storeId": store, "sku": name(sku), "delta": pieces}));
                stocked += pieces;
            }
        }
    }
    let _: Value =
        client.post("/inventory/batch", HeaderMap::new(), &json!({ "operations": operations })).await?;
    Ok(stocked)
}

fn name(sku: usize) -> String {
    format!("ITEM-{sku:02}")
}

fn wish(number: usize, chance: &mut fastrand::Rng) -> Wish {
    let customer = chance.usize(1..=CUSTOMERS);
    let mut lines = BTreeMap::new();
    for _ in 0..chance.usize(1..=4) {
        lines.insert(name(chance.usize(..SKUS)), chance.i64(1..=3));
    }
    let count = lines.len();
    let lines: Vec<Value> =
        lines.into_iter().map(|(sku, qty)| json!({"sku": sku, "qty": qty, "unitPrice": 1_990})).collect();
    let id = format!("demo-{number}");
    let body = json!({
        "orderId": id, "customerId": format!("c-{customer}"), "customer": {"name": format!("Customer {customer}")},
        "currency": "EUR", "lines": lines,
    });
    Wish { id, body, lines: count }
}

async fn place(client: &NodeClient, wish: &Wish) -> Result<NodeResponse, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(
        "idempotency-key",
        HeaderValue::from_str(&wish.id).expect("ids here are letters, digits, dashes"),
    );
    Ok(client.call(Method::POST, "/orders", headers, Some(encode(&wish.body))).await?)
}

/// Sends each order twice at once and then once more.
async fn send_all(client: &NodeClient, wishes: &[Wish], counts: &mut Counts) -> Result<(), Failure> {
    for wave in wishes.chunks(WAVE) {
        let answers = join_all(wave.iter().map(async |wish| {
            let (double, click) = tokio::join!(place(client, wish), place(client, wish));
            let retry = place(client, wish).await?;
            Ok::<_, Failure>((wish, [double?, click?, retry]))
        }));
        for answered in answers.await {
            let (wish, answers) = answered?;
            counts.add((&wish.id, wish.lines), &answers)?;
        }
    }
    Ok(())
}

/// Ships whatever was placed; what was refused is not there.
async fn ship_all(client: &NodeClient, wishes: &[Wish]) -> Result<(), Failure> {
    let body = encode(&json!({"status": "SHIPPED", "carrier": "demo"}));
    for wave in wishes.chunks(WAVE) {
        let answers = join_all(wave.iter().map(async |wish| {
            let path = format!("/orders/{}/status", wish.id);
            client.call(Method::POST, &path, HeaderMap::new(), Some(body.clone())).await
        }));
        for answer in answers.await {
            let status = answer?.status.as_u16();
            if !matches!(status, 200 | 404) {
                return Err(Failure::new(
                    Exit::Failed,
                    format!("an order could not be shipped: status {status}"),
                ));
            }
        }
    }
    Ok(())
}
