//! Another process's data directory as a source: reads the entries up to its mark, writes nothing.
//!
//! The mark is written after each sync and not synced itself, so after a power cut it may be behind the last event
//! read before, or missing. Then the log itself decides: as long as it still has that event, it has lost nothing,
//! and there is nothing new until the mark moves on. If it does not, acknowledged events are gone, and the reported
//! end shows that.

use crate::format::identity::{NodeFile, read_node};
use crate::format::mark::read_mark;
use crate::sources::tail::{Tail, unavailable};
use onhand_app::blocking;
use onhand_app::ports::{Delivery, EventSource, News, Reading, SourceError};
use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_domain::Sequence;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// Interval between two reads of the mark while nothing new has come.
const CHECK_EVERY: Duration = Duration::from_millis(25);

/// [`EventSource`] over the data directory of a node that runs elsewhere on this machine, or does not run.
pub struct DirectorySource {
    name: String,
    tail: Arc<Mutex<Tail>>,
}

impl DirectorySource {
    /// The events of the node in that data directory, which need not exist yet.
    pub fn new(disk: Arc<dyn Disk>, layout: Layout) -> Self {
        let name = layout.root().display().to_string();
        Self { name, tail: Arc::new(Mutex::new(Tail::new(disk, layout))) }
    }
}

impl EventSource for DirectorySource {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&self, after: Sequence, limit: usize) -> Reading<'_> {
        let tail = Arc::clone(&self.tail);
        Box::pin(blocking(move || deliver(&mut tail.lock(), after, limit)))
    }

    fn news(&self, after: Sequence, wait_max: Duration) -> News<'_> {
        Box::pin(async move {
            let looking = async {
                loop {
                    tokio::time::sleep(CHECK_EVERY).await;
                    let tail = Arc::clone(&self.tail);
                    let mark = blocking(move || {
                        let tail = tail.lock();
                        read_mark(tail.disk(), &tail.layout().mark())
                    });
                    if mark.await.is_ok_and(|mark| mark > after) {
                        break;
                    }
                }
            };
            // A timeout needs no handling: the caller asks again.
            let _ = tokio::time::timeout(wait_max, looking).await;
        })
    }
}

fn deliver(tail: &mut Tail, after: Sequence, limit: usize) -> Result<Delivery, SourceError> {
    let found = read_node(tail.disk(), tail.layout()).map_err(|error| unavailable(&error))?;
    let Some(NodeFile { node, ledger, .. }) = found else {
        let reason = format!("there is no node in {} yet", tail.layout().root().display());
        return Err(SourceError::Unavailable(reason));
    };
    let mark = read_mark(tail.disk(), &tail.layout().mark()).map_err(|error| unavailable(&error))?;
    let end = if mark < after && tail.holds(node, after) { after } else { mark };
    let events = tail.read(node, after, limit, end)?;
    Ok(Delivery { node, ledger: ledger.unwrap_or(node), end, events })
}
