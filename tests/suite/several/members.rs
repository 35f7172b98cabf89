//! A worker over a shared data directory: every log that joins is followed.

use super::merge::check;
use super::{Several, adjust, layout};
use crate::sync::world::SETTINGS;
use onhand_app::central::{SyncSettings, Worker, WorkerParts};
use onhand_app::ports::Joining;
use onhand_disk::Disk;
use onhand_domain::Sequence;
use onhand_file::sources::members::Members;
use onhand_file::stores::central::FileCentral;
use onhand_file::stores::dead_letters::FileDeadLetters;
use onhand_sim_machine::SimClock;
use std::sync::Arc;
use std::time::Duration;

fn worker(several: &Several, own: Option<u16>) -> Worker {
    let disk = || Arc::new(several.disk.clone()) as Arc<dyn Disk>;
    let parts = WorkerParts {
        sources: Vec::new(),
        central: Arc::new(FileCentral::open(disk(), layout()).unwrap()),
        letters: Arc::new(FileDeadLetters::open(disk(), layout()).unwrap()),
        clock: Arc::new(SimClock::default()),
    };
    let members = Arc::new(Members::new(disk(), layout(), own)) as Arc<dyn Joining>;
    let settings = SyncSettings { interval: Duration::from_millis(5), ..SETTINGS };
    Worker::over(Arc::default(), parts, vec![members], settings).unwrap()
}

#[tokio::test]
async fn a_joining_log_is_followed_from_the_next_pass_on() {
    let mut several = Several::new();
    several.act(0, &adjust("A", 1)).unwrap();
    let worker = worker(&several, None);
    assert_eq!(worker.sync().await.sources.len(), 3);
    several.join(4);
    several.act(3, &adjust("A", 1)).unwrap();
    let report = worker.sync().await;
    let names: Vec<&str> = report.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["/data/nodes/1", "/data/nodes/2", "/data/nodes/3", "/data/nodes/4"]);
    check(&several, &worker.central().copy().whole());
    assert_eq!(worker.sync().await.sources.len(), 4, "nobody is followed twice");
    // A directory that is still being created is no member yet.
    several.disk.create_dir_all(layout().member(5).root()).unwrap();
    assert_eq!(worker.sync().await.sources.len(), 4);
}

#[tokio::test]
async fn a_log_that_joins_a_running_worker_is_followed_soon() {
    let mut several = Several::new();
    let worker = Arc::new(worker(&several, None));
    let running = Arc::clone(&worker);
    let running = tokio::spawn(async move { running.run().await });
    several.act(1, &adjust("A", 1)).unwrap();
    let patience = Duration::from_secs(60);
    assert!(worker.central().at_least(several.node(1), Sequence(1), patience).await);
    several.join(4);
    several.act(3, &adjust("A", 1)).unwrap();
    assert!(worker.central().at_least(several.node(3), Sequence(2), patience).await);
    several.act(1, &adjust("A", 1)).unwrap();
    assert!(worker.central().at_least(several.node(1), Sequence(3), patience).await, "the others go on");
    check(&several, &worker.central().copy().whole());
    running.abort();
}

#[tokio::test]
async fn ones_own_log_is_not_followed_as_that_of_another() {
    let several = Several::new();
    let report = worker(&several, Some(2)).sync().await;
    let names: Vec<&str> = report.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["/data/nodes/1", "/data/nodes/3"]);
}
