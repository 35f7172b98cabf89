//! Where a node's central model comes from: a worker here, or one in another process.

use super::{Held, Logs, lock};
use crate::adapters::file::disk::RealDisk;
use crate::adapters::file::disk::layout::Layout;
use crate::adapters::file::stores::central::{list, look};
use crate::adapters::http::Node;
use crate::app::central::{CentralModel, Worker};
use crate::cli::exit::{Exit, Failure};
use crate::config::SyncSettings;
use crate::domain::Sequence;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use uuid::Uuid;

/// How often a process looks whether the worker's place is free.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where a node's central model comes from.
pub(in crate::cli) enum Central {
    /// The worker of this process.
    Here(Held),
    /// Another process: what it saves is shown.
    Elsewhere(Arc<CentralModel>, Layout),
    /// Whichever of several processes has the worker, and this one as soon as the others are gone.
    Shared(Arc<Turn>),
}

/// One of several processes, each of which could be the worker.
pub(in crate::cli) struct Turn {
    model: Arc<CentralModel>,
    layout: Layout,
    logs: Logs,
    settings: SyncSettings,
    save_every: u64,
    held: OnceLock<Held>,
    /// The worker for those who answer requests.
    worker: Arc<OnceLock<Arc<Worker>>>,
}

impl Turn {
    /// Becomes the worker if nobody else is.
    fn take(&self) -> Result<(), Failure> {
        let Self { model, layout, logs, settings, save_every, .. } = self;
        let held = lock(layout).and_then(|lock| {
            Held::over(lock, Arc::clone(model), layout, logs.clone(), settings, *save_every)
        });
        match held {
            Ok(held) => {
                let _ = self.worker.set(Arc::clone(&held.worker));
                let _ = self.held.set(held);
                Ok(())
            }
            Err(failure) if failure.exit == Exit::Locked => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Shows what the worker of another process saves until that is gone, and is the worker from then on.
    async fn run(self: &Arc<Self>, interval: Duration) {
        let turn = || async {
            while self.held.get().is_none() {
                sleep(LOOK_EVERY.min(interval)).await;
                let this = Arc::clone(self);
                match spawn_blocking(move || this.take()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::warn!(%error, "the worker's place is free, but cannot be taken; it is tried again");
                    }
                    // The process is ending.
                    Err(_) => std::future::pending().await,
                }
            }
        };
        if self.held.get().is_none() {
            tokio::select! {
                () = mirror(&self.model, &self.layout, interval) => {}
                () = turn() => tracing::info!("the worker runs here now"),
            }
        }
        if let Some(held) = self.held.get() {
            held.worker.run().await;
        }
    }
}

impl Central {
    /// The model of one of several processes on a data directory: the worker runs here if it runs nowhere else, or later.
    ///
    /// # Errors
    /// What the disk says; [`Exit::Settings`] for a source that is none.
    pub(in crate::cli) fn shared(
        layout: &Layout,
        logs: Logs,
        settings: &SyncSettings,
        save_every: u64,
    ) -> Result<Self, Failure> {
        let turn = Turn {
            model: Arc::default(),
            layout: layout.clone(),
            logs,
            settings: settings.clone(),
            save_every,
            held: OnceLock::new(),
            worker: Arc::default(),
        };
        turn.take()?;
        Ok(Self::Shared(Arc::new(turn)))
    }

    /// Keeps the model up to date, for ever.
    pub(in crate::cli) async fn run(&self, interval: Duration) {
        match self {
            Self::Here(held) => held.worker.run().await,
            Self::Elsewhere(model, layout) => mirror(model, layout, interval).await,
            Self::Shared(turn) => turn.run(interval).await,
        }
    }

    /// How far a node's log is in the model.
    pub(in crate::cli) fn merged(&self, node: Uuid) -> Sequence {
        let model = match self {
            Self::Here(held) => held.worker.central(),
            Self::Elsewhere(model, _) => model,
            Self::Shared(turn) => &turn.model,
        };
        model.look(|central| central.as_of().get(&node).copied()).unwrap_or_default()
    }

    /// The last pass, if it is this process that passes.
    pub(in crate::cli) async fn finish(&self, pass_max: Duration) {
        let held = match self {
            Self::Here(held) => Some(held),
            Self::Elsewhere(..) => None,
            Self::Shared(turn) => turn.held.get(),
        };
        if let Some(held) = held {
            held.finish(pass_max).await;
        }
    }

    /// The node with the model.
    pub(in crate::cli) fn attach(&self, node: Node) -> Node {
        match self {
            Self::Here(held) => node.with_worker(Arc::clone(&held.worker)),
            Self::Elsewhere(model, _) => node.with_central(Arc::clone(model), Arc::default()),
            Self::Shared(turn) => node.with_central(Arc::clone(&turn.model), Arc::clone(&turn.worker)),
        }
    }
}

/// Shows what the worker of another process saves: takes each newer file of `central/` into the model, for ever.
async fn mirror(model: &Arc<CentralModel>, layout: &Layout, interval: Duration) {
    let mut shown = None;
    loop {
        let (model, layout) = (Arc::clone(model), layout.clone());
        let newer = tokio::task::spawn_blocking(move || show_newer(&model, &layout, shown)).await;
        match newer {
            Ok(Ok(version)) => shown = version,
            Ok(Err(error)) => tracing::warn!(%error, "the central file cannot be read; it is tried again"),
            // The process is ending.
            Err(_) => return,
        }
        sleep(interval).await;
    }
}

/// Shows the newest central file there is, unless it is shown already, and answers which is shown now. A redrive saves
/// under the same name again.
fn show_newer(model: &CentralModel, layout: &Layout, shown: Option<Version>) -> io::Result<Option<Version>> {
    let Some(newest) = list(&RealDisk, layout)?.first().copied() else { return Ok(shown) };
    let saved = match std::fs::metadata(layout.central_file(newest)) {
        Ok(metadata) => metadata.modified()?,
        // Removed meanwhile: there is a newer one.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(shown),
        Err(error) => return Err(error),
    };
    let version = (newest, saved);
    if Some(version) == shown {
        return Ok(shown);
    }
    let Some(central) = look(&RealDisk, layout)? else { return Ok(shown) };
    model.replace(central);
    Ok(Some(version))
}

/// Which central file it is, and when it was written.
type Version = (Sequence, SystemTime);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::file::disk::Disk;
    use crate::app::central::{Central as Model, SourceState};
    use std::path::Path;

    /// The place of a process that writes nothing; its own log is of no interest here.
    fn shared(directory: &Path) -> Central {
        let layout = Layout::new(directory);
        let logs = Logs::of_directory(&layout).unwrap();
        let settings = SyncSettings { interval: Duration::from_millis(5), ..SyncSettings::once(Vec::new()) };
        Central::shared(&layout, logs, &settings, 1).unwrap()
    }

    fn is_worker(central: &Central) -> bool {
        match central {
            Central::Shared(turn) => turn.worker.get().is_some(),
            Central::Here(_) | Central::Elsewhere(..) => false,
        }
    }

    async fn until(what: &str, there: impl Fn() -> bool) {
        let looking = async {
            while !there() {
                sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), looking).await.expect(what);
    }

    #[tokio::test]
    async fn when_the_worker_is_gone_another_process_is_the_worker() {
        let directory = tempfile::tempdir().unwrap();
        let nodes = directory.path().join("nodes/1");
        std::fs::create_dir_all(&nodes).unwrap();
        let node = "{\"node\":\"00000000-0000-0000-0000-000000000007\",\"format\":1,\
                    \"created\":\"2026-11-20T16:00:00.000Z\"}";
        std::fs::write(nodes.join("node.json"), node).unwrap();
        RealDisk.sync_dir(&nodes).unwrap();
        let (first, second) = (shared(directory.path()), Arc::new(shared(directory.path())));
        assert!(is_worker(&first) && !is_worker(&second));
        let running = Arc::clone(&second);
        let running = tokio::spawn(async move { running.run(Duration::from_millis(5)).await });
        // The second one shows what the first one saves.
        let Central::Shared(turn) = &first else { unreachable!() };
        let known = turn.worker.get().unwrap();
        known.central().look(|central| assert!(central.is_empty()));
        let report = known.sync().await;
        assert_eq!(
            report.sources.iter().map(|source| &source.state).collect::<Vec<_>>(),
            [&SourceState::Well]
        );
        known.save().await.unwrap();
        until("it shows what was saved", || second.merged_of() == 1).await;
        assert!(!is_worker(&second));
        drop(first);
        until("it is the worker", || is_worker(&second)).await;
        running.abort();
    }

    impl Central {
        /// How many logs its model knows.
        fn merged_of(&self) -> usize {
            match self {
                Self::Shared(turn) => turn.model.look(|central: &Model| central.as_of().len()),
                Self::Here(_) | Self::Elsewhere(..) => 0,
            }
        }
    }
}
