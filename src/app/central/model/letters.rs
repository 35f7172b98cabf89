//! Dead letters: events that could not be applied, with the reason, and the levels that wait behind them.

use onhand_domain::{Sequence, Sku, StoreId, Timestamp};
use onhand_resilience::Tripped;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::io;
use uuid::Uuid;

/// An event that could not be applied.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeadLetter {
    /// `<node>-<sequence>`: one event has one letter, however often it is read.
    pub id: String,
    /// The node in whose log the event stands.
    pub node: Uuid,
    /// The name of the source.
    pub source: String,
    /// The event's sequence.
    pub sequence: Sequence,
    /// The store of the event's level, if it is known: later events of the level wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<StoreId>,
    /// The SKU of the event's level, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// The reason of the last failure.
    pub reason: String,
    /// The number of attempts.
    pub tries: u32,
    /// The time of the first attempt.
    pub first_at: Timestamp,
    /// The time of the last attempt, or of the closing.
    pub last_at: Timestamp,
    /// The state of the letter.
    pub state: LetterState,
    /// The reason of a discard, or the note of an automatic closing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The time of the event.
    pub at: Timestamp,
    /// The event as it was read; a JSON string when it is no JSON.
    pub event: Box<RawValue>,
}

/// The state of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LetterState {
    /// It waits for an operator.
    Open,
    /// Its event was applied later.
    Redriven,
    /// An operator discarded it with a reason.
    Discarded,
}

/// The part of a log that waits behind a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parked {
    /// The dead letter's sequence; the events of the level from here on wait in the node's log.
    pub from: Sequence,
    /// The number of events that wait behind it so far.
    pub waiting: u64,
}

/// Why a redrive or a discard had no effect.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// There is no letter of that id.
    #[error("there is no dead letter of that id")]
    Unknown,
    /// The letter is redriven or discarded already.
    #[error("this dead letter is closed already")]
    Closed,
    /// The level waits for an earlier event, whose letter has to be closed first.
    #[error("its level waits for an earlier event, that of dead letter {0}")]
    Behind(String),
    /// The source does not deliver now.
    #[error("it cannot be done now: {0}")]
    Source(String),
    /// The breaker of the source is open.
    #[error("its source is not asked now")]
    Breaker(Tripped),
    /// The dead-letter file or the model could not be written.
    #[error("cannot be written")]
    Io(#[from] io::Error),
}

impl DeadLetter {
    /// The id of an event's letter.
    pub fn id_of(node: Uuid, sequence: Sequence) -> String {
        format!("{node}-{sequence}")
    }
}

/// The probable level of an event that cannot be decoded.
pub(crate) fn guess_place(json: &str) -> Option<(StoreId, Sku)> {
    #[derive(Deserialize)]
    struct EventJson {
        payload: PayloadJson,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum PayloadJson {
        /// A level that was taken over.
        Taken {
            level: LevelJson,
        },
        Moved(LevelJson),
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct LevelJson {
        store_id: StoreId,
        sku: Sku,
    }
    let event: EventJson = serde_json::from_str(json).ok()?;
    let (PayloadJson::Taken { level } | PayloadJson::Moved(level)) = event.payload;
    Some((level.store_id, level.sku))
}

/// The event as it was read, as JSON in any case.
pub(crate) fn as_json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap_or_else(|_| {
        let quoted = serde_json::to_string(text).expect("a string always serialises");
        RawValue::from_string(quoted).expect("what was just serialised is JSON")
    })
}
