//! One connection of a load, from its first request to its last.

use std::cell::{Cell, RefCell};
use std::io;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::sync::mpsc::UnboundedReceiver;

use super::keys::Picker;
use super::options::{BenchArgs, Overload, Workload};
use super::request::Requests;
use super::tally::LoadTally;
use super::target::{Span, Target};
use super::wire::{Connection, Reply};

/// Wait before a lost connection is opened again.
const RECONNECT_AFTER: Duration = Duration::from_millis(50);

/// The state that the connections of a thread share.
pub(super) struct Caller {
    address: String,
    picker: Picker,
    requests: Requests,
    span: Span,
    batch: bool,
    overload: Option<Overload>,
    /// Last version seen of each SKU; empty when If-Match is not sent.
    versions: RefCell<Vec<u64>>,
    random: RefCell<Rng>,
    /// Requests made so far; each has its own idempotency key.
    made: Cell<u64>,
    ended: Cell<u64>,
}

impl Caller {
    pub(super) fn new(
        args: &BenchArgs,
        target: &Target,
        picker: Picker,
        requests: Requests,
        span: Span,
    ) -> Self {
        let versions = if args.if_match && args.workload != Workload::Batch {
            vec![0; args.skus as usize]
        } else {
            Vec::new()
        };
        Self {
            address: target.address.clone(),
            picker,
            requests,
            span,
            batch: args.workload == Workload::Batch,
            overload: args.overload,
            versions: RefCell::new(versions),
            random: RefCell::new(Rng::new()),
            made: Cell::new(0),
            ended: Cell::new(0),
        }
    }

    /// The number of connections that have ended.
    pub(super) fn ended(&self) -> u64 {
        self.ended.get()
    }

    /// Sends requests until the span is over: one after another, or at their due times.
    pub(super) async fn run(&self, mut due: Option<UnboundedReceiver<Instant>>, tally: &RefCell<LoadTally>) {
        let mut connection = None;
        let mut buffer = Vec::new();
        while let Some(since) = self.next(&mut due).await {
            if let Err(error) = self.one(&mut connection, &mut buffer, since, tally).await {
                connection = None;
                tally.borrow_mut().lost(|| format!("connection to {}: {error}", self.address));
                tokio::time::sleep(RECONNECT_AFTER).await;
            }
        }
        self.ended.set(self.ended.get() + 1);
    }

    /// The moment from which the next request's latency counts.
    async fn next(&self, due: &mut Option<UnboundedReceiver<Instant>>) -> Option<Instant> {
        match due {
            Some(due) => due.recv().await,
            None => Some(Instant::now()).filter(|now| *now < self.span.until),
        }
    }

    async fn one(
        &self,
        connection: &mut Option<Connection>,
        buffer: &mut Vec<u8>,
        since: Instant,
        tally: &RefCell<LoadTally>,
    ) -> io::Result<()> {
        let sku = self.picker.next(&mut self.random.borrow_mut());
        let version = self.versions.borrow().get(sku as usize).copied().filter(|version| *version > 0);
        let number = self.made.get();
        self.made.set(number + 1);
        self.requests.write(buffer, sku, number, version);
        let connection = match connection {
            Some(connection) => connection,
            closed => closed.insert(Connection::open(&self.address).await?),
        };
        let reply = connection.exchange(buffer).await?;
        if self.overload.is_some() && matches!(reply.status, 429 | 503) {
            let seconds = reply.retry_after;
            if since >= self.span.from {
                tally.borrow_mut().turned_away(reply.status, since.elapsed());
            }
            if self.overload == Some(Overload::Wait) {
                let asked = Duration::from_secs(seconds.unwrap_or(1));
                let late = self.random.borrow_mut().f64();
                tokio::time::sleep(asked.mul_f64(1.0 + late)).await;
            }
            return Ok(());
        }
        self.count(&reply, sku, since, &mut tally.borrow_mut());
        Ok(())
    }

    fn count(&self, reply: &Reply<'_>, sku: u32, since: Instant, tally: &mut LoadTally) {
        if let (Some(seen), Some(known)) = (reply.version, self.versions.borrow_mut().get_mut(sku as usize)) {
            *known = seen.max(*known);
        }
        if since >= self.span.from {
            tally.answered(reply.status, since.elapsed());
        }
        let conflict_is_fine = reply.status == 409 && !self.versions.borrow().is_empty();
        if !(200..300).contains(&reply.status) && !conflict_is_fine {
            tally.unexpected += 1;
            tally.fault(|| format!("status {}: {}", reply.status, String::from_utf8_lossy(reply.body)));
        } else if self.batch {
            let refused = refused_operations(reply.body);
            tally.refused += refused;
            if refused > 0 {
                tally.fault(|| format!("{refused} operations of a batch were refused"));
            }
        }
    }
}

/// The number behind `"refused":` at the end of a batch's answer.
fn refused_operations(body: &[u8]) -> u64 {
    let tail = body.get(body.len().saturating_sub(64)..).unwrap_or_default();
    let text = String::from_utf8_lossy(tail);
    let Some((_, number)) = text.rsplit_once("\"refused\":") else { return 0 };
    let digits = number.trim_start();
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::refused_operations;

    #[test]
    fn refused_operations_are_seen_without_reading_all_of_an_answer() {
        let table = [
            (r#"{"results":[{"status":200}],"applied":1,"refused":0}"#, 0),
            (r#"{"results":[],"applied":7,"refused":12}"#, 12),
            (r#"{"results":[],"refused": 3, "applied":7}"#, 3),
            ("{}", 0),
            ("", 0),
        ];
        for (body, refused) in table {
            assert_eq!(refused_operations(body.as_bytes()), refused, "{body}");
        }
    }
}
