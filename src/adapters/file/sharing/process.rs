//! One process among others on a data directory: the port `Sharing`.

use crate::format::identity::DirectoryLock;
use crate::log::term::{Tenure, Term, read_term, write_term};
use crate::recovery::{OpenNode, OpenOptions};
use crate::sharing::lease::{Holder, LeaseAnswer, Leases};
use crate::sharing::others::Others;
use crate::sharing::peer::Peer;
use metrics::Counter;
use onhand_app::ports::{Clock, EventIds, History, HistoryError, Kept, Lease, LogNumber, OthersTime};
use onhand_app::ports::{PeerNews, Sharing};
use onhand_disk::layout::Layout;
use onhand_disk::{DiskFile, OpenError, OpenMode};
use onhand_domain::{Fact, Key, Timestamp};
use onhand_telemetry::{LOCKS_ACQUIRED, LOCKS_CONTENDED, LOCKS_STOLEN};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Options of leases.
#[derive(Debug, Clone)]
pub struct LeaseOptions {
    /// The directory of the lease files.
    pub directory: PathBuf,
    /// The leases of a process that has not renewed them for this long are taken over.
    pub ttl: Duration,
    /// Interval between two renewals.
    pub renew: Duration,
}

/// One process among others on a data directory.
pub struct FileSharing {
    pub(super) options: OpenOptions,
    pub(super) lease: LeaseOptions,
    pub(super) leases: Leases,
    pub(super) tenure: Tenure,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn EventIds>,
    pub(super) alive: Arc<dyn DiskFile>,
    pub(super) others: Mutex<Others>,
    /// Keeps others from joining until they have this process's log time.
    door: Mutex<Option<DirectoryLock>>,
    /// The highest epoch in any log.
    pub(super) epoch: AtomicU64,
    pub(super) meters: SharingMeters,
}

/// Counters of this process.
pub(super) struct SharingMeters {
    acquired: Counter,
    pub(super) stolen: Counter,
}

/// A joined data directory: this process's own part of it, open, and the other processes.
pub struct Joined {
    /// The open node of this process.
    pub node: OpenNode,
    /// The layout of this process's own part of the data directory.
    pub layout: Layout,
    /// The other processes.
    pub sharing: Arc<FileSharing>,
}

impl FileSharing {
    /// Begins a new term in the directory of that number.
    pub(super) fn begin(
        options: OpenOptions,
        root: &Layout,
        number: u16,
        lease: LeaseOptions,
        clock: &Arc<dyn Clock>,
        ids: &Arc<dyn EventIds>,
    ) -> Result<Self, OpenError> {
        let (disk, layout) = (Arc::clone(&options.disk), options.layout.clone());
        let path = layout.term();
        let before = read_term(&*disk, &path).map_err(OpenError::at(&path))?.unwrap_or_default();
        let term = Term { term: before.term + 1, end: None };
        write_term(&*disk, &layout, term).map_err(OpenError::at(&path))?;
        let me = Holder { node: number, term: term.term };
        let leases = Leases {
            disk: Arc::clone(&disk),
            root: root.clone(),
            directory: lease.directory.clone(),
            me,
            contended: metrics::counter!(LOCKS_CONTENDED),
        };
        let alive = disk.open(&layout.alive(), OpenMode::OpenOrCreate);
        let sharing = Self {
            tenure: Tenure::new(disk, layout.clone(), term.term),
            alive: alive.map_err(OpenError::at(&layout.alive()))?,
            options,
            lease,
            leases,
            clock: Arc::clone(clock),
            ids: Arc::clone(ids),
            others: Mutex::default(),
            door: Mutex::default(),
            epoch: AtomicU64::new(0),
            meters: SharingMeters {
                acquired: metrics::counter!(LOCKS_ACQUIRED),
                stolen: metrics::counter!(LOCKS_STOLEN),
            },
        };
        Ok(sharing)
    }

    /// Holds that lock until other processes may join.
    pub(super) fn behind(mut self, door: DirectoryLock) -> Self {
        *self.door.get_mut() = Some(door);
        self
    }

    /// The number of this process's directory under `nodes/`.
    pub fn number(&self) -> u16 {
        self.leases.me.node
    }

    /// Ends this process's own term: all its leases are free at once. Its log must be closed. A group whose sync
    /// failed, and which no probe has removed, is never read by others.
    ///
    /// # Errors
    /// Any I/O error of the disk; then others detect that the process is gone.
    pub fn leave(&self) -> io::Result<()> {
        self.tenure.end()
    }
}

impl Sharing for FileSharing {
    fn ask(&self, key: &Key, last: LogNumber, only_free: bool) -> io::Result<Lease> {
        match self.leases.ask(key, last.0, only_free, self)? {
            LeaseAnswer::Held(epoch) => {
                self.meters.acquired.increment(1);
                Ok(Lease::Held(epoch))
            }
            LeaseAnswer::Busy => Ok(Lease::Elsewhere),
            LeaseAnswer::By(holders) => {
                let mut others = self.others.lock();
                self.find_members(&mut others);
                for holder in holders {
                    if let Some(member) = others.members.get_mut(&holder.node) {
                        // A dead process must not keep reservations from expiring; a running one expires them
                        // itself.
                        member.awaited = true;
                    }
                }
                Ok(Lease::Elsewhere)
            }
        }
    }

    fn release(&self, key: &Key) -> io::Result<bool> {
        if !self.tenure.is_lost() {
            return self.leases.release(key);
        }
        // After a kill, a reader of this log would read the group whose sync failed, unless the term ends in front
        // of it.
        self.tenure.end()?;
        tracing::error!(
            %key,
            "another process asks for a lease while the disk refuses to sync this log: this process ends its term, so that \
             the others go on without it"
        );
        Ok(true)
    }

    fn keep(&self, now: (Timestamp, Duration)) -> io::Result<Kept> {
        self.tenure.lasts()?;
        let mut others = self.others.lock();
        let moment = self.clock.monotonic();
        if others.renewed.is_none_or(|renewed| moment.saturating_sub(renewed) >= self.lease.renew) {
            others.renewed = Some(moment);
            others.renewals += 1;
            self.sign(others.renewals, now)?;
        }
        self.find_members(&mut others);
        let gone = self.check_others(&mut others)?;
        let latest = others.latest_time(moment, self.lease.ttl);
        drop(others);
        for (number, layout, gone) in gone {
            // Reading a log to its end takes time; others may request the dead process's states meanwhile.
            if self.take_over(&layout, &gone)?
                && let Some(member) = self.others.lock().members.get_mut(&number)
            {
                member.awaited = false;
            }
        }
        let wanted: BTreeSet<Key> = self.leases.wanted()?.into_iter().collect();
        Ok(Kept { wanted: wanted.into_iter().collect(), latest })
    }

    fn let_others_join(&self, now: (Timestamp, Duration)) -> io::Result<()> {
        self.sign(0, now)?;
        *self.door.lock() = None;
        Ok(())
    }

    fn time(&self) -> io::Result<OthersTime> {
        let mut others = self.others.lock();
        self.find_members(&mut others);
        self.time_of(&mut others)
    }

    fn lasts(&self) -> io::Result<()> {
        self.tenure.lasts()
    }

    fn has_news(&self) -> io::Result<bool> {
        let mut others = self.others.lock();
        self.find_members(&mut others);
        for member in others.members.values() {
            // A log exists as soon as it has a mark.
            let begun = || self.options.disk.open(&member.layout.mark(), OpenMode::Read).is_ok();
            if member.peer.as_ref().map_or_else(|| Ok(begun()), Peer::has_news)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn news(&self) -> Result<Vec<PeerNews>, HistoryError> {
        let mut news = Vec::new();
        let mut others = self.others.lock();
        for (number, member) in &mut others.members {
            let log = LogNumber(*number);
            let Some(peer) = &mut member.peer else {
                let attached = match self.attach(&member.layout) {
                    Err(_) if !news.is_empty() => continue,
                    attached => attached?,
                };
                if let Some((peer, restored, last_time)) = attached {
                    member.peer = Some(peer);
                    news.push(PeerNews::Joined(log, restored, last_time));
                }
                continue;
            };
            let entries = match peer.news() {
                // The news of the other logs is still delivered; the next call meets the fault again.
                Err(_) if !news.is_empty() => continue,
                read => read?,
            };
            for entry in entries {
                for event in &entry.events {
                    if let Fact::Take(taken) = &event.fact {
                        self.epoch.fetch_max(taken.epoch, Ordering::AcqRel);
                    }
                }
                news.push(PeerNews::Entry(log, Box::new(entry)));
            }
        }
        Ok(news)
    }

    fn history(&self, log: LogNumber) -> Option<Arc<dyn History>> {
        let others = self.others.lock();
        others.members.get(&log.0)?.peer.as_ref().map(Peer::history)
    }

    fn own(&self) -> u16 {
        self.leases.me.node
    }

    fn logs(&self) -> Vec<LogNumber> {
        let others = self.others.lock();
        let read = others.members.iter().filter(|(_, member)| member.peer.is_some());
        read.map(|(number, _)| LogNumber(*number)).collect()
    }
}
