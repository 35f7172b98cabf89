//! A group whose sync failed stays in the file of its process until a probe has rebuilt it. A process that takes over
//! may read it there, so no other process may have decided on its levels meanwhile; or it is never read.

use super::{Machine, Process, adjust};
use crate::node::keyed;
use onhand_app::CommandError;
use onhand_app::ports::HistoryError;
use onhand_domain::Expected;
use onhand_file::audit::audit_directory;

/// How the process with the failed sync ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Killed,
    Stopped,
}

/// On hand 10; then -1 under the key `k` whose sync fails, at the first of two processes.
async fn after_a_failed_sync() -> (Machine, Process, Process) {
    let machine = Machine::new();
    let (one, two) = (machine.begin_by_hand().await, machine.begin().await);
    one.execute_by_hand(adjust("TEA", 10, Expected::Any), &keyed("first", "10")).await.unwrap();
    one.refuse_a_sync(&machine.disk);
    let lost = one.execute_by_hand(adjust("TEA", -1, Expected::Any), &keyed("k", "-1")).await;
    assert!(matches!(lost, Err(CommandError::OutcomeUnknown)), "{lost:?}");
    (machine, one, two)
}

/// Checks that the retry has its effect once, whatever the outcome of the first attempt, and that all logs agree.
async fn retried_once_and_sound(machine: &Machine, two: Process, before: (i64, u64)) {
    let again = machine.begin().await;
    assert_eq!(again.level("TEA").await, Some(before), "what the other one has acknowledged");
    for process in [&again, &two] {
        process.execute(adjust("TEA", -1, Expected::Any), &keyed("k", "-1")).await.unwrap();
    }
    let (on_hand, version) = before;
    assert_eq!(again.level("TEA").await, Some((on_hand - 1, version + 1)));
    assert_eq!(two.level("TEA").await, Some((on_hand - 1, version + 1)));
    again.stop().await;
    two.stop().await;
    let audit = audit_directory(&machine.disk, &Machine::layout()).unwrap();
    assert_eq!(audit.findings().map(|finding| &finding.what).collect::<Vec<_>>(), [] as [&String; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_goes_while_the_file_is_lost_ends_the_term_at_the_mark() {
    for end in [End::Killed, End::Stopped] {
        let (machine, one, two) = after_a_failed_sync().await;
        two.adjust("TEA", -2).await.unwrap();
        assert_eq!(two.level("TEA").await, Some((8, 2)), "{end:?}");
        match end {
            End::Killed => one.kill().await,
            End::Stopped => one.stop_if_it_may().await,
        }
        two.adjust("TEA", -3).await.unwrap();
        retried_once_and_sound(&machine, two, (5, 3)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ended_its_own_term_answers_nothing_more() {
    let (_machine, one, two) = after_a_failed_sync().await;
    two.adjust("TEA", -2).await.unwrap();
    one.log.probe().unwrap_err();
    let more = one.adjust("TEA", -1).await;
    assert!(matches!(more, Err(CommandError::ReadOnly | CommandError::History(HistoryError::TakenOver))));
    let read = one.ledger.level(&super::store(), &onhand_domain::Sku::new("TEA").unwrap()).await;
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_whose_probe_succeeds_first_gives_its_lease_up_and_goes_on() {
    let (_machine, one, two) = after_a_failed_sync().await;
    one.log.probe().unwrap();
    two.adjust("TEA", -2).await.unwrap();
    one.log.start(std::time::Duration::from_millis(5), |_| {}).unwrap();
    one.adjust("TEA", -3).await.unwrap();
    assert_eq!((one.level("TEA").await, two.level("TEA").await), (Some((5, 3)), Some((5, 3))));
}

/// No other process has requested the lease: the group without an answer is read by the next start of its process,
/// before any other process decides.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_with_an_unrequested_lease_is_visible_to_all_or_none() {
    for end in [End::Killed, End::Stopped] {
        let (machine, one, two) = after_a_failed_sync().await;
        match end {
            End::Killed => one.kill().await,
            End::Stopped => one.stop_if_it_may().await,
        }
        let again = machine.begin().await;
        two.adjust("TEA", -2).await.unwrap();
        for process in [&two, &again] {
            process.execute(adjust("TEA", -1, Expected::Any), &keyed("k", "-1")).await.unwrap();
        }
        assert_eq!(
            (again.level("TEA").await, two.level("TEA").await),
            (Some((7, 3)), Some((7, 3))),
            "{end:?}"
        );
    }
}
