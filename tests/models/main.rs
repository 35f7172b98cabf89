//! The lease protocol of several processes on one data directory as a model, which `stateright` explores in every
//! interleaving (`src/adapters/file/sharing/`, `src/adapters/file/log/term.rs`).
//!
//! Three processes, each with a directory (`node.rs`: log, mark, term), and two levels, each with a lease (`lease.rs`).
//! Callers send changes to any process, one of them with an idempotency key, so again and again (`stock.rs`). `steps.rs`
//! and `takeover.rs` say what a process can do and when, `world.rs` what may go wrong, `properties.rs` and `progress.rs`
//! what must hold in each world, and `planted.rs` which mistakes must be found. What is simpler than in the program:
//!
//! - **A pause is no step.** A paused process is one whose turn does not come, and any process may be taken for paused.
//! - **What is done under a lock is one step**: nobody is killed or paused in the middle of it. Reading a log to its end,
//!   making that durable and ending the term are one, too; done again after a kill, they come to the same.
//! - **What only its own process sees is no step**: an entry in the queue, a group that is synced and not marked, memory
//!   that has yet to go back, a lease on its way out.
//! - No clocks, epochs, unreadable leases, snapshots or segments; and no reads, because in each world every process is
//!   asked what a reader would be shown.
//!
//! In each world a number of things go wrong at most; the worlds of [`explored`] are explored to their ends. Larger ones:
//!
//!     cargo test --release --test models -- --ignored --nocapture

#![allow(clippy::indexing_slicing, reason = "all of this is tests, helpers included")]

mod lease;
mod node;
mod planted;
mod progress;
mod properties;
mod steps;
mod stock;
mod story;
mod symmetry;
mod takeover;
mod world;

use planted::Bug;
use stateright::{Checker, HasDiscoveries, Model};
use std::time::Instant;
use stock::Change::{self, KeyedTea, Milk, Tea};
use world::{Mishaps, Sharing};

const THREADS: usize = 2;
/// Every mistake is found within so many steps.
const DEPTH_MAX: usize = 20;

/// Failed syncs, ends of processes, pauses and power cuts, at most.
const fn mishaps(failures: u8, ends: u8, pauses: u8, power_cuts: u8) -> Mishaps {
    Mishaps { failures, ends, pauses, power_cuts }
}

/// Nothing is found in the whole of the world.
fn explored(changes: &'static [Change], mishaps: Mishaps) {
    let begun = Instant::now();
    let checker = Sharing { bug: None, changes, mishaps }.checker().threads(THREADS);
    let checker = checker.symmetry_fn(symmetry::representative).finish_when(HasDiscoveries::AnyFailures);
    let done = checker.spawn_dfs().join();
    let broken = done.discoveries().into_iter().next();
    if let Some((property, path)) = broken {
        panic!("not so: {property}\n{}", story::of(path));
    }
    let (worlds, steps) = (done.unique_state_count(), done.state_count());
    eprintln!("### {worlds} worlds, {steps} steps, {mishaps:?}, {changes:?}: {:.1?}", begun.elapsed());
}

/// What is found first with a bug: the properties that do not hold, and the shortest way there.
fn found(bug: Bug, changes: &'static [Change], mishaps: Mishaps) -> Vec<(&'static str, String)> {
    let by_depth = (1..=DEPTH_MAX).map(|depth| {
        let checker = Sharing { bug: Some(bug), changes, mishaps }.checker().target_max_depth(depth);
        checker.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join().discoveries()
    });
    let found = by_depth.into_iter().find(|found| !found.is_empty()).unwrap_or_default();
    found.into_iter().map(|(property, path)| (property, story::of(path))).collect()
}

#[test]
fn two_levels_hold() {
    explored(&[KeyedTea, Tea, Milk], mishaps(1, 0, 0, 0));
    explored(&[KeyedTea, Milk], mishaps(0, 1, 1, 0));
    if !cfg!(debug_assertions) {
        explored(&[KeyedTea, Tea, Milk], mishaps(1, 1, 0, 0));
        explored(&[KeyedTea, Milk], mishaps(1, 1, 1, 0));
    }
}

#[test]
fn one_level_holds_with_more_mishaps() {
    explored(&[KeyedTea, Tea], mishaps(1, 1, 1, 1));
    if !cfg!(debug_assertions) {
        explored(&[KeyedTea, Tea], mishaps(2, 2, 2, 0));
    }
}

#[test]
#[ignore = "takes two minutes on two cores"]
fn larger_worlds_hold() {
    explored(&[KeyedTea, Tea], mishaps(2, 2, 2, 1));
    explored(&[KeyedTea, Milk], mishaps(1, 1, 1, 1));
    explored(&[KeyedTea, Tea, Milk], mishaps(1, 1, 1, 0));
}

/// The protocol as it was: process 0 gives the lease up, and whoever reads its log believes what its caller was not told.
#[test]
fn a_lease_released_over_a_lost_file_is_found() {
    let found = found(Bug::LeaseReleasedOverLostFile, &[KeyedTea], mishaps(1, 1, 0, 0));
    let (property, story) = found.first().expect("the fault is found");
    println!("not so: {property}\n{story}");
    assert!(["SyncFails", "GiveUpLease", "Kill"].iter().all(|step| story.contains(step)), "{story}");
}

#[test]
fn every_planted_mistake_is_found() {
    let (stands, once) =
        ("what was acknowledged stands for ever", "a version is of one change, and a key has one effect");
    let rows: [(Bug, &'static [Change], Mishaps, &str); 13] = [
        (Bug::LeaseReleasedOverLostFile, &[KeyedTea], mishaps(1, 1, 0, 0), once),
        (Bug::LostFileEndsWhereItEnds, &[KeyedTea], mishaps(1, 0, 0, 0), once),
        (Bug::LostFileLookedAtTwice, &[KeyedTea], mishaps(1, 0, 0, 0), once),
        (Bug::StopsOverLostFile, &[KeyedTea], mishaps(1, 1, 0, 0), once),
        (Bug::RestartIgnoresEnd, &[KeyedTea], mishaps(0, 0, 1, 0), once),
        (Bug::TermNotDurable, &[KeyedTea], mishaps(0, 0, 1, 1), once),
        (Bug::MarkReadWithoutLock, &[Tea], mishaps(0, 0, 1, 0), stands),
        (Bug::AcceptStaleTerm, &[Milk], mishaps(0, 0, 1, 0), stands),
        (Bug::DeadLogReadToMark, &[Tea, Milk], mishaps(0, 0, 0, 1), stands),
        (Bug::DecideBeforeCatchingUp, &[KeyedTea, Tea], mishaps(0, 0, 0, 0), once),
        (
            Bug::ApplyBeforeDurable,
            &[Tea],
            mishaps(0, 0, 0, 0),
            "what is shown is what is acknowledged, all of it",
        ),
        (Bug::PausedKeepsLeases, &[Tea], mishaps(0, 0, 0, 0), "any process goes on alone"),
        (
            Bug::LostFileKeepsLeases,
            &[Tea],
            mishaps(1, 0, 0, 0),
            "any process goes on among others that answer",
        ),
    ];
    for (bug, changes, mishaps, property) in rows {
        let found = found(bug, changes, mishaps);
        assert!(found.iter().any(|(name, _)| *name == property), "{bug:?}: {found:#?}");
    }
}
