//! The audit trail in files: a bounded queue, and the thread that folds, writes and syncs.

use crate::fold::Folds;
use crate::options::TrailOptions;
use crate::read;
use crate::writer::ChainWriter;
use onhand_app::ports::{AuditEntry, AuditKind, AuditTrail, ChainPiece, TrailQuery};
use onhand_disk::Disk;
use onhand_domain::Timestamp;
use onhand_telemetry::{AUDIT_DISK_ERRORS, AUDIT_FOLDED, AUDIT_LOST, AUDIT_WRITTEN};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Entries that wait for the thread; further ones are lost, and counted.
const QUEUE_MAX: usize = 4_096;
/// How long entries are in a file before it is synced.
const SYNC_AFTER: Duration = Duration::from_secs(1);
/// How long a disk that has refused is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// How long a reader waits for what was noted before; the disk may not answer.
const FLUSH_MAX: Duration = Duration::from_secs(2);
/// How long a reader leaves a full queue alone.
const FULL_PAUSE: Duration = Duration::from_millis(5);

/// The time of new entries.
pub type TrailClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The audit trail of a process.
pub struct FileTrail {
    queue: SyncSender<Message>,
    /// Entries for which the queue had no room, not yet in the trail.
    lost: Arc<AtomicU64>,
    written: watch::Receiver<u64>,
    disk: Arc<dyn Disk>,
    directory: PathBuf,
}

enum Message {
    Note(Box<AuditEntry>),
    /// All that was noted is to be in the file; then something is sent.
    Flush(SyncSender<()>),
    /// The same, and the thread ends.
    Stop(SyncSender<()>),
}

/// What the thread works with.
struct Worker {
    queue: Receiver<Message>,
    lost: Arc<AtomicU64>,
    written: watch::Sender<u64>,
    clock: TrailClock,
    folds: Folds,
    writer: ChainWriter,
    sync_at: Option<Instant>,
    retry_at: Option<Instant>,
    /// The disk has refused, and nothing was made durable since.
    failing: bool,
}

impl FileTrail {
    /// Opens the trail, and starts its thread. A disk that refuses is no error: it is tried again, and the log says so.
    ///
    /// # Errors
    /// When the operating system cannot create a thread.
    pub fn start(disk: Arc<dyn Disk>, options: TrailOptions, clock: TrailClock) -> io::Result<Self> {
        let (sender, queue) = sync_channel(QUEUE_MAX);
        let (told, written) = watch::channel(0);
        let (lost, directory) = (Arc::new(AtomicU64::new(0)), options.directory.clone());
        let mut worker = Worker {
            queue,
            lost: Arc::clone(&lost),
            written: told,
            clock,
            folds: Folds::default(),
            writer: ChainWriter::new(Arc::clone(&disk), options),
            sync_at: None,
            retry_at: None,
            failing: false,
        };
        let opened = worker.writer.open((worker.clock)());
        worker.done_unless_refused(opened);
        thread::Builder::new().name("audit-trail".to_owned()).spawn(move || worker.run())?;
        Ok(Self { queue: sender, lost, written, disk, directory })
    }

    /// Writes what was noted, and ends the thread; false when that took longer than `patience`.
    pub fn close(&self, patience: Duration) -> bool {
        self.ask(Message::Stop, patience)
    }

    fn ask(&self, message: fn(SyncSender<()>) -> Message, patience: Duration) -> bool {
        let (done, is_done) = sync_channel(1);
        let (begun, mut message) = (Instant::now(), message(done));
        while let Err(refused) = self.queue.try_send(message) {
            match refused {
                TrySendError::Full(same) if begun.elapsed() < patience => message = same,
                TrySendError::Full(_) | TrySendError::Disconnected(_) => return false,
            }
            thread::sleep(FULL_PAUSE);
        }
        is_done.recv_timeout(patience).is_ok()
    }
}

impl AuditTrail for FileTrail {
    fn note(&self, entry: AuditEntry) {
        let count = entry.count;
        if self.queue.try_send(Message::Note(Box::new(entry))).is_err() {
            self.lost.fetch_add(count, Ordering::Relaxed);
            metrics::counter!(AUDIT_LOST).increment(count);
        }
    }

    fn read(&self, query: &TrailQuery<'_>) -> io::Result<Vec<ChainPiece>> {
        if query.fresh {
            // A disk that does not answer makes the reader see less, not wait for ever.
            self.ask(Message::Flush, FLUSH_MAX);
        }
        read::read(&*self.disk, &self.directory, query)
    }

    fn written(&self) -> watch::Receiver<u64> {
        self.written.clone()
    }
}

impl Worker {
    fn run(mut self) {
        loop {
            let message = match self.wait() {
                None => self.queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => self.queue.recv_timeout(wait),
            };
            match message {
                Ok(Message::Note(entry)) => self.take(*entry),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Flush(done)) => {
                    self.flush();
                    // The reader may not wait any more.
                    let _ = done.send(());
                }
                Ok(Message::Stop(done)) => {
                    self.flush();
                    let _ = done.send(());
                    return;
                }
                Err(RecvTimeoutError::Disconnected) => return self.flush(),
            }
            self.work(Instant::now());
        }
    }

    /// How long there is nothing to do by itself.
    fn wait(&self) -> Option<Duration> {
        let retry_at = self.retry_at.filter(|_| self.writer.is_behind());
        let due = [self.folds.due(), self.sync_at, retry_at].into_iter().flatten().min()?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    fn take(&mut self, entry: AuditEntry) {
        let first = self.folds.add(entry, Instant::now());
        if first.is_none() {
            metrics::counter!(AUDIT_FOLDED).increment(1);
        }
        self.add(first);
    }

    fn add(&mut self, entries: impl IntoIterator<Item = AuditEntry>) {
        self.writer.add(entries);
        let lost = self.writer.take_lost();
        if lost > 0 {
            self.lost.fetch_add(lost, Ordering::Relaxed);
            metrics::counter!(AUDIT_LOST).increment(lost);
        }
    }

    /// Does what is due.
    fn work(&mut self, now: Instant) {
        let over = self.folds.over(now, (self.clock)());
        self.add(over);
        if self.retry_at.is_some_and(|retry_at| retry_at > now) {
            return;
        }
        let _ = self.write();
        if self.sync_at.is_some_and(|sync_at| sync_at <= now) {
            self.sync();
        }
    }

    fn flush(&mut self) {
        let counted = self.folds.drain((self.clock)());
        self.add(counted);
        if self.write() {
            self.sync();
        }
    }

    /// False when the disk has refused.
    fn write(&mut self) -> bool {
        self.note_lost();
        if !self.writer.has_unwritten() {
            return true;
        }
        let lines = self.writer.write((self.clock)());
        let Some(lines) = self.done_unless_refused(lines) else { return false };
        self.retry_at = None;
        metrics::counter!(AUDIT_WRITTEN).increment(lines);
        self.written.send_modify(|count| *count += 1);
        self.sync_at.get_or_insert_with(|| Instant::now() + SYNC_AFTER);
        true
    }

    fn sync(&mut self) {
        let synced = self.writer.sync();
        self.sync_at = None;
        if self.done_unless_refused(synced).is_some() && std::mem::take(&mut self.failing) {
            tracing::info!("the audit trail is written again");
            self.note_lost();
        }
    }

    /// Turns what was lost into an entry, once the disk takes entries: a disk that refuses would lose that, too.
    fn note_lost(&mut self) {
        let lost = if self.failing { 0 } else { self.lost.swap(0, Ordering::Relaxed) };
        if lost > 0 {
            let now = (self.clock)();
            self.take(AuditEntry { count: lost, ..AuditEntry::new(now, AuditKind::Lost) });
        }
    }

    /// Counts the errors of the disk, and logs the first of several.
    fn done_unless_refused<T>(&mut self, outcome: io::Result<T>) -> Option<T> {
        let error = match outcome {
            Ok(done) => return Some(done),
            Err(error) => error,
        };
        metrics::counter!(AUDIT_DISK_ERRORS).increment(1);
        if !std::mem::replace(&mut self.failing, true) {
            tracing::error!(%error, "the audit trail cannot be written; all else goes on, and it is tried again");
        }
        self.retry_at = Some(Instant::now() + RETRY_AFTER);
        self.sync_at = None;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_app::ports::TrailPlace;
    use onhand_sim_machine::disk::{Fault, Injection, SimDisk};

    fn trail(disk: &SimDisk) -> FileTrail {
        let options =
            TrailOptions { directory: "/data/audit".into(), chain: 0, keep_days: 1, file_bytes: 1 << 20 };
        FileTrail::start(Arc::new(disk.clone()), options, Arc::new(|| Timestamp::from_milliseconds(1)))
            .unwrap()
    }

    fn data_directory() -> SimDisk {
        let disk = SimDisk::new(1);
        disk.put("/data/node.json", b"");
        disk
    }

    fn entry(number: usize) -> AuditEntry {
        let request_id = Some(number.to_string().into());
        let code = Some(format!("code-{number}").into());
        AuditEntry {
            request_id,
            code,
            ..AuditEntry::new(Timestamp::from_milliseconds(1), AuditKind::Refused)
        }
    }

    /// How often something was noted, by kind.
    fn counts(trail: &FileTrail) -> (u64, u64) {
        let after = TrailPlace::new();
        let query = TrailQuery { after: &after, limit: 100_000, since: None, fresh: true, passes: &|_| true };
        let pieces = trail.read(&query).unwrap();
        let entries = pieces.iter().flat_map(|piece| &piece.entries);
        entries.fold((0, 0), |(noted, lost), (_, entry)| match entry.kind {
            AuditKind::Lost => (noted, lost + entry.count),
            _ => (noted + entry.count, lost),
        })
    }

    #[test]
    fn what_was_noted_is_read_at_once_and_is_durable_at_the_end() {
        let disk = data_directory();
        let trail = trail(&disk);
        (0..100).for_each(|number| trail.note(entry(number % 10)));
        assert_eq!(counts(&trail), (100, 0));
        assert!(*trail.written().borrow() > 0);
        trail.note(entry(7));
        assert!(trail.close(Duration::from_secs(60)));
        disk.crash(onhand_sim_machine::disk::Crash::DropUnsynced);
        assert_eq!(counts(&self::trail(&disk)), (101, 0));
        // Nobody writes any more: what is noted now is lost, and hinders nobody.
        trail.note(entry(8));
    }

    #[test]
    fn nobody_waits_for_a_disk_that_refuses_and_what_is_lost_is_counted() {
        let disk = data_directory();
        disk.inject(Injection::at(1, Fault::Eio).sticky());
        let trail = trail(&disk);
        let noted = 30_000;
        for number in 0..noted {
            trail.note(AuditEntry { actor: Some("s_1".into()), ..entry(number) });
        }
        disk.clear_faults();
        let mut seen = counts(&trail);
        // The first read finds the disk well; what was lost is an entry from then on.
        for _ in 0..2 {
            seen = counts(&trail);
        }
        assert_eq!(seen.0 + seen.1, noted as u64, "{seen:?}");
    }
}
