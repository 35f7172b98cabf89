//! An impossible event in another process's log: it is never shown, and nothing behind it is used for answers.

use super::{Machine, adjust};
use onhand_app::CommandError;
use onhand_app::ports::{EventLog, HistoryError};
use onhand_app::stock::ReadError;
use onhand_disk::layout::Layout;
use onhand_domain::{Expected, Sku};
use std::ops::Range;

/// The position of the checksum in a line.
const DIGITS: Range<usize> = 8..16;

/// Rewrites the last line of a log with other numbers in its `after` and a valid checksum.
fn falsify(machine: &Machine, layout: &Layout) {
    let path = layout.segment(onhand_domain::Sequence(1));
    let bytes = machine.disk.file(&path).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let text = text.trim_end_matches('\0');
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (last, before) = lines.split_last().unwrap();
    let wrong = last.replace("\"onHand\":15", "\"onHand\":104");
    assert_ne!(wrong, *last);
    let previous = crc32c::crc32c(&before.last().unwrap().as_bytes()[DIGITS]);
    let sealed = crc32c::crc32c_append(previous, wrong[DIGITS.end + 2..].trim_end().as_bytes());
    let whole = format!("{}{{\"crc\":\"{sealed:08x}{}", before.concat(), &wrong[DIGITS.end..]);
    machine.disk.put(&path, whole.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_does_not_follow_is_not_shown_and_stays_rejected() {
    let machine = Machine::new();
    let (one, two) = (machine.begin().await, machine.begin().await);
    one.adjust("TEA", 10).await.unwrap();
    assert_eq!(two.level("TEA").await, Some((10, 1)));
    let mut two = two;
    two.pause().await;
    one.adjust("TEA", 5).await.unwrap();
    falsify(&machine, &Machine::layout().member(1));
    for _ in 0..3 {
        let sku = Sku::new("TEA").unwrap();
        let read = two.ledger.level(&super::store(), &sku).await;
        assert!(matches!(read, Err(ReadError::History(HistoryError::Contradiction(_)))), "{read:?}");
        let changed = two.execute(adjust("MILK", 1, Expected::Any), &onhand_app::Meta::default()).await;
        assert!(matches!(changed, Err(CommandError::History(HistoryError::Contradiction(_)))), "{changed:?}");
    }
    assert_eq!(two.log.durable().sequence().0, 0);
}
