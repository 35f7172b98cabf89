//! Names of stores as people write them, made store ids.

use crate::domain::StoreId;

/// Makes a store id of a name: upper case, and each character outside `[A-Z0-9]` becomes `-`.
///
/// `United Kingdom` is `UNITED-KINGDOM`. Only ASCII letters change their case, so that no letter turns into two.
/// None if there is nothing left to tell it from other names, or too much.
pub(super) fn store_id_of(name: &str) -> Option<StoreId> {
    let id: String = name
        .trim()
        .chars()
        .map(|letter| letter.to_ascii_uppercase())
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    let telling = id.bytes().any(|byte| byte != b'-');
    if telling { StoreId::new(&id).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_stores_become_ids() {
        let long = "x".repeat(65);
        let table = [
            ("United Kingdom", Some("UNITED-KINGDOM")),
            (" EIRE ", Some("EIRE")),
            ("Curaçao", Some("CURA-AO")),
            ("shop_1.a", Some("SHOP-1-A")),
            ("straße", Some("STRA-E")),
            ("", None),
            ("  ", None),
            ("東京", None),
            (long.as_str(), None),
        ];
        for (name, id) in table {
            assert_eq!(store_id_of(name).as_ref().map(StoreId::as_str), id, "{name:?}");
        }
    }
}
