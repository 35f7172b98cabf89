//! The checks that several decisions begin with.

use super::command::OrderCommand;
use super::order::Order;
use super::status::OrderStatus;
use crate::{Draft, Rejection};
use smol_str::SmolStr;

/// The order, at the version that the caller expects.
pub(super) fn existing<'a>(draft: &'a Draft<'_>, command: &OrderCommand) -> Result<&'a Order, Rejection> {
    let order = draft.state::<Order>(&command.key());
    if order.version == 0 {
        return Err(Rejection::OrderNotFound);
    }
    command.expected.check(order.version)?;
    Ok(order)
}

/// The refusal of a status that does not follow.
pub(super) fn illegal(from: OrderStatus, to: OrderStatus) -> Rejection {
    let text = |status: OrderStatus| SmolStr::new_static(status.as_str());
    let allowed = from.allowed().iter().map(|status| text(*status)).collect();
    Rejection::IllegalTransition { from: text(from), to: text(to), allowed }
}

/// Refuses what sends something while the order is on hold.
pub(super) fn check_hold(draft: &Draft<'_>, command: &OrderCommand) -> Result<(), Rejection> {
    if draft.state::<Order>(&command.key()).on_hold { Err(Rejection::OrderHeld) } else { Ok(()) }
}
