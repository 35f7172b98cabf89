//! What every handler can reach.

use super::code::Code;
use super::limits::{BATCH_BODIES_MAX, BATCH_TURN_MS_MAX, FOLLOWERS_MAX};
use super::problem::Problem;
use crate::app::Ledger;
use crate::app::sync::{CentralModel, Worker};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// One node, as the handlers see it.
pub struct Node {
    /// Whose log it is.
    pub id: Uuid,
    /// The stock.
    pub ledger: Arc<Ledger>,
    /// Cancelled once the node stops: the same signal that ends the accept loop.
    pub shutdown: CancellationToken,
    worker: Option<Arc<Worker>>,
    central: Option<Arc<CentralModel>>,
    turns: Semaphore,
    followers: Arc<Semaphore>,
}

impl Node {
    /// The node of this ledger, without a worker and without a central model.
    pub fn new(id: Uuid, ledger: Arc<Ledger>, shutdown: CancellationToken) -> Self {
        Self {
            id,
            ledger,
            shutdown,
            worker: None,
            central: None,
            turns: Semaphore::new(BATCH_BODIES_MAX),
            followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
        }
    }

    /// The same node with a worker of its own, and with the model that it fills.
    #[must_use]
    pub fn with_worker(mut self, worker: Arc<Worker>) -> Self {
        self.central = Some(Arc::clone(worker.central()));
        self.worker = Some(worker);
        self
    }

    /// The same node with a central model that another process fills.
    #[must_use]
    pub fn with_central(mut self, central: Arc<CentralModel>) -> Self {
        self.central = Some(central);
        self
    }

    /// Waits for the right to hold a large body in memory; held until it has been answered.
    pub async fn turn(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let turn = tokio::time::timeout(Duration::from_millis(BATCH_TURN_MS_MAX), self.turns.acquire()).await;
        // The semaphore is never closed.
        turn.ok().and_then(Result::ok).ok_or_else(|| Problem::plain(Code::Overloaded))
    }

    /// A place among those who follow the feed, held until the stream ends.
    pub fn follower_place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.followers).try_acquire_owned().map_err(|_| {
            Problem::new(Code::Overloaded, "Too many follow the feed; try again later, or read it in pages.")
        })
    }

    /// The worker of this process.
    pub fn worker(&self) -> Result<&Arc<Worker>, Problem> {
        self.worker.as_ref().ok_or_else(|| {
            Problem::new(
                Code::NotReady,
                "The sync worker does not run in this process; ask the process in which it does, or start this \
                 one with it.",
            )
        })
    }

    /// The central model, whoever fills it.
    pub fn central(&self) -> Result<&Arc<CentralModel>, Problem> {
        self.central.as_ref().ok_or_else(|| {
            Problem::new(
                Code::NotReady,
                "This process has no central model, because the sync worker does not run in it; ask the process \
                 in which it does, or start this one with it.",
            )
        })
    }
}
