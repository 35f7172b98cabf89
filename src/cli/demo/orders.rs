//! `onhand demo --orders`: a chain of 16 stores, its customers, and a crash among their orders.

use super::buyer::is_replay;
use super::{SERVER, STOP_MAX, verify};
use crate::terminal::child::ChildServer;
use crate::terminal::client::{NodeClient, NodeResponse, encode};
use crate::terminal::print::print_line;
use comfy_table::{CellAlignment, Table, presets};
use futures_util::future::join_all;
use http::{HeaderMap, HeaderValue, Method};
use onhand_runtime::exit::{Exit, Failure};
use serde::Deserialize;
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

/// The members of an order that the demo reads.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Placed {
    lines: Vec<Line>,
    shipments: Vec<Shipment>,
}

#[derive(Deserialize)]
struct Line {
    qty: i64,
    cancelled: i64,
    open: i64,
    waiting: i64,
    shipped: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shipment {
    store_id: String,
    lines: Vec<Sent>,
}

#[derive(Deserialize)]
struct Sent {
    shipped: i64,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Placed>,
    #[serde(rename = "nextCursor")]
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Levels {
    items: Vec<Level>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Level {
    on_hand: i64,
    reserved: i64,
}

/// What came of the orders.
#[derive(Default)]
struct Counts {
    requests: usize,
    replayed: usize,
    placed: usize,
    refused: usize,
    /// Lines of the orders that were placed.
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
            counts.add(wish, &answers)?;
        }
    }
    Ok(())
}

impl Counts {
    fn add(&mut self, wish: &Wish, answers: &[NodeResponse]) -> Result<(), Failure> {
        self.requests += answers.len();
        self.replayed += answers.iter().filter(|answer| is_replay(answer)).count();
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        if statuses.iter().all(|status| *status == 201) {
            self.placed += 1;
            self.lines += wish.lines;
        } else if statuses.iter().all(|status| *status == 409) {
            self.refused += 1;
        } else {
            let message = format!("order {} got {statuses:?}: one order must have one answer", wish.id);
            return Err(Failure::new(Exit::Failed, message));
        }
        Ok(())
    }
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

/// Checks that every piece adds up, and prints what went out from where.
async fn check(client: &NodeClient, stocked: i64, counts: &Counts) -> Result<(), Failure> {
    let (orders, (on_hand, reserved)) = (orders(client).await?, levels(client).await?);
    let (mut by_store, mut shipped, mut parcels) = (BTreeMap::<&str, (usize, i64)>::new(), 0, 0);
    for order in &orders {
        for shipment in &order.shipments {
            let pieces: i64 = shipment.lines.iter().map(|line| line.shipped).sum();
            let (count, sum) = by_store.entry(&shipment.store_id).or_default();
            (*count, *sum, parcels) = (*count + 1, *sum + pieces, parcels + 1);
        }
        for line in &order.lines {
            shipped += line.shipped;
            if line.qty != line.cancelled + line.waiting + line.open + line.shipped {
                return Err(Failure::new(Exit::Failed, "a line does not add up".to_owned()));
            }
        }
    }
    print_line(format!("{}\n", table(&by_store)))?;
    print_line(format!(
        "{} of {ORDERS} orders were placed with {} lines, {} were refused: not enough stock. {} of {} requests got the answer of an \
         earlier one.\n{parcels} shipments went out; one a line would have been {}, so the rules saved {}.",
        counts.placed,
        counts.lines,
        counts.refused,
        counts.replayed,
        counts.requests,
        counts.lines,
        counts.lines - parcels
    ))?;
    let adds_up = on_hand + shipped == stocked && reserved == 0 && orders.len() == counts.placed;
    if adds_up {
        return print_line(format!("{stocked} pieces came, {shipped} were shipped, {on_hand} are left."));
    }
    let message = format!(
        "{stocked} pieces came, {shipped} were shipped, {on_hand} are left and {reserved} reserved, of {} orders",
        orders.len()
    );
    Err(Failure::new(Exit::Failed, message))
}

fn table(by_store: &BTreeMap<&str, (usize, i64)>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header(["store", "shipments", "pieces"]);
    for (store, (shipments, pieces)) in by_store {
        table.add_row([(*store).to_owned(), shipments.to_string(), pieces.to_string()]);
    }
    for column in 1..=2 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

async fn orders(client: &NodeClient) -> Result<Vec<Placed>, Failure> {
    let (mut orders, mut cursor) = (Vec::new(), String::new());
    loop {
        let page: Page = client.get(&format!("/orders?limit=500{cursor}")).await?;
        orders.extend(page.items);
        let Some(next) = page.next_cursor else { return Ok(orders) };
        cursor = format!("&cursor={next}");
    }
}

/// On hand and reserved over all levels.
async fn levels(client: &NodeClient) -> Result<(i64, i64), Failure> {
    let (mut sums, mut cursor) = ((0, 0), String::new());
    loop {
        let page: Levels = client.get(&format!("/stock/current?limit=1000{cursor}")).await?;
        for level in &page.items {
            sums = (sums.0 + level.on_hand, sums.1 + level.reserved);
        }
        let Some(next) = page.next_cursor else { return Ok(sums) };
        cursor = format!("&cursor={next}");
    }
}
