//! Events: one change of one state, immutable.

use crate::{After, EventKind, Fact, Idempotency};
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
    /// The kind of the fact in `payload`.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The fact, with its payload.
    #[serde(rename = "payload")]
    pub fact: Fact,
    /// The numbers of the state after the event, so that the log can be checked against itself.
    pub after: After,
}

impl EventKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; Self::UNSORTED.len()] = Self::sorted();

    #[allow(clippy::indexing_slicing, reason = "a constant: a place out of bounds does not compile")]
    const fn sorted() -> [Self; Self::UNSORTED.len()] {
        let mut all = [Self::Take; Self::UNSORTED.len()];
        let mut rest = Self::UNSORTED;
        while let [kind, others @ ..] = rest {
            let (mut place, mut before) = (0, Self::UNSORTED);
            while let [one, behind @ ..] = before {
                place += (one.code() < kind.code()) as usize;
                before = behind;
            }
            all[place] = *kind;
            rest = others;
        }
        all
    }

    /// The kind of that name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind's number in an index, below [`EventKind::NUMBERS`].
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The size of the number range in an index.
    pub const NUMBERS: u32 = 64;
}

const _: () = {
    // Two kinds with one number would leave a place with the initial kind.
    let (mut place, mut rest) = (0, EventKind::ALL.as_slice());
    while let [kind, others @ ..] = rest {
        assert!(
            kind.code() >= place && kind.code() < EventKind::NUMBERS,
            "each kind has a number of its own"
        );
        place = kind.code() + 1;
        rest = others;
    }
};

impl Event {
    /// Reads an event back from a JSON object with at least the members it has in the log; others are skipped.
    ///
    /// # Errors
    /// The reason, for a person.
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

/// Decodes an event in one pass: in the log the type stands in front of the members that depend on it. In other
/// JSON it may stand behind them.
struct EventVisitor;

/// Reads the payload of an event of that kind.
struct FactOf(EventKind);

impl<'de> DeserializeSeed<'de> for FactOf {
    type Value = Fact;

    fn deserialize<D: Deserializer<'de>>(self, payload: D) -> Result<Fact, D::Error> {
        Fact::read(self.0, payload)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum EventMember {
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
        let mut early_fact = None;
        while let Some(member) = members.next_key()? {
            match member {
                EventMember::EventId => event_id = Some(members.next_value()?),
                EventMember::Op => op = members.next_value()?,
                EventMember::Idem => idempotency = members.next_value()?,
                EventMember::Type => kind = Some(members.next_value()?),
                EventMember::Payload => match kind {
                    Some(kind) => fact = Some(members.next_value_seed(FactOf(kind))?),
                    None => early_fact = Some(members.next_value::<&RawValue>()?),
                },
                EventMember::After => after = Some(members.next_value::<&RawValue>()?),
                EventMember::Other => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        let kind = kind.ok_or_else(|| A::Error::missing_field("type"))?;
        if let Some(early) = early_fact {
            fact = Some(FactOf(kind).deserialize(early).map_err(A::Error::custom)?);
        }
        let fact = fact.ok_or_else(|| A::Error::missing_field("payload"))?;
        let after = after.ok_or_else(|| A::Error::missing_field("after"))?;
        let after = After::read(&fact, after.get()).map_err(A::Error::custom)?;
        Ok(Event {
            event_id: event_id.ok_or_else(|| A::Error::missing_field("eventId"))?,
            op,
            idempotency,
            kind,
            fact,
            after,
        })
    }
}

impl After {
    /// Reads the numbers that an event with this fact records: under a tag, or without one, as before format 2 and in the feed.
    fn read(fact: &Fact, json: &str) -> Result<Self, serde_json::Error> {
        let first = json.split('"').nth(1).unwrap_or_default();
        if Self::TAGS.contains(&first) { serde_json::from_str(json) } else { Self::untagged(fact, json) }
    }
}
