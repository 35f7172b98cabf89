//! Random steps, in small numbers: three stores, four SKUs, six orders.

use crate::orders::oracle::{Rest, Why};
use proptest::prelude::*;

pub(super) const STORES: usize = 3;
pub(super) const SKUS: usize = 4;
pub(super) const ORDERS: usize = 6;

/// How stores are chosen: these in turn, each with all it has of what is left to find.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) stores: Vec<usize>,
    /// The last store is asked for a piece more: more than is wanted, or than it has.
    pub(super) too_much: bool,
}

/// One step.
#[derive(Debug, Clone)]
pub(super) struct Act {
    /// One of the orders that are there; with `stray` any order.
    pub(super) order: usize,
    pub(super) stray: bool,
    /// The caller has seen an older version.
    pub(super) stale: bool,
    pub(super) verb: Verb,
}

#[derive(Debug, Clone)]
pub(super) enum Verb {
    Place {
        lines: Vec<(usize, i64)>,
        rest: Rest,
        auto: bool,
        wish: Wish,
    },
    /// The same order once more.
    Again,
    Confirm(Wish),
    Allot(Wish),
    Cancel,
    Ship,
    Deliver,
    Hold(bool),
    Pay {
        id: u8,
        kind: usize,
        amount: i64,
    },
    /// So many pieces of each line, of which some can be sold.
    Return {
        id: u8,
        state: usize,
        pieces: i64,
        sellable: i64,
        store: usize,
    },
    Part {
        number: u16,
        wrong_store: bool,
        step: PartVerb,
    },
    Adjust {
        store: usize,
        sku: usize,
        delta: i64,
    },
    Count {
        store: usize,
        sku: usize,
        more: i64,
    },
    OtherHolds {
        store: usize,
        sku: usize,
        pieces: i64,
    },
    OtherEnds {
        which: usize,
        takes: bool,
    },
    /// A public route of stock is used on a shipment's hold.
    Meddle {
        number: u16,
    },
}

#[derive(Debug, Clone)]
pub(super) enum PartVerb {
    Instruct,
    /// At most so many pieces of each line; all without a number.
    Ship(Option<i64>),
    Deliver,
    Refuse {
        why: Why,
        reason: usize,
        wish: Wish,
    },
    Cancel,
}

fn wish() -> impl Strategy<Value = Wish> {
    let stores = prop_oneof![6 => prop::collection::vec(0..STORES, 1..4), 1 => Just(Vec::new())];
    (stores, prop::bool::weighted(0.1)).prop_map(|(stores, too_much)| Wish { stores, too_much })
}

fn place() -> impl Strategy<Value = Verb> {
    let lines = prop::collection::vec((0..SKUS, 1..6_i64), 1..5);
    let rest = prop_oneof![1 => Just(Rest::Refused), 3 => Just(Rest::Waits), 1 => Just(Rest::Cancelled)];
    (lines, rest, any::<bool>(), wish()).prop_map(|(lines, rest, auto, wish)| Verb::Place {
        lines,
        rest,
        auto,
        wish,
    })
}

fn part() -> impl Strategy<Value = Verb> {
    let why = prop_oneof![Just(Why::NotThere), Just(Why::Lost), Just(Why::Stays)];
    let refuse =
        (why, 0..2_usize, wish()).prop_map(|(why, reason, wish)| PartVerb::Refuse { why, reason, wish });
    let step = prop_oneof![
        1 => Just(PartVerb::Instruct),
        3 => prop::option::of(1..4_i64).prop_map(PartVerb::Ship),
        2 => Just(PartVerb::Deliver),
        3 => refuse,
        1 => Just(PartVerb::Cancel),
    ];
    (0..100_u16, prop::bool::weighted(0.03), step).prop_map(|(number, wrong_store, step)| Verb::Part {
        number,
        wrong_store,
        step,
    })
}

fn after() -> impl Strategy<Value = Verb> {
    let pay = (0..3_u8, 0..7_usize, prop_oneof![Just(100_i64), 1..900_i64])
        .prop_map(|(id, kind, amount)| Verb::Pay { id, kind, amount });
    let state = prop_oneof![3 => Just(0_usize), 1 => Just(1), 1 => Just(2), 3 => Just(3), 1 => Just(4)];
    let returned = (0..2_u8, state, 0..3_i64, 0..3_i64, 0..STORES)
        .prop_map(|(id, state, pieces, sellable, store)| Verb::Return { id, state, pieces, sellable, store });
    prop_oneof![2 => pay, 3 => returned, 1 => prop::bool::weighted(0.3).prop_map(Verb::Hold)]
}

fn stock() -> impl Strategy<Value = Verb> {
    let at = || (0..STORES, 0..SKUS);
    prop_oneof![
        4 => (at(), 1..9_i64).prop_map(|((store, sku), delta)| Verb::Adjust { store, sku, delta }),
        2 => (at(), -6..0_i64).prop_map(|((store, sku), delta)| Verb::Adjust { store, sku, delta }),
        1 => (at(), -2..4_i64).prop_map(|((store, sku), more)| Verb::Count { store, sku, more }),
        2 => (at(), 1..4_i64).prop_map(|((store, sku), pieces)| Verb::OtherHolds { store, sku, pieces }),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(which, takes)| Verb::OtherEnds { which, takes }),
        1 => (0..100_u16).prop_map(|number| Verb::Meddle { number }),
    ]
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let verb = prop_oneof![
        5 => place(),
        1 => Just(Verb::Again),
        3 => wish().prop_map(Verb::Confirm),
        5 => wish().prop_map(Verb::Allot),
        1 => Just(Verb::Cancel),
        2 => Just(Verb::Ship),
        2 => Just(Verb::Deliver),
        20 => part(),
        8 => after(),
        10 => stock(),
    ];
    let rarely = || prop::bool::weighted(0.04);
    (any::<usize>(), rarely(), rarely(), verb).prop_map(|(order, stray, stale, verb)| Act {
        order,
        stray,
        stale,
        verb,
    })
}
