//! Events that add up: a log that is opened again checks them.

use onhand_domain::stock::LevelAfter;
use onhand_domain::{After, Event, Key, Quantity, Sku, StoreId};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The numbers of the levels of one store, as the events so far give them.
#[derive(Clone, Default)]
pub(crate) struct Movements {
    levels: BTreeMap<String, (i64, i64, u64)>,
    made: u64,
    /// The last event of a kind on a level: the next one differs from it only slightly.
    adjusted: BTreeMap<String, Event>,
}

impl Movements {
    /// A delivery of a piece to a level.
    pub(crate) fn adjust(&mut self, sku: &str) -> Event {
        let Some(last) = self.adjusted.get_mut(sku) else {
            let event = self.event(sku, "ADJUST", "\"delta\":1", (1, 0));
            self.adjusted.insert(sku.to_owned(), event.clone());
            return event;
        };
        let (on_hand, reserved, version) = self.levels.get_mut(sku).unwrap();
        (self.made, *on_hand, *version) = (self.made + 1, *on_hand + 1, *version + 1);
        let qty = |pieces: i64| Quantity::new(pieces).unwrap();
        let numbers = LevelAfter { on_hand: qty(*on_hand), reserved: qty(*reserved), version: *version };
        last.event_id = Uuid::from_u128(u128::from(self.made));
        last.after = After::Level(numbers);
        last.clone()
    }

    /// A reservation of a piece; the level must have one.
    pub(crate) fn reserve(&mut self, sku: &str) -> Event {
        let payload = format!("\"qty\":1,\"reservationId\":\"r-{}\"", self.made);
        self.event(sku, "RESERVE", &payload, (0, 1))
    }

    fn event(&mut self, sku: &str, kind: &str, payload: &str, (came, promised): (i64, i64)) -> Event {
        self.made += 1;
        let (on_hand, reserved, version) = self.levels.entry(sku.to_owned()).or_default();
        (*on_hand, *reserved, *version) = (*on_hand + came, *reserved + promised, *version + 1);
        let id = Uuid::from_u128(u128::from(self.made));
        let json = format!(
            "{{\"eventId\":\"{id}\",\"type\":\"{kind}\",\"payload\":{{\"sku\":\"{sku}\",\"storeId\":\"LONDON\",{payload}}},\
             \"after\":{{\"onHand\":{on_hand},\"reserved\":{reserved},\"version\":{version}}}}}"
        );
        Event::decode(&json).unwrap()
    }
}

/// The key of a level of that store.
pub(crate) fn level(sku: &str) -> Key {
    Key::Level(StoreId::new("LONDON").unwrap(), Sku::new(sku).unwrap())
}
