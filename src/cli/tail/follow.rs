//! A followed feed: its position, the check that no event is missing, and the reconnect after a loss.

use super::frames::Frames;
use super::item::Item;
use super::options::TailArgs;
use crate::terminal::client::{BACKOFF, ClientError, NodeClient, query_value};
use crate::terminal::print::print_unless_closed;
use onhand_runtime::exit::{Exit, Failure};
use serde::Deserialize;
use std::fmt::Write;
use std::time::Duration;

/// The node sends a heartbeat every 15 s; after three missing ones the connection is dead.
const SILENCE_MAX: Duration = Duration::from_secs(45);

/// The end of a log, and the node it belongs to.
#[derive(Debug, Deserialize)]
struct End {
    node: String,
    end: u64,
}

/// A feed that is followed over several connections.
pub(super) struct FollowedFeed<'a> {
    client: &'a NodeClient,
    args: &'a TailArgs,
    node: String,
    /// Every event up to this sequence has been printed, or filtered out.
    position: u64,
    printed: u64,
}

/// Why a connection ended.
enum Ended {
    /// All requested events are printed, or the reader of stdout is gone.
    Done,
    /// The connection was lost; a reconnect may help.
    Lost(String),
}

impl<'a> FollowedFeed<'a> {
    /// Reads the end of the node's log.
    pub(super) async fn begin(client: &'a NodeClient, args: &'a TailArgs) -> Result<Self, Failure> {
        let End { node, end } = client.get("/events?limit=0").await?;
        let position = args.after.unwrap_or_else(|| end.saturating_sub(args.last));
        Ok(Self { client, args, node, position, printed: 0 })
    }

    /// Follows the feed, connection after connection.
    pub(super) async fn run(mut self) -> Result<Exit, Failure> {
        let mut losses = 0;
        loop {
            let before = self.position;
            let reason = match self.one_connection().await? {
                Ended::Done => return Ok(Exit::Ok),
                Ended::Lost(reason) => reason,
            };
            losses = if self.position > before { 0 } else { losses + 1 };
            eprintln!("onhand: {reason}; going on after {} as soon as the node answers", self.position);
            self.wait_for_the_node(losses).await?;
        }
    }

    /// Waits until the node answers again, and checks that it has the same log.
    async fn wait_for_the_node(&self, losses: u32) -> Result<(), Failure> {
        tokio::time::sleep(BACKOFF.wait(losses)).await;
        let End { node, end } = loop {
            match self.client.get("/events?limit=0").await {
                Ok(end) => break end,
                Err(ClientError::Unreachable { .. }) => {}
                Err(ClientError::Refused { status, .. }) if status.is_server_error() => {}
                Err(error) => return Err(error.into()),
            }
        };
        if node != self.node {
            let message = format!("it is node {node} now, it was {} before; start tail anew", self.node);
            return Err(Failure::new(Exit::Data, message));
        }
        if end < self.position && self.printed > 0 {
            let message = format!(
                "the log ends at {end} now, but {} was printed already: it was restored or repaired; start tail anew",
                self.position
            );
            return Err(Failure::new(Exit::Data, message));
        }
        Ok(())
    }

    async fn one_connection(&mut self) -> Result<Ended, Failure> {
        let mut response = match self.client.open_feed(&self.path(), self.position).await {
            Ok(response) => response,
            Err(ClientError::Unreachable { reason, .. }) => return Ok(Ended::Lost(reason)),
            Err(ClientError::Refused { status, .. }) if status.is_server_error() => {
                return Ok(Ended::Lost(format!("the node answered {status}")));
            }
            Err(error) => return Err(error.into()),
        };
        let mut frames = Frames::default();
        loop {
            let piece = match tokio::time::timeout(SILENCE_MAX, response.chunk()).await {
                Ok(Ok(Some(piece))) => piece,
                Ok(Ok(None)) => return Ok(Ended::Lost("the node ended the connection".to_owned())),
                Ok(Err(error)) => return Ok(Ended::Lost(format!("the connection was lost ({error})"))),
                Err(_) => return Ok(Ended::Lost("the node is silent".to_owned())),
            };
            let Ok(complete) = frames.push(&piece) else {
                return Err(Failure::new(Exit::Unavailable, "the answer is no feed of an Onhand server"));
            };
            for data in complete {
                if !self.take(&data)? {
                    return Ok(Ended::Done);
                }
            }
        }
    }

    /// Prints one event if it is the next one. False when that was the last one requested.
    fn take(&mut self, data: &str) -> Result<bool, Failure> {
        let item: Item = serde_json::from_str(data).map_err(|error| {
            let message = format!("an event of the feed cannot be read ({error}): {data}");
            Failure::new(Exit::Unavailable, message)
        })?;
        if item.node != self.node {
            let message = format!("an event of node {} stands in the feed of {}", item.node, self.node);
            return Err(Failure::new(Exit::Data, message));
        }
        let next = self.position + 1;
        if item.sequence < next || (item.sequence > next && !self.filters()) {
            let message = format!("sequence {} follows {} in the feed", item.sequence, self.position);
            return Err(Failure::new(Exit::Data, message));
        }
        let line = if self.args.json { data.replace('\n', " ") } else { item.line() };
        if !print_unless_closed(format!("{line}\n"))? {
            return Ok(false);
        }
        self.position = item.sequence;
        self.printed += 1;
        Ok(self.args.count.is_none_or(|count| self.printed < count))
    }

    fn filters(&self) -> bool {
        self.args.store.is_some() || self.args.sku.is_some() || self.args.kind.is_some()
    }

    fn path(&self) -> String {
        let filters = [
            ("storeId", self.args.store.as_ref().map(ToString::to_string)),
            ("sku", self.args.sku.as_ref().map(ToString::to_string)),
            ("type", self.args.kind.clone()),
        ];
        let mut path = String::from("/events");
        let mut mark = '?';
        for (name, value) in filters {
            if let Some(value) = value {
                // Writing to a String cannot fail.
                let _ = write!(path, "{mark}{name}={}", query_value(&value));
                mark = '&';
            }
        }
        path
    }
}
