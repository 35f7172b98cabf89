//! The tasks of a running node and their supervisor. All of them run concurrently on one thread: a panic in one of them
//! unwinds through the supervisor and ends the process.

use futures_util::future::{join_all, select_all};
use std::future::Future;
use std::pin::Pin;

/// A task of a running node.
pub struct Task<'a> {
    name: &'static str,
    end: TaskEnd,
    work: Pin<Box<dyn Future<Output = ()> + 'a>>,
}

/// The meaning of a task's end for the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TaskEnd {
    /// The task runs for as long as the node. Its end is a bug and ends the process.
    IsABug,
    /// The task ends once the stop of the node is requested, and the stop waits for it.
    IsAwaited,
}

impl<'a> Task<'a> {
    /// A task that runs for as long as the node.
    pub fn for_ever<T>(name: &'static str, work: impl Future<Output = T> + 'a) -> Self {
        let work = Box::pin(async move { drop(work.await) });
        Self { name, end: TaskEnd::IsABug, work }
    }

    /// A task that ends by itself once the stop of the node is requested.
    pub fn until_stop(name: &'static str, work: impl Future<Output = ()> + 'a) -> Self {
        Self { name, end: TaskEnd::IsAwaited, work: Box::pin(work) }
    }

    /// Runs the task and returns its name.
    async fn run(self) -> &'static str {
        self.work.await;
        self.name
    }
}

/// Runs the server and all tasks until the server and every task of [`Task::until_stop`] have ended; then `last`, while
/// the other tasks go on. Returns the result of the server.
///
/// # Panics
/// When a task of [`Task::for_ever`] ends.
pub async fn supervise<T>(
    tasks: Vec<Task<'_>>,
    server: impl Future<Output = T>,
    last: impl AsyncFnOnce(&T),
) -> T {
    let (awaited, for_ever): (Vec<_>, Vec<_>) =
        tasks.into_iter().partition(|task| task.end == TaskEnd::IsAwaited);
    let stop = async {
        let (ended, _) = tokio::join!(server, join_all(awaited.into_iter().map(Task::run)));
        last(&ended).await;
        ended
    };
    tokio::select! {
        ended = stop => ended,
        (name, ..) = select_all(for_ever.into_iter().map(|task| Box::pin(task.run()))) => {
            panic!("the task {name:?} runs for as long as the node, and has ended")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::future::{pending, ready};
    use std::time::Duration;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn the_stop_waits_for_the_server_and_for_tasks_that_end_at_the_stop() {
        let told = RefCell::new(Vec::new());
        let after = |seconds, name| {
            let told = &told;
            async move {
                sleep(Duration::from_secs(seconds)).await;
                told.borrow_mut().push(name);
            }
        };
        let tasks = vec![
            Task::for_ever("clock", pending::<()>()),
            Task::until_stop("alerts", after(2, "alerts")),
            Task::for_ever("slow", after(9, "slow")),
        ];
        let server = async {
            after(1, "server").await;
            7
        };
        let ended = supervise(tasks, server, async |_| after(3, "last").await).await;
        assert_eq!((ended, &told.borrow()[..]), (7, &["server", "alerts", "last"][..]));
    }

    #[tokio::test]
    #[should_panic(expected = "the task \"lists\" runs for as long as the node, and has ended")]
    async fn the_end_of_a_task_that_runs_for_ever_ends_the_process() {
        let tasks = vec![
            Task::for_ever("clock", pending::<()>()),
            Task::for_ever("lists", async { ready(()).await }),
        ];
        supervise(tasks, pending::<()>(), async |()| {}).await;
    }

    #[tokio::test]
    #[should_panic(expected = "a bug in a task")]
    async fn a_panic_in_a_task_ends_the_process() {
        let tasks = vec![Task::for_ever("clock", async { panic!("a bug in a task") })];
        supervise(tasks, pending::<()>(), async |()| {}).await;
    }
}
