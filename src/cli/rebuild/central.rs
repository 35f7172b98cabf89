//! `onhand rebuild --central`: the central model from the logs alone.

use crate::adapters::file::central::{FileCentral, look};
use crate::adapters::file::disk::RealDisk;
use crate::adapters::file::layout::Layout;
use crate::app::ports::CentralStore;
use crate::app::sync::{CentralFile, PassReport, SourceState, Worker};
use crate::cli::central::{Logs, lock, worker};
use crate::cli::exit::{Exit, Failure, OrExit};
use crate::cli::{pass, runtime};
use crate::config::{SourceAddress, SyncSettings};
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;

/// A store that begins with nothing and keeps what is saved to itself.
#[derive(Default)]
struct Fresh(Mutex<Option<CentralFile>>);

impl CentralStore for Fresh {
    fn load(&self) -> io::Result<Option<CentralFile>> {
        Ok(None)
    }

    fn save(&self, file: &CentralFile) -> io::Result<()> {
        *self.0.lock() = Some(file.clone());
        Ok(())
    }
}

/// Builds the central model of a data directory anew. The old one stays until the new one is whole.
///
/// # Errors
/// [`Exit::Locked`] when a worker runs, [`Exit::Usage`] when the log of a node is not among the sources,
/// [`Exit::Unavailable`] or [`Exit::Data`] when a log could not be read to its end; the old model stands then.
pub(super) fn run(layout: &Layout, sources: Vec<SourceAddress>) -> Result<Exit, Failure> {
    let _lock = lock(layout)?;
    let doing = || format!("cannot read {}", layout.central().display());
    let old = look(&RealDisk, layout).or_exit(Exit::Io, doing)?.unwrap_or_default();
    let fresh = Arc::new(Fresh::default());
    let store = Arc::clone(&fresh) as Arc<dyn CentralStore>;
    let (model, logs) = (Arc::default(), Logs::of_directory(layout)?);
    let worker = worker(model, layout, logs, store, &SyncSettings::once(sources), u64::MAX)?;
    let report = runtime::run(async {
        let report = to_the_end(&worker).await?;
        worker.save().await.or_exit(Exit::Internal, || "cannot keep the model")?;
        Ok(report)
    })?;
    print!("{}", pass::text(&report));
    let new = fresh.0.lock().take().unwrap_or_default();
    compare(&old, &new)?;
    let central = FileCentral::open(Arc::new(RealDisk), layout.clone()).or_exit(Exit::Io, doing)?;
    let written = central.forget().and_then(|()| central.save(&new));
    written.or_exit(Exit::Io, || format!("cannot write {}", layout.central_file(new.sequence).display()))?;
    println!("wrote         {}", layout.central_file(new.sequence).display());
    Ok(Exit::Ok)
}

/// Passes until every log has been read to the end it had.
async fn to_the_end(worker: &Worker) -> Result<PassReport, Failure> {
    let mut applied = 0;
    loop {
        let report = worker.sync().await;
        applied += report.applied;
        pass::verdict(&report)?;
        let behind = |source: &crate::app::sync::SourceReport| source.sequence < source.end;
        if !report.sources.iter().any(|source| source.state == SourceState::Well && behind(source)) {
            return Ok(PassReport { applied, ..report });
        }
    }
}

/// Tells how the old model was, and keeps it when the new one would know less.
fn compare(old: &CentralFile, new: &CentralFile) -> Result<(), Failure> {
    let missing: Vec<String> = old
        .sources
        .iter()
        .filter(|(node, source)| new.sources.get(*node).is_none_or(|now| now.sequence < source.sequence))
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
    if old.sources.is_empty() {
        println!("there was no central model before");
    } else if old.sequence == new.sequence {
        let wrong = differences(old, new);
        println!("{wrong} levels were wrong in the old central model");
    } else {
        println!("the old central model was {} events behind", new.sequence.0 - old.sequence.0);
    }
    Ok(())
}

/// Levels that are not the same in both.
fn differences(old: &CentralFile, new: &CentralFile) -> usize {
    let level =
        |file: &CentralFile, store, sku| file.stores.get(store).and_then(|skus| skus.get(sku)).cloned();
    let changed = new
        .stores
        .iter()
        .flat_map(|(store, skus)| skus.iter().map(move |(sku, now)| (store, sku, now)))
        .filter(|(store, sku, now)| level(old, *store, *sku).as_ref() != Some(*now));
    let gone = old
        .stores
        .iter()
        .flat_map(|(store, skus)| skus.keys().map(move |sku| (store, sku)))
        .filter(|(store, sku)| level(new, *store, *sku).is_none());
    changed.count() + gone.count()
}
