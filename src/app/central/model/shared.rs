//! The central model as it is shared: whoever fills it, and all who read it or wait for it.

use crate::app::central::{Central, CentralCopy};
use crate::domain::Sequence;
use parking_lot::{Mutex, RwLock, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// The model behind its lock. Filled by a worker of this process, or from the file of another one.
#[derive(Debug)]
pub struct CentralModel {
    model: RwLock<Central>,
    moves: watch::Sender<u64>,
    /// Held while a copy is made: the model remembers for one at a time.
    copying: Mutex<()>,
}

impl Default for CentralModel {
    fn default() -> Self {
        Self::new(Central::default())
    }
}

impl CentralModel {
    /// A model that begins with what is known.
    pub fn new(central: Central) -> Self {
        Self { model: RwLock::new(central), moves: watch::Sender::new(0), copying: Mutex::new(()) }
    }

    /// Looks at the model. The lock is held meanwhile: look at a piece at a time.
    pub fn look<T>(&self, look: impl FnOnce(&Central) -> T) -> T {
        look(&self.model.read())
    }

    /// The model as it is at this moment, to be read piece by piece while it moves on.
    pub fn copy(&self) -> CentralCopy<'_> {
        CentralCopy::begin(self, self.copying.lock())
    }

    /// Puts a newer model in place of this one, and takes the time to let go of that.
    pub fn replace(&self, central: Central) {
        let older = std::mem::replace(&mut *self.model.write(), central);
        self.moved();
        drop(older);
    }

    /// Waits until everything of a node up to `sequence` is in the model. False when that did not come in time.
    pub async fn at_least(&self, node: Uuid, sequence: Sequence, wait_max: Duration) -> bool {
        let mut moves = self.moves.subscribe();
        let there = || self.model.read().as_of().get(&node).is_some_and(|reached| *reached >= sequence);
        let reached = async { while !there() && moves.changed().await.is_ok() {} };
        tokio::time::timeout(wait_max, reached).await.is_ok() || there()
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Central> {
        self.model.write()
    }

    /// The model has moved: those who wait look again.
    pub(crate) fn moved(&self) {
        self.moves.send_modify(|moves| *moves = moves.wrapping_add(1));
    }
}
