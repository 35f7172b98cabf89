//! Dead letters: which events wait and which are applied, and every way to settle a letter.

use crate::sync::world::{Central, Script, level, open_letters};
use onhand_app::central::{DeadLetter, LetterError, LetterState};
use onhand_domain::Sequence;
use onhand_sim_machine::disk::{DiskOperation, Fault, Injection};
use std::sync::Arc;

/// Thirty events of three levels in turn: A at 1, 4, 7 ..., B at 2, 5, 8 ..., C at 3, 6, 9 ...
pub(super) fn thirty() -> Arc<Script> {
    let script = Script::new(1);
    for number in 0..30 {
        script.adjust("S", ["A", "B", "C"][number % 3], 1);
    }
    script
}

pub(super) fn id(script: &Script, sequence: u64) -> String {
    DeadLetter::id_of(script.node(), Sequence(sequence))
}

#[tokio::test]
async fn a_poison_event_in_the_middle_stops_nothing_but_its_own_level() {
    let script = thirty();
    script.poison(&[11]);
    let central = Central::new(vec![Arc::clone(&script) as _]);
    let worker = central.start().unwrap();
    let report = worker.sync().await;
    assert_eq!((report.applied, report.dead_lettered, report.lag), (23, 1, 6));
    assert_eq!(level(&worker, "S", "A"), Some((10, 10)));
    assert_eq!(level(&worker, "S", "B"), Some((3, 3)));
    assert_eq!(level(&worker, "S", "C"), Some((10, 10)));
    let letters = worker.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].id.clone(), letters[0].state), (id(&script, 11), LetterState::Open));
    assert!(letters[0].reason.contains("MOOD"), "{}", letters[0].reason);
    assert_eq!(letters[0].sku.as_ref().unwrap().as_str(), "B");
    assert_eq!((report.sources[0].parked_levels, report.sources[0].parked_events), (1, 6));

    let still = worker.redrive(&id(&script, 11)).await.unwrap();
    assert_eq!((still.letter.state, still.applied, still.waiting), (LetterState::Open, 0, 6));
    script.poison(&[]);
    let done = worker.redrive(&id(&script, 11)).await.unwrap();
    assert_eq!((done.letter.state, done.applied, done.waiting), (LetterState::Redriven, 7, 0));
    assert_eq!(level(&worker, "S", "B"), Some((10, 10)));
    assert!(matches!(worker.redrive(&id(&script, 11)).await, Err(LetterError::Closed)));
    assert!(matches!(worker.redrive("none").await, Err(LetterError::Unknown)));
    script.adjust("S", "B", 1);
    let report = worker.sync().await;
    assert_eq!((report.applied, report.lag), (1, 0));
    // The redrive has saved the model, too.
    let worker = central.start().unwrap();
    worker.sync().await;
    assert_eq!(level(&worker, "S", "B"), Some((11, 11)));
    assert_eq!(worker.letters()[0].state, LetterState::Redriven);
}

#[tokio::test]
async fn a_discarded_event_leaves_its_level_at_what_the_next_one_says() {
    let script = thirty();
    script.poison(&[11]);
    let central = Central::new(vec![Arc::clone(&script) as _]);
    let worker = central.start().unwrap();
    worker.sync().await;
    let done = worker.discard(&id(&script, 11), "the shop counted anew").await.unwrap();
    assert_eq!((done.letter.state, done.applied), (LetterState::Discarded, 6));
    assert_eq!(done.letter.note.as_deref(), Some("the shop counted anew"));
    assert_eq!(level(&worker, "S", "B"), Some((10, 10)));
    let worker = central.start().unwrap();
    assert_eq!(worker.letters()[0].note.as_deref(), Some("the shop counted anew"));
    worker.sync().await;
    assert_eq!(level(&worker, "S", "B"), Some((10, 10)));
}

#[tokio::test]
async fn the_last_event_of_a_level_can_be_discarded_before_the_next_one_comes() {
    let script = thirty();
    script.poison(&[29]);
    let central = Central::new(vec![Arc::clone(&script) as _]);
    let worker = central.start().unwrap();
    worker.sync().await;
    worker.discard(&id(&script, 29), "no").await.unwrap();
    assert_eq!(level(&worker, "S", "B"), Some((9, 9)));
    script.adjust("S", "B", 1);
    // The mark that the next event is accepted as it is survives a start.
    let worker = central.start().unwrap();
    worker.sync().await;
    assert_eq!(level(&worker, "S", "B"), Some((11, 11)));
    assert!(open_letters(&worker).is_empty());
}

#[tokio::test]
async fn one_bad_event_behind_another_becomes_the_next_letter() {
    let script = thirty();
    script.poison(&[11, 17, 26]);
    let central = Central::new(vec![Arc::clone(&script) as _]);
    let worker = central.start().unwrap();
    worker.sync().await;
    assert_eq!(worker.letters().len(), 1);
    script.poison(&[17, 26]);
    let done = worker.redrive(&id(&script, 11)).await.unwrap();
    assert_eq!((done.letter.state, done.applied, done.waiting), (LetterState::Redriven, 2, 4));
    let done = worker.discard(&id(&script, 17), "no").await.unwrap();
    assert_eq!((done.letter.state, done.applied, done.waiting), (LetterState::Discarded, 2, 1));
    let worker = central.start().unwrap();
    worker.sync().await;
    assert_eq!(level(&worker, "S", "B"), Some((8, 8)));
    script.poison(&[]);
    let done = worker.redrive(&id(&script, 26)).await.unwrap();
    assert_eq!((done.letter.state, done.applied, done.waiting), (LetterState::Redriven, 2, 0));
    assert_eq!(level(&worker, "S", "B"), Some((10, 10)));
}

#[tokio::test]
async fn a_discard_in_front_of_a_bad_event_is_remembered_until_that_one_is_driven() {
    let script = thirty();
    script.poison(&[11, 14]);
    let worker = Central::new(vec![Arc::clone(&script) as _]).start().unwrap();
    worker.sync().await;
    worker.discard(&id(&script, 11), "no").await.unwrap();
    script.poison(&[]);
    // Its version continues the discarded event, not the level in central.
    let done = worker.redrive(&id(&script, 14)).await.unwrap();
    assert_eq!((done.letter.state, done.applied), (LetterState::Redriven, 6));
    assert_eq!(level(&worker, "S", "B"), Some((10, 10)));
}

#[tokio::test]
async fn an_event_garbled_on_the_way_is_read_whole_the_next_time() {
    let script = thirty();
    script.poison(&[11]);
    let healing = Arc::clone(&script);
    let central = Central::new(vec![Arc::clone(&script) as _]);
    let worker = central.start().unwrap();
    let (report, ()) = tokio::join!(worker.sync(), async move {
        tokio::task::yield_now().await;
        healing.poison(&[]);
    });
    assert_eq!((report.applied + report.dead_lettered, report.sources[0].sequence), (30, Sequence(30)));
    // Whether it was mended in time depends on the scheduler; nothing is lost either way.
    for letter in open_letters(&worker) {
        worker.redrive(&letter.id).await.unwrap();
    }
    assert_eq!(level(&worker, "S", "B"), Some((10, 10)));
}

#[tokio::test]
async fn a_dead_letter_file_that_cannot_be_written_stops_the_source_and_loses_nothing() {
    for fault in [Fault::Eio, Fault::NoSpace] {
        for operation in [DiskOperation::WriteAt, DiskOperation::SyncData, DiskOperation::Create] {
            let script = thirty();
            script.poison(&[11]);
            let central = Central::new(vec![Arc::clone(&script) as _]);
            let worker = central.start().unwrap();
            central.disk.inject(Injection::at(1, fault).only(operation).sticky());
            for _ in 0..3 {
                let report = worker.sync().await;
                assert_eq!(report.sources[0].sequence, Sequence(10), "{fault:?} {operation:?}");
                assert_eq!((report.dead_lettered, report.lag), (0, 20));
                assert!(worker.letters().is_empty());
            }
            central.disk.clear_faults();
            let report = worker.sync().await;
            assert_eq!((report.sources[0].sequence, report.dead_lettered), (Sequence(30), 1));
            script.poison(&[]);
            // First the model cannot be saved, then it can.
            central.disk.inject(Injection::at(1, fault).only(operation).sticky());
            assert!(matches!(worker.redrive(&id(&script, 11)).await, Err(LetterError::Io(_))));
            central.disk.clear_faults();
            let done = worker.redrive(&id(&script, 11)).await.unwrap();
            assert_eq!(done.letter.state, LetterState::Redriven, "{fault:?} {operation:?}");
            assert_eq!(level(&worker, "S", "B"), Some((10, 10)));
            let worker = central.start().unwrap();
            worker.sync().await;
            assert_eq!(level(&worker, "S", "B"), Some((10, 10)));
            assert!(open_letters(&worker).is_empty());
        }
    }
}

#[tokio::test]
async fn a_lost_letter_is_written_again_as_long_as_its_level_waits() {
    let script = thirty();
    script.poison(&[11]);
    let central = Central::new(vec![Arc::clone(&script) as _]);
    let worker = central.start().unwrap();
    worker.sync().await;
    worker.save().await.unwrap();
    central.disk.put("/central/dead-letters/dead-letters.jsonl", b"");
    let worker = central.start().unwrap();
    assert!(worker.letters().is_empty());
    worker.sync().await;
    assert_eq!(open_letters(&worker).len(), 1);
    script.poison(&[]);
    worker.redrive(&id(&script, 11)).await.unwrap();
    assert_eq!(level(&worker, "S", "B"), Some((10, 10)));
}

#[tokio::test]
async fn a_model_that_is_older_than_its_letters_finds_its_way() {
    let script = thirty();
    script.poison(&[11, 12]);
    let central = Central::new(vec![Arc::clone(&script) as _]);
    let worker = central.start().unwrap();
    worker.sync().await;
    worker.save().await.unwrap();
    script.poison(&[12]);
    worker.redrive(&id(&script, 11)).await.unwrap();
    worker.discard(&id(&script, 12), "no").await.unwrap();
    // All models are lost: everything is read again, and earlier decisions apply again.
    for path in central.disk.files() {
        if path.starts_with("/central/central") {
            central.disk.corrupt(&path, 40, b'#').unwrap();
        }
    }
    let worker = central.start().unwrap();
    let report = worker.sync().await;
    assert_eq!(report.dead_lettered, 1);
    assert_eq!(level(&worker, "S", "B"), Some((10, 10)));
    assert_eq!(level(&worker, "S", "C"), Some((10, 10)));
    assert!(open_letters(&worker).is_empty());
}
