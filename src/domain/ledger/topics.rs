//! Topics: the kinds, kinds of movements and stores of an entry's events as a bit set. The index has one for each entry.
//!
//! Readers skip entries without a wanted topic, and do not read their lines: a page of movements behind 50,000 products took up to
//! 69 ms without it and takes 0.7 ms with it (`benches/pages/run`).

use crate::stock::MovementKind;
use crate::{Event, EventKind, StoreId};

/// A set of topics, of one event or of several. Each event has its kind; a movement has its kind of movement; an
/// event about a SKU in a store has that store. Many stores share a bit, so a topic that is in the set may be there
/// for another store, but one that is not in it belongs to none of the events.
///
/// ```text
/// bit 0 to 63     the event's kind, by its number
/// bit 64 to 95    the movement's kind, by its number
/// bit 96 to 127   the store: FNV-1a, 32 bits, of its id, modulo 32
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Topics(u128);

const MOVEMENT_BIT: u32 = EventKind::NUMBERS;
const STORE_BIT: u32 = MOVEMENT_BIT + MovementKind::NUMBERS;
const KINDS: Topics = Topics((1 << MOVEMENT_BIT) - 1);
const STORES: Topics = Topics(!((1 << STORE_BIT) - 1));

impl Topics {
    /// No topic. As a query, it matches everything.
    pub const NONE: Self = Self(0);
    /// Every kind of movement.
    pub const MOVEMENTS: Self = Self(!KINDS.0 & !STORES.0);

    /// The topics of an event.
    pub fn of(event: &Event) -> Self {
        let kind = Self::kind(event.kind);
        let kind = event.fact.movement().map_or(kind, |movement| kind.and(Self::movement(movement)));
        event.fact.place().map_or(kind, |(store_id, _)| kind.and(Self::store(store_id)))
    }

    /// The topic of a kind of events.
    pub const fn kind(kind: EventKind) -> Self {
        Self(1 << kind.code())
    }

    /// The topic of a kind of movements.
    pub const fn movement(kind: MovementKind) -> Self {
        Self(1 << (MOVEMENT_BIT + kind.code()))
    }

    /// The topic of a store, which other stores share.
    pub fn store(store_id: &StoreId) -> Self {
        let hash = store_id.as_str().bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            // http://www.isthe.com/chongo/tech/comp/fnv/
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        Self(1 << (STORE_BIT + hash % (u128::BITS - STORE_BIT)))
    }

    /// The union of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// False when no event with topics of this set can match `wanted`: one of the wanted kinds, if any is wanted,
    /// one of the wanted kinds of movements, and one of the wanted stores.
    pub fn may_have(self, wanted: Self) -> bool {
        [KINDS, Self::MOVEMENTS, STORES].into_iter().all(|group| {
            let wanted = wanted.0 & group.0;
            wanted == 0 || self.0 & wanted != 0
        })
    }

    /// The bits, for an index file.
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// The set of [`Topics::bits`].
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(name: &str) -> StoreId {
        StoreId::new(name).unwrap()
    }

    fn event(kind: &str, payload: &str) -> Event {
        let after = if kind == "CLOCK" {
            r#"{"time":"2026-11-20T17:00:00.000Z","version":1}"#
        } else {
            r#"{"onHand":9,"reserved":1,"version":2}"#
        };
        let id = "01a21ea8-413b-7667-bd38-bf1f93aaaf47";
        let json = format!(r#"{{"eventId":"{id}","type":"{kind}","payload":{payload},"after":{after}}}"#);
        Event::decode(&json).unwrap()
    }

    #[test]
    fn every_kind_has_a_bit_of_its_own_within_its_group() {
        let kinds = EventKind::ALL.map(Topics::kind);
        let movements = MovementKind::ALL.map(Topics::movement);
        let all = kinds.iter().chain(&movements).fold(Topics::NONE, |all, one| {
            assert_eq!(all.bits() & one.bits(), 0, "{one:?} is taken");
            all.and(*one)
        });
        assert_eq!(all.bits().count_ones() as usize, kinds.len() + movements.len());
        assert!(kinds.iter().all(|kind| KINDS.bits() & kind.bits() == kind.bits()));
        assert!(movements.iter().all(|kind| Topics::MOVEMENTS.bits() & kind.bits() == kind.bits()));
        assert_eq!(Topics::store(&store("a")).bits(), 1 << 108, "it is on disk: FNV-1a of a is 0xe40c292c");
    }

    #[test]
    fn topics_select_by_kind_movement_and_store() {
        let sold = event("ADJUST", r#"{"sku":"TEA","storeId":"L","delta":-1,"kind":"sale"}"#);
        let clock = event("CLOCK", r#"{"from":"2026-11-20T16:00:00.000Z","to":"2026-11-20T17:00:00.000Z"}"#);
        let (sold, clock) = (Topics::of(&sold), Topics::of(&clock));
        let other = store("ROME");
        assert_ne!(Topics::store(&other), Topics::store(&store("L")));
        let sale = Topics::movement(MovementKind::Sale);
        for (wanted, of_sold, of_clock) in [
            (Topics::NONE, true, true),
            (Topics::MOVEMENTS, true, false),
            (sale, true, false),
            (Topics::movement(MovementKind::Count), false, false),
            (Topics::kind(EventKind::Clock), false, true),
            (Topics::kind(EventKind::Adjust), true, false),
            (Topics::store(&store("L")), true, false),
            (Topics::store(&store("L")).and(sale), true, false),
            (Topics::store(&other).and(sale), false, false),
        ] {
            assert_eq!((sold.may_have(wanted), clock.may_have(wanted)), (of_sold, of_clock), "{wanted:?}");
            assert_eq!(sold.and(clock).may_have(wanted), of_sold || of_clock, "{wanted:?}");
        }
    }
}
