//! `onhand rebuild --central`: the central model from the logs alone.

use crate::terminal::{pass_report, run_client};
use onhand_app::central::{Central, CentralCopy, PassReport, SourceState, Worker};
use onhand_app::ports::CentralStore;
use onhand_config::{SourceSettings, SyncWorkerSettings};
use onhand_disk::RealDisk;
use onhand_disk::layout::Layout;
use onhand_file::stores::central::{FileCentral, look};
use onhand_runtime::central::sources::LogSources;
use onhand_runtime::central::worker::{lock, worker_options};
use onhand_runtime::exit::{Exit, Failure, OrExit};
use std::io;
use std::sync::Arc;

/// An empty store that discards saves: the model is written here once it is complete.
struct Fresh;

impl CentralStore for Fresh {
    fn load(&self) -> io::Result<Option<Central>> {
        Ok(None)
    }

    fn save(&self, _: &CentralCopy<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Builds the central model of a data directory anew. The old one stays until the new one is complete.
///
/// # Errors
/// [`Exit::Locked`] when a worker runs, [`Exit::Usage`] when the log of a node is not among the sources,
/// [`Exit::Unavailable`] or [`Exit::Data`] when a log could not be read to its end; the old model is kept then.
pub(super) fn run(layout: &Layout, sources: SourceSettings) -> Result<Exit, Failure> {
    let _lock = lock(layout)?;
    let doing = || format!("cannot read {}", layout.central().display());
    let old = look(&RealDisk, layout).or_exit(Exit::Io, doing)?.unwrap_or_default();
    let (model, logs) = (Arc::default(), LogSources::of_directory(layout)?);
    let options = worker_options(model, layout, logs, &SyncWorkerSettings::once(sources), u64::MAX)?;
    let worker = options.open_over(Arc::new(Fresh))?;
    let report = run_client::run(to_the_end(&worker))?;
    print!("{}", pass_report::text(&report));
    let new = worker.central();
    new.look(|new| compare(&old, new))?;
    let central = FileCentral::open(Arc::new(RealDisk), layout.clone()).or_exit(Exit::Io, doing)?;
    let (copy, path) = (new.copy(), layout.central_file(new.look(Central::sequence)));
    let written = central.forget().and_then(|()| central.save(&copy));
    written.or_exit(Exit::Io, || format!("cannot write {}", path.display()))?;
    println!("wrote         {}", path.display());
    Ok(Exit::Ok)
}

/// Runs passes until every log has been read to the end it had at the start.
async fn to_the_end(worker: &Worker) -> Result<PassReport, Failure> {
    let mut applied = 0;
    loop {
        let report = worker.sync().await;
        applied += report.applied;
        if let Err(failure) = pass_report::verdict(&report) {
            // With the reason of each source.
            print!("{}", pass_report::text(&report));
            return Err(failure);
        }
        let behind = |source: &onhand_app::central::SourceReport| source.sequence < source.end;
        if !report.sources.iter().any(|source| source.state == SourceState::Well && behind(source)) {
            return Ok(PassReport { applied, ..report });
        }
    }
}

/// Prints the differences from the old model, and keeps it when the new one would have less of a log.
fn compare(old: &Central, new: &Central) -> Result<(), Failure> {
    let missing: Vec<String> = old
        .as_of()
        .iter()
        .filter(|(node, sequence)| new.as_of().get(*node).is_none_or(|now| now < *sequence))
        .map(|(node, _)| node.to_string())
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "nothing was changed: the old model has more of these nodes than the sources give: {}; name their \
             logs with --source, or, when they are gone for good, remove central/ and run it again",
            missing.join(", ")
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    if old.as_of().is_empty() {
        println!("there was no central model before");
    } else if old.sequence() == new.sequence() {
        let wrong = differences(old, new);
        println!("{wrong} levels were wrong in the old central model");
    } else {
        println!("the old central model was {} events behind", new.sequence().0 - old.sequence().0);
    }
    Ok(())
}

/// The number of levels that differ.
fn differences(old: &Central, new: &Central) -> usize {
    let changed = new.all().filter(|(store, sku, now)| old.level(store, sku).as_ref() != Some(now));
    let gone = old.all().filter(|(store, sku, _)| new.level(store, sku).is_none());
    changed.count() + gone.count()
}
