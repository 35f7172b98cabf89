//! `onhand verify`: checks that the log adds up to the levels and reservations.

use clap::{Args, value_parser};
use onhand_audit::check::{TrailCheck, check};
use onhand_config::IDEMPOTENCY_TTL_MS_MAX;
use onhand_domain::identity::PrincipalKind;
use onhand_domain::{Key, State};
use onhand_file::audit::{Audit, DirectoryAudit, Finding, audit_directory_for};
use onhand_runtime::directory;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use onhand_vault::check::VaultCheck;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

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
    let directory = args.data_dir.join("identity");
    let vault = onhand_vault::check::check(Arc::new(disk), directory.clone())
        .or_exit(Exit::Io, || format!("cannot read {}", directory.display()))?;
    describe_vault(&vault, &audit);
    let findings: Vec<&Finding> = audit.findings().collect();
    for found in &trail.breaks {
        println!("WRONG  {}, line {}: {}", found.path.display(), found.line, found.reason);
    }
    for wrong in &vault.wrong {
        println!("WRONG  {wrong}");
    }
    if findings.is_empty() && trail.breaks.is_empty() && vault.wrong.is_empty() {
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
    let count = findings.len() + trail.breaks.len() + vault.wrong.len();
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

/// Prints the size of the vault, and which principals and tokens of the log it has nothing of: nobody can log in as them.
fn describe_vault(vault: &VaultCheck, directory: &DirectoryAudit) {
    let [(_, audit)] = directory.logs.as_slice() else { return };
    if !audit.fold.states.values().any(|state| matches!(state, State::Principal(_))) {
        return;
    }
    println!("persons    {}", vault.persons.len());
    println!("tokens     {}", vault.tokens.len());
    println!("sessions   {}", vault.sessions);
    for (key, state) in &audit.fold.states {
        match (key, state) {
            (Key::Token(id), State::Token(master)) => {
                let is_good = master.details.as_ref().is_some_and(|token| !token.revoked);
                if is_good && !vault.tokens.contains(id) {
                    println!(
                        "to look at the token {id}: the vault has no verifier of it; revoke it and issue another"
                    );
                }
            }
            (Key::Principal(id), State::Principal(master)) => {
                let is_enabled = master
                    .details
                    .as_ref()
                    .is_some_and(|principal| principal.kind == PrincipalKind::Person && !principal.disabled);
                if is_enabled && !vault.persons.contains(id) {
                    println!(
                        "to look at the person {id}: the vault has nothing of them; disable them, and add them again"
                    );
                }
            }
            _ => {}
        }
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
