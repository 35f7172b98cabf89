//! What became of the orders of a file, and of the lines of its credit notes.

use std::collections::{BTreeMap, HashMap};

use smol_str::SmolStr;

use super::reason::Reason;
use super::wire::OrderShown;
use onhand_domain::Sku;

/// What became of one order.
#[derive(Clone, Debug)]
pub(super) enum OrderOutcome {
    /// It is there; `created` by this run.
    There {
        order: Box<OrderShown>,
        created: bool,
        /// True when this run has shipped it.
        shipped: bool,
        /// The code of the reason why it is not shipped, though it should be.
        unshipped: Option<SmolStr>,
    },
    Refused(Reason),
    /// The lines of a credit note, by row.
    Credited(BTreeMap<u64, LineOutcome>),
    /// In a dry run: some of its SKUs are short, and it would be refused for that reason.
    Short {
        skus: Vec<ShortSku>,
        refused: Option<Reason>,
    },
    /// In a dry run: it is there, or there is enough for it.
    Fine,
}

/// What became of one line of a credit note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LineOutcome {
    Received,
    /// An earlier run has returned it.
    There,
    Refused(Reason),
}

/// A SKU of which an order would not get all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShortSku {
    pub(super) sku: Sku,
    pub(super) asked: i64,
    pub(super) left: i64,
}

/// What the report has of the rows of an order.
#[derive(Clone, Debug)]
pub(super) enum Reported {
    /// All of them.
    Order(Reason),
    /// Some of them, by row.
    Lines(BTreeMap<u64, Reason>),
    /// Those of some SKUs.
    Skus(HashMap<Sku, Reason>),
}

impl LineOutcome {
    /// The outcome of a line that is about several orders is the heaviest one.
    pub(super) const fn weight(&self) -> u8 {
        match self {
            Self::There => 0,
            Self::Received => 1,
            Self::Refused(_) => 2,
        }
    }
}
