//! The order: what was promised, what became of it, and the event that moves it.

use super::line::{self, Line, LineDelta, Pieces};
use super::payment::{self, Payment, PaymentStatus, PaymentSums};
use super::returning::{self, Return};
use crate::allocation::Rules;
use crate::limits::{ORDER_LINES_MAX, ORDER_SHIPMENTS_MAX, ORDER_SHIPMENTS_OPEN_MAX};
use crate::{CustomerId, EventKind, Kind, Misfit, OrderId, Quantity, StoreId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;
use std::ops::RangeInclusive;

/// An event that does not follow the state of its order.
const STEP: Misfit = Misfit("the event does not follow the state of the order");
/// Lines that are none: their numbers do not count from 1, or a number cannot be.
const LINES: Misfit = Misfit("the event places lines that cannot be");
/// A shipment that the order opens twice, or closes without having it.
const SHIPMENT: Misfit = Misfit("the event opens or closes a shipment that is not in the right state");

/// What is done where pieces are missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partial {
    /// The order is refused.
    #[default]
    Refuse,
    /// They wait until there is stock.
    Backorder,
    /// They are cancelled.
    CancelRest,
}

/// When stores are chosen, and their pieces held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StockPolicy {
    /// When the order is placed.
    #[default]
    Hold,
    /// When it is confirmed.
    None,
}

/// What is done without being asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OrderPolicy {
    /// See [`Partial`].
    pub partial: Partial,
    /// See [`StockPolicy`].
    pub stock: StockPolicy,
    /// True: the order is confirmed when it is placed.
    pub auto_confirm: bool,
}

/// Who ordered, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderDetails {
    /// The channel that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<SmolStr>,
    /// Its id in that channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<SmolStr>,
    /// The customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// Name and address, sealed with the key of the customer; of the order, where no customer is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal: Option<SmolStr>,
    /// The currency of every amount, such as `EUR` (ISO 4217).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<SmolStr>,
    /// See [`OrderPolicy`].
    #[serde(default)]
    pub policy: OrderPolicy,
}

/// The versions of the levels that a plan looked at, so that it can be worked out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Looked {
    /// A store.
    pub store_id: StoreId,
    /// The versions of its levels, by SKU of the demand in order; 0 where there is no level.
    pub versions: Vec<u64>,
}

/// What was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Placed {
    /// The time of the placing.
    pub placed_at: Timestamp,
    /// Who ordered, and how.
    pub details: OrderDetails,
    /// The lines; what becomes of their pieces at once stands in them.
    pub lines: Vec<Line>,
    /// The version of the routing by which the stores were chosen; 0 for the rules of a chain that has set none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<u64>,
    /// The rules by which the stores were chosen, where the caller gave them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
    /// The levels that were looked at to choose the stores; empty when the caller has chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looked: Vec<Looked>,
}

/// A shipment that begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Opened {
    /// Its number within the order, from 1.
    pub number: u16,
    /// The store that sends it.
    pub store_id: StoreId,
}

/// What has happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderChange {
    /// It was placed.
    Placed,
    /// It was confirmed.
    Confirmed,
    /// Stores were found for pieces that were waiting.
    Allotted,
    /// Pieces have left a store.
    Shipped,
    /// Pieces have reached the customer.
    Delivered,
    /// Pieces were cancelled.
    Cancelled,
    /// A store has refused a shipment: its pieces wait, or another store sends them.
    Refused,
    /// A shipment was cancelled and its pieces wait.
    Withdrawn,
    /// A payment was recorded.
    Payment,
    /// A return has taken a step.
    Return,
    /// Nothing is sent until the hold is released.
    Held,
    /// The hold was released.
    HoldReleased,
}

/// `ORDER`: one step of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderFact {
    /// The order.
    pub order_id: OrderId,
    /// The step.
    pub change: OrderChange,
    /// What was ordered; at the placing alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<Box<Placed>>,
    /// What becomes of pieces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineDelta>,
    /// The shipments that begin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opened: Vec<Opened>,
    /// The shipments that have ended, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<u16>,
    /// The payment that is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// The return after its step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Box<Return>>,
    /// The caller's reason, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
}

/// The status of an order, worked out from its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the words of the product")]
pub enum OrderStatus {
    Placed,
    Confirmed,
    Shipped,
    Delivered,
    Cancelled,
}

/// How far stores are found for the pieces of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allocation {
    /// Nobody has looked for stores yet.
    None,
    /// All pieces wait for stock.
    Waiting,
    /// Some pieces wait.
    Partial,
    /// No piece waits.
    Complete,
}

/// A member of an order that differs from what is placed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members, by name")]
pub enum OrderMember {
    ChannelId,
    ExternalId,
    CustomerId,
    Personal,
    Currency,
    Policy,
    Lines,
}

/// An order. Invariant: every line conserves its pieces ([`Pieces`]), and so do their sums.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Order {
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Who ordered, and how.
    pub details: OrderDetails,
    /// The lines, by number from 1.
    pub lines: Vec<Line>,
    /// True when it was confirmed.
    pub confirmed: bool,
    /// True as long as nothing is to be sent.
    pub on_hold: bool,
    /// The payments, in the order of their recording.
    pub payments: Vec<Payment>,
    /// The returns, in the order of their requests.
    pub returns: Vec<Return>,
    /// The stores of the shipments ever made, by number from 1.
    pub shipments: Vec<StoreId>,
    /// Those that are not delivered, refused or cancelled, by number.
    pub open_shipments: Vec<u16>,
    /// Counts its events.
    pub version: u64,
    /// The time of the last event.
    pub updated_at: Timestamp,
}

/// The order before an event.
pub type OrderUndo = Box<Order>;

/// The pieces of an order after an event, over all lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderAfter {
    /// See [`Pieces::cancelled`].
    pub cancelled: Quantity,
    /// See [`Pieces::waiting`].
    pub waiting: Quantity,
    /// Those that shipments hold.
    pub open: Quantity,
    /// See [`Pieces::shipped`].
    pub shipped: Quantity,
    /// See [`Pieces::delivered`].
    pub delivered: Quantity,
    /// See [`Pieces::returned`].
    pub returned: Quantity,
    /// The version.
    pub version: u64,
}

/// An order in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Order, under their names")]
pub struct OrderRecord {
    pub order_id: OrderId,
    pub placed: Placed,
    pub confirmed: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_hold: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<Payment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<Return>,
    pub shipments: Vec<StoreId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open_shipments: Vec<u16>,
    pub version: u64,
    pub updated_at: Timestamp,
}

impl Order {
    /// The ordered pieces, and what became of them; none when a sum leaves the range.
    pub fn sums(&self) -> Option<(Quantity, Pieces)> {
        self.lines.iter().try_fold((Quantity::ZERO, Pieces::default()), |(qty, pieces), line| {
            Some((qty.checked_add(line.qty)?, pieces.plus(line.pieces)?))
        })
    }

    /// See [`OrderStatus`].
    pub fn status(&self) -> OrderStatus {
        let after = self.after();
        let zero = Quantity::ZERO;
        let nothing_open = after.open == zero && after.waiting == zero;
        if nothing_open && after.shipped == zero {
            OrderStatus::Cancelled
        } else if nothing_open && after.delivered == after.shipped {
            OrderStatus::Delivered
        } else if nothing_open {
            OrderStatus::Shipped
        } else if self.confirmed {
            OrderStatus::Confirmed
        } else {
            OrderStatus::Placed
        }
    }

    /// See [`Allocation`].
    pub fn allocation(&self) -> Allocation {
        let after = self.after();
        let zero = Quantity::ZERO;
        if after.waiting == zero {
            Allocation::Complete
        } else if after.open > zero || after.shipped > zero {
            Allocation::Partial
        } else if self.details.policy.stock == StockPolicy::None && !self.confirmed {
            Allocation::None
        } else {
            Allocation::Waiting
        }
    }

    /// See [`PaymentStatus`].
    pub fn payment_status(&self) -> PaymentStatus {
        PaymentSums::of(&self.payments).unwrap_or_default().status(self.amount())
    }

    /// The numbers of the next shipments; none when the order would have more than [`ORDER_SHIPMENTS_MAX`].
    pub fn next_shipments(&self, count: usize) -> Option<RangeInclusive<u16>> {
        let last =
            u16::try_from(self.shipments.len() + count).ok().filter(|last| *last <= ORDER_SHIPMENTS_MAX)?;
        Some(last - u16::try_from(count).ok()? + 1..=last)
    }

    /// The store of a shipment.
    pub fn store_of(&self, number: u16) -> Option<&StoreId> {
        self.shipments.get(usize::from(number).checked_sub(1)?)
    }

    /// The amount of all lines; none where a line has no price, or beyond the range.
    pub fn amount(&self) -> Option<Quantity> {
        self.lines.iter().try_fold(Quantity::ZERO, |sum, line| sum.checked_add(line.amount()?))
    }

    /// The members in which what is placed again differs. The personal data is not compared: it is sealed.
    pub fn differs(&self, placed: &Placed) -> Vec<OrderMember> {
        let (here, there) = (&self.details, &placed.details);
        let ordered = |line: &Line| Line { pieces: Pieces::default(), ..line.clone() };
        let members = [
            (OrderMember::ChannelId, here.channel_id == there.channel_id),
            (OrderMember::ExternalId, here.external_id == there.external_id),
            (OrderMember::CustomerId, here.customer_id == there.customer_id),
            (OrderMember::Personal, here.personal.is_some() == there.personal.is_some()),
            (OrderMember::Currency, here.currency == there.currency),
            (OrderMember::Policy, here.policy == there.policy),
            (OrderMember::Lines, self.lines.iter().map(ordered).eq(placed.lines.iter().map(ordered))),
        ];
        members.into_iter().filter(|(_, same)| !same).map(|(member, _)| member).collect()
    }

    fn after(&self) -> OrderAfter {
        let (qty, pieces) = self.sums().unwrap_or_default();
        let Pieces { cancelled, waiting, shipped, delivered, returned } = pieces;
        let open = pieces.open_of(qty).unwrap_or_default();
        OrderAfter { cancelled, waiting, open, shipped, delivered, returned, version: self.version }
    }

    /// Becomes the order that is placed.
    ///
    /// # Errors
    /// [`Misfit`] when it cannot be.
    pub(super) fn place(&mut self, placed: &Placed) -> Result<(), Misfit> {
        let counts = placed.lines.iter().zip(1..).all(|(line, number)| line.line == number);
        let possible = placed
            .lines
            .iter()
            .all(|line| line.qty > Quantity::ZERO && line.pieces.open_of(line.qty).is_some());
        if !counts || !possible || placed.lines.is_empty() || placed.lines.len() > ORDER_LINES_MAX {
            return Err(LINES);
        }
        let (details, lines) = (placed.details.clone(), placed.lines.clone());
        *self = Self { placed_at: placed.placed_at, details, lines, ..Self::default() };
        self.sums().map(|_| ()).ok_or(Misfit::NUMBER)
    }

    fn move_shipments(&mut self, fact: &OrderFact) -> Result<(), Misfit> {
        for Opened { number, store_id } in &fact.opened {
            self.shipments.push(store_id.clone());
            if usize::from(*number) != self.shipments.len() || *number > ORDER_SHIPMENTS_MAX {
                return Err(SHIPMENT);
            }
            self.open_shipments.push(*number);
        }
        for number in &fact.closed {
            let place = self.open_shipments.iter().position(|open| open == number).ok_or(SHIPMENT)?;
            self.open_shipments.remove(place);
        }
        if self.open_shipments.len() > ORDER_SHIPMENTS_OPEN_MAX { Err(SHIPMENT) } else { Ok(()) }
    }

    fn step(&mut self, fact: &OrderFact, at: Timestamp) -> Result<(), Misfit> {
        let placing = fact.change == OrderChange::Placed;
        let has = |change: OrderChange, member: bool| member == (fact.change == change);
        let fits = has(OrderChange::Placed, fact.placed.is_some())
            && has(OrderChange::Payment, fact.payment.is_some())
            && has(OrderChange::Return, fact.returned.is_some());
        if placing != (self.version == 0) || !fits {
            return Err(STEP);
        }
        let version = self.version;
        match &fact.placed {
            Some(placed) if fact.lines.is_empty() && placed.lines.iter().all(Line::has_not_left) => {
                self.place(placed)?;
            }
            Some(_) => return Err(LINES),
            None => line::change(&mut self.lines, &fact.lines)?,
        }
        self.move_shipments(fact)?;
        if let Some(payment) = &fact.payment {
            let total = self.amount();
            payment::add(&mut self.payments, payment, total)?;
        }
        if let Some(returned) = &fact.returned {
            returning::put(&self.lines, &mut self.returns, returned)?;
        }
        match fact.change {
            OrderChange::Confirmed => self.confirmed = true,
            OrderChange::Held => self.on_hold = true,
            OrderChange::HoldReleased => self.on_hold = false,
            _ => {}
        }
        self.version = version + 1;
        self.updated_at = at;
        Ok(())
    }
}

impl Kind for Order {
    type Id = (OrderId,);
    type State = Box<Self>;
    type Fact = Box<OrderFact>;
    type After = OrderAfter;
    type Record = Box<OrderRecord>;
    type Undo = OrderUndo;

    fn id(fact: &Box<OrderFact>) -> (OrderId,) {
        (fact.order_id.clone(),)
    }

    fn event(_: &Box<OrderFact>) -> EventKind {
        EventKind::Order
    }

    fn read<'de, D: Deserializer<'de>>(_: EventKind, payload: D) -> Result<Box<OrderFact>, D::Error> {
        Deserialize::deserialize(payload)
    }

    fn apply(order: &mut Box<Self>, fact: &Box<OrderFact>, at: Timestamp) -> Result<OrderUndo, Misfit> {
        let before = order.clone();
        match order.step(fact, at) {
            Ok(()) => Ok(before),
            Err(misfit) => {
                *order = before;
                Err(misfit)
            }
        }
    }

    fn undo(order: &mut Box<Self>, before: OrderUndo) {
        *order = before;
    }

    fn after(order: &Box<Self>) -> OrderAfter {
        order.as_ref().after()
    }

    fn before(fact: &Box<OrderFact>, after: OrderAfter) -> Option<OrderAfter> {
        let version = after.version.checked_sub(1)?;
        if let Some(placed) = &fact.placed {
            let ordered = Self { lines: placed.lines.clone(), version: after.version, ..Self::default() };
            let none = Self::default().after();
            return (version == 0 && ordered.after() == after).then_some(none);
        }
        let moved = fact.lines.iter().try_fold(Pieces::default(), |sum, delta| sum.plus(delta.pieces))?;
        let OrderAfter { cancelled, waiting, open, shipped, delivered, returned, .. } = after;
        let Pieces { cancelled, waiting, shipped, delivered, returned } =
            Pieces { cancelled, waiting, shipped, delivered, returned }.plus(moved.negated())?;
        let open =
            open.checked_add(moved.cancelled)?.checked_add(moved.waiting)?.checked_add(moved.shipped)?;
        Some(OrderAfter { cancelled, waiting, open, shipped, delivered, returned, version })
    }

    fn version_of(after: &OrderAfter) -> u64 {
        after.version
    }

    fn version(order: &Box<Self>) -> u64 {
        order.version
    }

    fn set_updated_at(order: &mut Box<Self>, at: Timestamp) {
        order.updated_at = at;
    }

    fn record(order: &Box<Self>, (order_id,): (OrderId,)) -> Box<OrderRecord> {
        let order = (**order).clone();
        let Self { placed_at, details, lines, .. } = order;
        // What was looked at is of the placing: it stands in the log alone.
        let placed = Placed { placed_at, details, lines, routing: None, rules: None, looked: Vec::new() };
        Box::new(OrderRecord {
            order_id,
            placed,
            confirmed: order.confirmed,
            on_hold: order.on_hold,
            payments: order.payments,
            returns: order.returns,
            shipments: order.shipments,
            open_shipments: order.open_shipments,
            version: order.version,
            updated_at: order.updated_at,
        })
    }

    fn restore(record: Box<OrderRecord>) -> Result<((OrderId,), Box<Self>), Misfit> {
        let mut order = Self::default();
        order.place(&record.placed)?;
        let numbers = 1..=record.shipments.len();
        let known = record.open_shipments.iter().all(|number| numbers.contains(&usize::from(*number)));
        if record.version == 0 || !known || PaymentSums::of(&record.payments).is_none() {
            return Err(STEP);
        }
        let order = Self {
            confirmed: record.confirmed,
            on_hold: record.on_hold,
            payments: record.payments,
            returns: record.returns,
            shipments: record.shipments,
            open_shipments: record.open_shipments,
            version: record.version,
            updated_at: record.updated_at,
            ..order
        };
        Ok(((record.order_id,), Box::new(order)))
    }

    fn id_in(record: &Box<OrderRecord>) -> (OrderId,) {
        (record.order_id.clone(),)
    }

    fn updated_at_in(record: &Box<OrderRecord>) -> Timestamp {
        record.updated_at
    }
}
