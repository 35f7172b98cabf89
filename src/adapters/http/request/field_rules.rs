//! Validation rules of single fields, as functions for `validator`.
#![expect(clippy::trivially_copy_pass_by_ref, reason = "validator passes fields by reference")]

use onhand_domain::Quantity;
use onhand_domain::limits::{CATEGORY_CHARACTERS_MAX, INTEGER_MAX, TEXT_CHARACTERS_MAX};
use smol_str::SmolStr;
use uuid::Uuid;
use validator::ValidationError;

pub(crate) fn not_zero(quantity: &Quantity) -> Result<(), ValidationError> {
    hold(*quantity != Quantity::ZERO, "must not be 0")
}

pub(crate) fn at_least_one(quantity: &Quantity) -> Result<(), ValidationError> {
    hold(*quantity > Quantity::ZERO, "must be at least 1")
}

pub(crate) fn not_negative(quantity: &Quantity) -> Result<(), ValidationError> {
    hold(!quantity.is_negative(), "must not be negative")
}

/// A reason or a reference: 1-256 characters, none of them a control character.
pub(crate) fn text(text: &SmolStr) -> Result<(), ValidationError> {
    let fits = (1..=TEXT_CHARACTERS_MAX).contains(&text.chars().count());
    let plain = !text.chars().any(char::is_control);
    hold(fits && plain, "must have 1-256 characters and no control characters")
}

/// A category or a barcode: 1-64 characters, none of them a control character.
pub(crate) fn short_text(text: &SmolStr) -> Result<(), ValidationError> {
    let fits = (1..=CATEGORY_CHARACTERS_MAX).contains(&text.chars().count());
    let plain = !text.chars().any(char::is_control);
    hold(fits && plain, "must have 1-64 characters and no control characters")
}

/// The issuer of a node's tokens, as its `GET /auth/keys` names it: `urn:uuid:` and the id of its ledger.
pub(crate) fn issuer(text: &SmolStr) -> Result<(), ValidationError> {
    let id = text.strip_prefix("urn:uuid:").and_then(|id| Some((id, Uuid::try_parse(id).ok()?)));
    let plain = id.is_some_and(|(id, uuid)| uuid.to_string() == id);
    hold(plain, "must be the issuer of a node, as its GET /auth/keys names it: urn:uuid: and an id")
}

/// The name of a time zone of the IANA database. Whether that has such a zone is not checked.
pub(crate) fn zone_name(text: &SmolStr) -> Result<(), ValidationError> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/');
    let fits = (1..=CATEGORY_CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(letter);
    hold(fits, "must be the name of a time zone like Europe/London (IANA)")
}

/// An amount of money in minor units.
pub(crate) fn minor_units(amount: u64) -> Result<(), ValidationError> {
    exact(amount)
}

/// The version that a change is conditional on.
pub(crate) fn version(version: u64) -> Result<(), ValidationError> {
    exact(version)
}

/// A number that every JSON reader holds exactly.
fn exact(number: u64) -> Result<(), ValidationError> {
    hold(number <= INTEGER_MAX.unsigned_abs(), "must be at most 9007199254740991")
}

fn hold(rule: bool, message: &'static str) -> Result<(), ValidationError> {
    if rule { Ok(()) } else { Err(ValidationError::new("rule").with_message(message.into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_held_to_their_rules() {
        for (pieces, zero, one, negative) in
            [(-1, true, false, false), (0, false, false, true), (1, true, true, true)]
        {
            let quantity = Quantity::new(pieces).unwrap();
            assert_eq!(not_zero(&quantity).is_ok(), zero, "{pieces}");
            assert_eq!(at_least_one(&quantity).is_ok(), one, "{pieces}");
            assert_eq!(not_negative(&quantity).is_ok(), negative, "{pieces}");
        }
        let (longest, too_long) = ("\u{e9}".repeat(256), "x".repeat(257));
        for (value, good) in [
            ("a", true),
            (longest.as_str(), true),
            ("", false),
            (&too_long, false),
            ("a\tb", false),
            ("\0", false),
        ] {
            assert_eq!(text(&SmolStr::new(value)).is_ok(), good, "{value:?}");
        }
    }
}
