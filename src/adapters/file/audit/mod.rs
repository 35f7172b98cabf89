//! The audit: reads a whole data directory and says what does not hold. Changes nothing.
//!
//! It can be run beside a living node: then only what the mark says is durable counts, and what stands behind it is in
//! flight. Checked are
//! - of each log: the chain of every segment and between them, with every file that cannot be read; sequences, batches and times;
//!   that each event fits its state and leads to the numbers it recorded; that holds end when they may, and alerts are of their
//!   levels (`rules`); that each snapshot is the sum of the log up to its sequence; that each index is whole; that the log reaches as
//!   far as the mark, and not beyond the end that others gave it;
//! - of all logs of the directory together, which are read side by side, in the order of time (`course`): that event ids and
//!   idempotency keys happen once (`once`), and that no years pass without a sign; what one log takes over from another
//!   (`shared`); and of the states that all of them come to, that each alert agrees with its level (`low_stock`).

mod auditor;
mod course;
mod derived;
mod low_stock;
mod once;
mod reading;
pub mod repair;
mod report;
mod rules;
mod shared;

pub use report::{Audit, Break, Finding};
pub use shared::{DirectoryAudit, audit_directory, audit_directory_for};

use crate::adapters::file::disk::Disk;
use crate::adapters::file::disk::layout::Layout;
use crate::adapters::file::format::identity::DirectoryLock;
use crate::adapters::file::recovery::OpenError;
use auditor::Auditor;
use course::Course;

/// How long an idempotency key is remembered, in milliseconds, unless somebody says otherwise: as the node has it.
const IDEMPOTENCY_TTL_MS: i64 = 300_000;

/// Audits a data directory that the caller holds himself, for what it adds up to.
pub(super) fn audit_held(
    disk: &dyn Disk,
    layout: &Layout,
    _lock: &DirectoryLock,
) -> Result<Audit, OpenError> {
    let auditor = Auditor::begin(disk, layout, None, false)?;
    Ok(run(vec![auditor], None).pop().expect("one audit of one log"))
}

/// Audits a data directory of one log.
///
/// # Errors
/// [`OpenError`] when it is none, or cannot be read at all.
pub fn audit(disk: &dyn Disk, layout: &Layout) -> Result<Audit, OpenError> {
    let live = DirectoryLock::holder(disk, layout).map_err(OpenError::at(&layout.lock()))?;
    let auditor = Auditor::begin(disk, layout, live, false)?;
    Ok(run(vec![auditor], Some(IDEMPOTENCY_TTL_MS)).pop().expect("one audit of one log"))
}

/// Lets auditors go through their logs, side by side, in the order of time.
fn run(mut auditors: Vec<Auditor<'_>>, idempotency_ttl_ms: Option<i64>) -> Vec<Audit> {
    let logs = auditors.iter().map(|auditor| auditor.layout.root().to_path_buf()).collect();
    let mut course = Course::new(logs, idempotency_ttl_ms);
    auditors.iter_mut().for_each(Auditor::advance);
    let at = |(_, auditor): &(usize, &mut Auditor<'_>)| Some(auditor.next.as_ref()?.1.at);
    loop {
        let waiting = auditors.iter_mut().enumerate().filter(|(_, auditor)| auditor.next.is_some());
        let Some((log, auditor)) = waiting.min_by_key(at) else { break };
        auditor.look(log, &mut course);
        auditor.advance();
    }
    for (log, auditor) in auditors.iter_mut().enumerate() {
        auditor.end();
        if course.is_unsure() {
            auditor.look_again(log, &mut course);
        }
    }
    auditors.into_iter().map(|auditor| auditor.audit).collect()
}
