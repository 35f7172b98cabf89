//! The order: what was promised, and what became of it.

use super::line::{self, Line, Pieces};
use super::order_fact::{Opened, OrderChange, OrderDetails, OrderFact, OrderMember, Placed, StockPolicy};
use super::payment::{self, Payment, PaymentStatus, PaymentSums};
use super::returning::{self, Return};
use super::status::{Allocation, OrderStatus};
use crate::limits::{ORDER_LINES_MAX, ORDER_SHIPMENTS_MAX, ORDER_SHIPMENTS_OPEN_MAX};
use crate::{Misfit, Quantity, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// An event that does not follow the state of its order.
pub(super) const STEP: Misfit = Misfit("the event does not follow the state of the order");
/// Lines that are none: their numbers do not count from 1, or a number cannot be.
const LINES: Misfit = Misfit("the event places lines that cannot be");
/// A shipment that the order opens twice, or closes without having it.
const SHIPMENT: Misfit = Misfit("the event opens or closes a shipment that is not in the right state");

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
    /// The stores that do not send it any more, unless a person names them.
    pub avoids: Vec<StoreId>,
    /// The stores of the shipments ever made, by number from 1.
    pub shipments: Vec<StoreId>,
    /// Those that are not delivered, refused or cancelled, by number.
    pub open_shipments: Vec<u16>,
    /// Counts its events.
    pub version: u64,
    /// The time of the last event.
    pub updated_at: Timestamp,
}

/// The pieces of an order after an event, over all lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderAfter {
    /// See [`Pieces::waiting`].
    pub waiting: Quantity,
    /// Those that shipments hold.
    pub open: Quantity,
    /// See [`Pieces::shipped`].
    pub shipped: Quantity,
    /// The version.
    pub version: u64,
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
        let (qty, pieces) = self.sums().unwrap_or_default();
        let zero = Quantity::ZERO;
        let nothing_open = pieces.waiting == zero && pieces.open_of(qty) == Some(zero);
        if nothing_open && pieces.shipped == zero {
            OrderStatus::Cancelled
        } else if nothing_open && pieces.delivered == pieces.shipped {
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

    pub(super) fn after(&self) -> OrderAfter {
        let (qty, pieces) = self.sums().unwrap_or_default();
        let Pieces { waiting, shipped, .. } = pieces;
        OrderAfter { waiting, open: pieces.open_of(qty).unwrap_or_default(), shipped, version: self.version }
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

    pub(super) fn step(&mut self, fact: &OrderFact, at: Timestamp) -> Result<(), Misfit> {
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
        if let Some(store_id) = fact.avoids.as_ref().filter(|store_id| !self.avoids.contains(store_id)) {
            self.avoids.push(store_id.clone());
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
