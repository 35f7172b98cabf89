//! The trade history as orders, added up by itself: plain maps and the documented rules, one order after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The stores that send, each with a share of every SKU.
pub(super) const WAREHOUSES: [&str; 5] = ["LEEDS", "YORK", "DOVER", "BATH", "OXFORD"];
/// Lines that one order may have.
const LINES_MAX: usize = 200;

/// One row of the file, as far as it can be read.
struct Row {
    number: u64,
    id: Option<String>,
    customer: String,
    sku: String,
    qty: i64,
    pence: i64,
    fault: Option<&'static str>,
}

/// A line of an order that is there in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) sku: String,
    pub(super) qty: i64,
    pub(super) cancelled: i64,
    pub(super) returned: i64,
}

/// The expected result of a file that is imported with `--partial cancel-rest --ship --returns`.
#[derive(Debug, Default)]
pub(super) struct Fold {
    pub(super) rows: u64,
    /// The orders that are placed, in order.
    pub(super) ids: Vec<String>,
    pub(super) orders: BTreeMap<String, Vec<Line>>,
    /// The code of every row that is not imported.
    pub(super) refused: BTreeMap<u64, &'static str>,
    /// The stock at the start, and what is left of it, by SKU.
    pub(super) stock: BTreeMap<String, i64>,
    pub(super) left: BTreeMap<String, i64>,
    pub(super) returned: BTreeMap<String, i64>,
    pub(super) returned_rows: u64,
    pub(super) pence: i64,
    /// The customers of the orders, by id.
    customers: BTreeMap<String, String>,
}

/// Adds up a file; its columns are those of the online retail data.
pub(super) fn fold(path: &Path) -> Fold {
    let rows = rows(path);
    let mut orders: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        if let Some(id) = &row.id {
            orders.entry(id).or_default().push(row);
        }
    }
    let mut fold = Fold { rows: rows.len() as u64, ..Fold::default() };
    let mut good: Vec<(&str, &[&Row])> = Vec::new();
    for row in rows.iter().filter(|row| row.id.is_none()) {
        fold.refused.insert(row.number, row.fault.unwrap());
    }
    for (id, rows) in &orders {
        let Some(code) = fault(id, rows) else {
            good.push((*id, rows.as_slice()));
            continue;
        };
        fold.refused.extend(rows.iter().map(|row| (row.number, row.fault.unwrap_or(code))));
    }
    good.sort_by_key(|(_, rows)| rows.last().unwrap().number);
    fold.fill(&good);
    for (id, rows) in good {
        if rows[0].qty < 0 { fold.take_back(rows) } else { fold.place(id, rows) }
    }
    fold
}

impl Fold {
    /// The demand of all orders; of every seventh SKU only two thirds.
    fn fill(&mut self, orders: &[(&str, &[&Row])]) {
        for row in orders.iter().flat_map(|(_, rows)| *rows).filter(|row| row.qty > 0) {
            *self.stock.entry(row.sku.clone()).or_default() += row.qty;
        }
        for pieces in self.stock.values_mut().step_by(7) {
            *pieces = *pieces * 2 / 3;
        }
        self.left = self.stock.clone();
    }

    fn place(&mut self, id: &str, rows: &[&Row]) {
        if rows.iter().all(|row| self.left[&row.sku] == 0) {
            self.refused.extend(rows.iter().map(|row| (row.number, "insufficient-stock")));
            return;
        }
        let mut lines = Vec::new();
        for row in rows {
            let left = self.left.get_mut(&row.sku).unwrap();
            let shipped = row.qty.min(*left);
            *left -= shipped;
            lines.push(Line {
                sku: row.sku.clone(),
                qty: row.qty,
                cancelled: row.qty - shipped,
                returned: 0,
            });
            self.pence += row.pence * row.qty;
        }
        self.ids.push(id.to_owned());
        self.orders.insert(id.to_owned(), lines);
        let customer = rows.iter().map(|row| &row.customer).find(|customer| !customer.is_empty());
        self.customers.insert(id.to_owned(), customer.cloned().unwrap_or_default());
    }

    /// Each line from the newest orders of the customer that have pieces of it.
    fn take_back(&mut self, rows: &[&Row]) {
        let customer = rows.iter().map(|row| &row.customer).find(|customer| !customer.is_empty());
        for row in rows {
            let room = |line: &Line| {
                if line.sku == row.sku { line.qty - line.cancelled - line.returned } else { 0 }
            };
            let theirs = self.ids.iter().rev().filter(|id| Some(&self.customers[*id]) == customer);
            let theirs: Vec<String> = theirs.cloned().collect();
            let all: i64 = theirs.iter().flat_map(|id| &self.orders[id]).map(room).sum();
            if all < -row.qty {
                self.refused.insert(row.number, "no-shipped-order");
                continue;
            }
            let mut rest = -row.qty;
            for id in theirs {
                for line in self.orders.get_mut(&id).unwrap() {
                    let pieces = room(line).min(rest);
                    line.returned += pieces;
                    rest -= pieces;
                }
            }
            *self.returned.entry(row.sku.clone()).or_default() -= row.qty;
            self.returned_rows += 1;
        }
    }
}

/// Why an order is not sent.
fn fault(id: &str, rows: &[&Row]) -> Option<&'static str> {
    let (negative, positive) = (rows.iter().any(|row| row.qty < 0), rows.iter().any(|row| row.qty > 0));
    let customers: BTreeSet<&str> = rows.iter().map(|row| row.customer.as_str()).collect();
    let customers = customers.iter().filter(|customer| !customer.is_empty()).count();
    let is_credit_note = id.starts_with('C') && negative && !positive;
    if rows.iter().any(|row| row.fault.is_some()) {
        Some("bad-row")
    } else if customers > 1 {
        Some("other-customer")
    } else if negative && !is_credit_note {
        Some("negative-quantity")
    } else if is_credit_note && customers == 0 {
        Some("no-customer")
    } else if !is_credit_note && rows.len() > LINES_MAX {
        Some("too-many-lines")
    } else {
        None
    }
}

fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).unwrap();
    let mut rows = Vec::new();
    for (number, record) in (1..).zip(reader.byte_records()) {
        let record = record.unwrap();
        let field = |at: usize| String::from_utf8_lossy(record.get(at).unwrap_or_default()).trim().to_owned();
        let is_id = |text: &str| {
            (1..=58).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let id = Some(field(0)).filter(|id| is_id(id));
        let (qty, pence) = (field(3).parse::<i64>(), pence(&field(5)));
        let fault = match (&qty, pence, &id) {
            _ if record.len() != 8 => Some("wrong-field-count"),
            _ if [0, 1, 2, 3, 5, 6].iter().any(|at| str::from_utf8(&record[*at]).is_err()) => {
                Some("not-utf-8")
            }
            (Err(_), ..) => Some("invalid-quantity"),
            (Ok(0), ..) => Some("zero-quantity"),
            (_, None, _) => Some("invalid-price"),
            (.., None) => Some("invalid-order-id"),
            _ => None,
        };
        rows.push(Row {
            number,
            id,
            customer: field(6),
            sku: field(1),
            qty: if fault.is_some() { 0 } else { qty.unwrap_or_default() },
            pence: pence.unwrap_or_default(),
            fault,
        });
    }
    rows
}

/// Pence of `2.5` or `2.55`.
fn pence(text: &str) -> Option<i64> {
    let (pounds, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 2 {
        return None;
    }
    format!("{pounds}{rest:0<2}").parse().ok()
}

/// The stock as a file of openings, each SKU divided over the warehouses.
pub(super) fn openings(directory: &Path, fold: &Fold) -> PathBuf {
    let mut text = String::from("store,sku,qty\n");
    for (number, (sku, pieces)) in fold.stock.iter().enumerate() {
        for (place, store) in WAREHOUSES.iter().enumerate() {
            // What does not divide goes to another one each time.
            let rest = usize::try_from(pieces % 5).unwrap();
            let share = pieces / 5 + i64::from((place + number) % 5 < rest);
            if share > 0 {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{store},{sku},{share}");
            }
        }
    }
    let path = directory.join("openings.csv");
    fs::write(&path, text).unwrap();
    path
}

/// Synthetic orders and credit notes, always the same: SKUs twice in an order, rows far from their order, and dirty ones.
pub(super) fn generated(directory: &Path) -> PathBuf {
    const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";
    let mut state: u64 = 2010;
    let mut draw = |below: u32| {
        // Knuth's MMIX generator; its high bits are good enough for sales.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let high = u32::try_from(state >> 33).expect("31 bits are left");
        i64::from(high % below)
    };
    let mut rows: Vec<String> = Vec::new();
    let mut late: Vec<(usize, String)> = Vec::new();
    for number in 0..600 {
        let customer = if draw(10) == 0 { String::new() } else { (17_000 + draw(20)).to_string() };
        let is_credit_note = draw(6) == 0;
        let lines = if is_credit_note { 1 + draw(3) } else { 1 + draw(12) };
        for _ in 0..lines {
            let (id, qty) = if is_credit_note { ("C7", -1 - draw(9)) } else { ("7", 1 + draw(24)) };
            let sku = draw(9) * draw(9);
            let row = format!(
                "{id}{number:03},S{sku:02},\"THING, {sku}\",{qty},01/12/2010 08:26,1.{sku:02},{customer},EIRE"
            );
            if draw(40) == 0 { late.push((rows.len() + 30, row)) } else { rows.push(row) }
        }
        while let Some(at) = late.iter().position(|(due, _)| *due <= rows.len()) {
            rows.push(late.remove(at).1);
        }
    }
    rows.extend(late.into_iter().map(|(_, row)| row));
    for (at, row) in [
        (40, "8001,S01,x,six,,1,,EIRE"),
        (90, "8002,S01,x,5,,1.255,,EIRE"),
        (140, ",S01,x,5,,1,,EIRE"),
        (190, "80 03,S01,x,5,,1,,EIRE"),
        (240, "8004,S01,x,-5,,0,,EIRE"),
        (290, "8005,S01,x,5"),
        (340, "8006,S01,x,5,,0,17000,EIRE\n8006,S02,x,5,,0,17001,EIRE"),
        (390, "8001,S02,x,6,,1,,EIRE"),
    ] {
        rows.insert(at, row.to_owned());
    }
    rows.extend((0..201).map(|_| "8007,S03,x,1,,1,,EIRE".to_owned()));
    let path = directory.join("generated.csv");
    fs::write(&path, format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
    path
}
