//! What came of the orders of the demo, and whether every piece adds up.

use super::super::buyer::is_replay;
use crate::terminal::client::{NodeClient, NodeResponse};
use crate::terminal::print::print_line;
use comfy_table::{CellAlignment, Table, presets};
use onhand_runtime::exit::{Exit, Failure};
use serde::Deserialize;
use std::collections::BTreeMap;

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
pub(super) struct Counts {
    pub(super) requests: usize,
    replayed: usize,
    pub(super) placed: usize,
    refused: usize,
    /// Lines of the orders that were placed.
    lines: usize,
}

impl Counts {
    /// Adds the answers to one order of so many lines.
    pub(super) fn add(
        &mut self,
        (id, lines): (&str, usize),
        answers: &[NodeResponse],
    ) -> Result<(), Failure> {
        self.requests += answers.len();
        self.replayed += answers.iter().filter(|answer| is_replay(answer)).count();
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        if statuses.iter().all(|status| *status == 201) {
            self.placed += 1;
            self.lines += lines;
        } else if statuses.iter().all(|status| *status == 409) {
            self.refused += 1;
        } else {
            let message = format!("order {id} got {statuses:?}: one order must have one answer");
            return Err(Failure::new(Exit::Failed, message));
        }
        Ok(())
    }
}

/// Checks that every piece adds up, and prints what went out from where.
pub(super) async fn check(client: &NodeClient, stocked: i64, counts: &Counts) -> Result<(), Failure> {
    let sent = counts.placed + counts.refused;
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
        "{} of {sent} orders were placed with {} lines, {} were refused: not enough stock. {} of {} requests got the answer of an \
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
