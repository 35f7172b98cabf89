//! Work that several threads want at once, done by one of them for all: while one group is at it, the next one gathers.

use parking_lot::{Condvar, Mutex};
use std::io;
use std::mem;
use std::sync::{Arc, OnceLock};

/// Groups of threads that each bring some items. There are never more items than threads that wait have brought.
pub(super) struct Groups<T, R> {
    gathering: Mutex<Gathering<T, R>>,
    /// A group is done.
    done: Condvar,
}

/// The group that gathers.
struct Gathering<T, R> {
    items: Vec<T>,
    outcome: Outcome<R>,
    /// True while another group is at work.
    working: bool,
}

/// What became of a group, for all of its threads.
type Outcome<R> = Arc<OnceLock<Result<Arc<R>, Failure>>>;

/// An error that several threads get.
struct Failure {
    kind: io::ErrorKind,
    /// The number that the operating system has given it.
    code: Option<i32>,
    text: String,
}

impl Failure {
    fn of(error: &io::Error) -> Self {
        Self { kind: error.kind(), code: error.raw_os_error(), text: error.to_string() }
    }

    fn error(&self) -> io::Error {
        self.code.map_or_else(|| io::Error::new(self.kind, self.text.clone()), io::Error::from_raw_os_error)
    }
}

impl<T, R> Default for Groups<T, R> {
    fn default() -> Self {
        let gathering = Gathering { items: Vec::new(), outcome: Outcome::default(), working: false };
        Self { gathering: Mutex::new(gathering), done: Condvar::new() }
    }
}

impl<T, R> Groups<T, R> {
    /// Joins the group that gathers, and returns what became of it. `work` is called by one thread of the group, with all items.
    ///
    /// # Errors
    /// The error of `work`, for each thread of the group.
    pub(super) fn join(
        &self,
        items: impl IntoIterator<Item = T>,
        work: impl FnOnce(Vec<T>) -> io::Result<R>,
    ) -> io::Result<Arc<R>> {
        let mut gathering = self.gathering.lock();
        gathering.items.extend(items);
        let outcome = Arc::clone(&gathering.outcome);
        while gathering.working && outcome.get().is_none() {
            self.done.wait(&mut gathering);
        }
        if outcome.get().is_none() {
            // No group is at work and this one is not done: it is the one that gathers.
            gathering.working = true;
            gathering.outcome = Outcome::default();
            let items = mem::take(&mut gathering.items);
            drop(gathering);
            let _turn = Turn { groups: self, outcome: &outcome };
            let _ = outcome.set(work(items).map(Arc::new).map_err(|error| Failure::of(&error)));
        }
        match outcome.get() {
            Some(Ok(result)) => Ok(Arc::clone(result)),
            Some(Err(failure)) => Err(failure.error()),
            None => Err(io::Error::other("a group has no outcome")),
        }
    }
}

/// The turn of a group. It ends with an outcome for every thread, also when the work panics.
struct Turn<'a, T, R> {
    groups: &'a Groups<T, R>,
    outcome: &'a Outcome<R>,
}

impl<T, R> Drop for Turn<'_, T, R> {
    fn drop(&mut self) {
        let left = || Err(Failure::of(&io::Error::other("the thread that did the work of all has panicked")));
        self.outcome.get_or_init(left);
        self.groups.gathering.lock().working = false;
        self.groups.done.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    /// A group at work that others gather behind: how it ends, and what the others see.
    fn behind(
        ends: impl FnOnce() -> io::Result<usize> + Send,
        others: usize,
    ) -> (Vec<io::Result<usize>>, usize) {
        let groups = Groups::<usize, usize>::default();
        let (begun, begins) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let count = Mutex::new(0);
        thread::scope(|scope| {
            let (groups, count) = (&groups, &count);
            scope.spawn(move || {
                let work = |_| {
                    begun.send(()).unwrap();
                    released.recv().unwrap();
                    ends()
                };
                let _ = catch_unwind(AssertUnwindSafe(|| groups.join([0], work)));
            });
            begins.recv().unwrap();
            let waiting: Vec<_> = (1..=others)
                .map(|n| {
                    scope.spawn(move || {
                        let work = |items: Vec<usize>| {
                            *count.lock() += 1;
                            let sum = items.iter().sum();
                            if sum > 100 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(sum) }
                        };
                        groups.join([n], work).map(|sum| *sum)
                    })
                })
                .collect();
            while groups.gathering.lock().items.len() < others {
                thread::sleep(Duration::from_millis(1));
            }
            release.send(()).unwrap();
            let outcomes = waiting.into_iter().map(|thread| thread.join().unwrap()).collect();
            let works = *count.lock();
            (outcomes, works)
        })
    }

    #[test]
    fn who_comes_while_a_group_is_at_work_is_the_next_group_with_one_outcome() {
        let (outcomes, works) = behind(|| Ok(0), 8);
        assert!(works == 1 && outcomes.iter().all(|outcome| *outcome.as_ref().unwrap() == 36), "{works}");
        let (outcomes, works) = behind(|| Ok(0), 20);
        let full =
            |outcome: &io::Result<usize>| outcome.as_ref().unwrap_err().kind() == io::ErrorKind::StorageFull;
        assert!(works == 1 && outcomes.iter().all(full), "all hear of the error: {outcomes:?}");
    }

    #[test]
    fn a_panic_hinders_no_later_group() {
        let (outcomes, works) = behind(|| panic!("on purpose"), 8);
        assert!(works == 1 && outcomes.iter().all(|outcome| *outcome.as_ref().unwrap() == 36));
    }

    #[test]
    fn an_error_of_the_system_stays_one() {
        let groups = Groups::<(), ()>::default();
        let fail = |_| Err(io::Error::from_raw_os_error(28));
        assert_eq!(groups.join([()], fail).unwrap_err().raw_os_error(), Some(28));
    }
}
