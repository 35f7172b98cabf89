//! A credit note at the node: a return of each order that its lines are about, requested and received.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use super::jobs::Job;
use super::node::{Answered, OrderNode};
use super::outcome::LineOutcome;
use super::reason::Reason;
use super::shipped::{Age, ShippedOrders, Taken};
use super::survey::OrderSurvey;
use super::wire::{NewReturn, OrderPage, OrderShown, Receipt, ReceivedPieces, ReturnedPieces};
use crate::terminal::client::query_value;
use onhand_domain::{CustomerId, OrderId, StoreId, Timestamp};
use onhand_runtime::exit::Failure;

/// Orders of a customer that are looked at, beside those of the file: the newest.
const CUSTOMER_ORDERS_MAX: usize = 1_000;
/// Orders of one page.
const PAGE_ORDERS: usize = 100;
/// Orders of the file that are looked for at the start, to learn when it was imported first.
const FIRST_ORDERS_MAX: usize = 20;

/// The returns of one run.
pub(super) struct Returns<'a> {
    node: &'a OrderNode,
    survey: &'a OrderSurvey,
    store_id: &'a StoreId,
    shipped: RefCell<ShippedOrders<'a>>,
    /// Customers whose other orders are in the index.
    looked_up: RefCell<HashSet<CustomerId>>,
    /// When the file was imported first: an order of somebody else's that is newer was not there then.
    since: Option<Timestamp>,
}

impl<'a> Returns<'a> {
    /// Returns that are received in `store_id`.
    ///
    /// # Errors
    /// As [`OrderNode::post`].
    pub(super) async fn new(
        node: &'a OrderNode,
        survey: &'a OrderSurvey,
        store_id: &'a StoreId,
    ) -> Result<Self, Failure> {
        let mut since = None;
        for order_id in survey.first_orders(FIRST_ORDERS_MAX) {
            let known: Option<OrderShown> = node.order(order_id).await?;
            if let Some(known) = known {
                since = Some(known.placed_at);
                break;
            }
        }
        let shipped = RefCell::new(ShippedOrders::new(&survey.credited));
        Ok(Self { node, survey, store_id, shipped, looked_up: RefCell::default(), since })
    }

    /// Notes an order of the file, which may have pieces that come back.
    pub(super) fn note(&self, job: &Job, order: &OrderShown) {
        let place = self.survey.orders.get(job.place).map_or(0, |order| order.last_row);
        self.shipped.borrow_mut().note(job.customer_id.as_ref(), Age::Here(place), order);
    }

    /// Takes the lines of a credit note back; the outcome of each, by row.
    ///
    /// # Errors
    /// As [`OrderNode::post`].
    pub(super) async fn take_back(&self, job: &Job) -> Result<BTreeMap<u64, LineOutcome>, Failure> {
        let Some(customer_id) = &job.customer_id else { return Ok(BTreeMap::new()) };
        let find = || self.shipped.borrow().take_back(&job.order_id, customer_id, &job.lines);
        let mut found = find();
        if !found.missing.is_empty() && !self.looked_up.borrow().contains(customer_id) {
            self.look_up(customer_id).await?;
            found = find();
        }
        let mut made: BTreeMap<OrderId, LineOutcome> = BTreeMap::new();
        for (order_id, taken) in &found.orders {
            let outcome = self.return_of(job, order_id, taken).await?;
            made.insert(order_id.clone(), outcome);
        }
        let mut outcomes: BTreeMap<u64, LineOutcome> = BTreeMap::new();
        for (row, orders) in found.found {
            let parts = orders.iter().filter_map(|order_id| made.get(order_id)).cloned();
            let worst = parts.max_by_key(LineOutcome::weight);
            outcomes.insert(row, worst.unwrap_or(LineOutcome::Received));
        }
        for (row, available) in found.missing {
            outcomes.insert(row, LineOutcome::Refused(missing(customer_id, available)));
        }
        Ok(outcomes)
    }

    /// The return of one order. Somebody else may have been faster, such as another run on the same file.
    async fn return_of(&self, job: &Job, order_id: &OrderId, taken: &Taken) -> Result<LineOutcome, Failure> {
        let outcome = self.make_return(job, order_id, taken).await?;
        let overtaken =
            matches!(&outcome, LineOutcome::Refused(reason) if reason.code == "illegal-transition");
        let order = if overtaken { self.node.order::<OrderShown>(order_id).await? } else { None };
        let Some(order) = order else { return Ok(outcome) };
        self.shipped.borrow_mut().noted_return(&order);
        let known = order.returns.into_iter().find(|known| known.return_id.as_str() == job.order_id.as_str());
        let now = Taken { known, ..taken.clone() };
        let is_back = now.known.as_ref().is_some_and(|known| matches!(&*known.state, "received" | "closed"));
        Ok(if is_back && now.is_known_alike() { LineOutcome::There } else { outcome })
    }

    /// The return, requested and received, as far as it is not yet.
    async fn make_return(
        &self,
        job: &Job,
        order_id: &OrderId,
        taken: &Taken,
    ) -> Result<LineOutcome, Failure> {
        let credit_note = &job.order_id;
        let path = format!("/orders/{order_id}/returns");
        match taken.known.as_ref().map(|known| known.state.as_str()) {
            Some("received" | "closed") => return Ok(LineOutcome::There),
            Some("refused") => {
                let detail = format!("the return {credit_note} of order {order_id} was refused before");
                return Ok(LineOutcome::Refused(Reason::new("return-refused", detail)));
            }
            Some(_) if !taken.is_known_alike() => {
                let detail =
                    format!("order {order_id} has a return {credit_note} of other pieces; receive that one");
                return Ok(LineOutcome::Refused(Reason::new("return-exists", detail)));
            }
            Some(_) => {}
            None => {
                let pieces = taken.lines.iter().map(|(line, qty)| ReturnedPieces { line: *line, qty: *qty });
                let body = NewReturn { return_id: credit_note, lines: pieces.collect() };
                let step = format!("{credit_note}-return-{order_id}");
                if let Some(refused) = self.step(job, &path, &step, &body).await? {
                    return Ok(refused);
                }
            }
        }
        let pieces = taken.lines.iter();
        let pieces = pieces.map(|(line, qty)| ReceivedPieces { line: *line, qty: *qty, sellable: *qty });
        let body = Receipt { store_id: self.store_id, lines: pieces.collect() };
        let step = format!("{credit_note}-receive-{order_id}");
        let refused = self.step(job, &format!("{path}/{credit_note}/receive"), &step, &body).await?;
        Ok(refused.unwrap_or(LineOutcome::Received))
    }

    /// One step of a return; the outcome when it is refused.
    async fn step(
        &self,
        job: &Job,
        path: &str,
        step: &str,
        body: &impl serde::Serialize,
    ) -> Result<Option<LineOutcome>, Failure> {
        match self.node.post::<_, OrderShown>(path, Some(step), body).await? {
            Answered::Done { body: order, .. } => {
                self.shipped.borrow_mut().noted_return(&order);
                Ok(None)
            }
            Answered::Refused(problem) => Ok(Some(LineOutcome::Refused(problem.reason(job)))),
        }
    }

    /// Notes the orders of a customer that are not in the file, and were there before it.
    async fn look_up(&self, customer_id: &CustomerId) -> Result<(), Failure> {
        let first = format!("/orders?limit={PAGE_ORDERS}&customerId={}", query_value(customer_id.as_str()));
        let (mut path, mut seen) = (first.clone(), 0);
        loop {
            let page: OrderPage = self.node.get(&path).await?;
            seen += page.items.len();
            for order in &page.items {
                let before = self.since.is_none_or(|since| order.placed_at < since);
                if before && self.survey.place(&order.order_id).is_none() {
                    self.shipped.borrow_mut().note(Some(customer_id), Age::Before(order.placed_at), order);
                }
            }
            match page.next_cursor {
                Some(cursor) if seen < CUSTOMER_ORDERS_MAX => {
                    path = format!("{first}&cursor={}", query_value(&cursor));
                }
                _ => break,
            }
        }
        self.looked_up.borrow_mut().insert(customer_id.clone());
        Ok(())
    }
}

fn missing(customer_id: &CustomerId, available: i64) -> Reason {
    let detail = match available {
        0 => format!(
            "no order of customer {customer_id} before it has shipped pieces of the SKU that are in no return"
        ),
        _ => format!(
            "the orders of customer {customer_id} before it have only {available} shipped pieces of the SKU that are \
             in no return"
        ),
    };
    Reason::new("no-shipped-order", detail)
}
