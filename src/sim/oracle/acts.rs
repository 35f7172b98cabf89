//! What can be asked of a ledger in a play, and what it answers.

use super::Goods;
use std::fmt;

/// What one command or one operation of a batch wants of one level.
#[derive(Clone, PartialEq)]
pub struct Order {
    /// Of which level.
    pub sku: &'static str,
    /// What the caller knows of it.
    pub expect: Expect,
    /// What it is to become.
    pub wish: Wish,
}

/// What the caller knows of the version. Not part of the payload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expect {
    /// Nothing.
    Any,
    /// That it exists.
    Exists,
    /// The version the level is at; not in a batch.
    Right,
    /// Another one.
    Wrong,
}

/// The verbs of stock; a reservation is called by a number.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of the verbs")]
pub enum Wish {
    Adjust(i64),
    Reserve { pieces: i64, id: u32, ttl_seconds: Option<i64> },
    Release { id: u32, pieces: Option<i64> },
    Commit { id: u32, pieces: Option<i64>, close: bool },
    Count(i64),
}

/// Something that is said of a product, of the store, or of a product in the store.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of the commands")]
pub enum Saying {
    Create(&'static str, Goods),
    Replace(&'static str, Goods),
    /// Another threshold, or none, and the rest as it is.
    Change(&'static str, Option<i64>),
    Remove(&'static str),
    Store {
        name: u32,
        create: bool,
    },
    /// The store's own threshold, or none of its own.
    Threshold(&'static str, Option<i64>),
}

/// A command with the keys by which a retry is known.
#[derive(Clone, PartialEq)]
pub enum Act {
    /// One order, and the key of the command.
    One(Order, Option<u32>),
    /// Several, each with a key of its own, and the key of the whole.
    #[allow(missing_docs, reason = "the variant says it")]
    Batch { atomic: bool, items: Vec<(Order, Option<u32>)>, key: Option<u32> },
    /// Something is said, with what the caller knows of its version, and the key of the command.
    Say(Saying, Expect, Option<u32>),
    /// Products are described, each by itself; what the catalogue says otherwise is replaced, or the word refused. And the key.
    #[allow(missing_docs, reason = "the variant says it")]
    Describe { update: bool, products: Vec<(&'static str, Goods)>, key: Option<u32> },
}

impl Saying {
    /// Of which SKU; none for the store.
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
    /// The SKUs it is about.
    pub fn skus(&self) -> impl Iterator<Item = &'static str> {
        let (one, items, products) = match self {
            Self::One(order, _) => (Some(order.sku), &[][..], &[][..]),
            Self::Batch { items, .. } => (None, &items[..], &[][..]),
            Self::Say(saying, ..) => (saying.sku(), &[][..], &[][..]),
            Self::Describe { products, .. } => (None, &[][..], &products[..]),
        };
        let items = items.iter().map(|(order, _)| order.sku);
        one.into_iter().chain(items).chain(products.iter().map(|(sku, _)| *sku))
    }
}

// In one line each: a counterexample is read by a person.
impl fmt::Debug for Order {
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
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// Of which SKU; none for the store.
    pub sku: Option<&'static str>,
    /// Its type in the log.
    pub kind: &'static str,
    /// What it came to.
    pub what: What,
    /// The version of that, after it.
    pub version: u64,
    /// Log time in milliseconds.
    pub at: i64,
}

/// What something came to by an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the events")]
pub enum What {
    /// Pieces there, and promised.
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
}

impl What {
    /// The type in the log of what is no movement.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Level { .. } => "a movement",
            Self::Product(_) => "PRODUCT",
            Self::Store(_) => "STORE",
            Self::Threshold(_) => "THRESHOLD",
            Self::Alert { .. } => "ALERT",
        }
    }
}

impl Happened {
    /// On hand, reserved and version, when it is of a level.
    pub fn level(&self) -> Option<(i64, i64, u64)> {
        match self.what {
            What::Level { on_hand, reserved } => Some((on_hand, reserved, self.version)),
            _ => None,
        }
    }

    /// True when it is of the level of that SKU.
    pub fn is_of_level(&self, sku: &str) -> bool {
        self.sku == Some(sku) && self.level().is_some()
    }
}

/// What a ledger shows of one SKU in the store; each with its version, as far as there is any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// On hand, reserved.
    pub level: Option<(i64, i64, u64)>,
    /// What is said of the product.
    pub product: Option<(Goods, u64)>,
    /// The store's own threshold.
    pub threshold: Option<(i64, u64)>,
    /// The pieces and the threshold that raised an alert which is not cleared.
    pub alert: Option<((i64, i64), u64)>,
}

/// What a command comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It had its effect, now or before.
    Done(Done),
    /// It changed nothing: the code, and the operation of a batch that earned it.
    #[allow(missing_docs, reason = "the variant says it")]
    Refused { code: &'static str, op: Option<u32> },
}

/// An effect.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Done {
    /// Of its first event; 0 when there is none.
    pub sequence: u64,
    /// What happened.
    pub events: Vec<Happened>,
    /// (operation, why): a rejection's code, or `replayed <sequence>`.
    pub unapplied: Vec<(u32, String)>,
    /// What replayed operations had come to.
    pub replays: Vec<(u32, Happened)>,
    /// True when that was before.
    pub replayed: bool,
}

/// The payload of an order, as far as a retry must repeat it.
pub fn payload(order: &Order) -> String {
    format!("{} {:?}", order.sku, order.wish)
}

/// The same of a batch.
pub fn batch_payload(atomic: bool, items: &[(Order, Option<u32>)]) -> String {
    let items: Vec<_> = items.iter().map(|(order, key)| (payload(order), key)).collect();
    format!("{atomic} {items:?}")
}
