//! Batches and imports: many movements in one entry.

use super::{
    Shop, adjust, commit, conflict, id, insufficient, movement, numbers, on, release, reserve, store,
};
use crate::node::qty;
use onhand_domain::Expected::{Any, Exists, Version};
use onhand_domain::imports::{ImportRow, ImportRows, RefusedRow};
use onhand_domain::limits::INTEGER_MAX;
use onhand_domain::stock::{AdjustKind, Batch, KnownKey, Operation, StockCommand};
use onhand_domain::{Command, Fact, ImportId, Refusal, Rejection, Sequence, Sku, Unapplied, UnappliedWhy};

pub(super) fn batch(atomic: bool, commands: Vec<StockCommand>) -> Command {
    let operation = |command| Operation { command, idempotency: None, known: None };
    Command::Batch(Batch { atomic, operations: commands.into_iter().map(operation).collect() })
}

fn refused(op: u32, rejection: Rejection) -> Unapplied {
    Unapplied { op, why: UnappliedWhy::Refused(rejection) }
}

#[test]
fn an_atomic_batch_is_refused_by_its_first_refusal_and_leaves_nothing() {
    let rows: Vec<(&str, Vec<StockCommand>, u32, Rejection)> = vec![
        (
            "the same level twice is summed",
            vec![movement("A", Any, reserve("r", 3)), movement("A", Any, reserve("s", 3))],
            1,
            insufficient(2, 2),
        ),
        (
            "in order: what comes later does not help",
            vec![movement("B", Any, adjust(-1)), movement("B", Any, adjust(1))],
            0,
            insufficient(0, 0),
        ),
        (
            "a version that an earlier operation has moved",
            vec![movement("A", Version(1), adjust(1)), movement("A", Version(1), adjust(1))],
            1,
            conflict(2),
        ),
        (
            "the last of many levels",
            vec![
                movement("A", Any, adjust(1)),
                movement("B", Any, adjust(1)),
                movement("B", Exists, adjust(-2)),
            ],
            2,
            insufficient(1, 1),
        ),
        (
            "a hold of the same batch, closed in it",
            vec![
                movement("A", Any, reserve("r", 3)),
                movement("A", Any, commit("r", None, false)),
                movement("A", Any, release("r", None)),
            ],
            2,
            Rejection::ReservationClosed { reservation_id: id("r") },
        ),
        (
            "the first of two refusals",
            vec![movement("A", Any, adjust(INTEGER_MAX)), movement("B", Any, adjust(-1))],
            0,
            Rejection::OutOfRange,
        ),
    ];
    for (story, commands, op, rejection) in rows {
        let mut shop = Shop::given(&[adjust(5)]);
        let before = shop.clone();
        let decided = shop.ask(&batch(true, commands));
        assert_eq!(decided, Err(Refusal { rejection, op: Some(op) }), "{story}");
        assert_eq!(shop.states, before.states, "{story}");
    }
}

#[test]
fn an_atomic_batch_happens_in_order() {
    let mut shop = Shop::given(&[adjust(5)]);
    let commands = vec![
        movement("A", Version(1), adjust(-5)),
        movement("B", Version(0), adjust(2)),
        movement("A", Version(2), adjust(3)),
        movement("A", Any, reserve("r", 3)),
        movement("A", Any, commit("r", Some(1), true)),
    ];
    let (events, unapplied) = shop.ask(&batch(true, commands)).unwrap();
    assert_eq!(events, [(0, 0, 2), (2, 0, 1), (3, 0, 3), (3, 3, 4), (2, 2, 5), (2, 0, 6)]);
    assert_eq!(unapplied, []);
}

#[test]
fn a_batch_that_is_not_atomic_refuses_each_by_itself() {
    let mut shop = Shop::given(&[adjust(5)]);
    let commands = vec![
        movement("A", Any, reserve("r", 3)),
        movement("A", Any, reserve("s", 3)),
        movement("A", Any, reserve("t", 2)),
        movement("A", Any, commit("s", None, true)),
        movement("A", Version(1), adjust(1)),
    ];
    let (events, unapplied) = shop.ask(&batch(false, commands)).unwrap();
    assert_eq!(events, [(5, 3, 2), (5, 5, 3)]);
    let not_found = Rejection::ReservationNotFound { reservation_id: id("s") };
    assert_eq!(unapplied, [refused(1, insufficient(2, 2)), refused(3, not_found), refused(4, conflict(3))]);
}

#[test]
fn a_known_key_is_answered_before_every_check() {
    let operation =
        |known| Operation { command: movement("A", Version(9), adjust(-99)), idempotency: None, known };
    let ask = |atomic, known| {
        Shop::given(&[adjust(5)]).ask(&Command::Batch(Batch { atomic, operations: vec![operation(known)] }))
    };
    let applied = Some(KnownKey::Applied(Sequence(7)));
    let replayed = vec![Unapplied { op: 0, why: UnappliedWhy::Replayed(Sequence(7)) }];
    assert_eq!(ask(true, applied), Ok((vec![], replayed.clone())));
    assert_eq!(ask(false, applied), Ok((vec![], replayed)));
    let reused = Rejection::IdempotencyKeyReused;
    assert_eq!(ask(true, Some(KnownKey::Reused)), Err(Refusal { rejection: reused.clone(), op: Some(0) }));
    assert_eq!(ask(false, Some(KnownKey::Reused)), Ok((vec![], vec![refused(0, reused)])));
    assert_eq!(ask(true, None), Err(Refusal { rejection: conflict(1), op: Some(0) }));
}

fn row(row: u64, sku: &str, kind: AdjustKind, quantity: i64, opening: Option<i64>) -> ImportRow {
    ImportRow {
        row,
        store_id: store(),
        sku: Sku::new(sku).unwrap(),
        kind,
        quantity: qty(quantity),
        reference: None,
        occurred_at: None,
        opening_stock: opening.map(qty),
    }
}

fn rows(after_row: u64, through_row: u64, last: bool, rows: Vec<ImportRow>) -> Command {
    let import_id = ImportId::new("I").unwrap();
    Command::Import(ImportRows { import_id, after_row, through_row, last, rows, is_own: true })
}

#[test]
fn rows_of_an_import_are_applied_or_refused_each_by_itself() {
    let mut shop = Shop::given(&[adjust(5)]);
    let asked = vec![
        row(1, "A", AdjustKind::Sale, 3, Some(100)),
        row(2, "A", AdjustKind::Removal, 3, None),
        row(4, "B", AdjustKind::Sale, 2, Some(10)),
        row(5, "B", AdjustKind::Return, 1, Some(10)),
        row(6, "B", AdjustKind::StockIn, INTEGER_MAX, None),
        row(8, "B", AdjustKind::Opening, 7, None),
    ];
    let (events, _) = shop.ask(&rows(0, 9, false, asked)).unwrap();
    let movements = [(2, 0, 2), (10, 0, 1), (8, 0, 2), (9, 0, 3), (16, 0, 4)];
    assert_eq!(events, [&movements[..], &[(4, 2, 1)]].concat(), "an opening only on a level of version 0");
}

#[test]
fn an_opening_stays_when_its_row_is_refused() {
    let mut shop = Shop::new();
    let (events, _) = shop.ask(&rows(0, 1, true, vec![row(1, "B", AdjustKind::Sale, 11, Some(10))])).unwrap();
    assert_eq!(events, [(10, 0, 1), (0, 1, 1)]);
    let mut shop = Shop::new();
    let (events, _) = shop.ask(&rows(0, 1, true, vec![row(1, "B", AdjustKind::Return, 1, Some(0))])).unwrap();
    assert_eq!(events, [(1, 0, 1), (1, 0, 1)], "an opening of nothing is no movement");
}

#[test]
fn an_import_goes_on_where_it_stands_and_ends_for_good() {
    let out_of_step = |rows_done| Err(Refusal::from(Rejection::ImportOutOfStep { rows_done }));
    let sale = |number| vec![row(number, "A", AdjustKind::Sale, 1, None)];
    let mut shop = Shop::given(&[adjust(5)]);
    assert_eq!(shop.ask(&rows(1, 2, false, sale(2))), out_of_step(0), "it begins at the beginning");
    assert_eq!(shop.ask(&rows(0, 2, false, sale(1))).unwrap().0.len(), 2);
    let before = shop.clone();
    assert_eq!(shop.ask(&rows(0, 2, false, sale(1))), out_of_step(2), "not twice");
    assert_eq!(shop.ask(&rows(3, 4, false, sale(4))), out_of_step(2), "no gap");
    assert_eq!(shop.states, before.states);
    assert_eq!(shop.ask(&rows(2, 2, true, vec![])).unwrap().0, [(1, 0, 2)], "a last step may be empty");
    assert_eq!(shop.ask(&rows(2, 3, true, sale(3))), out_of_step(2), "finished is finished");
}

#[test]
fn an_import_records_which_rows_were_refused_and_why() {
    let mut shop = Shop::new();
    let keys = super::keys();
    let mut new_id = || uuid::Uuid::nil();
    let states = shop.states.iter_mut().collect();
    let now = onhand_domain::Timestamp::EPOCH;
    let mut draft = onhand_domain::Draft::new(now, &keys, states, &mut new_id);
    let asked = vec![row(1, "A", AdjustKind::Sale, 1, None), row(3, "A", AdjustKind::Return, 2, None)];
    onhand_domain::decide(&mut draft, &rows(0, 3, true, asked)).unwrap();
    let step = draft.finish().events.pop().unwrap();
    assert_eq!(numbers(&step), (1, 1, 1));
    let Fact::Import(progress) = step.fact else { panic!("{step:?}") };
    assert_eq!((progress.after_row, progress.through_row, progress.applied, progress.last), (0, 3, 1, true));
    assert_eq!(progress.refused, [RefusedRow { row: 1, rejection: insufficient(0, 0) }]);
}

#[test]
fn sixty_four_closed_reservations_are_remembered_and_no_more() {
    let mut shop = Shop::given(&[adjust(5)]);
    let mut ask = |verb| shop.ask(&on("A", Any, verb)).map(|_| ()).map_err(|refusal| refusal.rejection);
    for number in 0..65 {
        ask(reserve(&format!("r-{number}"), 1)).unwrap();
        ask(release(&format!("r-{number}"), None)).unwrap();
    }
    let not_found = Rejection::ReservationNotFound { reservation_id: id("r-0") };
    assert_eq!(ask(release("r-0", None)), Err(not_found));
    assert_eq!(ask(release("r-1", None)), Err(Rejection::ReservationClosed { reservation_id: id("r-1") }));
    ask(reserve("r-0", 1)).unwrap();
    assert_eq!(ask(reserve("r-1", 1)), Err(Rejection::AlreadyExists { reservation_id: id("r-1") }));
}
