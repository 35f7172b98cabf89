//! Ids of principals and tokens: opaque, so that the log names nobody.

use ecow::EcoString;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// Characters of an id behind its prefix.
const LENGTH: usize = 12;
/// Digits and letters that are not taken for one another (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 60 of the bits as 12 characters.
fn characters(bits: u64) -> impl Iterator<Item = char> {
    (0..LENGTH).map(move |at| {
        let digit = (bits >> (5 * (LENGTH - 1 - at))) & 31;
        char::from(*ALPHABET.get(usize::try_from(digit).unwrap_or_default()).unwrap_or(&b'0'))
    })
}

fn is_id(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

/// The kind of a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalKind {
    /// A person.
    Person,
    /// A program; a till too.
    Service,
    /// Another node.
    Node,
    /// A team of an exercise.
    Team,
}

/// The id of a principal: `u_` (person), `s_` (service, till), `n_` (node) or `t_` (team), and 12 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PrincipalId(EcoString);

/// The public id of a token: 12 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct TokenId(EcoString);

impl PrincipalKind {
    /// The beginning of the ids of such principals.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Person => "u_",
            Self::Service => "s_",
            Self::Node => "n_",
            Self::Team => "t_",
        }
    }
}

/// A text is no id of a principal or token; the message says what one looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be {0}")]
pub struct WrongId(&'static str);

fn first_bits(random: &[u8; 32]) -> u64 {
    u64::from_le_bytes(*random.first_chunk().expect("32 bytes have a first 8"))
}

impl PrincipalId {
    /// The id of a principal of a kind, from 60 random bits.
    pub fn of_bits(kind: PrincipalKind, bits: u64) -> Self {
        Self(kind.prefix().chars().chain(characters(bits)).collect())
    }

    /// The id of a principal of a kind, from the first 60 of random bits.
    pub fn of_random(kind: PrincipalKind, random: &[u8; 32]) -> Self {
        Self::of_bits(kind, first_bits(random))
    }

    /// Reads an id.
    ///
    /// # Errors
    /// [`WrongId`].
    pub fn new(text: &str) -> Result<Self, WrongId> {
        let is_principal =
            |(kind, rest): &(&str, &str)| ["u_", "s_", "n_", "t_"].contains(kind) && is_id(rest);
        let parts = text.split_at_checked(2).filter(is_principal);
        parts.map(|_| Self(text.into())).ok_or(WrongId("the id of a principal, such as u_0123456789ab"))
    }

    /// The text form, at most 24 bytes: the `actor` of events.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TokenId {
    /// An id from 60 random bits.
    pub fn of_bits(bits: u64) -> Self {
        Self(characters(bits).collect())
    }

    /// An id from the first 60 of random bits.
    pub fn of_random(random: &[u8; 32]) -> Self {
        Self::of_bits(first_bits(random))
    }

    /// Reads an id.
    ///
    /// # Errors
    /// [`WrongId`].
    pub fn new(text: &str) -> Result<Self, WrongId> {
        is_id(text).then(|| Self(text.into())).ok_or(WrongId("the id of a token: 12 characters"))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

as_text!(PrincipalId);
as_text!(TokenId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::PrincipalKind;

    #[test]
    fn ids_are_made_of_bits_and_read_back() {
        let id = PrincipalId::of_bits(PrincipalKind::Person, 0x0123_4567_89ab_cdef);
        assert_eq!(PrincipalId::new(id.as_str()), Ok(id.clone()));
        assert!(id.as_str().starts_with("u_") && id.as_str().len() == 14, "{id}");
        assert_ne!(TokenId::of_bits(1), TokenId::of_bits(2));
        assert_eq!(TokenId::new(TokenId::of_bits(u64::MAX).as_str()), Ok(TokenId::of_bits(u64::MAX)));
        for wrong in [
            "",
            "u_",
            "x_0123456789ab",
            "u_0123456789a",
            "u_0123456789ai",
            "u_0123456789AB",
            "ü_0123456789ab",
        ] {
            assert!(PrincipalId::new(wrong).is_err(), "{wrong}");
            assert!(TokenId::new(wrong).is_err(), "{wrong}");
        }
    }
}
