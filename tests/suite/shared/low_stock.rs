//! A change at one process counts at the other ones, and each level keeps one alert, whichever process moves it.

use super::{Machine, Process, store};
use crate::node::{qty, rejection};
use onhand_app::Meta;
use onhand_app::catalogue::ProductFilter;
use onhand_app::low_stock::AlertFilter;
use onhand_domain::catalogue::{Product, ProductCommand, ProductVerb};
use onhand_domain::low_stock::ThresholdCommand;
use onhand_domain::{Command, Expected, Key, Rejection, Sku, State};
use onhand_file::audit::audit_directory;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Attempts of a story in which a process must be faster than its lease.
const TRIES: usize = 10;

fn tea() -> Sku {
    Sku::new("TEA").unwrap()
}

fn threshold(pieces: i64) -> Command {
    let (store_id, sku) = (store(), tea());
    let low_stock_threshold = Some(qty(pieces));
    Command::Threshold(ThresholdCommand { store_id, sku, expected: Expected::Any, low_stock_threshold })
}

fn product(verb: fn(Box<Product>) -> ProductVerb, name: &str, pieces: i64) -> Command {
    let details = Product {
        name: name.into(),
        category: None,
        unit_price: None,
        barcode: None,
        low_stock_threshold: Some(qty(pieces)),
        active: true,
    };
    Command::Product(ProductCommand { sku: tea(), expected: Expected::Any, verb: verb(Box::new(details)) })
}

impl Process {
    async fn say(&self, command: Command) {
        self.execute(command, &Meta::default()).await.unwrap();
    }

    /// The version of the alert, while it is raised.
    async fn alert(&self) -> Option<u64> {
        let alerts = self.ledger.alerts(&AlertFilter::default(), None, 10).await.unwrap();
        assert!(alerts.len() <= 1, "{alerts:?}");
        alerts.first().map(|alert| alert.version)
    }

    /// Waits until the process shows this alert.
    async fn shows_alert(&self, wanted: Option<u64>) {
        let begun = Instant::now();
        while self.alert().await != wanted {
            assert!(begun.elapsed() < Duration::from_secs(20), "{wanted:?}: {:?}", self.alert().await);
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Names and versions in its product list.
    async fn products(&self) -> Vec<(String, u64)> {
        let products = self.ledger.products(ProductFilter::new("", None, None), None, 10).await.unwrap();
        products.into_iter().map(|view| (view.product.name.to_string(), view.version)).collect()
    }
}

/// The numbers of the logs in which the alert was raised or cleared; all of them are sound.
fn rung(machine: &Machine) -> Vec<usize> {
    let audit = audit_directory(&machine.disk, &Machine::layout()).unwrap();
    assert_eq!(audit.findings().map(|finding| &finding.what).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(audit.alerts_to_look_at, 0);
    let key = Key::Alert(store(), tea());
    let has = |place: &usize| matches!(audit.logs[*place].1.fold.states.get(&key), Some(State::Alert(_)));
    (0..audit.logs.len()).filter(has).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_threshold_set_at_one_process_is_crossed_at_another_one_and_the_alert_is_one() {
    let machine = Machine::new();
    let (one, two) = (machine.begin().await, machine.begin().await);
    let three = machine.begin().await;
    one.adjust("TEA", 10).await.unwrap();
    one.say(threshold(5)).await;
    two.adjust("TEA", -6).await.unwrap();
    for process in [&one, &two, &three] {
        process.shows_alert(Some(1)).await;
    }
    three.adjust("TEA", 3).await.unwrap();
    for process in [&one, &two, &three] {
        process.shows_alert(None).await;
    }
    one.adjust("TEA", -7).await.unwrap();
    for process in [&one, &two, &three] {
        process.shows_alert(Some(3)).await;
    }
    for process in [one, two, three] {
        process.stop().await;
    }
    rung(&machine);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_described_at_one_process_is_in_the_catalogue_of_all() {
    let machine = Machine::new();
    let (one, two) = (machine.begin().await, machine.begin().await);
    one.say(product(ProductVerb::Create, "Tea", 5)).await;
    assert_eq!(two.products().await, [("Tea".to_owned(), 1)]);
    for process in [&two, &one] {
        let again = process.execute(product(ProductVerb::Create, "Tea, too", 5), &Meta::default()).await;
        assert!(matches!(rejection(again), Rejection::ProductExists { current_version: 1 }));
    }
    two.say(product(ProductVerb::Replace, "Green tea", 5)).await;
    assert_eq!(one.products().await, [("Green tea".to_owned(), 2)]);
    one.stop().await;
    two.stop().await;
    assert_eq!(machine.begin().await.products().await, [("Green tea".to_owned(), 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_threshold_is_re_evaluated_where_the_level_is() {
    let machine = Machine::new();
    let (one, two, three) = (machine.begin().await, machine.begin().await, machine.begin().await);
    two.adjust("TEA", 3).await.unwrap();
    one.say(product(ProductVerb::Create, "Tea", 5)).await;
    for process in [&one, &two, &three] {
        process.shows_alert(Some(1)).await;
    }
    // All three have the threshold, and one re-evaluates: the second log has it alone.
    assert_eq!(rung(&machine), [1]);
    two.kill().await;
    one.say(threshold(2)).await;
    three.shows_alert(None).await;
    one.stop().await;
    three.stop().await;
    rung(&machine);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_moved_by_a_dead_process_without_the_threshold_is_re_evaluated() {
    let mut tried = 0;
    for _ in 0..TRIES {
        let machine = Machine::new();
        let (one, mut two) = (machine.begin().await, machine.begin().await);
        two.adjust("TEA", 10).await.unwrap();
        // It follows no log from now on, and keeps the lease of the level for a while.
        two.pause().await;
        one.say(threshold(5)).await;
        let moved = two.adjust("TEA", -6).await;
        two.kill().await;
        if moved.is_ok_and(|moved| moved.events.len() == 1) {
            tried += 1;
            one.shows_alert(Some(1)).await;
        }
    }
    assert_ne!(tried, 0, "it was never in time");
}
