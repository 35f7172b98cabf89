//! The logs of a shared data directory as sources: `nodes/1`, `nodes/2` and later members.

use crate::sources::directory_source::DirectorySource;
use onhand_app::ports::{EventSource, Joining};
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, OpenMode};
use onhand_planted::{Bug, planted};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

/// The members of a shared data directory, by number, lowest first.
///
/// # Errors
/// Any I/O error of the disk. A directory that is not shared has no members.
pub fn members(disk: &dyn Disk, layout: &Layout) -> io::Result<Vec<u16>> {
    let mut numbers = Vec::new();
    for number in 1.. {
        // They are numbered without gaps; a member without `node.json` is just being created.
        match disk.open(&layout.member(number).node(), OpenMode::Read) {
            Ok(_) => numbers.push(number),
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        }
    }
    Ok(numbers)
}

/// How many processes' logs a data directory has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// The log of a single process, at the root.
    Alone,
    /// The log of a single process, whose move from the root to `nodes/1` has begun.
    HalfShared,
    /// The logs of several processes, under `nodes/`.
    Shared,
}

/// The arrangement of a data directory; a shared one cannot be converted back.
///
/// # Errors
/// Any I/O error of the disk.
pub fn arrangement(disk: &dyn Disk, layout: &Layout) -> io::Result<Arrangement> {
    match disk.list(&layout.nodes()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Arrangement::Alone),
        listed => listed.map(drop)?,
    }
    let begun = members(disk, layout)?.is_empty();
    Ok(match begun {
        true if planted(Bug::ServeHalfMoved) => Arrangement::Alone,
        true => Arrangement::HalfShared,
        false => Arrangement::Shared,
    })
}

/// [`Joining`] over a shared data directory.
pub struct Members {
    disk: Arc<dyn Disk>,
    layout: Layout,
    known: Mutex<BTreeSet<u16>>,
}

impl Members {
    /// The members of that directory, except `own`, whose log is followed already.
    pub fn new(disk: Arc<dyn Disk>, layout: Layout, own: Option<u16>) -> Self {
        Self { disk, layout, known: Mutex::new(own.into_iter().collect()) }
    }
}

impl Joining for Members {
    fn joined(&self) -> io::Result<Vec<Arc<dyn EventSource>>> {
        let mut known = self.known.lock();
        let members = members(&*self.disk, &self.layout)?;
        let new = members.into_iter().filter(|number| known.insert(*number));
        let source = |number| DirectorySource::new(Arc::clone(&self.disk), self.layout.member(number));
        Ok(new.map(|number| Arc::new(source(number)) as Arc<dyn EventSource>).collect())
    }
}
