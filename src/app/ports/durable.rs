//! The durable end of a log, and what becomes of those who wait for it when the log fails.
//!
//! When the log fails, what was handed out beyond the durable end is taken back, and its sequences are given again, to
//! other entries. So a sequence alone does not say what is waited for. Time is cut into **generations**: one ends when the
//! log has failed *and* memory has gone back to what is durable. Invariants:
//!
//! 1. The durable sequence never goes back.
//! 2. Between [`DurableWatch::fail`] and [`DurableWatch::rolled_back`] nothing becomes durable and no sequence is handed out.
//! 3. [`DurableWatch::rolled_back`] is called once no memory holds anything beyond the durable sequence.
//! 4. What is waited for was seen in the generation the wait names or in a later one. It is satisfied when that became
//!    durable in that generation, and fails as soon as it cannot any more; it never takes another generation's entry for it.

use crate::domain::Sequence;
use tokio::sync::watch;

/// One stretch of a log's life, from a failure to the next.
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
    /// Where the generation before this one ended.
    began: Sequence,
    /// The log has failed, and memory may still hold what is not durable.
    rolling_back: bool,
    /// The disk has not answered for long.
    silent: bool,
}

/// What was waited for was taken back: it is not durable, and memory does not hold it any more once it has gone back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log failed, and it was taken back")]
pub struct RolledBack;

impl Durable {
    /// What is known of a sequence that was seen in `generation`; nothing while it is on its way.
    fn tell(&self, generation: Generation, sequence: Sequence) -> Option<Result<(), RolledBack>> {
        let later = self.generation.0.saturating_sub(generation.0);
        let end = match later {
            0 => self.sequence,
            1 => self.began,
            // Too long ago to tell: nobody is shown what may not be so.
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

    /// The present generation; to be asked for *before* looking at what will be waited for.
    pub fn generation(&self) -> Generation {
        self.sender.borrow().generation
    }

    /// True while entries decided in that generation may still be taken.
    pub fn is_current(&self, generation: Generation) -> bool {
        let durable = self.sender.borrow();
        durable.generation == generation && !durable.rolling_back
    }

    /// Everything up to `sequence` is durable.
    pub fn advance(&self, sequence: Sequence) {
        self.sender.send_modify(|durable| durable.sequence = durable.sequence.max(sequence));
    }

    /// The log has failed: nothing beyond the durable sequence will become durable.
    pub fn fail(&self) {
        self.sender.send_modify(|durable| durable.rolling_back = true);
    }

    /// The sequence to which memory has to go back; nothing when it has not to.
    pub fn must_roll_back(&self) -> Option<Sequence> {
        let durable = self.sender.borrow();
        durable.rolling_back.then_some(durable.sequence)
    }

    /// The disk has not answered for long, or it does again. What waits for it goes on waiting.
    pub fn note_silence(&self, silent: bool) {
        self.sender.send_if_modified(|durable| std::mem::replace(&mut durable.silent, silent) != silent);
    }

    /// Waits until the disk has not answered for long: for those who have something better to do than to wait with it.
    pub async fn silence(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as this future borrows it.
        let _ = receiver.wait_for(|durable| durable.silent).await;
    }

    /// Memory holds nothing any more beyond the durable sequence.
    pub fn rolled_back(&self) {
        self.sender.send_modify(|durable| {
            durable.generation.0 += 1;
            durable.began = durable.sequence;
            durable.rolling_back = false;
        });
    }

    /// Waits until what was seen as `sequence` is durable.
    ///
    /// # Errors
    /// [`RolledBack`] once it never will be.
    pub async fn reached(&self, generation: Generation, sequence: Sequence) -> Result<(), RolledBack> {
        if let Some(told) = self.sender.borrow().tell(generation, sequence) {
            return told;
        }
        let mut receiver = self.sender.subscribe();
        match receiver.wait_for(|durable| durable.tell(generation, sequence).is_some()).await {
            Ok(durable) => durable.tell(generation, sequence).unwrap_or(Err(RolledBack)),
            Err(_) => Err(RolledBack),
        }
    }

    /// Waits until some entry has `sequence` durably, however often the log fails meanwhile.
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
    fn a_wait_is_never_satisfied_by_a_sequence_that_was_given_again() {
        let watch = DurableWatch::new(Sequence(3));
        let first = watch.generation();
        let mut waiting = pin!(watch.reached(first, FIVE));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        watch.advance(Sequence(4));
        // All of it happens before the one who waits is looked at again.
        watch.fail();
        watch.rolled_back();
        watch.advance(FIVE);
        assert_eq!(waiting.as_mut().poll(&mut context), Poll::Ready(Err(RolledBack)));
        assert_eq!(look(watch.reached(first, Sequence(4))), Poll::Ready(Ok(())), "that was durable before");
        assert_eq!(look(watch.reached(watch.generation(), FIVE)), Poll::Ready(Ok(())));
    }

    #[test]
    fn what_is_not_durable_is_taken_back_at_once_and_what_is_stays() {
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
    fn what_was_seen_two_failures_ago_is_not_vouched_for() {
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
    fn a_disk_that_does_not_answer_is_heard_of_and_waited_for() {
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
