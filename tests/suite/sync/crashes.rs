//! The worker killed at every disk operation: afterwards central equals the levels of the node, each event counted
//! once, no letter lost and none left over.

use crate::node::{World, adjust, reserve};
use crate::sync::sources::directory;
use crate::sync::world::{Central, SETTINGS, Script, file, level, open_letters};
use onhand_app::Meta;
use onhand_app::central::{CentralFile, LetterError, LetterState, Worker, WorkerParts};
use onhand_app::ports::EventSource;
use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_domain::{Sku, StoreId};
use onhand_file::stores::central::FileCentral;
use onhand_file::stores::dead_letters::FileDeadLetters;
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::SimClock;
use onhand_sim_machine::disk::{Crash, Fault, Hits, Injection};
use std::io;
use std::path::Path;
use std::sync::Arc;

const SKUS: [&str; 4] = ["A", "B", "C", "D"];

/// The end of the n-th crash, in turn.
fn aftermath(n: u64) -> Crash {
    match n % 4 {
        0 => Crash::DropUnsynced,
        1 => Crash::ProcessKill,
        _ => Crash::PowerCut { seed: n },
    }
}

fn letters_of(script: &Script) -> [String; 3] {
    [5, 11, 18].map(|sequence| {
        onhand_app::central::DeadLetter::id_of(script.node(), onhand_domain::Sequence(sequence))
    })
}

fn done(outcome: Result<onhand_app::central::Redriven, LetterError>) -> io::Result<()> {
    match outcome {
        // Closed by an earlier life.
        Ok(_) | Err(LetterError::Closed | LetterError::Unknown) => Ok(()),
        Err(LetterError::Io(error)) => Err(error),
        Err(error @ (LetterError::Source(_) | LetterError::Breaker(_) | LetterError::Behind(_))) => {
            Err(io::Error::other(error))
        }
    }
}

/// Passes, a poisoned level, a discard, a redrive that meets the next bad event, and one that succeeds.
async fn story(central: &Central, script: &Script) -> io::Result<()> {
    let [fifth, eleventh, eighteenth] = letters_of(script);
    script.poison(&[5, 11, 18]);
    let worker = central.start()?;
    worker.sync().await;
    worker.save().await?;
    done(worker.discard(&fifth, "counted anew").await)?;
    script.poison(&[18]);
    done(worker.redrive(&eleventh).await)?;
    drop(worker);
    let worker = central.start()?;
    worker.sync().await;
    script.poison(&[]);
    done(worker.redrive(&eighteenth).await)?;
    worker.save().await
}

/// Twenty-four events of four levels: A at 1, 5, 9 ..., B at 2, 6, 10 ..., C at 3, 7, 11 ..., D at 4, 8, 12 ...
fn selling() -> Arc<Script> {
    let script = Script::new(1);
    for number in 0..24 {
        script.adjust("S", SKUS[number % 4], 1);
    }
    script
}

fn check(worker: &Worker, story: &str) {
    for sku in SKUS {
        assert_eq!(level(worker, "S", sku), Some((6, 6)), "{story}: {sku}");
    }
    assert_eq!(file(worker).sequence.0, 24, "{story}");
    assert!(open_letters(worker).is_empty(), "{story}: {:?}", worker.letters());
    let record = file(worker).sources.into_values().next().unwrap();
    assert!(record.parked.is_empty() && record.loose.is_empty(), "{story}: {record:?}");
}

#[tokio::test]
async fn killed_at_every_disk_operation_the_worker_still_comes_to_the_fold_of_the_log() {
    let mut hits = Hits::new();
    for n in 1.. {
        let script = selling();
        let central = Central::new(vec![Arc::clone(&script) as _]);
        central.disk.inject(Injection::at(n, Fault::Crash));
        let outcome = story(&central, &script).await;
        let crashed = central.disk.is_stopped();
        central.disk.clear_faults();
        if crashed {
            central.disk.reboot(aftermath(n));
        }
        // The next life continues from the crash, with the actions an operator would repeat.
        let after = story(&central, &script).await;
        after.unwrap_or_else(|error| panic!("crash at {n} ({outcome:?}): {error}"));
        let worker = central.start().unwrap();
        worker.sync().await;
        check(&worker, &format!("crash at {n}"));
        for letter in worker.letters() {
            assert_ne!(letter.state, LetterState::Open);
        }
        hits.extend(central.disk.hits());
        if !crashed {
            outcome.unwrap();
            assert!(n > 90, "the story has few operations: {n}");
            break;
        }
    }
    assert!(hits.len() >= 9, "{hits:?}");
}

#[tokio::test]
async fn a_second_crash_in_the_life_after_the_first_changes_nothing() {
    for seed in 0..300_u64 {
        let script = selling();
        let central = Central::new(vec![Arc::clone(&script) as _]);
        for crash in [seed * 7 % 113 + 1, seed * 13 % 101 + 1] {
            central.disk.inject(Injection::at(central.disk.operations() + crash, Fault::Crash));
            let _ = story(&central, &script).await;
            central.disk.clear_faults();
            if central.disk.is_stopped() {
                central.disk.reboot(aftermath(seed + crash));
            }
        }
        story(&central, &script).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let worker = central.start().unwrap();
        worker.sync().await;
        check(&worker, &format!("seed {seed}"));
    }
}

#[tokio::test]
async fn one_fault_at_any_disk_operation_is_survived_by_trying_again() {
    for fault in [Fault::Eio, Fault::EioAfterEffect, Fault::NoSpace, Fault::ShortWrite] {
        for n in 1.. {
            let script = selling();
            let central = Central::new(vec![Arc::clone(&script) as _]);
            central.disk.inject(Injection::at(n, fault));
            let outcome = story(&central, &script).await;
            let struck = !central.disk.hits().is_empty();
            central.disk.clear_faults();
            // The page cache may show bytes that are not on the disk.
            central.disk.crash(aftermath(n));
            let after = story(&central, &script).await;
            after.unwrap_or_else(|error| panic!("{fault:?} at {n} ({outcome:?}): {error}"));
            let worker = central.start().unwrap();
            worker.sync().await;
            check(&worker, &format!("{fault:?} at {n}"));
            if !struck {
                break;
            }
        }
    }
}

/// A worker beside a node, on the node's own disk and directory.
fn beside(world: &World, source: Arc<dyn EventSource>) -> io::Result<Worker> {
    let disk = || Arc::new(world.disk.clone()) as Arc<dyn Disk>;
    let layout = Layout::new(Path::new("/data"));
    let parts = WorkerParts {
        sources: vec![source],
        central: Arc::new(FileCentral::open(disk(), layout.clone())?),
        letters: Arc::new(FileDeadLetters::open(disk(), layout)?),
        clock: Arc::new(SimClock::default()),
    };
    Worker::new(parts, SETTINGS)
}

async fn sell(node: &SimNode, entries: i64) {
    for number in 0..entries {
        let sku = SKUS[usize::try_from(number).unwrap() % 4];
        // After a crash of the disk every command fails, as intended.
        let _ = node.execute(adjust(sku, 1 + number), &Meta::default()).await;
        let hold = format!("r-{}-{number}", node.report.replayed);
        let _ = node.execute(reserve(sku, 1, &hold, None), &Meta::default()).await;
    }
}

async fn equal_to(node: &SimNode, central: &CentralFile, when: &str) {
    let store = StoreId::new("LONDON").unwrap();
    let levels = &central.stores[&store];
    for sku in SKUS {
        let sku = Sku::new(sku).unwrap();
        let view = node.drive(node.ledger.level(&store, &sku)).await.unwrap().unwrap();
        let record = &levels[&sku];
        let numbers = (record.on_hand, record.reserved, record.version, record.updated_at);
        let wanted = (view.numbers.on_hand, view.numbers.reserved, view.numbers.version, view.updated_at);
        assert_eq!(numbers, wanted, "{when}: {sku}");
    }
}

#[tokio::test]
async fn node_and_worker_on_one_machine_survive_a_crash_at_every_operation_together() {
    let settings = SimSettings { segment_bytes: 3_000, ..SimSettings::default() };
    for n in (1..).step_by(3) {
        let world = World::new(settings);
        let node = world.open();
        sell(&node, 8).await;
        let begun = world.disk.operations();
        world.disk.inject(Injection::at(begun + n, Fault::Crash));
        let run = async || -> io::Result<()> {
            let worker = beside(&world, Arc::new(node.source()))?;
            for _ in 0..4 {
                worker.sync().await;
                sell(&node, 4).await;
                worker.save().await?;
            }
            let other = beside(&world, Arc::new(directory(&world.disk)))?;
            other.sync().await;
            other.save().await
        };
        let outcome = run().await;
        let crashed = world.disk.is_stopped();
        world.disk.clear_faults();
        drop(node);
        world.disk.reboot(aftermath(n / 3));
        let node = world.open();
        sell(&node, 4).await;
        for source in [Arc::new(directory(&world.disk)) as Arc<dyn EventSource>, Arc::new(node.source())] {
            let worker = beside(&world, source).unwrap();
            let report = worker.sync().await;
            assert_eq!((report.lag, report.dead_lettered), (0, 0), "crash at {n}: {report:?}");
            equal_to(&node, &file(&worker), &format!("crash at {n}")).await;
        }
        if !crashed {
            outcome.unwrap();
            assert!(n > 100, "the story has few operations: {n}");
            break;
        }
    }
}
