//! The central model behind its lock: one writer, and any number of readers and waiters.

use crate::central::Central;
use onhand_domain::Sequence;
use parking_lot::{Mutex, RwLock, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// The shared model, filled by the worker of this process, or from the file of another process.
#[derive(Debug)]
pub struct CentralModel {
    model: RwLock<Central>,
    moves: watch::Sender<u64>,
    /// Held during a copy, because the model supports one at a time.
    pub(super) copying: Mutex<()>,
}

impl Default for CentralModel {
    fn default() -> Self {
        Self::new(Central::default())
    }
}

impl CentralModel {
    /// A shared model with this content.
    pub fn new(central: Central) -> Self {
        Self { model: RwLock::new(central), moves: watch::Sender::new(0), copying: Mutex::new(()) }
    }

    /// Reads the model under its lock; a long read should be split.
    pub fn look<T>(&self, look: impl FnOnce(&Central) -> T) -> T {
        look(&self.model.read())
    }

    /// Replaces the model, and drops the old one outside the lock.
    pub fn replace(&self, central: Central) {
        let older = std::mem::replace(&mut *self.model.write(), central);
        self.moved();
        drop(older);
    }

    /// Waits until the checkpoint of a node reaches `sequence`. False after `wait_max`.
    pub async fn at_least(&self, node: Uuid, sequence: Sequence, wait_max: Duration) -> bool {
        let mut moves = self.moves.subscribe();
        let there = || self.model.read().as_of().get(&node).is_some_and(|reached| *reached >= sequence);
        let reached = async { while !there() && moves.changed().await.is_ok() {} };
        tokio::time::timeout(wait_max, reached).await.is_ok() || there()
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Central> {
        self.model.write()
    }

    /// Wakes the waiters after a change.
    pub(crate) fn moved(&self) {
        self.moves.send_modify(|moves| *moves = moves.wrapping_add(1));
    }
}
