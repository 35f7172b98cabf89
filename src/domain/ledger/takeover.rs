//! The takeover (`TAKE`): this log takes over a state that another log of the same ledger has moved until now.
//!
//! It carries the whole state and not a reference to the other log: a log that needed another one to be folded
//! would be lost together with it. It stands in front of the events that move the state, in the same entry.

use super::registry::TakenJson;
use crate::{Key, StateRecord};
use serde::{Deserialize, Serialize};

/// `TAKE`: from here on the state is moved in this log. It is no movement: the state stays as it was, in its
/// version too. It stands in front of the log's own events of the key, in the same entry, so each log can be folded
/// by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "TakenJson")]
pub struct Taken {
    /// The epoch of the lease under which it was taken; never falls with the state's version.
    pub epoch: u64,
    /// The whole state as the other log left it, with its key.
    #[serde(flatten)]
    pub state: StateRecord,
}

impl Taken {
    /// The key of the state that is taken over.
    pub fn key(&self) -> Key {
        self.state.key()
    }
}

#[cfg(test)]
mod tests {
    use crate::{After, Event, Fact, Misfit, State, Timestamp, Undo};

    const LEVEL: &str = r#"{"eventId":"00000000-0000-0000-0000-000000000001","type":"TAKE","payload":{"epoch":6,"level":{"storeId":"L","sku":"A","onHand":9,"reserved":2,"version":7,"updatedAt":"2026-11-20T16:00:00.000Z","holds":[{"reservationId":"r","qty":2}]}},"after":{"onHand":9,"reserved":2,"version":7}}"#;
    const IMPORT: &str = r#"{"eventId":"00000000-0000-0000-0000-000000000002","type":"TAKE","payload":{"epoch":1,"import":{"importId":"I","rowsDone":5,"applied":3,"refused":1,"finished":false,"version":2,"updatedAt":"2026-11-20T16:00:00.000Z"}},"after":{"rowsDone":5,"applied":3,"refused":1,"version":2}}"#;
    const PRODUCT: &str = r#"{"eventId":"00000000-0000-0000-0000-000000000003","type":"TAKE","payload":{"epoch":1,"product":{"sku":"A","product":{"name":"Tea","active":true},"version":3,"updatedAt":"2026-11-20T16:00:00.000Z"}},"after":{"version":3}}"#;
    const STORE: &str = r#"{"eventId":"00000000-0000-0000-0000-000000000004","type":"TAKE","payload":{"epoch":1,"store":{"storeId":"L","store":{"name":"London","kind":"shop","active":true},"version":1,"updatedAt":"2026-11-20T16:00:00.000Z"}},"after":{"version":1}}"#;
    const THRESHOLD: &str = r#"{"eventId":"00000000-0000-0000-0000-000000000005","type":"TAKE","payload":{"epoch":1,"threshold":{"storeId":"L","sku":"A","lowStockThreshold":2,"version":1,"updatedAt":"2026-11-20T16:00:00.000Z"}},"after":{"version":1}}"#;
    const ALERT: &str = r#"{"eventId":"00000000-0000-0000-0000-000000000006","type":"TAKE","payload":{"epoch":1,"alert":{"storeId":"L","sku":"A","raised":{"qty":1,"threshold":2},"version":1,"updatedAt":"2026-11-20T16:00:00.000Z"}},"after":{"raised":true,"version":1}}"#;
    const ORDER: &str = r#"{"eventId":"00000000-0000-0000-0000-000000000007","type":"TAKE","payload":{"epoch":1,"order":{"orderId":"o-1","placed":{"placedAt":"2026-11-20T16:00:00.000Z","details":{"customerId":"c-1","policy":{"partial":"backorder","stock":"hold","autoConfirm":false}},"lines":[{"line":1,"sku":"A","qty":9,"unitPrice":100,"pieces":{"cancelled":1,"waiting":2,"shipped":3,"delivered":2,"returned":1}}]},"confirmed":true,"onHold":true,"payments":[{"paymentId":"p-1","kind":"captured","amount":300,"at":"2026-11-20T16:00:00.000Z"}],"returns":[{"returnId":"r-1","state":"received","lines":[{"line":1,"qty":1,"sellable":0}],"storeId":"L"}],"avoids":["M"],"shipments":["L","L"],"openShipments":[2],"version":9,"updatedAt":"2026-11-20T16:00:00.000Z"}},"after":{"waiting":2,"open":3,"shipped":3,"version":9}}"#;
    const SHIPMENT: &str = r#"{"eventId":"00000000-0000-0000-0000-000000000008","type":"TAKE","payload":{"epoch":1,"shipment":{"shipmentId":"o-1.s2","storeId":"L","lines":[{"line":1,"sku":"A","qty":7,"shipped":3,"delivered":2,"dropped":1}],"instructed":true,"refused":"busy","reason":"late","carrier":"DHL","tracking":"00340","version":6,"updatedAt":"2026-11-20T16:00:00.000Z"}},"after":{"held":3,"shipped":3,"delivered":2,"version":6}}"#;
    const ROUTING: &str = r#"{"eventId":"00000000-0000-0000-0000-000000000009","type":"TAKE","payload":{"epoch":1,"routing":{"routing":{"rules":{"ranks":["complete"],"keepsBack":1,"stores":{}}},"version":2,"updatedAt":"2026-11-20T16:00:00.000Z"}},"after":{"version":2}}"#;
    const ALL: [&str; 9] = [LEVEL, IMPORT, PRODUCT, STORE, THRESHOLD, ALERT, ORDER, SHIPMENT, ROUTING];
    const LATER: Timestamp = Timestamp::EPOCH;

    fn fact(json: &str) -> Fact {
        Event::decode(json).unwrap().fact
    }

    #[test]
    fn a_take_is_written_as_it_is_read() {
        for json in ALL {
            let event = Event::decode(json).unwrap();
            let written = serde_json::to_string(&event).unwrap();
            assert_eq!(Event::decode(&written).as_ref(), Ok(&event));
            // Before format 2 the numbers stood there without the tag of the kind.
            let (front, numbers) = json.rsplit_once(r#""after":"#).unwrap();
            let tag = event.fact.key().tag();
            assert_eq!(written, format!(r#"{front}"after":{{"{tag}":{numbers}}}"#));
            assert_eq!(event.fact.kind(), event.kind);
            assert_eq!(event.fact.before(event.after), Some(event.after), "it is no movement");
        }
        let mixed = LEVEL.replace(r#""epoch":6,"#, "");
        assert!(Event::decode(&mixed).is_err(), "without an epoch");
        let neither = IMPORT.replace(r#""import":{"#, r#""batch":{"#);
        assert!(Event::decode(&neither).is_err());
        // The type as the last member, as in other producers' JSON.
        let late = LEVEL.replace(r#""type":"TAKE","#, "");
        let late = format!("{},\"type\":\"TAKE\"}}", late.strip_suffix('}').unwrap());
        assert_eq!(Event::decode(&late).unwrap(), Event::decode(LEVEL).unwrap());
        // Numbers of another kind than that of the state are rejected, with a tag or without.
        let other =
            LEVEL.replace(r#""after":{"onHand":9,"reserved":2,"version":7}"#, r#""after":{"version":7}"#);
        assert!(Event::decode(&other).is_err());
        let other = other.replace(r#"{"version":7}"#, r#"{"product":{"version":7}}"#);
        let event = Event::decode(&other).unwrap();
        assert_eq!(event.fact.before(event.after), None);
    }

    #[test]
    fn a_take_replaces_the_state_and_comes_back() {
        for json in ALL {
            let event = Event::decode(json).unwrap();
            let mut state = State::absent(&event.fact.key());
            let before = state.clone();
            let undo = state.apply(&event.fact, LATER).unwrap();
            assert_eq!(state.after(), event.after);
            let Fact::Take(taken) = &event.fact else { panic!() };
            assert_eq!(state.record(&taken.key()), taken.state, "with the time of its last movement");
            assert!(matches!(undo, Undo::Taken(_)));
            let again = state.apply(&event.fact, LATER).unwrap();
            state.undo(again);
            state.undo(undo);
            assert_eq!(state, before);
        }
    }

    #[test]
    fn a_take_that_cannot_be_is_refused() {
        let (mut level, mut import) = (State::absent(&fact(LEVEL).key()), State::absent(&fact(IMPORT).key()));
        assert_eq!(level.apply(&fact(IMPORT), LATER).unwrap_err(), Misfit::KIND);
        assert_eq!(import.apply(&fact(LEVEL), LATER).unwrap_err(), Misfit::KIND);
        let unheld = LEVEL.replace(r#""qty":2"#, r#""qty":3"#);
        assert_eq!(level.apply(&fact(&unheld), LATER).unwrap_err(), Misfit::NUMBER);
        let unknown = IMPORT.replace(
            r#""rowsDone":5,"applied":3,"refused":1,"finished""#,
            r#""rowsDone":3,"applied":3,"refused":1,"finished""#,
        );
        assert_eq!(import.apply(&fact(&unknown), LATER).unwrap_err(), Misfit::NUMBER);
        level.apply(&fact(LEVEL), LATER).unwrap();
        let older = LEVEL.replace(r#""version":7"#, r#""version":6"#);
        let before = level.clone();
        assert_eq!(level.apply(&fact(&older), LATER).unwrap_err(), Misfit::TAKEN);
        assert_eq!(level, before);
        assert!(matches!(level.after(), After::Level(after) if after.version == 7));
    }
}
