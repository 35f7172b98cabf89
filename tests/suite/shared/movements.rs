//! The movements of all logs of a stock, page by page, while other processes write.

use super::Machine;
use onhand_app::ports::Clock;
use onhand_app::stock::{MovementFilter, MovementPlace};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn movements_written_between_two_pages_are_on_the_next_one() {
    let machine = Machine::new();
    let (one, two) = (machine.begin().await, machine.begin().await);
    two.adjust("POT", 7).await.unwrap();
    machine.clock.pass(10_000);
    let since = Some(machine.clock.now());
    for _ in 0..5 {
        one.adjust("TEA", 1).await.unwrap();
    }
    let filter = MovementFilter { since, ..MovementFilter::default() };
    let mut place = MovementPlace::default();
    let mut skus = Vec::new();
    for page in 0..20 {
        let piece = one.ledger.all_movements(&filter, &place, 2).await.unwrap();
        for view in &piece.views {
            let (_, sku, _) = onhand_app::stock::place_of(view).unwrap();
            skus.push(sku.to_string());
        }
        place = piece.place;
        if page == 0 {
            // The other process had written nothing since then, until now.
            machine.clock.pass(1);
            two.adjust("POT", 1).await.unwrap();
        }
        if !piece.more {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(skus.iter().filter(|sku| *sku == "TEA").count(), 5, "{skus:?}");
    assert_eq!(skus.iter().filter(|sku| *sku == "POT").count(), 1, "{skus:?}");
}
