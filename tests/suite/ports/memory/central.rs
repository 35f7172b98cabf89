//! The central model kept in memory.

use onhand_app::central::{Central, CentralCopy, CentralFile};
use onhand_app::ports::CentralStore;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The planted mistake, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoiled {
    Nothing,
    Empty,
    SaveThatFails,
    Checkpoints,
    SecondSave,
}

pub(crate) struct MemoryCentral {
    pub(crate) kept: Arc<Mutex<Option<CentralFile>>>,
    pub(crate) failing: AtomicBool,
    pub(crate) spoiled: Spoiled,
}

impl CentralStore for MemoryCentral {
    fn load(&self) -> io::Result<Option<Central>> {
        let kept = self.kept.lock().as_ref().map(Central::from);
        Ok(if self.spoiled == Spoiled::Empty { Some(kept.unwrap_or_default()) } else { kept })
    }

    fn save(&self, copy: &CentralCopy<'_>) -> io::Result<()> {
        let mut kept = self.kept.lock();
        if self.failing.load(Ordering::SeqCst) {
            if self.spoiled == Spoiled::SaveThatFails {
                *kept = None;
            }
            return Err(io::Error::other("it was told to fail"));
        }
        let mut file = copy.whole();
        if self.spoiled == Spoiled::Checkpoints {
            file.sources.clear();
        }
        if self.spoiled != Spoiled::SecondSave || kept.is_none() {
            *kept = Some(file);
        }
        Ok(())
    }
}
