//! The methods of a [`Key`] that do not depend on its kind.

use crate::{Key, Leasing};
use std::fmt;

/// A level's key is shown without its tag: most keys are of levels.
const BARE: &str = "level";

impl Key {
    /// True for a state that each log of a ledger has separately.
    pub const fn is_of_one_log(&self) -> bool {
        matches!(self.lease(), Leasing::OfOneLog)
    }

    /// True for a state that a process may decide only under the lease of the key itself.
    pub const fn has_lease(&self) -> bool {
        matches!(self.lease(), Leasing::Own)
    }

    /// The key that is shown as `text`, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        // No store has a space in its id, and every level has a slash: a text that begins with a tag is no level.
        let (tag, id) = text.split_once(' ').unwrap_or((text, ""));
        let tagged = (tag != BARE).then(|| Self::of(tag, id)).flatten();
        tagged.or_else(|| Self::of(BARE, text))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tag, [one, other]) = (self.tag(), self.parts());
        if tag != BARE {
            formatter.write_str(tag)?;
        }
        if tag != BARE && !one.is_empty() {
            formatter.write_str(" ")?;
        }
        formatter.write_str(one)?;
        if !other.is_empty() {
            write!(formatter, "/{other}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{PrincipalId, PrincipalKind, TokenId};
    use crate::orders::ShipmentId;
    use crate::{ImportId, OrderId, Sku, StoreId};

    #[test]
    fn a_key_is_read_as_it_is_shown() {
        let level = Key::Level(StoreId::new("import").unwrap(), Sku::new("BANK CHARGES").unwrap());
        let product = Key::Product(Sku::new("BANK CHARGES").unwrap());
        let store = Key::Store(StoreId::new("product").unwrap());
        let place = || (StoreId::new("alert").unwrap(), Sku::new("BANK CHARGES").unwrap());
        let threshold = Key::Threshold(place().0, place().1);
        let alert = Key::Alert(place().0, place().1);
        let import = Key::Import(ImportId::new("a-1").unwrap());
        let principal = Key::Principal(PrincipalId::of_bits(PrincipalKind::Team, 1));
        let token = Key::Token(TokenId::of_bits(1));
        let order = Key::Order(OrderId::new("level.4711").unwrap());
        let shipment = Key::Shipment(ShipmentId::new("level.4711.s2").unwrap());
        // Kinds with one state have no id.
        let single = [Key::Clock, Key::Mode, Key::Routing];
        let of_many = [level, import, product, store, threshold, alert, principal, token, order, shipment];
        for key in of_many.into_iter().chain(single) {
            assert_eq!(Key::parse(&key.to_string()), Some(key));
        }
        assert_eq!(Key::parse("order level.4711.s2"), None, "it is the id of a shipment");
        assert_eq!(Key::parse("shipment level.4711"), None);
        assert_eq!(Key::parse("import"), None);
        assert_eq!(Key::parse("a/b/c"), None);
    }
}
