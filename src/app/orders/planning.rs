//! Which stores send the pieces of an order: a plan becomes a command.
//!
//! The plan looks at levels without holding them, so that an order holds up nobody in the stores it does not choose. The command locks the
//! chosen levels, and is refused as `plan-stale` where one has less by then: the caller plans again.

use crate::allocation::PlanError;
use crate::orders::OrderView;
use crate::stock::ReadError;
use crate::{Ledger, Meta};
use onhand_domain::allocation::{Asked, Demand, Plan, Rules};
use onhand_domain::identity::StoreScope;
use onhand_domain::orders::{
    Line, LineQty, Looked, OrderCommand, OrderDetails, OrderStep, PartStep, Partial, Placed, Planned,
    ShipmentId, StockPolicy,
};
use onhand_domain::{Expected, Key, OrderId, Quantity, Sku, StoreId, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// An order that is to be placed.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Its id.
    pub order_id: OrderId,
    /// Who ordered, and how.
    pub details: OrderDetails,
    /// The lines, without anything that became of them.
    pub lines: Vec<Line>,
    /// True when the caller has named the id: the order may be there already.
    pub is_named: bool,
}

/// How stores are chosen: among all stores by the default rules, unless it says more.
#[derive(Debug, Clone, Default)]
pub struct Planning {
    /// The rules; those of the routing, where there are none.
    pub rules: Option<Rules>,
    /// The stores that may be chosen.
    pub scope: StoreScope,
    /// The only one that may be chosen, where the caller names one.
    pub store_id: Option<StoreId>,
    /// Stores that may not be chosen.
    pub without: Vec<StoreId>,
}

impl Planning {
    /// The same without some stores.
    #[must_use]
    fn without<'a>(mut self, stores: impl IntoIterator<Item = &'a StoreId>) -> Self {
        self.without.extend(stores.into_iter().cloned());
        self
    }
}

/// A SKU of which there is not enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shortage {
    /// The SKU.
    pub sku: Sku,
    /// The pieces that are asked for.
    pub asked: Quantity,
    /// The pieces that the stores may give.
    pub available: Quantity,
    /// The pieces that are missing.
    pub short: Quantity,
}

/// Why there is no command.
#[derive(Debug, thiserror::Error)]
pub enum PlanningError {
    /// Stores cannot be chosen.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// There is not enough of these; never empty.
    #[error("there is not enough stock")]
    Short(Vec<Shortage>),
}

impl From<ReadError> for PlanningError {
    fn from(error: ReadError) -> Self {
        Self::Plan(error.into())
    }
}

/// What stores hold of some lines, and what is missing.
#[derive(Default)]
struct Found {
    /// The version of the routing, where its rules were used.
    routing: Option<u64>,
    planned: Vec<Planned>,
    /// By line.
    missing: BTreeMap<u16, Quantity>,
    shortages: Vec<Shortage>,
    looked: Vec<Looked>,
}

impl Ledger {
    /// The command that places an order. A retry, and an order that is there already, get one without a plan: it is answered as the
    /// first one was.
    ///
    /// # Errors
    /// [`PlanningError`].
    pub async fn placing(
        &self,
        new: &NewOrder,
        planning: &Planning,
        meta: &Meta,
    ) -> Result<OrderCommand, PlanningError> {
        let is_known = async || {
            Ok::<_, ReadError>(
                self.is_retry(meta) || (new.is_named && self.order_exists(&new.order_id).await?),
            )
        };
        let policy = new.details.policy;
        let holds_later = policy.stock == StockPolicy::None && !policy.auto_confirm;
        if holds_later || is_known().await? {
            return Ok(place(new, planning, None));
        }
        let wanted: Vec<LineQty> = new.lines.iter().map(|line| quantity_of(line, line.qty)).collect();
        let channel_id = new.details.channel_id.as_deref();
        let found = self.find(&wanted, planning, channel_id).await?;
        let nothing = found.planned.is_empty();
        let refuses = match policy.partial {
            Partial::Refuse => !found.shortages.is_empty(),
            Partial::CancelRest => nothing,
            Partial::Backorder => false,
        };
        // The same request may have taken the pieces meanwhile: its record is older than the levels that were seen.
        if refuses && !is_known().await? {
            return Err(PlanningError::Short(found.shortages));
        }
        Ok(place(new, planning, Some(found)))
    }

    /// The command that confirms an order, once stores hold what has been waiting.
    ///
    /// # Errors
    /// [`PlanningError`].
    pub async fn confirming(
        &self,
        view: &OrderView,
        planning: &Planning,
        expected: Expected,
    ) -> Result<OrderCommand, PlanningError> {
        let found = self.find_waiting(view, planning).await?;
        let may_wait = view.order.details.policy.partial == Partial::Backorder;
        if !view.order.confirmed && !found.shortages.is_empty() && !may_wait {
            return Err(PlanningError::Short(found.shortages));
        }
        let planned = if view.order.confirmed { Vec::new() } else { found.planned };
        Ok(view.command(expected, OrderStep::Confirm(planned)))
    }

    /// The command by which stores hold what has been waiting, as far as they have it.
    ///
    /// # Errors
    /// [`PlanningError`]; [`PlanningError::Short`] when they have none of it.
    pub async fn allotting(
        &self,
        view: &OrderView,
        planning: &Planning,
        expected: Expected,
    ) -> Result<OrderCommand, PlanningError> {
        let found = self.find_waiting(view, planning).await?;
        if found.planned.is_empty() && !found.shortages.is_empty() {
            return Err(PlanningError::Short(found.shortages));
        }
        Ok(view.command(expected, OrderStep::Allot(found.planned)))
    }

    /// The stores that send, in place of one that refuses, what it holds; the rest waits.
    ///
    /// # Errors
    /// [`PlanningError`].
    pub async fn in_place_of(
        &self,
        view: &OrderView,
        store_id: &StoreId,
        held: &[LineQty],
    ) -> Result<Vec<Planned>, PlanningError> {
        let channel_id = view.order.details.channel_id.as_deref();
        let planning = Planning::default().without(view.order.avoids.iter().chain([store_id]));
        Ok(self.find(held, &planning, channel_id).await?.planned)
    }

    /// The stores that send what waits. Those that have refused the order are asked again only where the caller names them.
    async fn find_waiting(&self, view: &OrderView, planning: &Planning) -> Result<Found, PlanningError> {
        let waiting = view.order.lines.iter().map(|line| quantity_of(line, line.pieces.waiting));
        let waiting: Vec<LineQty> = waiting.filter(|line| line.qty > Quantity::ZERO).collect();
        let channel_id = view.order.details.channel_id.as_deref();
        if planning.store_id.is_some() {
            return self.find(&waiting, planning, channel_id).await;
        }
        let planning = planning.clone().without(&view.order.avoids);
        self.find(&waiting, &planning, channel_id).await
    }

    async fn find(
        &self,
        wanted: &[LineQty],
        planning: &Planning,
        channel_id: Option<&str>,
    ) -> Result<Found, PlanningError> {
        let lines = wanted.iter().map(|line| (line.sku.clone(), line.qty));
        let Ok(demand) = Demand::new(lines) else { return Ok(Found::default()) };
        let scope = match &planning.store_id {
            Some(store_id) => planning.scope.only(store_id),
            None => planning.scope.clone(),
        };
        let (mut rules, routing) = match &planning.rules {
            Some(rules) => (rules.clone(), None),
            None => self.rules_of(channel_id).await.map(|(rules, version)| (rules, Some(version)))?,
        };
        for store_id in &planning.without {
            rules.stores.entry(store_id.clone()).or_default().excluded = true;
        }
        let plan = self.plan(&demand, &rules, &scope, None).await?;
        let (planned, missing) = by_line(&plan, wanted);
        let short = plan.asked.iter().filter(|asked| asked.short > Quantity::ZERO).map(|asked| {
            let Asked { sku, qty, available, short } = asked.clone();
            Shortage { sku, asked: qty, available, short }
        });
        let looked = plan.stores.iter().filter(|site| !site.levels.is_empty()).map(|site| Looked {
            store_id: site.store_id.clone(),
            versions: site.levels.iter().map(|level| level.version).collect(),
        });
        Ok(Found { routing, planned, missing, shortages: short.collect(), looked: looked.collect() })
    }
}

impl OrderView {
    /// A command on the order, with the states that the caller has seen it to need.
    pub fn command(&self, expected: Expected, step: OrderStep) -> OrderCommand {
        let (order_id, order) = (self.order_id.clone(), &self.order);
        let planned = match &step {
            OrderStep::Confirm(planned)
            | OrderStep::Allot(planned)
            | OrderStep::Part { step: PartStep::Refuse { planned, .. }, .. } => planned.len(),
            _ => 0,
        };
        let part = if let OrderStep::Part { number, .. } = &step { Some(*number) } else { None };
        let whole = matches!(step, OrderStep::Cancel { .. } | OrderStep::Ship(_) | OrderStep::Deliver);
        let next = order.next_shipments(planned).into_iter().flatten();
        let mut beside: Vec<Key> =
            next.map(|number| Key::Shipment(ShipmentId::of(&order_id, number))).collect();
        for view in &self.shipments {
            if Some(view.shipment_id.number()) == part || (whole && !view.shipment.is_closed()) {
                beside.push(Key::Shipment(view.shipment_id.clone()));
                let level = |line: LineQty| Key::Level(view.store_id.clone(), line.sku);
                beside.extend(view.shipment.held().into_iter().map(level));
            }
        }
        OrderCommand { order_id, expected, step, beside }
    }
}

fn quantity_of(line: &Line, qty: Quantity) -> LineQty {
    LineQty { line: line.line, sku: line.sku.clone(), qty }
}

/// What is not found waits, or is cancelled; without a plan everything waits.
fn place(new: &NewOrder, planning: &Planning, found: Option<Found>) -> OrderCommand {
    let cancels = new.details.policy.partial == Partial::CancelRest;
    let planned_at_all = found.is_some();
    let Found { routing, planned, missing, looked, .. } = found.unwrap_or_default();
    let mut lines = new.lines.clone();
    for line in &mut lines {
        let rest =
            if planned_at_all { missing.get(&line.line).copied().unwrap_or_default() } else { line.qty };
        let pieces = &mut line.pieces;
        *(if cancels && planned_at_all { &mut pieces.cancelled } else { &mut pieces.waiting }) = rest;
    }
    // The decision sets the time.
    let rules = planning.rules.clone().filter(|_| planned_at_all);
    let details = new.details.clone();
    let placed = Placed { placed_at: Timestamp::EPOCH, details, lines, routing, rules, looked };
    OrderCommand {
        order_id: new.order_id.clone(),
        expected: Expected::Any,
        step: OrderStep::Place(Box::new(placed), planned),
        beside: Vec::new(),
    }
}

/// The parts of a plan by line: the pieces of a SKU go to its lines in their order. And what is missing of each line.
fn by_line(plan: &Plan, wanted: &[LineQty]) -> (Vec<Planned>, BTreeMap<u16, Quantity>) {
    let mut rest: Vec<(LineQty, i64)> = wanted.iter().map(|line| (line.clone(), line.qty.get())).collect();
    let mut planned = Vec::with_capacity(plan.parts.len());
    for part in &plan.parts {
        let mut lines = Vec::new();
        for picked in &part.lines {
            let mut left = picked.qty.get();
            for (line, missing) in rest.iter_mut().filter(|(line, _)| line.sku == picked.sku) {
                let pieces = left.min(*missing);
                if pieces > 0 {
                    (left, *missing) = (left - pieces, *missing - pieces);
                    lines.push(LineQty { qty: quantity(pieces), ..line.clone() });
                }
            }
        }
        lines.sort_by_key(|line: &LineQty| line.line);
        planned.push(Planned { store_id: part.store_id.clone(), lines });
    }
    let missing = rest.into_iter().filter(|(_, missing)| *missing > 0);
    (planned, missing.map(|(line, missing)| (line.line, quantity(missing))).collect())
}

/// Never more than was asked for.
fn quantity(pieces: i64) -> Quantity {
    Quantity::new(pieces).unwrap_or_default()
}
