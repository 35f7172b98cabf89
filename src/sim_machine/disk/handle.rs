//! An open file of the simulated disk.

use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use rustix::io::Errno;

use super::fault::DiskOperation;
use super::machine::{HandleId, Machine, within_limit};
use onhand_disk::{DiskFile, LockOutcome};

/// An open file; it becomes invalid when the machine stops and releases its lock when dropped.
pub(super) struct SimFile {
    pub(super) machine: Arc<Mutex<Machine>>,
    pub(super) process: u32,
    pub(super) handle: HandleId,
    pub(super) writable: bool,
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.machine().perform_on(self.handle, DiskOperation::ReadAt, |content| {
            let bytes = usize::try_from(offset).ok().and_then(|offset| content.cached().get(offset..));
            let count = bytes.unwrap_or_default().len().min(buffer.len());
            buffer.iter_mut().zip(bytes.unwrap_or_default()).for_each(|(to, from)| *to = *from);
            Ok(count)
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.require_writable(Errno::BADF)?;
        self.machine().write(self.handle, bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.machine().sync_data(self.handle)
    }

    fn len(&self) -> io::Result<u64> {
        self.machine().perform_on(
            self.handle,
            DiskOperation::Len,
            |content| Ok(content.cached().len() as u64),
        )
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.require_writable(Errno::INVAL)?;
        let length = within_limit(length)?;
        let mut machine = self.machine();
        let written_back = machine.by_chance();
        machine.perform_on(self.handle, DiskOperation::Truncate, |content| {
            if written_back && length < content.cached().len() {
                // The kernel may already have written back the bytes that are cut off here: until a sync they may return.
                content.sync();
            }
            content.set_length(length);
            Ok(())
        })
    }

    fn preallocate(&self, length: u64) -> io::Result<()> {
        self.require_writable(Errno::BADF)?;
        self.machine().perform_on(self.handle, DiskOperation::Preallocate, |_| match length {
            0 => Err(Errno::INVAL.into()),
            length => within_limit(length).map(|_| ()),
        })
    }

    fn try_lock(&self) -> io::Result<LockOutcome> {
        self.machine().try_lock(self.handle)
    }
}

impl SimFile {
    fn machine(&self) -> MutexGuard<'_, Machine> {
        let mut machine = self.machine.lock();
        machine.caller = self.process;
        machine
    }

    fn require_writable(&self, refusal: Errno) -> io::Result<()> {
        if self.writable { Ok(()) } else { Err(refusal.into()) }
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        self.machine.lock().close(self.handle);
    }
}
