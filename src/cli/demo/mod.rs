//! `onhand demo`: a flash sale, a crash, and nothing lost; on a real node in a scratch directory.

mod buyer;
mod catalogue;
mod node;
mod orders;

use std::path::Path;
use std::time::{Duration, Instant};

use clap::{Args, value_parser};
use comfy_table::{CellAlignment, Table, presets};
use futures_util::future::try_join_all;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::terminal::child::ChildServer;
use crate::terminal::client::NodeClient;
use crate::terminal::print::print_line;
use crate::terminal::run_client;
use buyer::BuyerCounts;
use catalogue::{SALE_SKU, SALE_STORE};
use node::{SERVER, STOP_MAX, verify};
use onhand_runtime::exit::{Exit, Failure, OrExit};

/// Watch a flash sale and a crash: more buyers than pieces, and not one too many is sold
///
/// Starts a node in a scratch directory, brings a small catalogue, and lets some hundred buyers loose on 100
/// pieces. Each sends its order twice at once and then once more, as impatient people and blind retries do. Then
/// the node is killed without warning and started again, and onhand verify looks at its log. Ends with an error unless exactly the pieces that were
/// there were sold.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  onhand demo
  onhand demo --buyers 500 --pieces 7
  onhand demo --orders                16 stores, 1,000 orders, a crash among them")]
pub struct DemoArgs {
    /// Buyers, all at once
    #[arg(long, value_name = "BUYERS", default_value_t = 300, value_parser = value_parser!(u32).range(1..=500))]
    buyers: u32,

    /// Pieces there are
    #[arg(long, value_name = "PIECES", default_value_t = 100, value_parser = value_parser!(u32).range(1..=100_000))]
    pieces: u32,

    /// Orders instead of a flash sale: 300 customers, 16 stores that send, and a crash in the middle
    #[arg(long, conflicts_with_all = ["buyers", "pieces"])]
    orders: bool,
}

/// The members of a level that the demo reads.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct Level {
    qty: i64,
    on_hand: i64,
    reserved: i64,
    version: u64,
}

/// Runs the demo.
///
/// # Errors
/// [`Exit::Failed`] when one piece too many or too few was sold, or the crash changed anything.
pub fn run(args: &DemoArgs) -> Result<Exit, Failure> {
    let scratch = TempDir::new().or_exit(Exit::CannotCreate, || "cannot make a scratch directory")?;
    let data_dir = scratch.path().join("data");
    run_client::run(async {
        if args.orders { orders::play(&data_dir).await } else { play(args, &data_dir).await }
    })?;
    Ok(Exit::Ok)
}

async fn play(args: &DemoArgs, data_dir: &Path) -> Result<(), Failure> {
    let program = ChildServer::this_program()?;
    let node = ChildServer::start(&program, data_dir, &SERVER)?;
    let client = NodeClient::new(node.url())?;
    print_line(format!("A node runs on {}, its data is in {}.", node.url(), data_dir.display()))?;

    let _: Value =
        client.post("/inventory/batch", HeaderMap::new(), &catalogue::opening(args.pieces)).await?;
    let (levels, stores) = catalogue::size();
    print_line(format!(
        "{stores} stores got {levels} levels in one atomic batch; {SALE_STORE} has {} pieces of {SALE_SKU}.\n",
        args.pieces
    ))?;

    print_line(format!(
        "FLASH SALE: {} buyers at once. Each clicks twice, and then retries without looking.",
        args.buyers
    ))?;
    let started = Instant::now();
    let buyers = try_join_all((1..=args.buyers).map(|number| buyer::buy(&client, number))).await?;
    let mut seen = BuyerCounts::default();
    for one in &buyers {
        seen.add(*one);
    }
    let after_sale = level(&client).await?;
    print_line(format!("{}\n", table(&seen, &after_sale, started.elapsed())))?;
    check_sale(args, &seen, &after_sale)?;
    let winner = (1..).zip(&buyers).find(|(_, seen)| seen.sold > 0).map_or(1, |(number, _)| number);
    reuse_a_key(&client, winner).await?;

    print_line(format!("CRASH: kill -9 {}. Nothing gets a chance to be flushed.", node.id()))?;
    node.kill()?;
    let started = Instant::now();
    let node = ChildServer::start(&program, data_dir, &SERVER)?;
    let client = NodeClient::new(node.url())?;
    print_line(format!("Started again in {:.0} ms.", started.elapsed().as_secs_f64() * 1000.0))?;
    check_crash(&client, &after_sale, winner).await?;
    node.stop(STOP_MAX)?;
    verify(&program, data_dir)?;
    print_line("\nExactly what was there was sold, once. Your turn: onhand serve")
}

async fn level(client: &NodeClient) -> Result<Level, Failure> {
    Ok(client.get(&format!("/stores/{SALE_STORE}/inventory/{SALE_SKU}")).await?)
}

fn table(seen: &BuyerCounts, level: &Level, took: Duration) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header(["flash sale", "", "what it means"]);
    let rows = [
        ("requests", i64::from(seen.requests), format!("in {:.2} s", took.as_secs_f64())),
        ("sold", i64::from(seen.sold), "pieces reserved and paid for".to_owned()),
        ("refused", i64::from(seen.refused), "buyers told that it is sold out".to_owned()),
        (
            "replayed",
            i64::from(seen.replayed),
            "repeated requests that got their first answer again".to_owned(),
        ),
        (
            "left",
            level.qty,
            format!("version {}, on hand {}, reserved {}", level.version, level.on_hand, level.reserved),
        ),
    ];
    for (what, count, meaning) in rows {
        table.add_row([what.to_owned(), count.to_string(), meaning]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn check_sale(args: &DemoArgs, seen: &BuyerCounts, level: &Level) -> Result<(), Failure> {
    let expected = args.pieces.min(args.buyers);
    let left = i64::from(args.pieces - expected);
    let held = (level.qty, level.on_hand, level.reserved);
    if (seen.sold, seen.refused) == (expected, args.buyers - expected) && held == (left, left, 0) {
        return Ok(());
    }
    let sold = seen.sold;
    Err(Failure::new(
        Exit::Failed,
        format!("{sold} pieces were sold, it should have been {expected}: {level:?}"),
    ))
}

/// A key belongs to one order: another order under the same key is rejected.
async fn reuse_a_key(client: &NodeClient, buyer: u32) -> Result<(), Failure> {
    let answer = buyer::order_again(client, buyer, 2).await?;
    let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = problem.get("code").and_then(Value::as_str).unwrap_or_default();
    if code != "idempotency-key-reused" {
        let message = format!("buyer {buyer} used a key for two orders and got {} {code}", answer.status);
        return Err(Failure::new(Exit::Failed, message));
    }
    print_line(format!(
        "Buyer {buyer} uses the key of that order for two pieces: {} {code}.\n",
        answer.status.as_u16()
    ))
}

/// Checks that acknowledged changes survived, and that a buyer who lost the answer still gets it.
async fn check_crash(client: &NodeClient, before: &Level, buyer: u32) -> Result<(), Failure> {
    let again = buyer::order_again(client, buyer, 1).await?;
    if again.status != 200 || !buyer::is_replay(&again) {
        let message = format!("buyer {buyer} repeated an order after the crash and got {}", again.status);
        return Err(Failure::new(Exit::Failed, message));
    }
    let after = level(client).await?;
    if after != *before {
        return Err(Failure::new(
            Exit::Failed,
            format!("the crash changed the level from {before:?} to {after:?}"),
        ));
    }
    print_line(format!("The level is the same: version {}, {} left.", after.version, after.qty))?;
    print_line(format!(
        "Buyer {buyer}, who repeats the order once more, gets the answer of before: nothing is sold twice."
    ))
}
