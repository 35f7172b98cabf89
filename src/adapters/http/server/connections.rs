//! The connections that are open, and who goes when there is no room for a newcomer.
//!
//! A connection with a request in work is never cut for another one. Of the rest those go first that have never sent the
//! whole head of a request, then those whose peer neither sends nor takes what it should, then those that have been idle
//! for longest. So ten thousand callers who say nothing, half of something, or never read keep nobody out.
//!
//! Who follows the feed is not of the crowd as long as it does: it takes none of its places, and makes room for nobody, also when
//! its reader rests for a while. How many may follow is bounded where they are let in (`Node::follower_place`).

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// No moment.
const NOT: u64 = u64::MAX;
/// A peer that is waited for this long may have to go.
const STALLED_MS_MIN: u64 = 1_000;

/// How little a connection would be missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Missed {
    Stranger,
    Stalled,
    Idle,
}

/// All connections of one kind.
#[derive(Debug)]
pub(crate) struct Crowd {
    members: Mutex<Members>,
    begun: Instant,
    members_max: usize,
}

#[derive(Debug, Default)]
struct Members {
    next: u64,
    inside: HashMap<u64, Arc<Member>>,
}

/// One connection, as the accept loop sees it.
#[derive(Debug)]
pub(crate) struct Member {
    begun: Instant,
    /// Requests under way: from the whole head to the end of the answer.
    busy: AtomicUsize,
    /// Requests that have begun so far.
    requests: AtomicU64,
    /// It speaks HTTP/2, in which several requests share the connection and pings come at any time.
    multiplexed: AtomicBool,
    /// Requests under way that follow the feed.
    following: AtomicUsize,
    /// When the last request ended, or the connection began, in milliseconds since the server did.
    idle_since_ms: AtomicU64,
    /// Since when the peer is waited for, to send more of a body or to take more of an answer; [`NOT`]: it is not.
    stalled_since_ms: AtomicU64,
    /// Until when nothing more is taken from it, in the same milliseconds.
    paused_until_ms: AtomicU64,
    /// Cancelled when it has to go.
    evicted: CancellationToken,
}

/// A place in the crowd, given back when dropped.
#[derive(Debug)]
pub(crate) struct Membership {
    crowd: Arc<Crowd>,
    number: u64,
    pub(crate) member: Arc<Member>,
}

/// A request under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Busy {
    member: Arc<Member>,
    follows: bool,
}

impl Crowd {
    /// Room for so many.
    pub(crate) fn new(members_max: usize) -> Self {
        Self { members: Mutex::default(), begun: Instant::now(), members_max }
    }

    /// Lets a connection in; when all places are taken, instead of one that has nothing under way. Nothing when all have.
    pub(crate) fn admit(self: &Arc<Self>) -> Option<Membership> {
        let mut members = self.members.lock();
        if members.inside.len() >= self.members_max {
            members.make_room(self.members_max, milliseconds(self.begun))?;
        }
        let number = members.next;
        members.next += 1;
        let member = Arc::new(Member {
            begun: self.begun,
            busy: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            multiplexed: AtomicBool::new(false),
            following: AtomicUsize::new(0),
            idle_since_ms: AtomicU64::new(milliseconds(self.begun)),
            stalled_since_ms: AtomicU64::new(NOT),
            paused_until_ms: AtomicU64::new(0),
            evicted: CancellationToken::new(),
        });
        members.inside.insert(number, Arc::clone(&member));
        drop(members);
        Some(Membership { crowd: Arc::clone(self), number, member })
    }

    /// Has those who follow and do not take what is sent to them go: what they miss they get when they follow again.
    pub(crate) fn part_with_resting(&self) {
        let now_ms = milliseconds(self.begun);
        let members = self.members.lock();
        let resting = |member: &&Arc<Member>| member.follows() && member.rests(now_ms);
        members.inside.values().filter(resting).for_each(|member| member.evicted.cancel());
    }

    /// How many are inside, with those who follow.
    pub(crate) fn len(&self) -> usize {
        self.members.lock().inside.len()
    }
}

impl Members {
    /// Has those who would be missed least go until there is a place; nothing when there is none. Several may have to, after
    /// some have ceased to follow.
    fn make_room(&mut self, members_max: usize, now_ms: u64) -> Option<()> {
        let mut taken = self.inside.values().filter(|member| !member.follows()).count();
        while taken >= members_max {
            let may_go =
                self.inside.iter().filter_map(|(number, member)| Some((member.rank(now_ms)?, *number)));
            let (_, number) = may_go.min()?;
            if let Some(leaver) = self.inside.remove(&number) {
                leaver.evicted.cancel();
            }
            taken -= 1;
        }
        Some(())
    }
}

impl Member {
    /// A request has begun: its head is complete.
    pub(crate) fn begin(self: &Arc<Self>, multiplexed: bool) -> Busy {
        self.busy.fetch_add(1, Ordering::AcqRel);
        self.requests.fetch_add(1, Ordering::Relaxed);
        if multiplexed {
            self.multiplexed.store(true, Ordering::Relaxed);
        }
        Busy { member: Arc::clone(self), follows: false }
    }

    /// The number of requests that have begun, when the next one may be timed by the bytes that come: none is under way.
    pub(crate) fn awaits_head(&self) -> Option<u64> {
        let waits = self.busy.load(Ordering::Acquire) == 0 && !self.multiplexed.load(Ordering::Relaxed);
        waits.then(|| self.requests.load(Ordering::Relaxed))
    }

    /// Takes nothing more from it for a while.
    pub(crate) fn pause(&self, wait: Duration) {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.paused_until_ms.store(milliseconds(self.begun).saturating_add(wait_ms), Ordering::Relaxed);
    }

    /// How much longer nothing is taken from it.
    pub(crate) fn paused(&self) -> Duration {
        match self.paused_until_ms.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            until => Duration::from_millis(until.saturating_sub(milliseconds(self.begun))),
        }
    }

    /// Waits until it has to go.
    pub(crate) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// Notes whether the peer is waited for.
    pub(crate) fn waits_for_peer(&self, waits: bool) {
        let known = self.stalled_since_ms.load(Ordering::Relaxed) != NOT;
        if known != waits {
            let since = if waits { milliseconds(self.begun) } else { NOT };
            self.stalled_since_ms.store(since, Ordering::Relaxed);
        }
    }

    fn follows(&self) -> bool {
        self.following.load(Ordering::Acquire) > 0
    }

    /// True when its peer has been waited for so long that it may have to go.
    fn rests(&self, now_ms: u64) -> bool {
        let stalled_ms = self.stalled_since_ms.load(Ordering::Relaxed);
        stalled_ms != NOT
            && now_ms.saturating_sub(stalled_ms) >= STALLED_MS_MIN
            // Other requests of the same connection may go well.
            && !self.multiplexed.load(Ordering::Relaxed)
    }

    /// The smallest goes first; nothing for one that may not go.
    fn rank(&self, now_ms: u64) -> Option<(Missed, u64)> {
        if self.follows() {
            return None;
        }
        let stalled_ms = self.stalled_since_ms.load(Ordering::Relaxed);
        let idle_ms = self.idle_since_ms.load(Ordering::Relaxed);
        let idle = self.busy.load(Ordering::Acquire) == 0;
        if idle && self.requests.load(Ordering::Relaxed) == 0 {
            Some((Missed::Stranger, idle_ms))
        } else if self.rests(now_ms) {
            Some((Missed::Stalled, stalled_ms))
        } else {
            idle.then_some((Missed::Idle, idle_ms))
        }
    }
}

impl Busy {
    /// The same request, which from now on follows the feed.
    pub(crate) fn following(mut self) -> Self {
        if !self.follows {
            self.member.following.fetch_add(1, Ordering::AcqRel);
            self.follows = true;
        }
        self
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if self.follows {
            self.member.following.fetch_sub(1, Ordering::AcqRel);
        }
        self.member.idle_since_ms.store(milliseconds(self.member.begun), Ordering::Relaxed);
        self.member.busy.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.crowd.members.lock().inside.remove(&self.number);
    }
}

fn milliseconds(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomer_takes_the_place_of_whoever_is_missed_least() {
        let crowd = Arc::new(Crowd::new(3));
        let [known, silent, working] = [0, 1, 2].map(|_| crowd.admit().expect("there is room"));
        drop(known.member.begin(false));
        let work = working.member.begin(false);
        let gone = |membership: &Membership| membership.member.evicted.is_cancelled();
        let first = crowd.admit().expect("the silent one goes");
        assert_eq!((gone(&silent), gone(&known), gone(&working)), (true, false, false));
        let busy = first.member.begin(false);
        let second = crowd.admit().expect("then the idle one");
        assert!(gone(&known) && !gone(&working) && !gone(&first));
        let also_busy = second.member.begin(true);
        assert!(crowd.admit().is_none(), "all have something under way");
        drop(busy);
        also_busy.member.waits_for_peer(true);
        let third = crowd.admit().expect("one is idle again");
        assert!(gone(&first));
        assert_eq!(crowd.len(), 3);
        drop((silent, known, first));
        assert_eq!(crowd.len(), 3, "those who went count no more");
        drop((work, also_busy, working, second, third));
        assert_eq!(crowd.len(), 0);
    }

    #[test]
    fn a_peer_that_is_waited_for_may_have_to_go() {
        let member = |requests, busy, stalled, multiplexed| {
            let membership = Arc::new(Crowd::new(1)).admit().unwrap();
            let member = &membership.member;
            member.requests.store(requests, Ordering::Relaxed);
            member.busy.store(busy, Ordering::Relaxed);
            member.stalled_since_ms.store(stalled, Ordering::Relaxed);
            member.multiplexed.store(multiplexed, Ordering::Relaxed);
            member.rank(5_000).map(|(missed, _)| missed)
        };
        assert_eq!(member(0, 0, NOT, false), Some(Missed::Stranger));
        assert_eq!(member(1, 0, NOT, false), Some(Missed::Idle));
        assert_eq!(member(1, 1, NOT, false), None);
        assert_eq!(member(1, 1, 4_001, false), None, "everybody is slow for a moment");
        assert_eq!(member(1, 1, 4_000, false), Some(Missed::Stalled));
        assert_eq!(member(1, 1, 4_000, true), None, "others of the same connection may go well");
    }

    #[test]
    fn who_follows_takes_no_place_and_makes_room_for_nobody() {
        let crowd = Arc::new(Crowd::new(2));
        let gone = |membership: &Membership| membership.member.evicted.is_cancelled();
        let follower = crowd.admit().unwrap();
        let feed = follower.member.begin(false).following();
        // It rests, for as long as anybody may.
        follower.member.stalled_since_ms.store(0, Ordering::Relaxed);
        let others: Vec<_> =
            (0..10).map(|_| crowd.admit().expect("strangers make room for strangers")).collect();
        assert_eq!((gone(&follower), others.iter().filter(|one| gone(one)).count()), (false, 8));
        assert_eq!(crowd.len(), 3, "two, and the one that follows");
        let work: Vec<_> = others[8..].iter().map(|one| one.member.begin(false)).collect();
        assert!(crowd.admit().is_none(), "it goes for nobody");
        drop(feed);
        // It is of the crowd again, where one is too many now; it rests, so it goes, and nobody comes in yet.
        assert!(crowd.admit().is_none() && gone(&follower));
        drop(work);
        assert!(crowd.admit().is_some());
        drop((follower, others));
        assert_eq!(crowd.len(), 0);
    }

    #[test]
    fn the_head_of_a_request_is_awaited_while_none_is_under_way() {
        let crowd = Arc::new(Crowd::new(1));
        let connection = crowd.admit().unwrap();
        let member = &connection.member;
        assert_eq!(member.awaits_head(), Some(0));
        let request = member.begin(false);
        assert_eq!(member.awaits_head(), None);
        drop(request);
        assert_eq!(member.awaits_head(), Some(1));
        drop(member.begin(true));
        assert_eq!(member.awaits_head(), None, "in HTTP/2 a ping is no head");
    }
}
