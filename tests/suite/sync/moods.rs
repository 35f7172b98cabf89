//! Faults of a source: each row affects its own source only, and nothing is applied wrongly.

use crate::sync::world::{Central, Mood, Script, level};
use onhand_app::central::SourceState;
use onhand_app::ports::EventSource;
use std::sync::Arc;
use std::time::Duration;

fn selling(number: u128, events: i64) -> Arc<Script> {
    let script = Script::new(number);
    for _ in 0..events {
        script.adjust(&format!("S{number}"), "TEA", 1);
    }
    script
}

fn well(state: &SourceState) -> bool {
    *state == SourceState::Well
}

fn failing(state: &SourceState) -> bool {
    matches!(state, SourceState::Failing(_))
}

fn stopped(state: &SourceState) -> bool {
    matches!(state, SourceState::Stopped(_))
}

#[tokio::test]
async fn a_sick_source_ends_its_pass_and_hurts_no_other() {
    type Row = (Mood, fn(&SourceState) -> bool, Option<(i64, u64)>);
    let rows: [Row; 9] = [
        (Mood::Well, well, Some((30, 30))),
        (Mood::Repeats(3), well, Some((30, 30))),
        (Mood::Stuck, failing, Some((20, 20))),
        (Mood::Skips, stopped, Some((20, 20))),
        (Mood::Down, failing, Some((20, 20))),
        (Mood::Raves, failing, Some((20, 20))),
        (Mood::Promises, failing, Some((20, 20))),
        (Mood::Overtakes, failing, Some((27, 27))),
        (Mood::Exchanged, stopped, Some((20, 20))),
    ];
    for (mood, state, wanted) in rows {
        let (sick, other) = (selling(1, 20), selling(2, 20));
        let sources: [Arc<dyn EventSource>; 2] = [Arc::clone(&sick) as _, Arc::clone(&other) as _];
        let central = Central::new(sources.to_vec());
        let worker = central.start().unwrap();
        worker.sync().await;
        for _ in 0..10 {
            sick.adjust("S1", "TEA", 1);
            other.adjust("S2", "TEA", 1);
        }
        sick.set(mood.clone());
        let report = tokio::time::timeout(Duration::from_secs(10), worker.sync()).await;
        let report = report.unwrap_or_else(|_| panic!("{mood:?}: the pass has no end"));
        assert!(state(&report.sources[0].state), "{mood:?}: {report:?}");
        assert!(well(&report.sources[1].state), "{mood:?}: {report:?}");
        assert_eq!(level(&worker, "S1", "TEA"), wanted, "{mood:?}");
        assert_eq!(level(&worker, "S2", "TEA"), Some((30, 30)), "{mood:?}");
        assert!(worker.letters().is_empty(), "{mood:?}");
        // An operator restarts the worker.
        sick.set(Mood::Well);
        worker.save().await.unwrap();
        let worker = central.start().unwrap();
        worker.sync().await;
        assert_eq!(level(&worker, "S1", "TEA"), Some((30, 30)), "{mood:?}");
    }
}

#[tokio::test]
async fn duplicates_are_skipped_and_counted() {
    let script = selling(1, 20);
    let worker = Central::new(vec![Arc::clone(&script) as _]).start().unwrap();
    worker.sync().await;
    script.adjust("S1", "TEA", 1);
    script.set(Mood::Repeats(4));
    let report = worker.sync().await;
    assert_eq!((report.applied, report.sources[0].duplicates), (1, 4));
}

#[tokio::test]
async fn one_log_is_followed_once_however_often_it_is_named() {
    let script = selling(1, 20);
    let worker = Central::new(vec![Arc::clone(&script) as _, script as _]).start().unwrap();
    let report = worker.sync().await;
    assert!(well(&report.sources[0].state) && stopped(&report.sources[1].state), "{report:?}");
    assert_eq!(level(&worker, "S1", "TEA"), Some((20, 20)));
    assert!(worker.letters().is_empty());
}
