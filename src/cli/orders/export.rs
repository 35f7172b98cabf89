//! `onhand orders export`: all orders of a node, as CSV lines or whole.

use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::value::RawValue;
use smol_str::SmolStr;
use std::fmt::Write as _;

use super::access::failure;
use crate::import::products::money::decimal;
use crate::terminal::client::{NodeClient, query_value, server_url};
use crate::terminal::print::print_unless_closed;
use crate::terminal::run_client;
use onhand_domain::catalogue::Currency;
use onhand_domain::orders::OrderStatus;
use onhand_domain::{CustomerId, StoreId, Timestamp};
use onhand_runtime::exit::{Exit, Failure, OrExit};
use onhand_spreadsheet::safe;

/// Orders of one page.
const PAGE_ORDERS: u32 = 200;

/// Export orders, the newest first
///
/// CSV has a row for each line of an order: what became of its pieces, its price as in 2.55, and the stores that hold or have
/// sent some of them. Cells that a spreadsheet would run are marked as text. With --output ndjson every order is a JSON object, as
/// GET /orders has it, with its shipments, payments and returns.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = "\
The token of ONHAND_TOKEN needs orders:read.

Examples:
  onhand orders export > orders.csv
  onhand orders export --status CONFIRMED --from 2026-12-01 --to 2026-12-08 > week.csv
  onhand orders export --customer c-17 --output ndjson | jq .total

Exit codes:
   0  done; also when the reader of a pipe has had enough
   1  interrupted
  69  the server could not be reached, or it refused; what was written before is incomplete
  74  the output cannot be written")]
pub(crate) struct ExportOrdersArgs {
    /// Only orders of this status
    #[arg(long, value_name = "STATUS", value_parser = status)]
    status: Option<OrderStatus>,

    /// Only orders placed at or after this time: like 2026-11-30T09:00:00Z, or 2026-11-30 for its first moment in UTC
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,

    /// Only orders placed before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Timestamp>,

    /// Only orders of this customer
    #[arg(long, value_name = "ID", value_parser = customer_id)]
    customer: Option<CustomerId>,

    /// Form of the orders
    #[arg(short, long, value_name = "FORM", default_value = "csv")]
    output: Output,

    /// Node to export from
    #[arg(long, value_name = "URL", env = "ONHAND_SERVER", default_value = "http://127.0.0.1:3000", value_parser = server_url)]
    server: String,
}

/// The form of the orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// A row for each line, with a header
    Csv,
    /// One JSON object an order
    Ndjson,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExportedOrder {
    order_id: SmolStr,
    status: SmolStr,
    placed_at: SmolStr,
    customer_id: Option<SmolStr>,
    currency: Option<SmolStr>,
    lines: Vec<ExportedLine>,
    shipments: Vec<ExportedShipment>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExportedLine {
    line: u16,
    sku: SmolStr,
    qty: i64,
    unit_price: Option<u64>,
    cancelled: i64,
    waiting: i64,
    open: i64,
    shipped: i64,
    delivered: i64,
    returned: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExportedShipment {
    store_id: StoreId,
    lines: Vec<ShipmentLine>,
}

#[derive(Debug, Deserialize)]
struct ShipmentLine {
    line: u16,
    held: i64,
    shipped: i64,
}

/// The columns, named as in the API.
const HEADER: [&str; 16] = [
    "orderId",
    "status",
    "placedAt",
    "customerId",
    "line",
    "sku",
    "qty",
    "cancelled",
    "waiting",
    "open",
    "shipped",
    "delivered",
    "returned",
    "unitPrice",
    "currency",
    "stores",
];

/// Prints the orders.
///
/// # Errors
/// [`Exit::Unavailable`] when the node does not answer or refuses; [`Exit::Io`] when stdout cannot be written.
pub(super) fn run(args: &ExportOrdersArgs) -> Result<Exit, Failure> {
    run_client::run(async {
        let client = NodeClient::new(&args.server)?;
        let first = path(args);
        let (mut next, mut header) = (first.clone(), vec![HEADER.map(str::to_owned)]);
        loop {
            let page: Page = client.get(&next).await.map_err(|error| failure(error, "orders:read"))?;
            let text = match args.output {
                Output::Csv => csv(header.drain(..).chain(rows(&page.items)?))?,
                Output::Ndjson => lines(&page.items),
            };
            if !print_unless_closed(text)? {
                return Ok(Exit::Ok);
            }
            let Some(cursor) = page.next_cursor else { return Ok(Exit::Ok) };
            next = format!("{first}&cursor={}", query_value(&cursor));
        }
    })
}

fn lines(orders: &[Box<RawValue>]) -> Vec<u8> {
    orders.iter().flat_map(|order| [order.get(), "\n"]).collect::<String>().into_bytes()
}

fn path(args: &ExportOrdersArgs) -> String {
    let mut path = format!("/orders?limit={PAGE_ORDERS}");
    for (name, value) in [
        ("status", args.status.map(|status| status.as_str().to_owned())),
        ("from", args.from.map(|from| from.to_string())),
        ("to", args.to.map(|to| to.to_string())),
        ("customerId", args.customer.as_ref().map(ToString::to_string)),
    ] {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = write!(path, "&{name}={}", query_value(&value));
        }
    }
    path
}

/// The rows of some orders.
fn rows(orders: &[Box<RawValue>]) -> Result<Vec<[String; HEADER.len()]>, Failure> {
    let mut rows = Vec::new();
    for order in orders {
        let order: ExportedOrder = serde_json::from_str(order.get())
            .or_exit(Exit::Unavailable, || "an order cannot be read; is the server of this version?")?;
        rows.extend(order.lines.iter().map(|line| row(&order, line)));
    }
    Ok(rows)
}

fn row(order: &ExportedOrder, line: &ExportedLine) -> [String; HEADER.len()] {
    let text = |text: Option<&SmolStr>| text.map(ToString::to_string).unwrap_or_default();
    let currency = order.currency.as_ref().and_then(|currency| Currency::new(currency).ok());
    let price = line.unit_price.map(|price| match currency {
        Some(currency) => decimal(u128::from(price), currency),
        None => price.to_string(),
    });
    let has = |part: &&ExportedShipment| {
        part.lines.iter().any(|one| one.line == line.line && (one.held > 0 || one.shipped > 0))
    };
    let mut stores: Vec<&str> =
        order.shipments.iter().filter(has).map(|part| part.store_id.as_str()).collect();
    stores.sort_unstable();
    stores.dedup();
    [
        order.order_id.to_string(),
        order.status.to_string(),
        order.placed_at.to_string(),
        text(order.customer_id.as_ref()),
        line.line.to_string(),
        line.sku.to_string(),
        line.qty.to_string(),
        line.cancelled.to_string(),
        line.waiting.to_string(),
        line.open.to_string(),
        line.shipped.to_string(),
        line.delivered.to_string(),
        line.returned.to_string(),
        price.unwrap_or_default(),
        text(order.currency.as_ref()),
        stores.join(" "),
    ]
}

fn csv(rows: impl IntoIterator<Item = [String; HEADER.len()]>) -> Result<Vec<u8>, Failure> {
    let describe = || "cannot write a row";
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|cell| safe(cell.as_bytes()))).or_exit(Exit::Io, describe)?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error).or_exit(Exit::Io, describe)
}

fn status(text: &str) -> Result<OrderStatus, String> {
    const ALL: [OrderStatus; 5] = [
        OrderStatus::Placed,
        OrderStatus::Confirmed,
        OrderStatus::Shipped,
        OrderStatus::Delivered,
        OrderStatus::Cancelled,
    ];
    let found = ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("it is one of {}", ALL.map(OrderStatus::as_str).join(", ")))
}

/// A time as RFC 3339, or the first moment of a day in UTC.
fn moment(text: &str) -> Result<Timestamp, String> {
    let day = Timestamp::parse(&format!("{text}T00:00:00.000Z"));
    day.or_else(|_| Timestamp::parse(text)).map_err(|error| format!("{error}, or a day like 2026-11-30"))
}

fn customer_id(text: &str) -> Result<CustomerId, String> {
    CustomerId::new(text).map_err(|error| format!("it {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = r#"{"orderId":"-o1","status":"CONFIRMED","placedAt":"2026-11-20T16:00:00.123Z","customerId":"-c",
        "currency":"GBP","lines":[
          {"line":1,"sku":"TEA","qty":5,"unitPrice":255,"cancelled":0,"waiting":1,"open":1,"shipped":3,"delivered":0,"returned":2},
          {"line":2,"sku":"CUP","qty":1,"cancelled":1,"waiting":0,"open":0,"shipped":0,"delivered":0,"returned":0}],
        "shipments":[
          {"storeId":"ROME","lines":[{"line":1,"held":1,"shipped":0}]},
          {"storeId":"BERLIN","lines":[{"line":1,"held":0,"shipped":2},{"line":2,"held":0,"shipped":0}]},
          {"storeId":"BERLIN","lines":[{"line":1,"held":0,"shipped":1}]}]}"#;

    #[test]
    fn a_line_is_a_row_that_no_spreadsheet_runs() {
        let order = RawValue::from_string(ORDER.to_owned()).unwrap();
        let text = String::from_utf8(csv(rows(&[order]).unwrap()).unwrap()).unwrap();
        assert_eq!(
            text,
            "'-o1,CONFIRMED,2026-11-20T16:00:00.123Z,'-c,1,TEA,5,0,1,1,3,0,2,2.55,GBP,BERLIN ROME\n\
             '-o1,CONFIRMED,2026-11-20T16:00:00.123Z,'-c,2,CUP,1,1,0,0,0,0,0,,GBP,\n"
        );
    }

    #[test]
    fn times_and_status_are_read_as_people_write_them() {
        assert_eq!(moment("2026-11-30").unwrap().to_string(), "2026-11-30T00:00:00.000Z");
        assert_eq!(moment("2026-11-30T09:00:00Z").unwrap().to_string(), "2026-11-30T09:00:00.000Z");
        assert!(moment("yesterday").unwrap_err().contains("or a day like"));
        assert_eq!(status("shipped"), Ok(OrderStatus::Shipped));
        assert!(status("sent").unwrap_err().contains("DELIVERED"));
    }
}
