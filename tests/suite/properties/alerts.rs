//! Low stock: in every history of a level, its alert states whether it is low, and the events alone give the same.

use super::{commands, config};
use crate::decide::{NOON, keys};
use crate::node::qty;
use onhand_domain::low_stock::KeyThresholds;
use onhand_domain::{Command, Draft, Event, Evidence, Key, Quantity, State, Timestamp, decide, follow_up};
use proptest::prelude::*;
use uuid::Uuid;

/// A level with a threshold and one without, and the alert of the first.
fn watched() -> Vec<Key> {
    let levels: Vec<Key> = keys().into_iter().filter(|key| matches!(key, Key::Level(..))).collect();
    let Some(Key::Level(store, sku)) = levels.first().cloned() else { unreachable!() };
    levels.into_iter().chain([Key::Alert(store, sku)]).collect()
}

fn settle(now: i64, states: &mut [State], threshold: Option<Quantity>, command: &Command) -> Vec<Event> {
    let (keys, mut new_id) = (watched(), Uuid::nil);
    let now = Timestamp::from_milliseconds(now);
    let mut evidence = Evidence::default();
    evidence.add(KeyThresholds(vec![threshold, None, threshold]));
    let mut draft = Draft::new(now, &keys, states.iter_mut().collect(), &mut new_id).based_on(&evidence);
    draft.expire_due(1_000);
    // A rejected command leaves the expiries in front of it.
    let _ = decide(&mut draft, command);
    follow_up(&mut draft);
    draft.finish().events
}

fn low(states: &[State], threshold: Option<Quantity>) -> bool {
    let State::Level(level) = &states[0] else { unreachable!() };
    level.version() > 0 && threshold.is_some_and(|threshold| level.after().qty() <= threshold)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_alert_is_raised_while_and_only_while_its_level_is_low(
        commands in commands(40),
        thresholds in prop::collection::vec(prop::option::of(0..20_i64), 40),
    ) {
        let keys = watched();
        let mut states: Vec<State> = keys.iter().map(State::absent).collect();
        let mut again = states.clone();
        let mut now = NOON;
        for (command, threshold) in commands.into_iter().zip(thresholds) {
            let threshold = threshold.map(qty);
            let before = states.clone();
            let events = settle(now, &mut states, threshold, &Command::Stock(command));
            let State::Alert(alert) = &states[2] else { unreachable!() };
            prop_assert_eq!(alert.raised.is_some(), low(&states, threshold));
            // Raised and cleared in turn, at most once an entry, behind the cause.
            let told: Vec<usize> = (0..).zip(&events).filter(|(_, event)| event.fact.key() == keys[2]).map(|(place, _)| place).collect();
            prop_assert!(told.is_empty() || told == [events.len() - 1]);
            prop_assert_eq!(told.len() as u64, states[2].version() - before[2].version());
            for event in &events {
                let place = keys.iter().position(|key| *key == event.fact.key()).unwrap();
                again[place].apply(&event.fact, Timestamp::from_milliseconds(now)).unwrap();
                prop_assert_eq!(again[place].after(), event.after);
                let line = serde_json::to_string(event).unwrap();
                prop_assert_eq!(&Event::decode(&line).unwrap(), event);
            }
            prop_assert_eq!(&again, &states);
            now += 7_000;
        }
        for (key, state) in keys.iter().zip(&states).filter(|(_, state)| state.version() > 0) {
            prop_assert_eq!(state.record(key).restore().unwrap(), (key.clone(), state.clone()));
        }
    }
}
