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
        // No store has a space in its id, so a text that begins with a tag and a space is no level.
        let tagged = text.split_once(' ').filter(|(tag, _)| *tag != BARE);
        tagged.and_then(|(tag, id)| Self::of(tag, id)).or_else(|| Self::of(BARE, text))
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
    use crate::{ImportId, Sku, StoreId};

    #[test]
    fn a_key_is_read_as_it_is_shown() {
        let level = Key::Level(StoreId::new("import").unwrap(), Sku::new("BANK CHARGES").unwrap());
        let product = Key::Product(Sku::new("BANK CHARGES").unwrap());
        let store = Key::Store(StoreId::new("product").unwrap());
        let place = || (StoreId::new("alert").unwrap(), Sku::new("BANK CHARGES").unwrap());
        let threshold = Key::Threshold(place().0, place().1);
        let alert = Key::Alert(place().0, place().1);
        for key in [level, Key::Import(ImportId::new("a-1").unwrap()), product, store, threshold, alert] {
            assert_eq!(Key::parse(&key.to_string()), Some(key));
        }
        assert_eq!(Key::parse("import"), None);
        assert_eq!(Key::parse("a/b/c"), None);
    }
}
