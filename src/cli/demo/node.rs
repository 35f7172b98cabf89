//! The node of a demo: its settings, and the check of its log.

use crate::terminal::print::print_line;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

pub(super) const STOP_MAX: Duration = Duration::from_secs(30);

/// All buyers come from this machine, at once: to the node they are one client.
pub(super) const SERVER: [&str; 6] =
    ["--log-level", "warn", "--rate-limit-rps", "0", "--load-shed-queue-max", "2000"];

/// Runs `onhand verify` on the log.
pub(super) fn verify(program: &Path, data_dir: &Path) -> Result<(), Failure> {
    let verified = Command::new(program).arg("verify").arg("--data-dir").arg(data_dir).output();
    let verified = verified.or_exit(Exit::Internal, || "cannot run onhand verify")?;
    let said = String::from_utf8_lossy(&verified.stdout);
    if !verified.status.success() {
        return Err(Failure::new(Exit::Failed, format!("onhand verify found something:\n{said}")));
    }
    print_line(format!("\nonhand verify: {}", said.lines().last().unwrap_or_default()))
}
