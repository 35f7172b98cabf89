//! What every handler can reach.

use super::code::Code;
use super::limits::{BATCH_BODIES_MAX, BATCH_TURN_MS_MAX};
use super::problem::Problem;
use crate::app::Ledger;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

/// One node, as the handlers see it.
pub struct Node {
    /// The stock.
    pub ledger: Arc<Ledger>,
    /// Cancelled once the node stops: the same signal that ends the accept loop.
    pub shutdown: CancellationToken,
    turns: Semaphore,
}

impl Node {
    /// The node of this ledger.
    pub fn new(ledger: Arc<Ledger>, shutdown: CancellationToken) -> Self {
        Self { ledger, shutdown, turns: Semaphore::new(BATCH_BODIES_MAX) }
    }

    /// Waits for the right to hold a large body in memory; held until it has been answered.
    pub async fn turn(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let turn = tokio::time::timeout(Duration::from_millis(BATCH_TURN_MS_MAX), self.turns.acquire()).await;
        // The semaphore is never closed.
        turn.ok().and_then(Result::ok).ok_or_else(|| Problem::plain(Code::Overloaded))
    }
}
