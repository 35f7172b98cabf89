//! The last pass: every refused row with its reason, in the order of the file.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use smol_str::SmolStr;

use super::columns;
use super::jobs::changed;
use super::options::ImportOrdersArgs;
use super::outcome::Reported;
use super::reason::Reason;
use super::row::{self, Misread, OrderRow};
use super::survey::OrderSurvey;
use crate::import::report_file::ReportFile;
use onhand_domain::OrderId;
use onhand_runtime::exit::Failure;

/// Refused orders and rows of one reason that the summary names.
const NAMED_MAX: u64 = 3;
/// The fields of a row in the report, after its reason.
const NAMES: [&str; 6] = ["order", "sku", "quantity", "price", "customer", "date"];

/// The refused orders and rows.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refusals {
    /// Orders that are refused as a whole.
    pub(super) orders: u64,
    /// All rows that are not imported.
    pub(super) rows: u64,
    /// Rows by the code of their reason.
    pub(super) by_code: BTreeMap<SmolStr, u64>,
    /// The first ones of each reason.
    pub(super) first: Vec<Named>,
    /// Orders and rows that could be named, by the code of their reason.
    #[serde(skip)]
    named: BTreeMap<SmolStr, u64>,
}

/// A refused order by its first row, or a refused row.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    pub(super) row: u64,
    pub(super) line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) order_id: Option<OrderId>,
    #[serde(flatten)]
    pub(super) reason: Reason,
}

/// A row that is not imported.
struct RefusedRow {
    order_id: Option<OrderId>,
    reason: Reason,
    /// False for the rows of a refused order after its first one.
    is_first: bool,
    /// True when its order is refused as a whole.
    with_order: bool,
}

/// Collects every refused row and writes it to the report, if one is wanted.
///
/// # Errors
/// Those of reading the file; [`Exit::Io`](onhand_runtime::exit::Exit::Io) when the report cannot be written.
pub(super) fn collect(
    args: &ImportOrdersArgs,
    survey: &OrderSurvey,
    reported: &HashMap<usize, Reported>,
) -> Result<Refusals, Failure> {
    let (mut table, columns) = columns::open(args)?;
    let places = [
        Some(columns.order),
        Some(columns.sku),
        Some(columns.quantity),
        columns.price,
        columns.customer,
        columns.date,
    ];
    let mut file = args.report.as_deref().map(|path| ReportFile::create(path, &NAMES)).transpose()?;
    let mut refusals = Refusals::default();
    while let Some(record) = table.next()? {
        let refused = match row::read(&record, &columns, args.currency) {
            Ok(row) => of_order(survey, reported, &row),
            Err(misread) => Some(of_row(survey, misread, record.row)),
        };
        let Some(refused) = refused else { continue };
        if let Some(file) = &mut file {
            file.write(&record, &refused.reason.code, &refused.reason.detail, &places)?;
        }
        refusals.add(refused, record.row, record.line);
    }
    if table.fingerprint() != survey.fingerprint {
        return Err(changed(survey));
    }
    if let Some(file) = file {
        file.finish()?;
    }
    Ok(refusals)
}

/// A row that cannot be read; its order is refused with it.
fn of_row(survey: &OrderSurvey, misread: Misread, row: u64) -> RefusedRow {
    let Misread { order_id, error } = misread;
    let place = order_id.as_ref().and_then(|id| survey.place(id));
    let with_order =
        place.and_then(|place| survey.orders.get(place)).is_some_and(|order| order.first_row == row);
    RefusedRow { order_id, reason: Reason::new(error.code(), error.to_string()), is_first: true, with_order }
}

/// A row that can be read, if its order or the row itself is refused.
fn of_order(survey: &OrderSurvey, reported: &HashMap<usize, Reported>, row: &OrderRow) -> Option<RefusedRow> {
    let place = survey.place(&row.order_id)?;
    let order = survey.orders.get(place)?;
    let of_whole = |reason| (reason, order.first_row == row.line.row, true);
    let of_part = |reason| (reason, true, false);
    let (reason, is_first, is_whole) = match (order.refusal(), reported.get(&place)) {
        (Some(reason), _) => of_whole(reason),
        (None, Some(Reported::Order(reason))) => of_whole(reason.clone()),
        (None, Some(Reported::Lines(lines))) => of_part(lines.get(&row.line.row)?.clone()),
        (None, Some(Reported::Skus(skus))) => of_part(skus.get(&row.line.sku)?.clone()),
        (None, None) => return None,
    };
    let with_order = is_first && is_whole;
    Some(RefusedRow { order_id: Some(row.order_id.clone()), reason, is_first, with_order })
}

impl Refusals {
    fn add(&mut self, refused: RefusedRow, row: u64, line: u64) {
        let RefusedRow { order_id, reason, is_first, with_order } = refused;
        self.rows += 1;
        self.orders += u64::from(with_order);
        *self.by_code.entry(reason.code.clone()).or_default() += 1;
        if !is_first {
            return;
        }
        let named = self.named.entry(reason.code.clone()).or_default();
        *named += 1;
        if *named <= NAMED_MAX {
            self.first.push(Named { row, line, order_id, reason });
        }
    }
}
