//! Ids of stores, SKUs, reservations, imports and orders. ASCII only, so that no two ids look alike.

use crate::limits::{ID_BYTES_MAX, ORDER_ID_BYTES_MAX};
use ecow::EcoString;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// Why a text is no id; the message names the allowed form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// More than [`ID_BYTES_MAX`] bytes.
    #[error("must be at most {ID_BYTES_MAX} characters long")]
    TooLong,
    /// A character outside the set.
    #[error("may hold only A-Z a-z 0-9 . _ -")]
    Character,
    /// A character outside the set, where a space inside is allowed too.
    #[error("may hold only A-Z a-z 0-9 . _ - and single spaces between them")]
    CharacterOrSpace,
    /// More than [`ORDER_ID_BYTES_MAX`] bytes.
    #[error("must be at most {ORDER_ID_BYTES_MAX} characters long")]
    OrderTooLong,
    /// An order's id that looks like that of a shipment.
    #[error("must not end in .s and a number: such are the ids of shipments")]
    OfShipment,
}

fn check(text: &str, spaces: bool) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > ID_BYTES_MAX {
        return Err(IdError::TooLong);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if !spaces {
        // Without an early exit the compiler checks several bytes in one step.
        let all = text.bytes().fold(true, |all, byte| all & plain(byte));
        return if all { Ok(()) } else { Err(IdError::Character) };
    }
    let inner = !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ");
    if inner && text.bytes().all(|byte| plain(byte) || byte == b' ') {
        Ok(())
    } else {
        Err(IdError::CharacterOrSpace)
    }
}

/// An order's id leaves room for the number of a shipment, and is none itself.
fn check_order(text: &str) -> Result<(), IdError> {
    check(text, false)?;
    if text.len() > ORDER_ID_BYTES_MAX {
        return Err(IdError::OrderTooLong);
    }
    if is_of_shipment(text) { Err(IdError::OfShipment) } else { Ok(()) }
}

/// True for the ids of shipments: `<orderId>.s<n>`.
pub(crate) fn is_of_shipment(text: &str) -> bool {
    text.rsplit_once(".s").is_some_and(|(order, number)| {
        !order.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn plain(text: &str) -> Result<(), IdError> {
    check(text, false)
}

fn with_spaces(text: &str) -> Result<(), IdError> {
    check(text, true)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(EcoString);

        impl $name {
            /// Checks a text and makes it an id.
            ///
            /// # Errors
            /// [`IdError`] with the broken rule.
            pub fn new(text: &str) -> Result<Self, IdError> {
                $check(text).map(|()| Self(EcoString::from(text)))
            }

            /// The id as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.0.as_str(), formatter)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = EcoString::deserialize(deserializer)?;
                $check(&text).map(|()| Self(text)).map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A place that holds stock: 1-64 of `[A-Za-z0-9._-]`.
    StoreId, plain
);
id!(
    /// A stock-keeping unit code: 1-64 of `[A-Za-z0-9._-]` and single inner spaces.
    Sku, with_spaces
);
id!(
    /// A reservation's name, unique within its level: 1-64 of `[A-Za-z0-9._-]`.
    ReservationId, plain
);
id!(
    /// A bulk import's name: 1-64 of `[A-Za-z0-9._-]`, by habit the fingerprint of its file.
    ImportId, plain
);
id!(
    /// A customer's name: 1-64 of `[A-Za-z0-9._-]`; the id of the principal, where the customer has a login.
    CustomerId, plain
);
id!(
    /// The id of a payment, unique within its order: 1-64 of `[A-Za-z0-9._-]`.
    PaymentId, plain
);
id!(
    /// The id of a return, unique within its order: 1-64 of `[A-Za-z0-9._-]`.
    ReturnId, plain
);
id!(
    /// An order's name: 1-58 of `[A-Za-z0-9._-]`, and not the id of a shipment.
    OrderId, check_order
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_held_to_their_alphabet() {
        let long = "x".repeat(65);
        for (text, store, sku) in [
            ("UNITED-KINGDOM", Ok(()), Ok(())),
            ("a.b_c-9", Ok(()), Ok(())),
            ("BANK CHARGES", Err(IdError::Character), Ok(())),
            ("", Err(IdError::Empty), Err(IdError::Empty)),
            (&long, Err(IdError::TooLong), Err(IdError::TooLong)),
            (" A", Err(IdError::Character), Err(IdError::CharacterOrSpace)),
            ("A ", Err(IdError::Character), Err(IdError::CharacterOrSpace)),
            ("A  B", Err(IdError::Character), Err(IdError::CharacterOrSpace)),
            ("a/b", Err(IdError::Character), Err(IdError::CharacterOrSpace)),
            ("a\nb", Err(IdError::Character), Err(IdError::CharacterOrSpace)),
            ("a\0", Err(IdError::Character), Err(IdError::CharacterOrSpace)),
            ("\u{0410}BC", Err(IdError::Character), Err(IdError::CharacterOrSpace)),
        ] {
            assert_eq!(StoreId::new(text).map(|_| ()), store, "store {text:?}");
            assert_eq!(Sku::new(text).map(|_| ()), sku, "sku {text:?}");
        }
    }
}
