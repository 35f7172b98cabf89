//! The election of the worker among the processes on a data directory, and the role that this process has.

use crate::central::mirror::mirror;
use crate::central::sources::LogSources;
use crate::central::worker::{HeldWorker, lock};
use crate::exit::{Exit, Failure};
use onhand_app::central::{CentralModel, Worker};
use onhand_config::SyncWorkerSettings;
use onhand_disk::layout::Layout;
use onhand_domain::Sequence;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use uuid::Uuid;

/// How often a candidate tries to become the worker.
const ELECTION_EVERY: Duration = Duration::from_secs(1);

/// The role of a process towards the central model of its data directory.
pub enum CentralRole {
    /// The only process on the data directory; it keeps the model.
    Worker(HeldWorker),
    /// Another process keeps the model: this one shows the model that it saves.
    Mirror(Arc<CentralModel>, Layout),
    /// One of several processes: it becomes the worker when no other process is.
    Candidate(Arc<WorkerCandidate>),
}

/// One of several processes, each of which can be the worker.
pub struct WorkerCandidate {
    model: Arc<CentralModel>,
    layout: Layout,
    logs: LogSources,
    settings: SyncWorkerSettings,
    save_every: u64,
    held: OnceLock<HeldWorker>,
    /// The worker for the handlers of requests; empty until this process becomes the worker.
    worker: Arc<OnceLock<Arc<Worker>>>,
}

impl WorkerCandidate {
    /// Becomes the worker if no other process is.
    fn stand(&self) -> Result<(), Failure> {
        let Self { model, layout, logs, settings, save_every, .. } = self;
        let held = lock(layout).and_then(|lock| {
            HeldWorker::over(lock, Arc::clone(model), layout, logs.clone(), settings, *save_every)
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

    /// Shows the model that the worker of another process saves until that process is gone, and is the worker from then on.
    async fn run(self: &Arc<Self>, interval: Duration) {
        let elected = || async {
            while self.held.get().is_none() {
                sleep(ELECTION_EVERY.min(interval)).await;
                let this = Arc::clone(self);
                match spawn_blocking(move || this.stand()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::warn!(%error, "the worker's place is free, but cannot be taken; it is tried again");
                    }
                    // The runtime is shutting down.
                    Err(_) => std::future::pending().await,
                }
            }
        };
        if self.held.get().is_none() {
            tokio::select! {
                () = mirror(&self.model, &self.layout, interval) => {}
                () = elected() => tracing::info!("the worker runs here now"),
            }
        }
        if let Some(held) = self.held.get() {
            held.worker.run().await;
        }
    }
}

impl CentralRole {
    /// The role of one of several processes on a data directory: the worker runs here if it runs nowhere else, or later.
    ///
    /// # Errors
    /// The error of the disk; [`Exit::Settings`] for a source that cannot be followed.
    pub(crate) fn candidate(
        layout: &Layout,
        logs: LogSources,
        settings: &SyncWorkerSettings,
        save_every: u64,
    ) -> Result<Self, Failure> {
        let candidate = WorkerCandidate {
            model: Arc::default(),
            layout: layout.clone(),
            logs,
            settings: settings.clone(),
            save_every,
            held: OnceLock::new(),
            worker: Arc::default(),
        };
        candidate.stand()?;
        Ok(Self::Candidate(Arc::new(candidate)))
    }

    /// Keeps the model up to date; never returns.
    pub async fn run(&self, interval: Duration) {
        match self {
            Self::Worker(held) => held.worker.run().await,
            Self::Mirror(model, layout) => mirror(model, layout, interval).await,
            Self::Candidate(candidate) => candidate.run(interval).await,
        }
    }

    /// The model that this process shows.
    pub fn model(&self) -> &Arc<CentralModel> {
        match self {
            Self::Worker(held) => held.worker.central(),
            Self::Mirror(model, _) => model,
            Self::Candidate(candidate) => &candidate.model,
        }
    }

    /// The worker of this process; empty until there is one.
    pub fn worker(&self) -> Arc<OnceLock<Arc<Worker>>> {
        match self {
            Self::Worker(held) => Arc::new(OnceLock::from(Arc::clone(&held.worker))),
            Self::Mirror(..) => Arc::default(),
            Self::Candidate(candidate) => Arc::clone(&candidate.worker),
        }
    }

    /// The last sequence of a node's log that is in the model.
    pub fn merged(&self, node: Uuid) -> Sequence {
        self.model().look(|central| central.as_of().get(&node).copied()).unwrap_or_default()
    }

    /// Runs the last pass, if this process is the worker.
    pub async fn finish(&self, pass_max: Duration) {
        let held = match self {
            Self::Worker(held) => Some(held),
            Self::Mirror(..) => None,
            Self::Candidate(candidate) => candidate.held.get(),
        };
        if let Some(held) = held {
            held.finish(pass_max).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_app::central::{Central, SourceState};
    use onhand_config::SourceSettings;
    use onhand_disk::{Disk, RealDisk};
    use std::path::Path;

    /// The role of a process that writes nothing; its own log does not matter here.
    fn shared(directory: &Path) -> CentralRole {
        let layout = Layout::new(directory);
        let logs = LogSources::of_directory(&layout).unwrap();
        let settings = SyncWorkerSettings {
            interval: Duration::from_millis(5),
            ..SyncWorkerSettings::once(SourceSettings::default())
        };
        CentralRole::candidate(&layout, logs, &settings, 1).unwrap()
    }

    fn is_worker(role: &CentralRole) -> bool {
        match role {
            CentralRole::Candidate(candidate) => candidate.worker.get().is_some(),
            CentralRole::Worker(_) | CentralRole::Mirror(..) => false,
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
        // The second one shows the model that the first one saves.
        let CentralRole::Candidate(candidate) = &first else { unreachable!() };
        let known = candidate.worker.get().unwrap();
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

    impl CentralRole {
        /// The number of logs in the model of the role.
        fn merged_of(&self) -> usize {
            match self {
                Self::Candidate(candidate) => candidate.model.look(|central: &Central| central.as_of().len()),
                Self::Worker(_) | Self::Mirror(..) => 0,
            }
        }
    }
}
