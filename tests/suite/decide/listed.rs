//! A catalogue that must contain every SKU that is received or reserved.

use super::many::batch;
use super::{NOON, Shop, adjust, commit, count, keys, movement, release, reserve, store};
use onhand_domain::Expected::{Any, Version};
use onhand_domain::catalogue::UnlistedKeys;
use onhand_domain::imports::{ImportRow, ImportRows};
use onhand_domain::stock::{AdjustKind, Verb};
use onhand_domain::{
    Command, Draft, Evidence, Fact, Finished, ImportId, Quantity, Refusal, Rejection, Sku, Timestamp,
    UnappliedWhy, decide,
};
use uuid::Uuid;

/// Decides with a catalogue that does not contain the SKUs at these positions.
fn ask(shop: &mut Shop, unlisted: &[bool], command: &Command) -> (Finished, Result<(), Refusal>) {
    let (keys, mut count) = (keys(), 0);
    let mut new_id = || {
        count += 1;
        Uuid::from_u128(count)
    };
    let states = shop.states.iter_mut().collect();
    let now = Timestamp::from_milliseconds(shop.now);
    let mut evidence = Evidence::default();
    evidence.add(UnlistedKeys(unlisted.to_vec()));
    let mut draft = Draft::new(now, &keys, states, &mut new_id).based_on(&evidence);
    let decided = decide(&mut draft, command);
    (draft.finish(), decided)
}

fn pieces(number: i64) -> Quantity {
    Quantity::new(number).unwrap()
}

fn by(kind: AdjustKind, number: i64) -> Verb {
    Verb::AdjustBy { kind, quantity: pieces(number), reason: None, reference: None }
}

fn unknown() -> Rejection {
    Rejection::ProductNotFound { sku: Sku::new("A").unwrap() }
}

#[test]
fn received_and_reserved_skus_must_be_listed_and_removed_ones_need_not() {
    for (verb, refused) in [
        (adjust(1), true),
        (adjust(-1), false),
        (by(AdjustKind::StockIn, 1), true),
        (by(AdjustKind::Return, 1), true),
        (by(AdjustKind::Opening, 1), true),
        (by(AdjustKind::Sale, 1), false),
        (by(AdjustKind::Removal, 1), false),
        (reserve("r-2", 1), true),
        (release("r-1", None), false),
        (commit("r-1", None, false), false),
        (count(3), true),
    ] {
        for unlisted in [&[][..], &[false, true, false], &[true, false, false]] {
            let mut shop = Shop::given(&[adjust(5), reserve("r-1", 2)]);
            let command = super::on("A", Any, verb.clone());
            let (_, decided) = ask(&mut shop, unlisted, &command);
            let expected =
                if refused && unlisted.first() == Some(&true) { Err(unknown().into()) } else { Ok(()) };
            assert_eq!(decided, expected, "{verb:?} {unlisted:?}");
        }
    }
    let mut shop = Shop::given(&[adjust(5)]);
    assert_eq!(ask(&mut shop, &[true], &super::on("A", Any, count(0))).1, Ok(()), "nothing is left of it");
    let stale = ask(&mut shop, &[true], &super::on("A", Version(9), adjust(1))).1;
    assert_eq!(
        stale,
        Err(Rejection::VersionConflict { current_version: 2 }.into()),
        "the version comes first"
    );
}

#[test]
fn of_many_only_unlisted_skus_are_rejected() {
    let mut shop = Shop { now: NOON, ..Shop::new() };
    let operations = || vec![movement("A", Any, adjust(1)), movement("B", Any, adjust(2))];
    let (finished, decided) = ask(&mut shop, &[true, false, false], &batch(false, operations()));
    assert_eq!(decided, Ok(()));
    let refused: Vec<_> =
        finished.unapplied.iter().map(|unapplied| (unapplied.op, unapplied.why.clone())).collect();
    assert_eq!(refused, [(0, UnappliedWhy::Refused(unknown()))]);
    assert_eq!(finished.events.len(), 1);
    let refusal = ask(&mut shop, &[true, false, false], &batch(true, operations())).1.unwrap_err();
    assert_eq!((refusal.op, refusal.rejection), (Some(0), unknown()));
}

#[test]
fn rows_of_an_import_are_refused_one_by_one() {
    let row = |row, sku: &str, kind, opening: Option<i64>| ImportRow {
        row,
        store_id: store(),
        sku: Sku::new(sku).unwrap(),
        kind,
        quantity: pieces(1),
        reference: None,
        occurred_at: None,
        opening_stock: opening.map(pieces),
    };
    let command = Command::Import(ImportRows {
        import_id: ImportId::new("I").unwrap(),
        after_row: 0,
        through_row: 4,
        last: true,
        rows: vec![
            row(1, "A", AdjustKind::StockIn, None),
            row(2, "A", AdjustKind::Sale, Some(5)),
            row(3, "A", AdjustKind::Sale, None),
            row(4, "B", AdjustKind::Sale, Some(5)),
        ],
        is_own: true,
    });
    let mut shop = Shop { now: NOON, ..Shop::new() };
    let (finished, decided) = ask(&mut shop, &[true, false, false], &command);
    assert_eq!(decided, Ok(()));
    let refused: Vec<_> = finished
        .events
        .iter()
        .find_map(|event| match &event.fact {
            Fact::Import(progress) => Some(&progress.refused),
            _ => None,
        })
        .unwrap()
        .iter()
        .map(|row| (row.row, row.rejection.code()))
        .collect();
    assert_eq!(refused, [(1, "product-not-found"), (2, "product-not-found"), (3, "insufficient-stock")]);
    assert_eq!(finished.events.len(), 3, "opening and sale of the row that is known, and the step");
}
