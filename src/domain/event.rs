//! Events: what has happened to one state, for ever.

use crate::domain::stock::{LevelAfter, StockFact};
use crate::domain::{Idempotency, Key, imports};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// One event as it stands in an entry.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Unique across all nodes, UUID version 7.
    pub event_id: Uuid,
    /// In a batch: the index of the operation that caused it. Expiries that came first have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<u32>,
    /// In a batch: the idempotency of that operation.
    #[serde(rename = "idem", skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<Idempotency>,
    /// Which kind of fact `payload` is.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// What happened.
    #[serde(rename = "payload")]
    pub fact: Fact,
    /// What the state came to, so that the log can check itself.
    pub after: After,
}

/// The closed list of event types, by the names they have in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the variants are described where their facts are")]
pub enum EventKind {
    Adjust,
    Reserve,
    Release,
    Commit,
    Expire,
    Count,
    Import,
}

impl EventKind {
    /// Every kind; a kind's place is its number in an index, so new ones go to the end.
    pub const ALL: [Self; 7] =
        [Self::Adjust, Self::Reserve, Self::Release, Self::Commit, Self::Expire, Self::Count, Self::Import];

    /// The name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adjust => "ADJUST",
            Self::Reserve => "RESERVE",
            Self::Release => "RELEASE",
            Self::Commit => "COMMIT",
            Self::Expire => "EXPIRE",
            Self::Count => "COUNT",
            Self::Import => "IMPORT",
        }
    }

    /// The kind of that name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind's number in an index.
    pub const fn code(self) -> u32 {
        self as u32
    }
}

/// What an event says; one variant a capability.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Fact {
    /// A movement of a level.
    Stock(StockFact),
    /// A step of a bulk import.
    Import(imports::Progress),
}

impl Fact {
    /// Reads the payload of an event of that kind.
    ///
    /// # Errors
    /// What JSON or the types refuse.
    pub fn decode(kind: EventKind, payload: &str) -> serde_json::Result<Self> {
        use serde_json::from_str;
        Ok(Self::Stock(match kind {
            EventKind::Adjust => StockFact::Adjust(from_str(payload)?),
            EventKind::Reserve => StockFact::Reserve(from_str(payload)?),
            EventKind::Release => StockFact::Release(from_str(payload)?),
            EventKind::Commit => StockFact::Commit(from_str(payload)?),
            EventKind::Expire => StockFact::Expire(from_str(payload)?),
            EventKind::Count => StockFact::Count(from_str(payload)?),
            EventKind::Import => return Ok(Self::Import(from_str(payload)?)),
        }))
    }

    /// Which kind of event says it.
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Stock(StockFact::Adjust(_)) => EventKind::Adjust,
            Self::Stock(StockFact::Reserve(_)) => EventKind::Reserve,
            Self::Stock(StockFact::Release(_)) => EventKind::Release,
            Self::Stock(StockFact::Commit(_)) => EventKind::Commit,
            Self::Stock(StockFact::Expire(_)) => EventKind::Expire,
            Self::Stock(StockFact::Count(_)) => EventKind::Count,
            Self::Import(_) => EventKind::Import,
        }
    }

    /// Which state it moves.
    pub fn key(&self) -> Key {
        match self {
            Self::Stock(fact) => {
                let (store, sku) = fact.place();
                Key::Level(store.clone(), sku.clone())
            }
            Self::Import(progress) => Key::Import(progress.import_id.clone()),
        }
    }
}

/// What a state came to by an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum After {
    /// The level's numbers.
    Level(LevelAfter),
    /// The import's progress.
    Import(imports::ImportAfter),
}

impl Fact {
    /// What the state was before the event, from what it was after; nothing when the two cannot belong together.
    pub fn before(&self, after: After) -> Option<After> {
        match (self, after) {
            (Self::Stock(fact), After::Level(after)) => fact.before(after).map(After::Level),
            (Self::Import(progress), After::Import(after)) => progress.before(after).map(After::Import),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventJson<'a> {
    event_id: Uuid,
    op: Option<u32>,
    idem: Option<Idempotency>,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    payload: &'a RawValue,
    #[serde(borrow)]
    after: &'a RawValue,
}

impl Event {
    /// Reads an event back from a JSON object with at least the members it has in the log; others are skipped.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn decode(json: &[u8]) -> Result<Self, String> {
        let event: EventJson<'_> = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let kind =
            EventKind::parse(event.kind).ok_or_else(|| format!("unknown event type {:?}", event.kind))?;
        let fact = Fact::decode(kind, event.payload.get()).map_err(|error| format!("payload: {error}"))?;
        let after = After::decode(kind, event.after.get()).map_err(|error| format!("after: {error}"))?;
        Ok(Self { event_id: event.event_id, op: event.op, idempotency: event.idem, kind, fact, after })
    }
}

impl After {
    /// Reads what follows an event of that kind.
    ///
    /// # Errors
    /// What JSON or the types refuse.
    pub fn decode(kind: EventKind, json: &str) -> serde_json::Result<Self> {
        match kind {
            EventKind::Import => serde_json::from_str(json).map(Self::Import),
            _ => serde_json::from_str(json).map(Self::Level),
        }
    }

    /// The version the state has now.
    pub const fn version(&self) -> u64 {
        match self {
            Self::Level(level) => level.version,
            Self::Import(import) => import.version,
        }
    }
}
