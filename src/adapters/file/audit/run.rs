//! Audits of several logs side by side, in the order of time.

use crate::audit::auditor::Auditor;
use crate::audit::course::Course;
use crate::audit::report::Audit;
use crate::format::identity::DirectoryLock;
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, OpenError};

/// Default lifetime of an idempotency key in milliseconds: the default of the node.
pub(super) const IDEMPOTENCY_TTL_MS: i64 = 300_000;

/// Audits a data directory for a caller that holds its lock.
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
/// [`OpenError`] when it is no data directory, or unreadable.
pub fn audit(disk: &dyn Disk, layout: &Layout) -> Result<Audit, OpenError> {
    let live = DirectoryLock::holder(disk, layout).map_err(OpenError::at(&layout.lock()))?;
    let auditor = Auditor::begin(disk, layout, live, false)?;
    Ok(run(vec![auditor], Some(IDEMPOTENCY_TTL_MS)).pop().expect("one audit of one log"))
}

/// Runs the auditors through their logs side by side, in the order of time.
pub(super) fn run(mut auditors: Vec<Auditor<'_>>, idempotency_ttl_ms: Option<i64>) -> Vec<Audit> {
    let logs = auditors.iter().map(|auditor| auditor.layout.root().to_path_buf()).collect();
    let mut course = Course::new(logs, idempotency_ttl_ms);
    auditors.iter_mut().for_each(Auditor::advance);
    let at = |(_, auditor): &(usize, &mut Auditor<'_>)| Some(auditor.next.as_ref()?.1.at);
    loop {
        let waiting = auditors.iter_mut().enumerate().filter(|(_, auditor)| auditor.next.is_some());
        let Some((log, auditor)) = waiting.min_by_key(at) else { break };
        auditor.check(log, &mut course);
        auditor.advance();
    }
    for (log, auditor) in auditors.iter_mut().enumerate() {
        auditor.end();
        if course.is_unsure() {
            auditor.search_ids(log, &mut course);
        }
    }
    auditors.into_iter().map(|auditor| auditor.audit).collect()
}
