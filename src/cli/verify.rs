//! `onhand verify`: checks that the log adds up to the levels and reservations.

use clap::{Args, value_parser};
use onhand_audit::check::{TrailCheck, check};
use onhand_config::IDEMPOTENCY_TTL_MS_MAX;
use onhand_domain::State;
use onhand_file::audit::{Audit, DirectoryAudit, Finding, audit_directory_for};
use onhand_runtime::directory;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use std::fmt::Write;
use std::path::PathBuf;

/// Options of `onhand verify`.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// Directory of the log and the snapshots
    #[arg(long, env = "DATA_DIR", value_name = "DIRECTORY", default_value = "data")]
    pub data_dir: PathBuf,
    /// How long the node remembers an Idempotency-Key, in milliseconds of log time: a key has one effect within that
    #[arg(long, env = "IDEMP_TTL_MS", value_name = "MILLISECONDS", default_value_t = 300_000)]
    #[arg(value_parser = value_parser!(i64).range(1..=IDEMPOTENCY_TTL_MS_MAX))]
    pub idemp_ttl_ms: i64,
}

/// Checks a data directory; it may be in use.
///
/// # Errors
/// [`Exit::Data`] when a check fails; the report is on stdout.
pub fn run(args: &VerifyArgs) -> Result<Exit, Failure> {
    let (disk, layout) = directory::existing(&args.data_dir)?;
    let audit = audit_directory_for(&disk, &layout, Some(args.idemp_ttl_ms)).map_err(directory::failure)?;
    describe(&audit);
    let directory = layout.audit();
    let trail =
        check(&disk, &directory).or_exit(Exit::Io, || format!("cannot read {}", directory.display()))?;
    describe_trail(&trail);
    let findings: Vec<&Finding> = audit.findings().collect();
    for found in &trail.breaks {
        println!("WRONG  {}, line {}: {}", found.path.display(), found.line, found.reason);
    }
    if findings.is_empty() && trail.breaks.is_empty() {
        println!("sound: the log adds up to the levels, the reservations and the snapshots");
        return Ok(Exit::Ok);
    }
    for finding in &findings {
        println!("{}", line(finding));
    }
    if let [(_, audit)] = audit.logs.as_slice()
        && audit.cut_short
    {
        println!(
            "The log is whole as far as it goes, up to sequence {}. If this is a copy that was made while the node ran, \
             `onhand repair --copied` goes on with all that is in it",
            audit.end
        );
    }
    let count = findings.len() + trail.breaks.len();
    let things = if count == 1 { "thing does" } else { "things do" };
    Err(Failure::new(
        Exit::Data,
        format!("{count} {things} not hold; nothing was changed. run.md says what to do"),
    ))
}

/// Prints the size of the audit trail. The hash of its last line is for those who keep it elsewhere: the end of a chain proves nothing.
fn describe_trail(trail: &TrailCheck) {
    if trail.files == 0 {
        return;
    }
    println!("audit      {} entries", trail.entries);
    for (chain, n, hash) in &trail.ends {
        println!("           chain {chain} ends with entry {n}, sha256 {hash}");
    }
    if trail.torn_bytes > 0 {
        println!("           {} bytes of an entry that was not finished do not count", trail.torn_bytes);
    }
}

/// Prints the size of the audited logs.
pub(crate) fn describe(directory: &DirectoryAudit) {
    let several = directory.logs.len() > 1;
    for (layout, audit) in &directory.logs {
        if several {
            println!("log        {}", layout.root().display());
        }
        describe_log(audit);
        if several {
            println!();
        }
    }
    match directory.alerts_to_look_at {
        0 => {}
        1 => println!(
            "to look at 1 alert, whose threshold has changed; the running node does, or the next start"
        ),
        alerts => {
            println!(
                "to look at {alerts} alerts, whose thresholds have changed; the running node does, or the next start"
            );
        }
    }
}

fn describe_log(audit: &Audit) {
    let count = |of: fn(&State) -> bool| audit.fold.states.values().filter(|state| of(state)).count();
    println!("node       {}", audit.node.node);
    if let Some(holder) = &audit.live {
        println!("in use by  {holder}; only what its mark calls durable was read");
    }
    println!("segments   {}", audit.segments);
    println!("events     {}", audit.end);
    println!("levels     {}", count(|state| matches!(state, State::Level(_))));
    println!("imports    {}", count(|state| matches!(state, State::Import(_))));
    let products = |state: &State| matches!(state, State::Product(master) if master.details.is_some());
    println!("products   {}", count(products));
    println!("stores     {}", count(|state| matches!(state, State::Store(_))));
    let thresholds = |state: &State| matches!(state, State::Threshold(master) if master.details.is_some());
    println!("thresholds {}", count(thresholds));
    println!("alerts     {}", count(|state| matches!(state, State::Alert(alert) if alert.raised.is_some())));
    let snapshots: Vec<String> = audit.snapshots.iter().map(ToString::to_string).collect();
    println!("snapshots  {}", if snapshots.is_empty() { "none".to_owned() } else { snapshots.join(", ") });
    if audit.torn_bytes > 0 {
        println!(
            "torn tail  {} bytes of a change that was never acknowledged; the next start copies them aside",
            audit.torn_bytes
        );
    }
}

/// A finding in one line.
pub(crate) fn line(finding: &Finding) -> String {
    let mut line = format!("WRONG  {}", finding.path.display());
    if let Some(offset) = finding.offset {
        let archived = finding.path.extension().is_some_and(|extension| extension == "zst");
        // Writing to a String cannot fail.
        let _ = write!(line, ", byte {offset}{}", if archived { " unpacked" } else { "" });
    }
    if let Some(sequence) = finding.sequence {
        let _ = write!(line, ", sequence {sequence}");
    }
    format!("{line}: {}", finding.what)
}
