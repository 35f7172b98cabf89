//! The first pass over the file: which orders it has, where each ends, and which of them cannot be sent. Only after that is
//! anything sent, so a file that is broken somewhere leaves no trace.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use super::columns;
use super::options::ImportOrdersArgs;
use super::reason::Reason;
use super::row::{self, Misread, OrderRow};
use onhand_domain::limits::ORDER_LINES_MAX;
use onhand_domain::{CustomerId, OrderId, Sku};
use onhand_runtime::exit::{Exit, Failure};

/// Orders of one file, at most: something of each is held in memory.
const ORDERS_MAX: usize = 1_000_000;

/// The result of the first pass.
#[derive(Debug)]
pub(super) struct OrderSurvey {
    pub(super) path: PathBuf,
    /// Rows after the header.
    pub(super) rows: u64,
    /// In the order of their first rows.
    pub(super) orders: Vec<SurveyedOrder>,
    places: HashMap<OrderId, usize>,
    /// What comes back, by its customer.
    pub(super) credited: HashSet<(CustomerId, Sku)>,
    pub(super) fingerprint: String,
}

/// An order of the file.
#[derive(Debug, Default)]
pub(super) struct SurveyedOrder {
    pub(super) first_row: u64,
    pub(super) last_row: u64,
    pub(super) rows: u64,
    pub(super) is_credit_note: bool,
    /// Why it is not sent.
    fault: Option<Fault>,
    customer_id: Option<CustomerId>,
    /// True when one of its quantities is positive.
    sells: bool,
    /// The first row with a negative quantity.
    credits: Option<u64>,
}

/// Why an order is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// A row cannot be read.
    BadRow(u64),
    /// A row says another customer than those before it.
    OtherCustomer(u64),
    TooManyLines(u64),
    /// A row of an order that is no credit note has a negative quantity.
    Negative(u64),
    /// Nobody has asked for returns.
    CreditNote,
    NoCustomer,
}

impl OrderSurvey {
    /// Reads the file from start to end.
    ///
    /// # Errors
    /// Those of [`columns::open`]; [`Exit::Data`] when it cannot be read to its end, or has too many orders.
    pub(super) fn take(args: &ImportOrdersArgs) -> Result<Self, Failure> {
        let (mut table, columns) = columns::open(args)?;
        let mut survey = Self {
            path: args.file.clone(),
            rows: 0,
            orders: Vec::new(),
            places: HashMap::new(),
            credited: HashSet::new(),
            fingerprint: String::new(),
        };
        while let Some(record) = table.next()? {
            survey.rows = record.row;
            match row::read(&record, &columns, args.currency) {
                Ok(row) => survey.add(row),
                Err(Misread { order_id: Some(order_id), .. }) => survey.add_bad(order_id, record.row),
                Err(Misread { order_id: None, .. }) => {}
            }
            if survey.orders.len() > ORDERS_MAX {
                let message = format!("{} has more than {ORDERS_MAX} orders; split it", args.file.display());
                return Err(Failure::new(Exit::Data, message));
            }
        }
        survey.fingerprint = table.fingerprint();
        for (order_id, place) in &survey.places {
            if let Some(order) = survey.orders.get_mut(*place) {
                order.judge(order_id, args.returns);
            }
        }
        Ok(survey)
    }

    /// The place of an order among those of the file.
    pub(super) fn place(&self, order_id: &OrderId) -> Option<usize> {
        self.places.get(order_id).copied()
    }

    /// The orders that are sent.
    pub(super) fn sent(&self) -> u64 {
        self.orders.iter().filter(|order| order.fault.is_none()).count() as u64
    }

    /// The first orders that are sent, in order.
    pub(super) fn first_orders(&self, limit: usize) -> Vec<&OrderId> {
        let is_sent = |order: &SurveyedOrder| order.is_sent() && !order.is_credit_note;
        let places =
            self.orders.iter().enumerate().filter(|(_, order)| is_sent(order)).map(|(place, _)| place);
        let places: Vec<usize> = places.take(limit).collect();
        let ids = self.places.iter().filter_map(|(id, place)| Some((places.binary_search(place).ok()?, id)));
        ids.collect::<BTreeMap<_, _>>().into_values().collect()
    }

    fn add(&mut self, row: OrderRow) {
        let OrderRow { order_id, customer_id, line } = row;
        if line.pieces.is_negative()
            && is_named_as_credit_note(&order_id)
            && let Some(customer_id) = &customer_id
        {
            self.credited.insert((customer_id.clone(), line.sku));
        }
        let order = self.at(order_id, line.row);
        if line.pieces.is_negative() {
            order.credits.get_or_insert(line.row);
        } else {
            order.sells = true;
        }
        match (&order.customer_id, customer_id) {
            (Some(known), Some(other)) if *known != other => {
                order.fault.get_or_insert(Fault::OtherCustomer(line.row));
            }
            (None, said) => order.customer_id = said,
            _ => {}
        }
    }

    fn add_bad(&mut self, order_id: OrderId, row: u64) {
        self.at(order_id, row).fault.get_or_insert(Fault::BadRow(row));
    }

    /// The order of a row, with the row counted.
    fn at(&mut self, order_id: OrderId, row: u64) -> &mut SurveyedOrder {
        let next = self.orders.len();
        let place = *self.places.entry(order_id).or_insert(next);
        if place == next {
            self.orders.push(SurveyedOrder { first_row: row, ..SurveyedOrder::default() });
        }
        let order = self.orders.get_mut(place).expect("a place is that of an order");
        order.last_row = row;
        order.rows += 1;
        order
    }
}

impl SurveyedOrder {
    /// Decides what it is, once all its rows are known.
    fn judge(&mut self, order_id: &OrderId, returns: bool) {
        self.is_credit_note = self.credits.is_some() && !self.sells && is_named_as_credit_note(order_id);
        let fault = match self.credits {
            Some(_) if self.is_credit_note && !returns => Some(Fault::CreditNote),
            Some(_) if self.is_credit_note && self.customer_id.is_none() => Some(Fault::NoCustomer),
            Some(row) if !self.is_credit_note => Some(Fault::Negative(row)),
            None if self.rows > ORDER_LINES_MAX as u64 => Some(Fault::TooManyLines(self.rows)),
            _ => None,
        };
        self.fault = self.fault.or(fault);
    }

    /// Why it is not sent.
    pub(super) fn refusal(&self) -> Option<Reason> {
        let (code, detail) = match self.fault? {
            Fault::BadRow(row) => (
                "bad-row",
                format!(
                    "row {row} of the order cannot be read, and an order is placed as a whole; correct it"
                ),
            ),
            Fault::OtherCustomer(row) => {
                ("other-customer", format!("row {row} says another customer than the rows before it"))
            }
            Fault::TooManyLines(rows) => (
                "too-many-lines",
                format!(
                    "the order has {rows} lines, and one may have {ORDER_LINES_MAX}; split it into several ids"
                ),
            ),
            Fault::Negative(row) => (
                "negative-quantity",
                format!(
                    "the quantity of row {row} is negative, and that of an order is not; only a credit note has \
                     such quantities, all of them, and an id that begins with C"
                ),
            ),
            Fault::CreditNote => (
                "credit-note",
                "it is a credit note; import it as a return with --returns --return-store STORE".to_owned(),
            ),
            Fault::NoCustomer => (
                "no-customer",
                "the credit note names no customer, so no order can be found for it".to_owned(),
            ),
        };
        Some(Reason::new(code, detail))
    }

    /// True when it is sent.
    pub(super) const fn is_sent(&self) -> bool {
        self.fault.is_none()
    }
}

fn is_named_as_credit_note(order_id: &OrderId) -> bool {
    order_id.as_str().starts_with('C')
}
