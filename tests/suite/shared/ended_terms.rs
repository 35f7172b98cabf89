//! The term of a paused process that has ended, and a power cut directly after that.

use super::{Machine, Process, adjust};
use crate::node::keyed;
use onhand_app::{CommandError, Meta, Outcome};
use onhand_domain::Expected;
use onhand_file::audit::audit_directory;
use onhand_sim_machine::disk::{Crash, DiskOperation, Fault, Injection};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Writes the log as soon as an entry is queued, and returns the outcome of the change.
async fn by_hand(process: &Process, delta: i64, meta: Meta) -> Result<Outcome, CommandError> {
    let ledger = Arc::clone(&process.ledger);
    let change =
        tokio::spawn(async move { ledger.execute(adjust("TEA", delta, Expected::Any), &meta).await });
    while process.ledger.log().queue_depth() == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    let _ = process.log.write_waiting();
    change.await.unwrap()
}

/// The group of a sync that reported an error is on the disk, and its process is paused. Another process ends that
/// term, but the name of the term's file cannot be made durable yet: an end that a power cut can roll back is no base
/// for decisions.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_of_a_term_that_a_power_cut_can_roll_back_grants_no_lease() {
    let machine = Machine::new();
    let mut one = machine.begin_by_hand().await;
    let two = machine.begin().await;
    by_hand(&one, 10, Meta::default()).await.unwrap();
    two.adjust("MILK", 1).await.unwrap();

    let next = machine.disk.operations() + 1;
    machine.disk.inject(Injection::at(next, Fault::EioAfterEffect).only(DiskOperation::SyncData));
    let late = by_hand(&one, -10, keyed("late", "-10")).await;
    assert!(matches!(late, Err(CommandError::OutcomeUnknown)), "{late:?}");
    one.pause().await;

    let next = machine.disk.operations() + 1;
    machine.disk.inject(Injection::at(next, Fault::Eio).only(DiskOperation::SyncDir).sticky());
    let early = two.adjust("TEA", -8).await;
    machine.disk.clear_faults();
    // Otherwise the checks below show its effect.
    if early.is_err() {
        two.adjust("TEA", -8).await.unwrap();
    }
    assert_eq!(two.level("TEA").await, Some((2, 2)));

    two.kill().await;
    one.kill().await;
    machine.disk.crash(Crash::DropUnsynced);
    let (one, two) = (machine.begin().await, machine.begin().await);
    assert_eq!((one.level("TEA").await, two.level("TEA").await), (Some((2, 2)), Some((2, 2))));
    two.adjust("TEA", -1).await.unwrap();
    assert_eq!(one.level("TEA").await, Some((1, 3)));
    one.stop().await;
    two.stop().await;
    let audit = audit_directory(&machine.disk, &Machine::layout()).unwrap();
    assert_eq!(audit.findings().collect::<Vec<_>>(), [] as [&_; 0]);
    assert!(early.is_err(), "it was answered while a power cut could take the end of the term back");
}
