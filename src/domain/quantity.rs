//! Pieces of stock: whole numbers with checked arithmetic.

use crate::limits::INTEGER_MAX;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A number of pieces, possibly negative (a delta); its magnitude is at most [`INTEGER_MAX`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(i64);

/// The number is beyond 2^53 - 1 either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be between -{INTEGER_MAX} and {INTEGER_MAX}")]
pub struct QuantityError;

impl Quantity {
    /// Zero pieces, also the default.
    pub const ZERO: Self = Self(0);

    /// A quantity of `pieces`.
    pub const fn new(pieces: i64) -> Result<Self, QuantityError> {
        if pieces >= -INTEGER_MAX && pieces <= INTEGER_MAX { Ok(Self(pieces)) } else { Err(QuantityError) }
    }

    /// The number of pieces.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// True for a number below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The sum; none when it leaves the range.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        // Two magnitudes below 2^53 cannot overflow 64 bits.
        Self::new(self.0 + other.0).ok()
    }

    /// The difference; none when it leaves the range.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::new(self.0 - other.0).ok()
    }

    /// The quantity with the opposite sign.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self(-self.0)
    }
}

impl TryFrom<i64> for Quantity {
    type Error = QuantityError;

    fn try_from(pieces: i64) -> Result<Self, QuantityError> {
        Self::new(pieces)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_beyond_the_range_are_refused_not_wrapped() {
        let top = Quantity::new(INTEGER_MAX).unwrap();
        let one = Quantity::new(1).unwrap();
        assert_eq!(top.checked_add(one), None);
        assert_eq!(top.negated().checked_sub(one), None);
        assert_eq!(top.checked_sub(one).map(Quantity::get), Some(INTEGER_MAX - 1));
        for out in [i64::MIN, i64::MAX, INTEGER_MAX + 1, -INTEGER_MAX - 1] {
            assert_eq!(Quantity::new(out), Err(QuantityError), "{out}");
        }
    }
}
