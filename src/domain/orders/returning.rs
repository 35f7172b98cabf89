//! Returns: pieces that a customer sends back. A return is no refund, and only received pieces that can be sold move stock.

use super::line::Line;
use crate::limits::ORDER_RETURNS_MAX;
use crate::{Misfit, Quantity, ReturnId, StoreId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A return that cannot be: more pieces than were shipped, or a step that does not follow.
const RETURN: Misfit = Misfit("the event records a return that cannot be");

/// How far a return is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReturnState {
    /// The customer asks for it.
    Requested,
    /// The customer may send it.
    Approved,
    /// The shop does not take it back.
    Refused,
    /// It has come.
    Received,
    /// Nothing is left to do.
    Closed,
}

/// Pieces of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReturnLine {
    /// The number of the order's line.
    pub line: u16,
    /// The pieces, at least 1: those that are asked for, and those that came once it is received.
    pub qty: Quantity,
    /// Those of them that can be sold again: they are stock.
    #[serde(default)]
    pub sellable: Quantity,
}

/// A return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Return {
    /// Its id, unique within the order.
    pub return_id: ReturnId,
    /// How far it is.
    pub state: ReturnState,
    /// The pieces, by line in order.
    pub lines: Vec<ReturnLine>,
    /// The store that has received it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<StoreId>,
    /// The reason of the last step that gave one, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
}

impl ReturnState {
    /// The name, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Received => "received",
            Self::Closed => "closed",
        }
    }

    /// Those that can follow.
    pub const fn allowed(self) -> &'static [Self] {
        match self {
            Self::Requested => &[Self::Approved, Self::Refused, Self::Received],
            Self::Approved => &[Self::Refused, Self::Received],
            Self::Received => &[Self::Closed],
            Self::Refused | Self::Closed => &[],
        }
    }
}

/// The pieces of a line in returns that are not refused, without the return of that id.
pub(super) fn pieces_in_returns(returns: &[Return], line: u16, without: &ReturnId) -> i64 {
    let counted =
        returns.iter().filter(|known| known.state != ReturnState::Refused && known.return_id != *without);
    counted
        .flat_map(|known| &known.lines)
        .filter(|known| known.line == line)
        .map(|known| known.qty.get())
        .sum()
}

/// The first line of a return of which more pieces come back than were shipped, with how many may.
pub(super) fn exceeds(lines: &[Line], returns: &[Return], wanted: &Return) -> Option<(u16, Quantity)> {
    wanted.lines.iter().find_map(|asked| {
        let shipped =
            lines.iter().find(|line| line.line == asked.line).map_or(0, |line| line.pieces.shipped.get());
        let room = shipped - pieces_in_returns(returns, asked.line, &wanted.return_id);
        (asked.qty.get() > room).then(|| (asked.line, Quantity::new(room.max(0)).unwrap_or_default()))
    })
}

/// Puts a return in its next state; a new one is requested.
pub(super) fn put(lines: &[Line], returns: &mut Vec<Return>, step: &Return) -> Result<(), Misfit> {
    let rising = step.lines.windows(2).all(|pair| matches!(pair, [one, next] if one.line < next.line));
    let possible = step
        .lines
        .iter()
        .all(|line| line.qty > Quantity::ZERO && !line.sellable.is_negative() && line.sellable <= line.qty);
    let is_received = matches!(step.state, ReturnState::Received | ReturnState::Closed);
    let has_store = step.store_id.is_some() == is_received;
    if !rising || !possible || step.lines.is_empty() || !has_store || exceeds(lines, returns, step).is_some()
    {
        return Err(RETURN);
    }
    let is_full = returns.len() >= ORDER_RETURNS_MAX;
    match returns.iter_mut().find(|known| known.return_id == step.return_id) {
        Some(known) if known.state.allowed().contains(&step.state) => *known = step.clone(),
        None if step.state == ReturnState::Requested && !is_full => {
            returns.push(step.clone());
        }
        _ => return Err(RETURN),
    }
    Ok(())
}
