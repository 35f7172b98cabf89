//! An event of the feed as JSON.

use crate::response::actor;
use crate::stock::level_body::NumbersBody;
use onhand_app::feed::FeedEvent;
use onhand_domain::{After, EventKind, Fact, Numbers, Sequence, Timestamp};
use serde::Serialize;
use uuid::Uuid;

/// One event with the state that it changed, before and after.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventBody<'a> {
    sequence: Sequence,
    node: Uuid,
    event_id: Uuid,
    ts: Timestamp,
    #[serde(rename = "type")]
    kind: EventKind,
    payload: &'a Fact,
    before: NumbersShown,
    after: NumbersShown,
    actor: &'a str,
    request_id: Option<&'a str>,
}

/// The numbers of a state as the feed shows them: those of a level with its sellable pieces.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum NumbersShown {
    Level(NumbersBody),
    Other(Numbers),
}

impl<'a> EventBody<'a> {
    /// An event of the log of `node`.
    pub(crate) fn of(node: Uuid, event: &'a FeedEvent) -> Self {
        let FeedEvent { movement, before } = event;
        Self {
            sequence: movement.sequence,
            node,
            event_id: movement.event.event_id,
            ts: movement.at,
            kind: movement.event.kind,
            payload: &movement.event.fact,
            before: (*before).into(),
            after: movement.event.after.into(),
            actor: actor::shown(movement.actor.as_deref()),
            request_id: movement.request_id.as_deref(),
        }
    }

    /// Its sequence in the log.
    pub(crate) fn sequence(&self) -> Sequence {
        self.sequence
    }
}

impl From<After> for NumbersShown {
    fn from(after: After) -> Self {
        match after {
            After::Level(numbers) => Self::Level(numbers.into()),
            other => Self::Other(other.numbers()),
        }
    }
}
