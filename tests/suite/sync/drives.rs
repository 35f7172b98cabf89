//! A letter that is redriven while the disk or the source fails.

use crate::sync::poison::{id, thirty};
use crate::sync::world::{Central, Mood, file, level, open_letters};
use onhand_app::central::LetterError;
use onhand_domain::Sequence;
use onhand_sim_machine::disk::{Fault, Injection};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn a_level_never_waits_for_a_letter_that_is_not_there() {
    for n in 1.. {
        let script = thirty();
        script.poison(&[11, 17]);
        let central = Central::new(vec![Arc::clone(&script) as _]);
        let worker = central.start().unwrap();
        worker.sync().await;
        script.poison(&[17]);
        central.disk.inject(Injection::at(central.disk.operations() + n, Fault::Eio));
        let outcome = worker.redrive(&id(&script, 11)).await;
        let struck = !central.disk.hits().is_empty();
        central.disk.clear_faults();
        assert!(struck || outcome.is_ok(), "{outcome:?}");
        let open: Vec<Sequence> = open_letters(&worker).iter().map(|letter| letter.sequence).collect();
        for source in file(&worker).sources.values() {
            let parked = &source.parked;
            assert!(parked.iter().all(|level| open.contains(&level.parked.from)), "fault at {n}: {parked:?}");
        }
        script.poison(&[]);
        for letter in open_letters(&worker) {
            worker.redrive(&letter.id).await.unwrap();
        }
        assert_eq!(level(&worker, "S", "B"), Some((10, 10)), "fault at {n}");
        if !struck {
            assert!(n > 5, "a redrive has few operations: {n}");
            break;
        }
    }
}

#[tokio::test]
async fn a_source_that_omits_the_waiting_event_ends_the_redrive() {
    let script = thirty();
    script.poison(&[30]);
    let worker = Central::new(vec![Arc::clone(&script) as _]).start().unwrap();
    worker.sync().await;
    script.poison(&[]);
    script.adjust("S", "C", 1);
    // Instead of the requested event 30, it delivers 31.
    script.set(Mood::Skips);
    let driven = tokio::time::timeout(Duration::from_secs(10), worker.redrive(&id(&script, 30))).await;
    assert!(matches!(driven.expect("it has an end"), Err(LetterError::Source(_))));
    script.set(Mood::Well);
    worker.redrive(&id(&script, 30)).await.unwrap();
    assert_eq!(level(&worker, "S", "C"), Some((10, 10)));
}
