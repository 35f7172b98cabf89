//! The sender of alerts sends every alert, in order: on the simulated disk, with a scripted receiver.

use crate::node::{World, adjust, qty};
use onhand_app::feed::{Feed, FeedFilter};
use onhand_app::low_stock::sender::{AlertCounts, AlertSender, AlertSettings};
use onhand_app::ports::{AlertDelivery, AlertNews, AlertReceiver, DeliveryError};
use onhand_app::{CommandError, Meta};
use onhand_disk::layout::Layout;
use onhand_domain::low_stock::ThresholdCommand;
use onhand_domain::{Command, EventKind, Expected, Sequence, Sku, StoreId};
use onhand_file::stores::alerts_sent::AlertsSent;
use onhand_resilience::BreakerSettings;
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::{DiskOperation, Fault, Injection};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A receiver with scripted answers for the next attempts; afterwards every attempt succeeds.
struct Listener {
    answers: Mutex<VecDeque<DeliveryError>>,
    attempts: UnboundedSender<AlertNews>,
}

impl AlertReceiver for Listener {
    fn deliver<'a>(&'a self, alert: &'a AlertNews) -> AlertDelivery<'a> {
        let _ = self.attempts.send(alert.clone());
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move { answer.map_or(Ok(()), Err) })
    }
}

/// A sender at work.
struct Sending {
    sender: Arc<AlertSender>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    attempts: UnboundedReceiver<AlertNews>,
}

impl Sending {
    fn start(world: &World, node: &SimNode, answers: &[DeliveryError]) -> Self {
        let (attempts, receiver) = unbounded_channel();
        let listener = Listener { answers: Mutex::new(answers.to_vec().into()), attempts };
        let place = AlertsSent::new(Arc::new(world.disk.clone()), &Layout::new(Path::new("/data")));
        let settings = AlertSettings {
            retry_base: Duration::from_millis(1),
            breaker: BreakerSettings { threshold: 1.0, cooldown: Duration::ZERO },
        };
        let ledger = Arc::clone(&node.ledger);
        let sender = AlertSender::open(ledger, node.id(), Arc::new(listener), Arc::new(place), settings);
        let (sender, stop) = (Arc::new(sender.unwrap()), CancellationToken::new());
        let task = tokio::spawn({
            let (sender, stop) = (Arc::clone(&sender), stop.clone());
            async move { sender.run(&stop, Duration::ZERO).await }
        });
        Self { sender, stop, task, attempts: receiver }
    }

    /// The next attempt.
    async fn attempt(&mut self) -> AlertNews {
        let attempt = tokio::time::timeout(Duration::from_secs(30), self.attempts.recv());
        attempt.await.expect("an alert is told").unwrap()
    }

    /// The ids of the next attempts.
    async fn attempts(&mut self, how_many: usize) -> Vec<Uuid> {
        let mut ids = Vec::new();
        while ids.len() < how_many {
            ids.push(self.attempt().await.event_id);
        }
        ids
    }

    /// Stops the sender in time; nothing was sent beyond the attempts that the test has read.
    async fn stop(mut self) -> AlertCounts {
        self.stop.cancel();
        self.task.await.unwrap();
        assert!(self.attempts.try_recv().is_err(), "something was told twice");
        self.sender.counts()
    }
}

/// The ids of the alerts in the log, oldest first.
async fn in_the_log(node: &SimNode) -> Vec<Uuid> {
    let filter = FeedFilter { kind: Some(EventKind::Alert), ..FeedFilter::default() };
    let mut feed = Feed::new(Arc::clone(&node.ledger), Sequence::START, filter);
    let events = feed.next(1_000).await.unwrap().events;
    events.into_iter().map(|found| found.movement.event.event_id).collect()
}

async fn watch(node: &SimNode, sku: &str) {
    let (store_id, sku) = (StoreId::new("LONDON").unwrap(), Sku::new(sku).unwrap());
    let low_stock_threshold = Some(qty(5));
    let command = ThresholdCommand { store_id, sku, expected: Expected::Any, low_stock_threshold };
    node.execute(Command::Threshold(command), &Meta::default()).await.unwrap();
}

/// Raises the stock of a level above its threshold, and lowers it again.
async fn rise_and_fall(node: &SimNode, sku: &str) {
    for delta in [10, -10] {
        node.execute(adjust(sku, delta), &Meta::default()).await.unwrap();
    }
}

#[tokio::test]
async fn alerts_are_sent_in_order_and_a_restart_resumes() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    watch(&node, "A").await;
    rise_and_fall(&node, "A").await;
    assert_eq!(in_the_log(&node).await.len(), 1);
    let mut sending = Sending::start(&world, &node, &[]);
    for sku in ["A", "B", "A"] {
        rise_and_fall(&node, sku).await;
    }
    let first = sending.attempt().await;
    assert_eq!((first.fact.raised, first.fact.qty, first.fact.threshold), (false, qty(10), Some(qty(5))));
    assert_eq!((first.version, first.node), (2, node.id()));
    let told = [vec![first.event_id], sending.attempts(3).await].concat();
    assert_eq!(told, in_the_log(&node).await[1..], "what was before it was switched on is not told");
    assert_eq!(sending.stop().await, AlertCounts { delivered: 4, ..AlertCounts::default() });
    // The receiver is down, and the process ends.
    rise_and_fall(&node, "A").await;
    drop(node);
    let node = world.open();
    let mut sending = Sending::start(&world, &node, &[]);
    rise_and_fall(&node, "A").await;
    assert_eq!(sending.attempts(4).await, in_the_log(&node).await[5..]);
    assert_eq!(sending.stop().await.delivered, 4);
}

#[tokio::test]
async fn a_failed_alert_is_sent_again_before_later_ones() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    let failed = DeliveryError::Failed("a fault".to_owned());
    let busy = DeliveryError::Busy { retry_after: Duration::from_millis(1) };
    let mut sending = Sending::start(&world, &node, &[failed.clone(), busy, failed]);
    watch(&node, "A").await;
    rise_and_fall(&node, "A").await;
    rise_and_fall(&node, "A").await;
    let log = in_the_log(&node).await;
    assert_eq!(sending.attempts(6).await, [log[0], log[0], log[0], log[0], log[1], log[2]]);
    assert_eq!(sending.stop().await, AlertCounts { delivered: 3, failed: 3, given_up: 0 });
}

#[tokio::test]
async fn a_rejected_alert_or_one_that_fails_for_a_day_is_given_up() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    let failed = DeliveryError::Failed("a fault".to_owned());
    let answers = [vec![DeliveryError::Gone], vec![failed; 4 + 5]].concat();
    let mut sending = Sending::start(&world, &node, &answers);
    watch(&node, "A").await;
    rise_and_fall(&node, "A").await;
    let first = in_the_log(&node).await;
    assert_eq!(sending.attempts(1).await, first);
    rise_and_fall(&node, "A").await;
    let log = in_the_log(&node).await;
    // A minute less than a day is too early to give up, however many attempts failed.
    world.clock.pass(86_400_000 - 60_000);
    assert_eq!(sending.attempts(6).await, [log[1]; 6]);
    world.clock.pass(60_000);
    let rest = sending.attempts(4).await;
    assert!(rest.starts_with(&[log[1]]) && rest.ends_with(&[log[2]]), "{rest:?} of {log:?}");
    assert_eq!(sending.stop().await.given_up, 2);
}

/// An alert that a failing disk rolls back is never sent.
#[tokio::test]
async fn an_alert_that_is_not_durable_is_not_sent() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    let mut sending = Sending::start(&world, &node, &[]);
    watch(&node, "A").await;
    node.execute(adjust("A", 10), &Meta::default()).await.unwrap();
    world.disk.inject(Injection::at(1, Fault::Eio).only(DiskOperation::SyncData));
    let lost = node.execute(adjust("A", -10), &Meta::default()).await;
    assert!(matches!(lost, Err(CommandError::OutcomeUnknown)), "{lost:?}");
    node.probe().unwrap();
    // Its sequence goes to another event, and an alert comes after that.
    node.execute(adjust("B", 1), &Meta::default()).await.unwrap();
    node.execute(adjust("A", -9), &Meta::default()).await.unwrap();
    let told = sending.attempt().await;
    assert_eq!((told.fact.qty, told.version), (qty(1), 1));
    assert_eq!(in_the_log(&node).await, [told.event_id]);
    assert_eq!(sending.stop().await.delivered, 1);
}

/// Power cuts while alerts are in flight: some are sent twice, none is missing, and the order is kept.
#[tokio::test]
async fn power_cuts_lose_no_alert() {
    let world = World::new(SimSettings::default());
    let (mut told, mut log) = (Vec::new(), Vec::new());
    for life in 0..12 {
        let node = world.open();
        let mut sending = Sending::start(&world, &node, &[]);
        if life == 0 {
            watch(&node, "A").await;
        }
        rise_and_fall(&node, "A").await;
        rise_and_fall(&node, "A").await;
        log = in_the_log(&node).await;
        let looked_at = if life == 11 { log.len() } else { life % 4 };
        while told.iter().collect::<std::collections::BTreeSet<_>>().len() < looked_at {
            told.push(sending.attempt().await.event_id);
        }
        while let Ok(attempt) = sending.attempts.try_recv() {
            told.push(attempt.event_id);
        }
        sending.task.abort();
        let _ = sending.task.await;
        drop(node);
        world.power_cut(life as u64);
    }
    assert_eq!(log.len(), 47, "raised once, then cleared and raised again and again");
    let mut firsts: Vec<Uuid> = Vec::new();
    for id in told {
        if !firsts.contains(&id) {
            firsts.push(id);
        }
    }
    assert_eq!(firsts, log);
}
