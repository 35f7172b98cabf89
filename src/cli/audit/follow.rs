//! The audit table as it grows, over as many connections as it takes.

use super::options::{AuditArgs, Output};
use super::row::Row;
use crate::tail::frames::Frames;
use crate::terminal::client::{BACKOFF, ClientError, NodeClient};
use crate::terminal::print::print_unless_closed;
use onhand_runtime::exit::{Exit, Failure};
use std::time::Duration;

/// The node sends a heartbeat every 15 s; after three missing ones the connection is dead.
const SILENCE_MAX: Duration = Duration::from_secs(45);
const SSE: &str = "text/event-stream";

/// Why a connection ended.
enum Ended {
    /// The reader of stdout is gone.
    Done,
    /// The connection was lost; a reconnect may help.
    Lost(String),
}

/// Prints rows until interrupted; after a loss it goes on behind the last one.
///
/// # Errors
/// [`Exit::Unavailable`] when the node refuses, or does not answer the first time.
pub(super) async fn follow(client: &NodeClient, args: &AuditArgs, path: &str) -> Result<Exit, Failure> {
    let (mut place, mut losses, mut answered) = (None, 0, false);
    loop {
        let before = place.clone();
        let reason = match client.open_stream(path, SSE, place.as_deref()).await {
            Ok(response) => {
                answered = true;
                match read(response, args, &mut place).await? {
                    Ended::Done => return Ok(Exit::Ok),
                    Ended::Lost(reason) => reason,
                }
            }
            Err(ClientError::Unreachable { reason, .. }) if answered => reason,
            Err(ClientError::Refused { status, .. }) if answered && status.is_server_error() => {
                format!("the node answered {status}")
            }
            Err(error) => return Err(error.into()),
        };
        losses = if place == before { losses + 1 } else { 0 };
        eprintln!("onhand: {reason}; going on as soon as the node answers");
        tokio::time::sleep(BACKOFF.wait(losses)).await;
    }
}

async fn read(
    mut response: reqwest::Response,
    args: &AuditArgs,
    place: &mut Option<String>,
) -> Result<Ended, Failure> {
    let mut frames = Frames::default();
    loop {
        let piece = match tokio::time::timeout(SILENCE_MAX, response.chunk()).await {
            Ok(Ok(Some(piece))) => piece,
            Ok(Ok(None)) => return Ok(Ended::Lost("the node ended the connection".to_owned())),
            Ok(Err(error)) => return Ok(Ended::Lost(format!("the connection was lost ({error})"))),
            Err(_) => return Ok(Ended::Lost("the node is silent".to_owned())),
        };
        let Ok(complete) = frames.push(&piece) else {
            return Err(Failure::new(Exit::Unavailable, "the answer is no audit table of an Onhand server"));
        };
        for data in complete {
            let row: Row = serde_json::from_str(&data).map_err(|error| {
                Failure::new(Exit::Unavailable, format!("a row cannot be read ({error}): {data}"))
            })?;
            let line = if args.output == Output::Json { data } else { row.line() };
            if !print_unless_closed(format!("{line}\n"))? {
                return Ok(Ended::Done);
            }
            *place = Some(row.id);
        }
    }
}
