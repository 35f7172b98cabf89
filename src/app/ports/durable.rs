//! The durable end of a log, and the fate of its waiters when the log fails.
//!
//! When the log fails, the sequences beyond the durable end are rolled back and assigned again to other entries. A
//! sequence alone therefore does not identify the entry a caller waits for. Time is divided into **generations**:
//! one ends when the log has failed *and* memory is rolled back to the durable end. Invariants:
//!
//! 1. The durable sequence never goes back.
//! 2. Between [`DurableWatch::fail`] and [`DurableWatch::rolled_back`] nothing becomes durable and no sequence is
//!    assigned.
//! 3. [`DurableWatch::rolled_back`] is called once no memory holds anything beyond the durable sequence.
//! 4. A wait names a generation in which, or after which, its entry was seen. It ends with success when the entry
//!    became durable in that generation, and with an error as soon as it cannot any more; it never mistakes another
//!    generation's entry for it.

use onhand_domain::Sequence;
use tokio::sync::watch;

/// The period of a log between two failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation(u64);

/// The durable end of a log, for any number of followers.
#[derive(Debug)]
pub struct DurableWatch {
    sender: watch::Sender<Durable>,
}

#[derive(Debug, Clone, Copy)]
struct Durable {
    sequence: Sequence,
    generation: Generation,
    /// The durable end of the generation before this one.
    began: Sequence,
    /// The log has failed, and memory is not rolled back yet.
    rolling_back: bool,
    /// The disk has not answered for a long time.
    silent: bool,
}

/// The awaited entry was rolled back: it is not durable, and never will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log failed, and it was taken back")]
pub struct RolledBack;

impl Durable {
    /// The result of a wait for a sequence that was seen in `generation`; none while it is pending.
    fn outcome(&self, generation: Generation, sequence: Sequence) -> Option<Result<(), RolledBack>> {
        let later = self.generation.0.saturating_sub(generation.0);
        let end = match later {
            0 => self.sequence,
            1 => self.began,
            // The ends of older generations are not kept, so the wait fails rather than vouch for the entry.
            _ => return Some(Err(RolledBack)),
        };
        if sequence <= end {
            Some(Ok(()))
        } else if later == 1 || self.rolling_back {
            Some(Err(RolledBack))
        } else {
            None
        }
    }
}

impl DurableWatch {
    /// A watch that starts at `sequence`.
    pub fn new(sequence: Sequence) -> Self {
        let durable = Durable {
            sequence,
            generation: Generation(0),
            began: sequence,
            rolling_back: false,
            silent: false,
        };
        Self { sender: watch::Sender::new(durable) }
    }

    /// The last durable sequence.
    pub fn sequence(&self) -> Sequence {
        self.sender.borrow().sequence
    }

    /// The present generation; a caller reads it *before* the state it will wait for.
    pub fn generation(&self) -> Generation {
        self.sender.borrow().generation
    }

    /// True while the log accepts entries decided in that generation.
    pub fn is_current(&self, generation: Generation) -> bool {
        let durable = self.sender.borrow();
        durable.generation == generation && !durable.rolling_back
    }

    /// Advances the durable end to `sequence`.
    pub fn advance(&self, sequence: Sequence) {
        self.sender.send_modify(|durable| durable.sequence = durable.sequence.max(sequence));
    }

    /// Records a failure of the log: no entry beyond the durable end will become durable.
    pub fn fail(&self) {
        self.sender.send_modify(|durable| durable.rolling_back = true);
    }

    /// The sequence to which memory must be rolled back; none without a failure.
    pub fn must_roll_back(&self) -> Option<Sequence> {
        let durable = self.sender.borrow();
        durable.rolling_back.then_some(durable.sequence)
    }

    /// Records that the disk has not answered for a long time, or answers again. Waits continue.
    pub fn note_silence(&self, silent: bool) {
        self.sender.send_if_modified(|durable| std::mem::replace(&mut durable.silent, silent) != silent);
    }

    /// Waits until the disk has not answered for a long time, for callers with an alternative to the wait.
    pub async fn silence(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as this future borrows it.
        let _ = receiver.wait_for(|durable| durable.silent).await;
    }

    /// Begins a new generation: memory holds nothing beyond the durable end.
    pub fn rolled_back(&self) {
        self.sender.send_modify(|durable| {
            durable.generation.0 += 1;
            durable.began = durable.sequence;
            durable.rolling_back = false;
        });
    }

    /// Waits until the entry that was seen as `sequence` is durable.
    ///
    /// # Errors
    /// [`RolledBack`] once it never will be.
    pub async fn reached(&self, generation: Generation, sequence: Sequence) -> Result<(), RolledBack> {
        if let Some(outcome) = self.sender.borrow().outcome(generation, sequence) {
            return outcome;
        }
        let mut receiver = self.sender.subscribe();
        match receiver.wait_for(|durable| durable.outcome(generation, sequence).is_some()).await {
            Ok(durable) => durable.outcome(generation, sequence).unwrap_or(Err(RolledBack)),
            Err(_) => Err(RolledBack),
        }
    }

    /// Waits until any entry with `sequence` is durable, however often the log fails meanwhile.
    pub async fn passed(&self, sequence: Sequence) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as this future borrows it.
        let _ = receiver.wait_for(|durable| durable.sequence >= sequence).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    const FIVE: Sequence = Sequence(5);

    fn look<T>(future: impl Future<Output = T>) -> Poll<T> {
        pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_wait_is_never_satisfied_by_a_reassigned_sequence() {
        let watch = DurableWatch::new(Sequence(3));
        let first = watch.generation();
        let mut waiting = pin!(watch.reached(first, FIVE));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        watch.advance(Sequence(4));
        // All of it happens before the waiter is polled again.
        watch.fail();
        watch.rolled_back();
        watch.advance(FIVE);
        assert_eq!(waiting.as_mut().poll(&mut context), Poll::Ready(Err(RolledBack)));
        assert_eq!(look(watch.reached(first, Sequence(4))), Poll::Ready(Ok(())), "that was durable before");
        assert_eq!(look(watch.reached(watch.generation(), FIVE)), Poll::Ready(Ok(())));
    }

    #[test]
    fn entries_that_are_not_durable_are_rolled_back_at_once() {
        let watch = DurableWatch::new(Sequence(3));
        let first = watch.generation();
        assert!(watch.is_current(first));
        watch.fail();
        assert!(!watch.is_current(first), "nothing is taken before memory has gone back");
        assert_eq!(watch.must_roll_back(), Some(Sequence(3)));
        assert_eq!(look(watch.reached(first, Sequence(4))), Poll::Ready(Err(RolledBack)));
        assert_eq!(look(watch.reached(first, Sequence(3))), Poll::Ready(Ok(())));
        watch.rolled_back();
        assert!(!watch.is_current(first) && watch.is_current(watch.generation()));
        assert_eq!(watch.must_roll_back(), None);
    }

    #[test]
    fn a_wait_from_two_failures_ago_fails() {
        let watch = DurableWatch::new(Sequence(3));
        let first = watch.generation();
        for end in [4, 5] {
            watch.advance(Sequence(end));
            watch.fail();
            watch.rolled_back();
        }
        assert_eq!(look(watch.reached(first, Sequence(3))), Poll::Ready(Err(RolledBack)));
    }

    #[test]
    fn a_silent_disk_is_reported_and_awaited() {
        let watch = DurableWatch::new(Sequence(3));
        let mut waiting = pin!(watch.reached(watch.generation(), FIVE));
        let mut silence = pin!(watch.silence());
        let mut context = Context::from_waker(Waker::noop());
        assert!(silence.as_mut().poll(&mut context).is_pending());
        watch.note_silence(true);
        assert!(silence.as_mut().poll(&mut context).is_ready());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        watch.note_silence(false);
        assert!(look(watch.silence()).is_pending());
        watch.advance(FIVE);
        assert_eq!(waiting.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    }

    #[test]
    fn a_follower_waits_through_failures() {
        let watch = DurableWatch::new(Sequence(3));
        let mut waiting = pin!(watch.passed(Sequence(4)));
        let mut context = Context::from_waker(Waker::noop());
        watch.fail();
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        watch.rolled_back();
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        watch.advance(Sequence(4));
        assert!(waiting.as_mut().poll(&mut context).is_ready());
    }
}
