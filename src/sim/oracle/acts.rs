//! The acts that a run requests of a ledger, and their answers.

use crate::oracle::identity_acts::{IdentityRequest, PrincipalModel, TokenModel};
use std::fmt;

/// A change of one level, as a command or as an operation of a batch.
#[derive(Clone, PartialEq)]
pub struct LevelRequest {
    /// The SKU of the level.
    pub sku: &'static str,
    /// The precondition on the level.
    pub expect: Expect,
    /// The requested change.
    pub wish: LevelVerb,
}

/// The precondition of a request. It is not part of the payload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expect {
    /// The request has no precondition.
    Any,
    /// The thing exists.
    Exists,
    /// The version is that of the level; not used in a batch.
    Right,
    /// The version differs from that of the level.
    Wrong,
}

/// The verbs of stock; the id of a reservation is a number.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of the verbs")]
pub enum LevelVerb {
    Adjust(i64),
    Reserve { pieces: i64, id: u32, ttl_seconds: Option<i64> },
    Release { id: u32, pieces: Option<i64> },
    Commit { id: u32, pieces: Option<i64>, close: bool },
    Count(i64),
}

/// Product details: a number for the name, and the low-stock threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentence says it")]
pub struct Goods {
    pub name: u32,
    pub threshold: Option<i64>,
}

/// A change of a product, of the store, or of the store's own threshold of a product.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of the commands")]
pub enum CatalogueRequest {
    Create(&'static str, Goods),
    Replace(&'static str, Goods),
    /// Changes the product's threshold only.
    Change(&'static str, Option<i64>),
    Remove(&'static str),
    Store {
        name: u32,
        create: bool,
    },
    /// Sets or removes the store's own threshold of a product.
    Threshold(&'static str, Option<i64>),
}

/// A command with its idempotency keys.
#[derive(Clone, PartialEq)]
pub enum Act {
    /// A change of one level, and the key of the command.
    One(LevelRequest, Option<u32>),
    /// Changes of several levels, each with a key of its own, and the key of the whole.
    #[allow(missing_docs, reason = "the variant says it")]
    Batch { atomic: bool, items: Vec<(LevelRequest, Option<u32>)>, key: Option<u32> },
    /// A change of the catalogue, its precondition, and the key of the command.
    Say(CatalogueRequest, Expect, Option<u32>),
    /// Many products at once. Details that differ from the catalogue replace it, or are rejected. And the key of the command.
    #[allow(missing_docs, reason = "the variant says it")]
    Describe { update: bool, products: Vec<(&'static str, Goods)>, key: Option<u32> },
    /// A change of principals, tokens or the mode, and the key of the command.
    Identity(IdentityRequest, Option<u32>),
}

impl CatalogueRequest {
    /// The SKU; none for the store.
    pub fn sku(&self) -> Option<&'static str> {
        match self {
            Self::Create(sku, _)
            | Self::Replace(sku, _)
            | Self::Change(sku, _)
            | Self::Remove(sku)
            | Self::Threshold(sku, _) => Some(sku),
            Self::Store { .. } => None,
        }
    }
}

impl Act {
    /// The SKUs that the act is about.
    pub fn skus(&self) -> impl Iterator<Item = &'static str> {
        let (one, items, products) = match self {
            Self::One(order, _) => (Some(order.sku), &[][..], &[][..]),
            Self::Batch { items, .. } => (None, &items[..], &[][..]),
            Self::Say(saying, ..) => (saying.sku(), &[][..], &[][..]),
            Self::Describe { products, .. } => (None, &[][..], &products[..]),
            Self::Identity(..) => (None, &[][..], &[][..]),
        };
        let items = items.iter().map(|(order, _)| order.sku);
        one.into_iter().chain(items).chain(products.iter().map(|(sku, _)| *sku))
    }
}

// One line each, so that a counterexample is readable.
impl fmt::Debug for LevelRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?} {:?}", self.sku, self.expect, self.wish)
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(order, key) => write!(formatter, "One({order:?}, key {key:?})"),
            Self::Batch { atomic, items, key } => {
                write!(formatter, "Batch(atomic {atomic}, {items:?}, key {key:?})")
            }
            Self::Say(saying, expect, key) => write!(formatter, "Say({saying:?} {expect:?}, key {key:?})"),
            Self::Describe { update, products, key } => {
                write!(formatter, "Describe(update {update}, {products:?}, key {key:?})")
            }
            Self::Identity(request, key) => write!(formatter, "Identity({request:?}, key {key:?})"),
        }
    }
}

/// An event as the oracle has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// The SKU; none for the store.
    pub sku: Option<&'static str>,
    /// The type of the event in the log.
    pub kind: &'static str,
    /// The state after the event.
    pub what: What,
    /// The version after the event.
    pub version: u64,
    /// Log time in milliseconds.
    pub at: i64,
}

/// A state after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the events")]
pub enum What {
    /// Pieces on hand, and reserved.
    Level {
        on_hand: i64,
        reserved: i64,
    },
    Product(Option<Goods>),
    Store(u32),
    Threshold(Option<i64>),
    Alert {
        raised: bool,
        qty: i64,
        threshold: Option<i64>,
    },
    Principal(u32, PrincipalModel),
    Token(u32, TokenModel),
    Mode(bool),
}

impl What {
    /// The type in the log, of events that are no movements.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Level { .. } => "a movement",
            Self::Product(_) => "PRODUCT",
            Self::Store(_) => "STORE",
            Self::Threshold(_) => "THRESHOLD",
            Self::Alert { .. } => "ALERT",
            Self::Principal(..) => "PRINCIPAL",
            Self::Token(..) => "TOKEN",
            Self::Mode(_) => "MODE",
        }
    }
}

impl Happened {
    /// On hand, reserved and version, when the event is of a level.
    pub fn level(&self) -> Option<(i64, i64, u64)> {
        match self.what {
            What::Level { on_hand, reserved } => Some((on_hand, reserved, self.version)),
            _ => None,
        }
    }

    /// True when the event is of the level of that SKU.
    pub fn is_of_level(&self, sku: &str) -> bool {
        self.sku == Some(sku) && self.level().is_some()
    }
}

/// The ledger's view of one SKU in the store, each part with its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Pieces on hand, pieces reserved, and version.
    pub level: Option<(i64, i64, u64)>,
    /// The product's details in the catalogue.
    pub product: Option<(Goods, u64)>,
    /// The store's own threshold.
    pub threshold: Option<(i64, u64)>,
    /// The pieces and the threshold that raised the alert, while it is raised.
    pub alert: Option<((i64, i64), u64)>,
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq)]
pub enum OracleAnswer {
    /// The command has its effect, now or from an earlier attempt.
    Done(Done),
    /// The command is rejected: the code, and the operation of a batch that was rejected.
    #[allow(missing_docs, reason = "the variant says it")]
    Refused { code: &'static str, op: Option<u32> },
}

/// The effect of a command.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Done {
    /// The sequence of the first event; 0 when there is none.
    pub sequence: u64,
    /// The events of the command, in order.
    pub events: Vec<Happened>,
    /// (operation, reason): a rejection's code, or `replayed <sequence>`.
    pub unapplied: Vec<(u32, String)>,
    /// The events of replayed operations.
    pub replays: Vec<(u32, Happened)>,
    /// True when the command is a retry.
    pub replayed: bool,
}

/// The payload of a change of one level: a retry must repeat it.
pub fn payload(order: &LevelRequest) -> String {
    format!("{} {:?}", order.sku, order.wish)
}

/// The payload of a batch: a retry must repeat it.
pub fn batch_payload(atomic: bool, items: &[(LevelRequest, Option<u32>)]) -> String {
    let items: Vec<_> = items.iter().map(|(order, key)| (payload(order), key)).collect();
    format!("{atomic} {items:?}")
}
