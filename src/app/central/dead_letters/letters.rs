//! Dead letters: events that could not be applied, kept with the reason, and what waits behind them.

use crate::domain::{Sequence, Sku, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// An event that could not be applied.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeadLetter {
    /// `<node>-<sequence>`: the same event is the same letter, however often it is met.
    pub id: String,
    /// Whose event it is.
    pub node: Uuid,
    /// What the source is called.
    pub source: String,
    /// The event's sequence.
    pub sequence: Sequence,
    /// The level it belongs to, where that can be told: later events of this level wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<StoreId>,
    /// See `store_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// Why it could not be applied, the last time.
    pub reason: String,
    /// How often it was tried.
    pub tries: u32,
    /// When it was first met.
    pub first_at: Timestamp,
    /// When it was last tried or closed.
    pub last_at: Timestamp,
    /// What became of it.
    pub state: LetterState,
    /// Why it was discarded, or what closed it without anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The time of the event.
    pub at: Timestamp,
    /// The event as it was read; a string when it is no JSON.
    pub event: Box<RawValue>,
}

/// What became of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LetterState {
    /// It waits for somebody.
    Open,
    /// It was applied after all.
    Redriven,
    /// It was given up, with a reason.
    Discarded,
}

/// What waits behind a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parked {
    /// The dead letter's sequence; everything of the level from here on waits in the node's log.
    pub from: Sequence,
    /// How many events wait behind it so far.
    pub waiting: u64,
}

impl DeadLetter {
    /// The id of an event's letter.
    pub fn id_of(node: Uuid, sequence: Sequence) -> String {
        format!("{node}-{sequence}")
    }
}

/// The level an event that cannot be read seems to belong to.
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

/// The event as it was read, as JSON whatever it is.
pub(crate) fn as_json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap_or_else(|_| {
        let quoted = serde_json::to_string(text).expect("a string always serialises");
        RawValue::from_string(quoted).expect("what was just serialised is JSON")
    })
}
