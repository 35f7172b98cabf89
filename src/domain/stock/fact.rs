//! The facts of stock: the payloads of the events of a level.

use crate::stock::{AdjustKind, MovementKind};
use crate::{EventKind, Quantity, ReservationId, Sequence, Sku, StoreId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;

/// The payload of an event of a level.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum StockFact {
    /// `ADJUST`: pieces came or went.
    Adjust(Adjusted),
    /// `RESERVE`: pieces were reserved.
    Reserve(Reserved),
    /// `RELEASE`: reserved pieces are sellable again.
    Release(Settled),
    /// `COMMIT`: reserved pieces have left.
    Commit(Settled),
    /// `EXPIRE`: a reservation expired, its pieces are sellable again.
    Expire(Settled),
    /// `COUNT`: pieces were counted.
    Count(Counted),
}

/// The payload of `ADJUST`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Adjusted {
    /// The SKU of the level.
    pub sku: Sku,
    /// The store of the level.
    pub store_id: StoreId,
    /// How many pieces came (or, negative, went); not 0.
    pub delta: Quantity,
    /// The version that the command was conditional on, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
    /// The caller's reason, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    /// The caller's reference, such as an invoice number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    /// The time of the movement in the shop, if it was entered later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// The named kind, if the caller gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<AdjustKind>,
}

/// The payload of `RESERVE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reserved {
    /// The SKU of the level.
    pub sku: Sku,
    /// The store of the level.
    pub store_id: StoreId,
    /// The number of reserved pieces, at least 1.
    pub qty: Quantity,
    /// The reservation's id, unique within the level.
    pub reservation_id: ReservationId,
    /// The time of expiry; none for a reservation that does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The version that the command was conditional on, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
    /// The caller's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
}

/// Pieces of a reservation that were released, committed or expired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settled {
    /// The SKU of the level.
    pub sku: Sku,
    /// The store of the level.
    pub store_id: StoreId,
    /// The id of the reservation.
    pub reservation_id: ReservationId,
    /// Number of its pieces, at least 1.
    pub qty: Quantity,
    /// The version that the command was conditional on, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
}

/// The payload of `COUNT`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Counted {
    /// The SKU of the level.
    pub sku: Sku,
    /// The store of the level.
    pub store_id: StoreId,
    /// Pieces found, at least 0.
    pub counted: Quantity,
    /// The change of the pieces on hand: found less recorded, at the moment of the count.
    pub delta: Quantity,
    /// The moment of the count, where it was not the moment of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Sequence>,
    /// The caller's reason, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    /// The version that the command was conditional on, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
}

/// The change of a level's two numbers by an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// Change of the pieces on hand.
    pub on_hand: Quantity,
    /// Change of the reserved pieces.
    pub reserved: Quantity,
}

/// A level's numbers after an event.
///
/// The log has the three numbers; the feed adds `qty`, which is accepted when it fits them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "LevelAfterJson")]
pub struct LevelAfter {
    /// Number of pieces on hand.
    pub on_hand: Quantity,
    /// Number of reserved pieces.
    pub reserved: Quantity,
    /// The level's version.
    pub version: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LevelAfterJson {
    qty: Option<Quantity>,
    on_hand: Quantity,
    reserved: Quantity,
    version: u64,
}

impl TryFrom<LevelAfterJson> for LevelAfter {
    type Error = &'static str;

    fn try_from(json: LevelAfterJson) -> Result<Self, &'static str> {
        let LevelAfterJson { qty, on_hand, reserved, version } = json;
        let after = Self { on_hand, reserved, version };
        if qty.is_some_and(|qty| qty != after.qty()) {
            return Err("qty is not onHand less reserved");
        }
        Ok(after)
    }
}

impl LevelAfter {
    /// Number of sellable pieces.
    pub fn qty(&self) -> Quantity {
        self.on_hand.checked_sub(self.reserved).unwrap_or(Quantity::ZERO)
    }

    /// The numbers before an event of that effect; none when the two do not fit.
    pub fn before(self, effect: Effect) -> Option<Self> {
        Some(Self {
            on_hand: self.on_hand.checked_sub(effect.on_hand)?,
            reserved: self.reserved.checked_sub(effect.reserved)?,
            version: self.version.checked_sub(1)?,
        })
    }
}

impl StockFact {
    /// The store and the SKU.
    pub const fn place(&self) -> (&StoreId, &Sku) {
        match self {
            Self::Adjust(fact) => (&fact.store_id, &fact.sku),
            Self::Reserve(fact) => (&fact.store_id, &fact.sku),
            Self::Release(fact) | Self::Commit(fact) | Self::Expire(fact) => (&fact.store_id, &fact.sku),
            Self::Count(fact) => (&fact.store_id, &fact.sku),
        }
    }

    /// The change of the level.
    pub const fn effect(&self) -> Effect {
        const NONE: Quantity = Quantity::ZERO;
        match self {
            Self::Adjust(fact) => Effect { on_hand: fact.delta, reserved: NONE },
            Self::Reserve(fact) => Effect { on_hand: NONE, reserved: fact.qty },
            Self::Release(fact) | Self::Expire(fact) => {
                Effect { on_hand: NONE, reserved: fact.qty.negated() }
            }
            Self::Commit(fact) => Effect { on_hand: fact.qty.negated(), reserved: fact.qty.negated() },
            Self::Count(fact) => Effect { on_hand: fact.delta, reserved: NONE },
        }
    }

    /// The kind of its event.
    pub const fn event(&self) -> EventKind {
        match self {
            Self::Adjust(_) => EventKind::Adjust,
            Self::Reserve(_) => EventKind::Reserve,
            Self::Release(_) => EventKind::Release,
            Self::Commit(_) => EventKind::Commit,
            Self::Expire(_) => EventKind::Expire,
            Self::Count(_) => EventKind::Count,
        }
    }

    /// Reads the payload of an event of that kind.
    pub(super) fn read<'de, D: Deserializer<'de>>(event: EventKind, payload: D) -> Result<Self, D::Error> {
        Ok(match event {
            EventKind::Adjust => Self::Adjust(Deserialize::deserialize(payload)?),
            EventKind::Reserve => Self::Reserve(Deserialize::deserialize(payload)?),
            EventKind::Release => Self::Release(Deserialize::deserialize(payload)?),
            EventKind::Commit => Self::Commit(Deserialize::deserialize(payload)?),
            EventKind::Expire => Self::Expire(Deserialize::deserialize(payload)?),
            EventKind::Count => Self::Count(Deserialize::deserialize(payload)?),
            _ => unreachable!("an event of stock has one of these kinds"),
        })
    }
}

impl MovementKind {
    /// The kind of a movement.
    ///
    /// An adjustment without a kind has the kind that its reason names, if it names one: imports write their rows in that way, and so did
    /// callers before kinds existed.
    pub fn of(fact: &StockFact) -> Self {
        match fact {
            StockFact::Adjust(Adjusted { kind, reason, .. }) => {
                let kind = kind.or_else(|| match reason.as_deref() {
                    Some("opening stock") => Some(AdjustKind::Opening),
                    reason => AdjustKind::parse(reason?),
                });
                match kind {
                    Some(AdjustKind::Sale) => Self::Sale,
                    Some(AdjustKind::Return) => Self::Return,
                    Some(AdjustKind::StockIn) => Self::StockIn,
                    Some(AdjustKind::Removal) => Self::Removal,
                    Some(AdjustKind::Opening) => Self::Opening,
                    None => Self::Adjustment,
                }
            }
            StockFact::Reserve(_) => Self::Reserve,
            StockFact::Release(_) => Self::Release,
            StockFact::Commit(_) => Self::Commit,
            StockFact::Expire(_) => Self::Expire,
            StockFact::Count(_) => Self::Count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_feed_are_those_of_the_log() {
        for (json, read) in [
            (r#"{"onHand":5,"reserved":2,"version":3}"#, true),
            (r#"{"qty":3,"onHand":5,"reserved":2,"version":3}"#, true),
            (r#"{"qty":4,"onHand":5,"reserved":2,"version":3}"#, false),
            (r#"{"onHand":5,"reserved":2,"version":3,"more":1}"#, false),
            (r#"{"onHand":5,"version":3}"#, false),
        ] {
            let parsed = serde_json::from_str::<LevelAfter>(json);
            assert_eq!(parsed.is_ok(), read, "{json}");
            let text = parsed.map(|after| serde_json::to_string(&after).unwrap_or_default());
            assert!(text.is_ok_and(|text| !text.contains("qty")) || !read, "the log has no qty");
        }
    }
}
