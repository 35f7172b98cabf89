//! Leases: which process may write a state, one small file for each state that was ever requested.
//!
//! ```text
//! <LOCK_DIR>/<store>~<sku>   <8 hex crc32c> {"epoch":6,"holder":{"node":2,"term":4},"before":{"node":1,"term":7}}<LF>
//! ```
//! - `holder` holds the lease, as soon as `before` and `asked` are empty.
//! - `before` held it when the holder requested it, and holds it until it releases it or its term ends.
//! - `asked` is set in a lease whose content was unreadable or stale: any of these processes may have held it, so
//!   each must confirm that it does not.
//! - `doubtful` marks such a lease until it is held again; its new epoch is then far above any epoch that this
//!   process may not know.
//! - `epoch` rises with every change of the holder. The log records it wherever a state changes hands (`TAKE`).
//!
//! A lease is good as long as its holder's **term** lasts (`log/term.rs`): a process renews its term, which renews
//! all its leases at once, and all of them expire with it. A file is read and written only under its advisory lock,
//! without waiting for the lock. Nothing here needs to survive a power cut, which ends every process and so every
//! term: the files are not synced, and a process that starts alone in a data directory removes them.

use crate::log::term::{checked, with_checksum};
use metrics::Counter;
use onhand_app::ports::LogNumber;
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, DiskFile, LockOutcome, OpenMode, read_all, write_all_at};
use onhand_domain::Key;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many times at most a lease may have changed hands without a trace in any log. A larger difference means a
/// stale file.
const EPOCHS_AHEAD_MAX: u64 = 1 << 20;

/// How many times at most a lease has changed hands in the logs of others since this process last read them.
const EPOCHS_UNREAD_MAX: u64 = 1 << 16;

/// A process and one of its terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Holder {
    /// The number of its directory under `nodes/`.
    pub(crate) node: u16,
    /// The term in which it holds leases.
    pub(crate) term: u64,
}

/// The content of a lease file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeaseRecord {
    epoch: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<Holder>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Holder>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    asked: Vec<Holder>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    doubtful: bool,
}

/// Outcome of a lease request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LeaseAnswer {
    /// This process holds the lease, in that epoch.
    Held(u64),
    /// These processes hold the lease, or may hold it.
    By(Vec<Holder>),
    /// Another process is using the lease file right now.
    Busy,
}

/// The other processes, as seen by the process that requests a lease.
pub(crate) trait OtherProcesses {
    /// True while the term of a holder has not ended.
    fn lasts(&self, holder: &Holder) -> io::Result<bool>;
    /// All other processes whose term has not ended.
    fn others(&self) -> io::Result<Vec<Holder>>;
    /// An epoch that is not below any epoch in a log.
    fn epoch(&self) -> io::Result<u64>;
}

/// All leases of a data directory, for one process.
pub(crate) struct Leases {
    pub(crate) disk: Arc<dyn Disk>,
    /// Layout of the whole data directory.
    pub(crate) root: Layout,
    pub(crate) directory: PathBuf,
    pub(crate) me: Holder,
    pub(crate) contended: Counter,
}

/// The lock on a small file, held until it is dropped.
type Locked = Arc<dyn DiskFile>;

impl Leases {
    /// Requests the lease of a key that this process does not use at the moment. With `only_free`, a lease that
    /// another process holds is not requested. `last` is the node whose process wrote the state last: it may still
    /// hold the lease when the file is gone.
    pub(crate) fn ask(
        &self,
        key: &Key,
        last: u16,
        only_free: bool,
        company: &dyn OtherProcesses,
    ) -> io::Result<LeaseAnswer> {
        let path = self.directory.join(name(key));
        let (file, old) = match self.disk.open(&path, OpenMode::Write) {
            Ok(file) if file.try_lock()? == LockOutcome::Acquired => {
                let possible = company.epoch()?.saturating_add(EPOCHS_AHEAD_MAX);
                let old = read(&*file)?.filter(|record| record.epoch <= possible);
                (file, old)
            }
            Ok(_) => return Ok(LeaseAnswer::Busy),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let file = self.disk.open(&path, OpenMode::CreateNew);
                let Some(file) = unless_there(file)? else { return Ok(LeaseAnswer::Busy) };
                if file.try_lock()? != LockOutcome::Acquired {
                    return Ok(LeaseAnswer::Busy);
                }
                let asked = company.others()?;
                let asked = asked.into_iter().filter(|other| last == other.node).collect();
                // Another process wrote the state under a lease, so a file existed.
                let doubtful = last != LogNumber::OWN.0;
                (file, Some(LeaseRecord { asked, doubtful, ..LeaseRecord::default() }))
            }
            Err(error) => return Err(error),
        };
        let mut record = match old.clone() {
            Some(record) => record,
            None => LeaseRecord { asked: company.others()?, doubtful: true, ..LeaseRecord::default() },
        };
        record.forget_ended(&self.me, company)?;
        let mut waits = record.waited_for();
        if record.before.as_ref() == Some(&self.me) {
            // Another process has requested it before its first use: it stays held until it is released.
            waits.clear();
        } else if let Some(holder) = record.holder.filter(|holder| *holder != self.me) {
            if only_free || !waits.is_empty() {
                // Requests are served in order.
                waits.push(holder);
                return Ok(LeaseAnswer::By(waits));
            }
            if !self.notify(&holder, key)? {
                return Ok(LeaseAnswer::Busy);
            }
            self.contended.increment(1);
            record.before = Some(holder);
            record.take(&self.me, company.epoch()?);
            waits.push(holder);
        } else if record.holder.is_none() {
            record.take(&self.me, company.epoch()?);
        }
        if record.doubtful && waits.is_empty() {
            record.epoch = record.epoch.max(company.epoch()? + EPOCHS_UNREAD_MAX);
            record.doubtful = false;
        }
        if old.as_ref() != Some(&record) {
            write(&*file, &record)?;
        }
        for other in &record.asked {
            // A holder that cannot be notified now is notified when the lease is requested again.
            self.notify(other, key)?;
        }
        Ok(if waits.is_empty() { LeaseAnswer::Held(record.epoch) } else { LeaseAnswer::By(waits) })
    }

    /// Releases a lease: no decision uses it any more, and all earlier decisions are durable. False: try again.
    pub(crate) fn release(&self, key: &Key) -> io::Result<bool> {
        let Some(file) = self.lock(&self.directory.join(name(key)))? else { return Ok(false) };
        if file.is_empty()? {
            return Ok(true);
        }
        let Some(mut record) = read(&*file)? else { return Ok(true) };
        let old = record.clone();
        record.before.take_if(|before| *before == self.me);
        record.asked.retain(|other| *other != self.me);
        record.holder.take_if(|holder| *holder == self.me);
        if record != old {
            write(&*file, &record)?;
        }
        Ok(true)
    }

    /// The keys that others have requested from this process since the last call.
    pub(crate) fn wanted(&self) -> io::Result<Vec<Key>> {
        let path = self.root.member(self.me.node).wanted();
        let Some(file) = self.lock(&path)? else { return Ok(Vec::new()) };
        if file.is_empty()? {
            return Ok(Vec::new());
        }
        let lines = String::from_utf8_lossy(&read_all(&*file)?).into_owned();
        file.truncate(0)?;
        Ok(lines.lines().filter_map(Key::parse).collect())
    }

    /// Notifies a holder that its lease is requested; false when another process is notifying it right now.
    fn notify(&self, holder: &Holder, key: &Key) -> io::Result<bool> {
        let Some(file) = self.lock(&self.root.member(holder.node).wanted())? else { return Ok(false) };
        let line = format!("{key}\n");
        write_all_at(&*file, line.as_bytes(), file.len()?)?;
        Ok(true)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Locked>> {
        let file = self.disk.open(path, OpenMode::OpenOrCreate)?;
        Ok((file.try_lock()? == LockOutcome::Acquired).then_some(file))
    }
}

impl LeaseRecord {
    fn take(&mut self, by: &Holder, known: u64) {
        self.holder = Some(*by);
        self.epoch = self.epoch.max(known) + 1;
    }

    /// Removes processes whose term has ended: they hold nothing. A process that requests a lease does not use it
    /// itself.
    fn forget_ended(&mut self, me: &Holder, company: &dyn OtherProcesses) -> io::Result<()> {
        for place in [&mut self.holder, &mut self.before] {
            if let Some(holder) = place
                && holder != me
                && !company.lasts(holder)?
            {
                *place = None;
            }
        }
        let mut lasting = Vec::new();
        for other in self.asked.drain(..).filter(|other| other != me) {
            if company.lasts(&other)? {
                lasting.push(other);
            }
        }
        self.asked = lasting;
        Ok(())
    }

    /// The processes that have not released it yet.
    fn waited_for(&self) -> Vec<Holder> {
        self.before.iter().chain(&self.asked).copied().collect()
    }
}

/// The name of a key's file: no id holds a `~` or a `/`.
fn name(key: &Key) -> String {
    key.to_string().replace('/', "~")
}

/// None when another process has created the file first.
fn unless_there<T>(made: io::Result<T>) -> io::Result<Option<T>> {
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        made => made.map(Some),
    }
}

/// The content of the file; none when it is unreadable.
fn read(file: &dyn DiskFile) -> io::Result<Option<LeaseRecord>> {
    let bytes = read_all(file)?;
    Ok(checked(&bytes).and_then(|json| serde_json::from_slice(json).ok()))
}

fn write(file: &dyn DiskFile, record: &LeaseRecord) -> io::Result<()> {
    let line = with_checksum(record);
    // Never empty in between: a process killed here leaves the old content, the new content, or an unreadable file.
    write_all_at(file, &line, 0)?;
    file.truncate(line.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_disk::create_dir_durably;
    use onhand_domain::{Sku, StoreId};
    use onhand_sim_machine::disk::SimDisk;

    /// The running processes, and the highest epoch that one of them knows.
    struct FakeProcesses(Vec<Holder>, u64);

    impl OtherProcesses for FakeProcesses {
        fn lasts(&self, _: &Holder) -> io::Result<bool> {
            Ok(true)
        }

        fn others(&self) -> io::Result<Vec<Holder>> {
            Ok(self.0.clone())
        }

        fn epoch(&self) -> io::Result<u64> {
            Ok(self.1)
        }
    }

    fn holder(node: u16) -> Holder {
        Holder { node, term: 1 }
    }

    fn of(node: u16, disk: &SimDisk) -> Leases {
        let root = Layout::new(Path::new("/data"));
        create_dir_durably(disk, root.member(node).root()).unwrap();
        create_dir_durably(disk, Path::new("/data/locks")).unwrap();
        Leases {
            disk: Arc::new(disk.clone()),
            root,
            directory: PathBuf::from("/data/locks"),
            me: holder(node),
            contended: Counter::noop(),
        }
    }

    #[test]
    fn an_epoch_rises_even_when_the_file_is_lost() {
        let key = Key::Level(StoreId::new("LONDON").unwrap(), Sku::new("TEA").unwrap());
        let path = Path::new("/data/locks/LONDON~TEA");
        for lost in [false, true] {
            let disk = SimDisk::new(1);
            let (one, two) = (of(1, &disk), of(2, &disk));
            let held = one.ask(&key, 0, false, &FakeProcesses(vec![holder(2)], 12)).unwrap();
            assert_eq!(held, LeaseAnswer::Held(13));
            if lost {
                disk.remove(path).unwrap();
            } else {
                disk.put(path, b"garbage");
            }
            // The other process has not read the entries written under it, and does not until it requests the lease
            // again.
            let behind = FakeProcesses(vec![holder(1)], 3);
            assert_eq!(two.ask(&key, 1, false, &behind).unwrap(), LeaseAnswer::By(vec![holder(1)]), "{lost}");
            assert!(one.release(&key).unwrap());
            let LeaseAnswer::Held(epoch) = two.ask(&key, 1, false, &behind).unwrap() else { panic!() };
            assert!(epoch > 13, "{epoch}");
            // A held lease is no longer doubtful.
            assert_eq!(two.ask(&key, 1, false, &behind).unwrap(), LeaseAnswer::Held(epoch));
        }
    }
}
