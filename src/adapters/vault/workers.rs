//! Threads that compare passwords: few, and of low priority, so that somebody who tries passwords slows no till.

use crate::password;
use onhand_app::ports::{PasswordMatch, PasswordsBusy};
use onhand_planted::{Bug, planted};
use onhand_telemetry::PASSWORDS_COMPARED;
use parking_lot::Mutex;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;

/// Threads at most.
const THREADS_MAX: usize = 2;
/// Passwords that wait for a thread: some seconds of work.
const WAITING_MAX: usize = 64;
/// How much less of a busy processor a thread gets than others (nice(2)).
const NICE: i32 = 19;

/// One password, and what is to be done with it.
enum Task {
    /// To be compared with what is kept; with nothing, the same work is done.
    Verify(String, Option<String>, Sender<PasswordMatch>),
    Hash(String, Sender<String>),
}

/// The threads, which start with the first password.
#[derive(Default)]
pub(crate) struct Workers(OnceLock<SyncSender<Task>>);

impl Workers {
    /// Compares a password with what is kept of one. Blocks until it was its turn.
    pub(crate) fn verify(&self, password: &str, kept: Option<&str>) -> Result<PasswordMatch, PasswordsBusy> {
        if kept.is_none() && planted(Bug::SkipUnknownLogin) {
            return Ok(PasswordMatch { ok: false, needs_rehash: false });
        }
        metrics::counter!(PASSWORDS_COMPARED).increment(1);
        self.ask(|answer| Task::Verify(password.to_owned(), kept.map(str::to_owned), answer))
    }

    /// What is kept of a password. Blocks until it was its turn.
    pub(crate) fn hash(&self, password: &str) -> Result<String, PasswordsBusy> {
        self.ask(|answer| Task::Hash(password.to_owned(), answer))
    }

    fn ask<T>(&self, task: impl FnOnce(Sender<T>) -> Task) -> Result<T, PasswordsBusy> {
        let (answer, answered) = channel();
        match self.0.get_or_init(start).try_send(task(answer)) {
            Ok(()) => answered.recv().map_err(|_| PasswordsBusy),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(PasswordsBusy),
        }
    }
}

fn start() -> SyncSender<Task> {
    let (sender, receiver) = sync_channel(WAITING_MAX);
    let receiver = Arc::new(Mutex::new(receiver));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..(cores / 2).clamp(1, THREADS_MAX) {
        let receiver = Arc::clone(&receiver);
        let started = thread::Builder::new().name("passwords".to_owned()).spawn(move || work(&receiver));
        if let Err(error) = started {
            tracing::error!(%error, "cannot start a thread for passwords");
        }
    }
    sender
}

fn work(tasks: &Mutex<Receiver<Task>>) {
    // Of this thread alone, on Linux. Where it is not allowed, passwords are compared as well.
    let _ = rustix::process::nice(NICE);
    loop {
        let task = tasks.lock().recv();
        match task {
            // The request may have ended.
            Ok(Task::Verify(password, kept, answer)) => {
                let found = kept.map_or_else(
                    || password::verify_unknown(&password),
                    |kept| password::verify(&password, &kept),
                );
                let _ = answer.send(found);
            }
            Ok(Task::Hash(password, answer)) => drop(answer.send(password::hash(&password))),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_at_once_and_all_else_is_answered() {
        let workers = Workers::default();
        let kept = workers.hash("correct horse stapled").unwrap();
        assert!(workers.verify("correct horse stapled", Some(&kept)).unwrap().ok);
        let outcomes: Vec<_> = thread::scope(|scope| {
            let asks: Vec<_> =
                (0..100).map(|_| scope.spawn(|| workers.verify("something else", Some(&kept)))).collect();
            asks.into_iter().map(|ask| ask.join().unwrap()).collect()
        });
        let answered = outcomes.iter().flatten().filter(|found| !found.ok).count();
        let refused = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        assert_eq!(answered + refused, 100);
        assert!(answered >= WAITING_MAX && refused > 0, "{answered} answered, {refused} refused");
        assert!(!workers.verify("something else", None).unwrap().ok);
    }
}
