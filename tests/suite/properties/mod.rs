//! Properties of the core, each over a thousand random cases (`PROPTEST_CASES` sets another number).

mod alerts;
mod bytes;
mod engines;
mod permissions;
mod role_table;

use crate::counts::{counted, scale};
use crate::decide::{Shop, id, keys, movement};
use crate::node::qty;
use onhand_domain::limits::INTEGER_MAX;
use onhand_domain::stock::{Batch, Commit, Operation, Reserve, StockCommand, Verb};
use onhand_domain::{
    After, Command, Draft, Expected, Fact, Quantity, Rejection, Sku, State, StateRecord, StoreId, Timestamp,
    decide,
};
use proptest::prelude::*;
use std::collections::HashMap;
use uuid::Uuid;

/// The cases of one property: `PROPTEST_CASES`, or a thousand times the scale of the run.
pub(crate) fn config() -> ProptestConfig {
    static ONCE: std::sync::Once = std::sync::Once::new();
    let given = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = given.unwrap_or_else(|| u32::try_from(1_000 * scale()).unwrap());
    ONCE.call_once(|| counted("properties", format!("{cases} cases each")));
    ProptestConfig { cases, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() }
}

/// Pieces, small ones mostly, and those at the end of the range.
fn pieces() -> impl Strategy<Value = Quantity> {
    let top = (0..4_i64).prop_map(|less| INTEGER_MAX - less);
    prop_oneof![6 => 1..20_i64, 1 => top, 1 => 1..INTEGER_MAX].prop_map(qty)
}

fn verb() -> impl Strategy<Value = Verb> {
    let name = || (0..4_u8).prop_map(|number| id(&number.to_string()));
    let some = || prop::option::of(pieces());
    let signed =
        (pieces(), any::<bool>()).prop_map(|(pieces, out)| if out { pieces.negated() } else { pieces });
    prop_oneof![
        3 => signed.prop_map(|delta| Verb::Adjust { delta, reason: None, reference: None }),
        3 => (pieces(), name(), prop::option::of(1..100_i64)).prop_map(|(qty, reservation_id, ttl_seconds)| {
            Verb::Reserve(Reserve { qty, reservation_id, ttl_seconds, reference: None })
        }),
        1 => (name(), some()).prop_map(|(reservation_id, qty)| Verb::Release { reservation_id, qty }),
        2 => (name(), some(), any::<bool>()).prop_map(|(reservation_id, qty, close_remainder)| {
            Verb::Commit(Commit { reservation_id, qty, close_remainder })
        }),
        1 => pieces().prop_map(|counted| Verb::Count { counted, as_of: None, reason: None }),
    ]
}

fn commands(most: usize) -> impl Strategy<Value = Vec<StockCommand>> {
    let command = (any::<bool>(), verb())
        .prop_map(|(first, verb)| movement(if first { "A" } else { "B" }, Expected::Any, verb));
    prop::collection::vec(command, 1..most)
}

fn batch(atomic: bool, commands: &[StockCommand]) -> Command {
    let operation =
        |command: &StockCommand| Operation { command: command.clone(), idempotency: None, known: None };
    Command::Batch(Batch { atomic, operations: commands.iter().map(operation).collect() })
}

fn numbers(state: &State) -> (i64, i64, u64) {
    match state.after() {
        After::Level(after) => (after.on_hand.get(), after.reserved.get(), after.version),
        _ => (0, 0, 0),
    }
}

fn is_conflict(rejection: &Rejection) -> bool {
    matches!(rejection, Rejection::VersionConflict { .. })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_number_leaves_its_range_and_every_event_moves_the_version_by_one(commands in commands(40)) {
        let mut shop = Shop::new();
        for command in commands {
            let before: Vec<_> = shop.states.iter().map(numbers).collect();
            let events = shop.ask(&Command::Stock(command)).map_or(0, |(events, _)| events.len() as u64);
            shop.now += 7_000;
            let after: Vec<_> = shop.states.iter().map(numbers).collect();
            for (on_hand, reserved, _) in &after {
                prop_assert!((0..=INTEGER_MAX).contains(on_hand) && (0..=*on_hand).contains(reserved));
            }
            let moved: u64 = before.iter().zip(&after).map(|(before, after)| after.2 - before.2).sum();
            prop_assert!(moved >= events, "expiries may come on top");
        }
    }

    #[test]
    fn a_command_on_another_version_changes_nothing(first in commands(20), version in 0..30_u64, verb in verb()) {
        let mut shop = Shop::new();
        for command in first {
            let _ = shop.ask(&Command::Stock(command));
        }
        let (before, current) = (shop.states.clone(), numbers(&shop.states[0]).2);
        let outcome = shop.ask(&Command::Stock(movement("A", Expected::Version(version), verb)));
        if version == current {
            let conflict = outcome.err().is_some_and(|refusal| is_conflict(&refusal.rejection));
            prop_assert!(!conflict, "the version is {}", current);
        } else {
            prop_assert!(outcome.is_err_and(|refusal| is_conflict(&refusal.rejection)));
            prop_assert_eq!(shop.states, before);
        }
    }

    #[test]
    fn a_draft_that_is_abandoned_leaves_no_trace(first in commands(20), then in commands(20)) {
        let mut shop = Shop::new();
        for command in first {
            let _ = shop.ask(&Command::Stock(command));
        }
        let (before, keys) = (shop.states.clone(), keys());
        let mut new_id = Uuid::nil;
        let now = Timestamp::from_milliseconds(shop.now + 50_000);
        let mut draft = Draft::new(now, &keys, shop.states.iter_mut().collect(), &mut new_id);
        draft.expire_due(1_000);
        decide(&mut draft, &batch(false, &then)).unwrap();
        draft.abandon();
        prop_assert_eq!(shop.states, before);
    }

    #[test]
    fn a_batch_is_its_operations_one_after_the_other(commands in commands(12)) {
        let (mut together, mut alone, mut atomic) = (Shop::new(), Shop::new(), Shop::new());
        let (events, unapplied) = together.ask(&batch(false, &commands)).unwrap();
        let each: Vec<_> = commands.iter().map(|command| alone.ask(&Command::Stock(command.clone()))).collect();
        let refused = each.iter().filter(|outcome| outcome.is_err()).count();
        let happened: Vec<_> = each.into_iter().flatten().flat_map(|(events, _)| events).collect();
        prop_assert_eq!(&events, &happened);
        prop_assert_eq!(unapplied.len(), refused);
        prop_assert_eq!(&together.states, &alone.states);
        match atomic.ask(&batch(true, &commands)) {
            Ok((all, _)) => prop_assert!(refused == 0 && all == events),
            Err(refusal) => {
                prop_assert_eq!(refusal.op, Some(unapplied[0].op));
                prop_assert_eq!(atomic.states, Shop::new().states);
            }
        }
    }

    #[test]
    fn a_state_comes_back_from_its_snapshot_line(commands in commands(40)) {
        let mut shop = Shop::new();
        for command in commands {
            let _ = shop.ask(&Command::Stock(command));
            shop.now += 7_000;
        }
        for (key, state) in keys().iter().zip(&shop.states) {
            let line = serde_json::to_string(&state.record(key)).unwrap();
            let record: StateRecord = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(record.restore().unwrap(), (key.clone(), state.clone()));
        }
    }

    #[test]
    fn the_numbers_before_an_event_are_those_after_the_one_in_front(commands in commands(20)) {
        let (mut shop, keys) = (Shop::new(), keys());
        let mut new_id = Uuid::nil;
        let now = Timestamp::from_milliseconds(shop.now);
        let mut last: HashMap<_, _> = keys.iter().cloned().zip(shop.states.iter().map(numbers)).collect();
        let mut draft = Draft::new(now, &keys, shop.states.iter_mut().collect(), &mut new_id);
        decide(&mut draft, &batch(false, &commands)).unwrap();
        for event in draft.finish().events {
            let (Fact::Level(fact), After::Level(after)) = (&event.fact, event.after) else { unreachable!() };
            let before = after.before(fact.effect()).unwrap();
            let told = (before.on_hand.get(), before.reserved.get(), before.version);
            let after = (after.on_hand.get(), after.reserved.get(), after.version);
            prop_assert_eq!(last.insert(event.fact.key(), after), Some(told));
        }
    }

    #[test]
    fn a_time_is_written_and_read_alike(milliseconds in any::<i64>()) {
        let time = Timestamp::from_milliseconds(milliseconds);
        let text = time.to_string();
        prop_assert_eq!(Timestamp::parse(&text), Ok(time));
        prop_assert!(text.len() == 24 && text.ends_with('Z'), "{}", text);
    }

    #[test]
    fn a_later_time_is_a_later_text(one in 0..4_000_000_000_000_i64, other in 0..4_000_000_000_000_i64) {
        let text = |milliseconds| Timestamp::from_milliseconds(milliseconds).to_string();
        prop_assert_eq!(one.cmp(&other), text(one).cmp(&text(other)));
    }

    #[test]
    fn ids_match_the_contract(text in "[A-Za-z0-9._ -]{0,4}|\\PC{0,5}|[a-z]{62,66}") {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let sized = (1..=64).contains(&text.len());
        prop_assert_eq!(StoreId::new(&text).is_ok(), sized && text.bytes().all(plain));
        let words = text.split(' ').all(|word| !word.is_empty() && word.bytes().all(plain));
        prop_assert_eq!(Sku::new(&text).is_ok(), sized && words);
        let json = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(serde_json::from_str::<Sku>(&json).is_ok(), Sku::new(&text).is_ok());
    }

    #[test]
    fn pieces_in_json_are_whole_and_within_the_range(number in any::<i64>(), part in 1..99_u8) {
        let whole = (-INTEGER_MAX..=INTEGER_MAX).contains(&number);
        prop_assert_eq!(serde_json::from_str::<Quantity>(&number.to_string()).is_ok(), whole);
        for text in [format!("{}.{part}", number >> 20), format!("\"{number}\""), format!("{number}e1")] {
            prop_assert!(serde_json::from_str::<Quantity>(&text).is_err(), "{}", text);
        }
    }
}
