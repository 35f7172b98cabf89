//! Low stock on simulated disks: the effect of a batch, a start and a reader on alerts.

use crate::node::{World, adjust, at_once, keyed, qty, rejection, stock};
use onhand_app::Meta;
use onhand_app::low_stock::AlertFilter;
use onhand_domain::low_stock::ThresholdCommand;
use onhand_domain::stock::{Batch, Operation, Verb};
use onhand_domain::{Command, EventKind, Expected, Key, Rejection, Sku, StoreId};
use onhand_file::audit::audit_directory;
use onhand_sim::log_rules as rules;
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::Crash;
use std::cell::RefCell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

fn threshold(sku: &str, pieces: Option<i64>) -> Command {
    let (store_id, sku) = (StoreId::new("LONDON").unwrap(), Sku::new(sku).unwrap());
    let low_stock_threshold = pieces.map(qty);
    Command::Threshold(ThresholdCommand { store_id, sku, expected: Expected::Any, low_stock_threshold })
}

async fn done(node: &SimNode, command: Command) {
    node.execute(command, &Meta::default()).await.unwrap();
}

async fn sweep(node: &SimNode) {
    node.drive(node.ledger.expire_due()).await.unwrap();
}

/// The SKUs whose alerts are shown.
async fn alerts(node: &SimNode) -> Vec<String> {
    let alerts = node.drive(node.ledger.alerts(&AlertFilter::default(), None, 10)).await.unwrap();
    alerts.iter().map(|alert| alert.sku.to_string()).collect()
}

fn operation(sku: &str, delta: i64, key: &str) -> Operation {
    let verb = Verb::Adjust { delta: qty(delta), reason: None, reference: None };
    let idempotency = keyed(key, &delta.to_string()).idempotency;
    Operation { command: stock(sku, Expected::Any, verb), idempotency, known: None }
}

#[tokio::test]
async fn an_alert_is_no_part_of_the_last_operation_of_its_batch() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    done(&node, adjust("A", 10)).await;
    done(&node, threshold("A", Some(5))).await;
    let operations = vec![operation("A", -7, "first"), operation("A", -100, "refused")];
    let batch = Command::Batch(Batch { atomic: false, operations });
    let outcome = node.execute(batch, &Meta::default()).await.unwrap();
    let told: Vec<_> = outcome.events.iter().map(|event| (event.kind, event.op)).collect();
    assert_eq!(told, [(EventKind::Adjust, Some(0)), (EventKind::Alert, None)]);
    // The rejected command had no effect, so its key is not recorded: it is decided anew, and happens once there is enough.
    let again = node.execute(adjust("A", -100), &keyed("refused", "-100")).await;
    assert!(matches!(rejection(again), Rejection::InsufficientStock { .. }));
    done(&node, adjust("A", 200)).await;
    let again = node.execute(adjust("A", -100), &keyed("refused", "-100")).await.unwrap();
    assert!(!again.replayed);
    let first = node.execute(adjust("A", -7), &keyed("first", "-7")).await.unwrap();
    assert!(first.replayed);
    assert_eq!(first.events.len(), 1, "the operation alone: {:?}", first.events);
}

/// The batch has found that B has no threshold, and waits for A; meanwhile B gets one, for which it is re-evaluated.
#[tokio::test]
async fn a_command_that_had_found_no_threshold_is_decided_anew_with_the_alert() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    done(&node, adjust("A", 10)).await;
    done(&node, adjust("B", 10)).await;
    let operations = vec![operation("A", -1, "a"), operation("B", -8, "b")];
    let (batch, meta) = (Command::Batch(Batch { atomic: true, operations }), Meta::default());
    let late = RefCell::new(Box::pin(node.ledger.execute(batch, &meta)));
    let held = Key::Level(StoreId::new("LONDON").unwrap(), Sku::new("A").unwrap());
    let read = node.ledger.read(&held, |_| {
        let mut context = Context::from_waker(Waker::noop());
        assert!(late.borrow_mut().as_mut().poll(&mut context).is_pending(), "it waits for A");
    });
    node.drive(read).await.unwrap().unwrap();
    done(&node, threshold("B", Some(5))).await;
    sweep(&node).await;
    let outcome = node.drive(late.into_inner()).await.unwrap();
    let kinds: Vec<_> = outcome.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Adjust, EventKind::Adjust, EventKind::Alert]);
    assert_eq!(alerts(&node).await, ["B"]);
}

#[tokio::test]
async fn an_alert_whose_last_threshold_is_gone_is_cleared_after_a_crash_too() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    done(&node, threshold("A", Some(5))).await;
    done(&node, adjust("A", 3)).await;
    assert_eq!(alerts(&node).await, ["A"]);
    done(&node, threshold("A", None)).await;
    drop(node);
    world.disk.crash(Crash::ProcessKill);
    let audit = audit_directory(&world.disk, &rules::layout()).unwrap();
    assert_eq!(
        (audit.findings().count(), audit.alerts_to_look_at),
        (0, 1),
        "nobody has looked, which is no fault"
    );
    let node = world.open();
    assert_eq!(alerts(&node).await, ["A"]);
    sweep(&node).await;
    assert_eq!(alerts(&node).await, [""; 0]);
    drop(node);
    world.disk.crash(Crash::ProcessKill);
    let audit = audit_directory(&world.disk, &rules::layout()).unwrap();
    assert_eq!((audit.findings().count(), audit.alerts_to_look_at), (0, 0));
}

#[tokio::test]
async fn an_alert_is_shown_until_it_is_cleared_durably() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    done(&node, threshold("A", Some(5))).await;
    done(&node, adjust("A", 3)).await;
    let (clearing, meta) = (adjust("A", 10), Meta::default());
    let mut clearing = pin!(node.ledger.execute(clearing, &meta));
    let mut context = Context::from_waker(Waker::noop());
    assert!(clearing.as_mut().poll(&mut context).is_pending());
    let filter = AlertFilter::default();
    let mut list = pin!(node.ledger.alerts(&filter, None, 10));
    assert!(matches!(list.as_mut().poll(&mut context), Poll::Pending), "a crash could take it back");
    node.drive(clearing).await.unwrap();
    assert_eq!(node.drive(list).await.unwrap(), []);
    assert_eq!(alerts(&node).await, [""; 0]);
    // While it is being raised it is not shown either.
    assert!(at_once(&node, adjust("A", -10), &Meta::default()).is_pending());
    let mut list = pin!(node.ledger.alerts(&filter, None, 10));
    assert!(list.as_mut().poll(&mut context).is_pending());
    node.write_waiting().unwrap();
    assert_eq!(node.drive(list).await.unwrap().len(), 1);
}
