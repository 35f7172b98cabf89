//! Watching the other processes, and taking over from dead ones.

use crate::log::term::{Term, end_term, hold_mark, read_term, with_checksum, write_term};
use crate::recovery::{OpenOptions, open};
use crate::sharing::lease::{Holder, OtherProcesses};
use crate::sharing::others::{Alive, Gone, MEMBERS_MAX, Member, Others, is_left, milliseconds};
use crate::sharing::peer::Peer;
use crate::sharing::process::FileSharing;
use onhand_app::Restored;
use onhand_app::ports::{HistoryError, OthersTime};
use onhand_disk::layout::Layout;
use onhand_disk::{OpenError, OpenMode, read_all, write_all_at};
use onhand_domain::Timestamp;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often the log of another process is read anew when one of its files disappears meanwhile.
const ATTACH_TRIES: u32 = 5;
/// Low bits of an epoch that count changes of hands. The bits above count process starts in the directory, so that
/// epochs rise even when the lease files are lost.
const EPOCH_BITS: u32 = 20;

impl FileSharing {
    /// Notes new members. Members are numbered without gaps, so one check is enough when nobody has joined.
    pub(super) fn find_members(&self, others: &mut Others) {
        let own = self.leases.me.node;
        let known = others.members.keys().next_back().copied().unwrap_or(0);
        for number in known + 1..=MEMBERS_MAX {
            let layout = self.leases.root.member(number);
            if number == own {
                continue;
            }
            if self.options.disk.open(&layout.node(), OpenMode::Read).is_err() {
                break;
            }
            let seen = (Vec::new(), self.clock.monotonic());
            others.members.insert(number, Member { layout, peer: None, seen, awaited: false });
        }
    }

    /// Reads the log of a member, whose process may roll, archive and prune it at the same time.
    pub(super) fn attach(
        &self,
        layout: &Layout,
    ) -> Result<Option<(Peer, Restored, Timestamp)>, HistoryError> {
        let mut tries = ATTACH_TRIES;
        loop {
            match Peer::attach(&self.options, layout) {
                Err(OpenError::Io { source, .. })
                    if source.kind() == io::ErrorKind::NotFound && tries > 0 =>
                {
                    tries -= 1;
                }
                attached => return attached.map_err(|error| HistoryError::Damaged(error.to_string())),
            }
        }
    }

    /// Checks whether the others renew their terms; returns the awaited processes that no longer do, with directory
    /// and term.
    ///
    /// # Errors
    /// Any I/O error of the disk.
    pub(super) fn check_others(&self, others: &mut Others) -> io::Result<Vec<(u16, Layout, Gone)>> {
        let disk = &*self.options.disk;
        let now = self.read_signs(others)?;
        let mut gone = Vec::new();
        for (number, member) in &mut others.members {
            if !member.awaited {
                continue;
            }
            let term = read_term(disk, &member.layout.term())?.unwrap_or_default().term;
            if is_left(disk, &member.layout)? {
                gone.push((*number, member.layout.clone(), Gone::Ended(term)));
            } else if now.saturating_sub(member.seen.1) >= self.lease.ttl {
                gone.push((*number, member.layout.clone(), Gone::Paused(term)));
            }
        }
        Ok(gone)
    }

    /// Writes this process's sign of life, with its log time at a moment.
    pub(super) fn sign(&self, renewals: u64, (time, moment): (Timestamp, Duration)) -> io::Result<()> {
        let at = milliseconds(moment);
        let line = with_checksum(&Alive { term: self.tenure.term, renewals, time, at });
        write_all_at(&*self.alive, &line, 0)?;
        self.alive.truncate(line.len() as u64)
    }

    /// The log time of the others at this moment. A process that still holds its lock in the term in which it noted
    /// its time is only paused, for however long: its time advances, and it will publish it.
    pub(super) fn time_of(&self, others: &mut Others) -> io::Result<OthersTime> {
        let now = self.read_signs(others)?;
        let disk = &*self.options.disk;
        let (mut latest, mut present) = (Timestamp::from_milliseconds(i64::MIN), false);
        for member in others.members.values() {
            let there = !is_left(disk, &member.layout)?;
            present |= there;
            let Some(alive) = member.alive() else { continue };
            let same =
                there && read_term(disk, &member.layout.term())?.unwrap_or_default().term == alive.term;
            let within = if same { Duration::MAX } else { self.lease.ttl };
            latest = latest.max(alive.time_by(now, within));
        }
        Ok(OthersTime { latest, present })
    }

    /// Reads the last sign of life of each other process, and notes since when it is unchanged; returns that
    /// moment.
    pub(super) fn read_signs(&self, others: &mut Others) -> io::Result<Duration> {
        let disk = &*self.options.disk;
        // A process that has not checked for a while has not seen the changes of the others.
        let now = self.clock.monotonic();
        let blind =
            others.looked.replace(now).is_none_or(|looked| now.saturating_sub(looked) > self.lease.ttl / 2);
        for member in others.members.values_mut() {
            let sign = match disk.open(&member.layout.alive(), OpenMode::Read) {
                Ok(file) => read_all(&*file)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error),
            };
            if blind || sign != member.seen.0 {
                member.seen = (sign, now);
            }
        }
        Ok(now)
    }

    /// Takes over from a process that does not renew its leases; false when that must be tried again.
    ///
    /// # Errors
    /// Any I/O error of the disk.
    pub(super) fn take_over(&self, layout: &Layout, gone: &Gone) -> io::Result<bool> {
        let (taken_over, term) = match *gone {
            Gone::Ended(term) => (self.finish_log_of(layout, term)?, term),
            Gone::Paused(term) => (end_term(&*self.options.disk, layout, term)?, term),
        };
        if taken_over {
            tracing::warn!(
                member = %layout.root().display(), term,
                "took over from a process that does not renew its leases"
            );
            self.meters.stolen.increment(1);
        }
        Ok(taken_over)
    }

    /// Reads the logs of all dead processes to their ends: after a power cut their marks may be behind their
    /// acknowledged entries, and only a next process in their directory would read on.
    ///
    /// # Errors
    /// Any I/O error of the disk, or damage in a log.
    pub(super) fn finish_ended_logs(&self) -> Result<(), OpenError> {
        let mut others = self.others.lock();
        self.find_members(&mut others);
        for Member { layout, .. } in others.members.values() {
            let finish = || {
                if is_left(&*self.options.disk, layout)? {
                    let term = read_term(&*self.options.disk, &layout.term())?.unwrap_or_default().term;
                    self.finish_log_of(layout, term)?;
                }
                Ok(())
            };
            // Damage is reported as the owner's next process would report it.
            let as_open_error =
                |error: io::Error| error.downcast().unwrap_or_else(OpenError::at(layout.root()));
            finish().map_err(as_open_error)?;
        }
        Ok(())
    }

    /// Reads the log of an ended process to its end, and makes that end durable.
    fn finish_log_of(&self, layout: &Layout, term: u64) -> io::Result<bool> {
        let own = &self.options;
        let options = OpenOptions { disk: Arc::clone(&own.disk), layout: layout.clone(), ..*own };
        let _mark = hold_mark(&*own.disk, layout)?;
        match open(&options, &*self.clock, &*self.ids) {
            Ok(_held) => {
                let present = read_term(&*own.disk, &layout.term())?.unwrap_or_default();
                if present.term == term {
                    write_term(&*own.disk, layout, Term { term: term + 1, end: None })?;
                }
                Ok(true)
            }
            // Another process was faster: the owner's next one, or another one that takes over.
            Err(OpenError::Locked { .. }) => Ok(false),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

impl OtherProcesses for FileSharing {
    fn lasts(&self, holder: &Holder) -> io::Result<bool> {
        let (disk, layout) = (&*self.options.disk, self.leases.root.member(holder.node));
        let present = read_term(disk, &layout.term())?.unwrap_or_default();
        if present.term == holder.term {
            return Ok(true);
        }
        if present.end.is_some() {
            // The process that ended the term may not have synced the directory yet. Without this sync, after a
            // power cut the entries behind that log's end would be read again, beside the decisions made here.
            disk.sync_dir(layout.root())?;
        }
        Ok(false)
    }

    fn others(&self) -> io::Result<Vec<Holder>> {
        let mut known = self.others.lock();
        self.find_members(&mut known);
        let mut others = Vec::new();
        for (number, member) in &known.members {
            if let Some(Term { term, .. }) = read_term(&*self.options.disk, &member.layout.term())? {
                others.push(Holder { node: *number, term });
            }
        }
        Ok(others)
    }

    fn epoch(&self) -> io::Result<u64> {
        let terms: u64 = self.others()?.iter().map(|other| other.term).sum();
        let started = self.tenure.term.saturating_add(terms) << EPOCH_BITS;
        Ok(self.epoch.load(Ordering::Acquire).max(started))
    }
}
