//! Events: what has happened to one state, for ever.

use crate::domain::catalogue::MasterAfter;
use crate::domain::clock::ClockAfter;
use crate::domain::low_stock::AlertAfter;
use crate::domain::stock::{LevelAfter, StockFact};
use crate::domain::{Fact, Idempotency, imports};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::fmt;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    Take,
    Clock,
    Product,
    Store,
    Threshold,
    Alert,
}

impl EventKind {
    /// Every kind; a kind's place is its number in an index, so new ones go to the end.
    pub const ALL: [Self; 13] = [
        Self::Adjust,
        Self::Reserve,
        Self::Release,
        Self::Commit,
        Self::Expire,
        Self::Count,
        Self::Import,
        Self::Take,
        Self::Clock,
        Self::Product,
        Self::Store,
        Self::Threshold,
        Self::Alert,
    ];

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
            Self::Take => "TAKE",
            Self::Clock => "CLOCK",
            Self::Product => "PRODUCT",
            Self::Store => "STORE",
            Self::Threshold => "THRESHOLD",
            Self::Alert => "ALERT",
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

/// What a state came to by an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum After {
    /// The level's numbers.
    Level(LevelAfter),
    /// The import's progress.
    Import(imports::ImportAfter),
    /// Where the log's time is now.
    Clock(ClockAfter),
    /// The version of what is said of a product or a store, or of a threshold.
    Master(MasterAfter),
    /// Whether the level is low.
    Alert(AlertAfter),
}

impl Event {
    /// Reads an event back from a JSON object with at least the members it has in the log; others are skipped.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn decode(json: &str) -> Result<Self, String> {
        if let Some((event, length)) = Self::as_written(json)
            && length == json.len()
        {
            return Ok(event);
        }
        serde_json::from_str(json).map_err(|error| error.to_string())
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor)
    }
}

/// Reads an event in one go: the type that says what the others must be stands in front of them in the log. Elsewhere
/// it may stand behind them.
struct EventVisitor;

/// Reads the payload of an event of that kind.
struct FactOf(EventKind);

impl<'de> DeserializeSeed<'de> for FactOf {
    type Value = Fact;

    fn deserialize<D: Deserializer<'de>>(self, payload: D) -> Result<Fact, D::Error> {
        Ok(Fact::Stock(match self.0 {
            EventKind::Adjust => StockFact::Adjust(Deserialize::deserialize(payload)?),
            EventKind::Reserve => StockFact::Reserve(Deserialize::deserialize(payload)?),
            EventKind::Release => StockFact::Release(Deserialize::deserialize(payload)?),
            EventKind::Commit => StockFact::Commit(Deserialize::deserialize(payload)?),
            EventKind::Expire => StockFact::Expire(Deserialize::deserialize(payload)?),
            EventKind::Count => StockFact::Count(Deserialize::deserialize(payload)?),
            EventKind::Import => return Deserialize::deserialize(payload).map(Fact::Import),
            EventKind::Take => return Deserialize::deserialize(payload).map(Fact::Take),
            EventKind::Clock => return Deserialize::deserialize(payload).map(Fact::Clock),
            EventKind::Product => return Deserialize::deserialize(payload).map(Fact::Product),
            EventKind::Store => return Deserialize::deserialize(payload).map(Fact::Store),
            EventKind::Threshold => return Deserialize::deserialize(payload).map(Fact::Threshold),
            EventKind::Alert => return Deserialize::deserialize(payload).map(Fact::Alert),
        }))
    }
}

/// Reads what an event of that kind leads to.
struct AfterOf(EventKind);

impl<'de> DeserializeSeed<'de> for AfterOf {
    type Value = After;

    fn deserialize<D: Deserializer<'de>>(self, after: D) -> Result<After, D::Error> {
        match self.0 {
            EventKind::Import => Deserialize::deserialize(after).map(After::Import),
            EventKind::Take => AfterAny::deserialize(after).map(After::from),
            EventKind::Clock => Deserialize::deserialize(after).map(After::Clock),
            EventKind::Product | EventKind::Store | EventKind::Threshold => {
                Deserialize::deserialize(after).map(After::Master)
            }
            EventKind::Alert => Deserialize::deserialize(after).map(After::Alert),
            _ => Deserialize::deserialize(after).map(After::Level),
        }
    }
}

/// What a state is that is taken over; whether it is that of the payload is seen when the event is applied.
#[derive(Deserialize)]
#[serde(untagged)]
enum AfterAny {
    Level(LevelAfter),
    Import(imports::ImportAfter),
    Alert(AlertAfter),
    Master(MasterAfter),
}

impl From<AfterAny> for After {
    fn from(after: AfterAny) -> Self {
        match after {
            AfterAny::Level(level) => Self::Level(level),
            AfterAny::Import(import) => Self::Import(import),
            AfterAny::Master(master) => Self::Master(master),
            AfterAny::Alert(alert) => Self::Alert(alert),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Member {
    EventId,
    Op,
    Idem,
    Type,
    Payload,
    After,
    #[serde(other)]
    Other,
}

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Event;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Event, A::Error> {
        let (mut event_id, mut op, mut idempotency) = (None, None, None);
        let (mut kind, mut fact, mut after) = (None, None, None);
        let (mut early_fact, mut early_after) = (None, None);
        while let Some(member) = members.next_key()? {
            match member {
                Member::EventId => event_id = Some(members.next_value()?),
                Member::Op => op = members.next_value()?,
                Member::Idem => idempotency = members.next_value()?,
                Member::Type => kind = Some(members.next_value()?),
                Member::Payload => match kind {
                    Some(kind) => fact = Some(members.next_value_seed(FactOf(kind))?),
                    None => early_fact = Some(members.next_value::<&RawValue>()?),
                },
                Member::After => match kind {
                    Some(kind) => after = Some(members.next_value_seed(AfterOf(kind))?),
                    None => early_after = Some(members.next_value::<&RawValue>()?),
                },
                Member::Other => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        let kind = kind.ok_or_else(|| A::Error::missing_field("type"))?;
        if let Some(early) = early_fact {
            fact = Some(FactOf(kind).deserialize(early).map_err(A::Error::custom)?);
        }
        if let Some(early) = early_after {
            after = Some(AfterOf(kind).deserialize(early).map_err(A::Error::custom)?);
        }
        Ok(Event {
            event_id: event_id.ok_or_else(|| A::Error::missing_field("eventId"))?,
            op,
            idempotency,
            kind,
            fact: fact.ok_or_else(|| A::Error::missing_field("payload"))?,
            after: after.ok_or_else(|| A::Error::missing_field("after"))?,
        })
    }
}

impl After {
    /// The version the state has now.
    pub const fn version(&self) -> u64 {
        match self {
            Self::Level(level) => level.version,
            Self::Import(import) => import.version,
            Self::Clock(clock) => clock.version,
            Self::Master(master) => master.version,
            Self::Alert(alert) => alert.version,
        }
    }
}
