//! Properties of the log's bytes.

use super::config;
use crate::decide::on;
use crate::node::{World, adjust, keyed, qty};
use crate::rules;
use onhand_app::ledger::fold::Fold;
use onhand_app::ports::MovementQuery;
use onhand_app::stock::MovementPlace;
use onhand_app::{Meta, fingerprint};
use onhand_domain::stock::{StockFact, Verb};
use onhand_domain::{After, Expected, Fact, Idempotency, Sequence, Sku, StoreId};
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::Crash;
use proptest::prelude::*;

const EVERYTHING: MovementQuery =
    MovementQuery { after: Sequence::START, limit: 1_000, kind: None, since: None, until: None };

/// Six commands in six batches, all durable.
fn short_log() -> (World, Vec<onhand_domain::Entry>) {
    static LOG: std::sync::OnceLock<onhand_sim_machine::disk::SimDisk> = std::sync::OnceLock::new();
    let world = World::new(SimSettings::default());
    let disk = LOG.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let node = world.open();
        for number in 0..6 {
            let key = keyed(&number.to_string(), "x");
            runtime.block_on(node.execute(adjust(if number % 3 == 0 { "A" } else { "B" }, 1), &key)).unwrap();
        }
        world.disk.clone()
    });
    let world = World { disk: disk.fork(), ..world };
    world.disk.crash(Crash::DropUnsynced);
    let entries = rules::entries(&world.disk);
    (world, entries)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn framing_never_comes_from_data(
        reason in ".{0,20}|[\\x00-\\x1f\"\\\\\u{2028}]{0,10}",
        key in "\\PC{1,20}|[\\x00-\\x1f\"\\\\]{1,10}",
        actor in prop::option::of(".{0,10}|\",\"events\":\\[|\"crc\":\""),
        request in prop::option::of("[ -~]{0,128}"),
    ) {
        let world = World::new(SimSettings::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let verb = Verb::Adjust { delta: qty(1), reason: Some(reason.into()), reference: None };
        let known_by = Idempotency { key: key.clone().into(), scope: key.into(), fingerprint: fingerprint(b"x") };
        let (actor, request_id) = (actor.map(Into::into), request.map(Into::into));
        let meta = Meta { actor, request_id, idempotency: Some(known_by) };
        let node = world.open();
        let ask = |node: &SimNode| {
            runtime.block_on(node.execute(on("A", Expected::Any, verb.clone()), &meta)).unwrap()
        };
        let first = ask(&node);
        drop(node);
        world.disk.crash(Crash::DropUnsynced);
        let node = world.open();
        let again = ask(&node);
        prop_assert!(again.replayed);
        prop_assert_eq!(&again.events, &first.events);
        let entries = rules::entries(&world.disk);
        prop_assert_eq!(entries.len(), 1);
        prop_assert_eq!((&entries[0].actor, &entries[0].request_id), (&meta.actor, &meta.request_id));
        prop_assert_eq!((&entries[0].idempotency, &entries[0].events), (&meta.idempotency, &first.events));
        let (store, sku) = (StoreId::new("LONDON").unwrap(), Sku::new("A").unwrap());
        let seen = runtime.block_on(node.ledger.movements(&store, &sku, &MovementPlace::default(), EVERYTHING)).unwrap();
        prop_assert_eq!((&seen[0].movement.actor, &seen[0].movement.request_id), (&meta.actor, &meta.request_id));
    }

    #[test]
    fn whatever_a_crash_leaves_behind_the_log_is_cut_and_kept(
        tail in prop::collection::vec(any::<u8>(), 0..200),
        stale in (0..2_000_usize, 0..600_usize),
        line_feed in any::<bool>(),
    ) {
        let (world, entries) = short_log();
        let path = rules::layout().segment(Sequence(1));
        let log = world.disk.file(&path).unwrap();
        // Noise, and bytes of an earlier use of the block.
        let stale = log.iter().skip(stale.0).take(stale.1);
        let lines: &[u8] = if line_feed { b"\n" } else { b"" };
        let tail: Vec<u8> = tail.into_iter().chain(lines.iter().copied()).chain(stale.copied()).collect();
        world.disk.put(&path, &[&log[..], &tail].concat());
        let node = world.open();
        prop_assert_eq!(rules::entries(&world.disk), entries);
        let torn = node.report.torn.as_ref().map(|(bytes, path)| (*bytes, world.disk.file(path).unwrap()));
        prop_assert_eq!(torn, (!tail.is_empty()).then_some((tail.len() as u64, tail)));
    }

    #[test]
    fn a_log_that_was_rewritten_does_not_add_up(seed in any::<prop::sample::Index>(), how in 0..5_u8) {
        let (_, mut entries) = short_log();
        let place = seed.index(entries.len());
        match how {
            0 => drop(entries.remove(place.min(entries.len() - 2))),
            1 => entries.insert(place, entries[place].clone()),
            2 => entries.swap(place, (place + 1) % 6),
            3 => match &mut entries[place].events[0].after {
                After::Level(after) => after.on_hand = after.on_hand.checked_add(qty(1)).unwrap(),
                other => unreachable!("{other:?}"),
            },
            _ => match &mut entries[place].events[0].fact {
                Fact::Level(StockFact::Adjust(fact)) => fact.delta = qty(fact.delta.get() + 1),
                other => unreachable!("{other:?}"),
            },
        }
        let mut fold = Fold::default();
        prop_assert!(entries.iter().try_for_each(|entry| fold.add(entry)).is_err());
    }
}
