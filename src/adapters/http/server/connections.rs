//! The open connections, and which one is evicted when there is no room for a new one.
//!
//! A connection with an active request is never evicted. Of the others those go first that have never sent the
//! whole head of a request, then those that wait for their peer to send or to read, then those that have been idle
//! for longest. So ten thousand clients that send nothing, or half a head, or never read keep no other client out.
//!
//! A connection that follows the feed takes no place as long as it does, and is not evicted for another one, even
//! when its reader pauses. `Node::follower_place` bounds their number.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Sentinel for no moment.
const NOT: u64 = u64::MAX;
/// A connection that has waited this long for its peer may be evicted.
const STALLED_MS_MIN: u64 = 1_000;

/// The order in which connections are evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum EvictionRank {
    Silent,
    Stalled,
    Idle,
}

/// All connections of one kind.
#[derive(Debug)]
pub(crate) struct Connections {
    open: Mutex<OpenConnections>,
    begun: Instant,
    places_max: usize,
}

#[derive(Debug, Default)]
struct OpenConnections {
    next: u64,
    inside: HashMap<u64, Arc<OpenConnection>>,
}

/// One connection, as the accept loop sees it.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    begun: Instant,
    /// Active requests: from the whole head to the end of the answer.
    active: AtomicUsize,
    /// Requests that have begun so far.
    requests: AtomicU64,
    /// It speaks HTTP/2, in which several requests share the connection and pings come at any time.
    multiplexed: AtomicBool,
    /// Active requests that follow the feed.
    following: AtomicUsize,
    /// One of its requests has followed the feed. When the feed ends, its peer may still have to read what is on the way.
    has_followed: AtomicBool,
    /// When the last request ended, or the connection began, in milliseconds since the server did.
    idle_since_ms: AtomicU64,
    /// Since when the connection waits for its peer, to send more of a body or to read more of an answer; [`NOT`]:
    /// it does not.
    stalled_since_ms: AtomicU64,
    /// Until when nothing more is read from it, in the same milliseconds.
    paused_until_ms: AtomicU64,
    /// Cancelled when it is evicted.
    evicted: CancellationToken,
}

/// The place of one connection, returned when dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPlace {
    connections: Arc<Connections>,
    number: u64,
    pub(crate) connection: Arc<OpenConnection>,
}

/// An active request, until it is dropped.
#[derive(Debug)]
pub(crate) struct ActiveRequest {
    connection: Arc<OpenConnection>,
    follows: bool,
}

impl Connections {
    /// A set of connections with this many places.
    pub(crate) fn new(places_max: usize) -> Self {
        Self { open: Mutex::default(), begun: Instant::now(), places_max }
    }

    /// Admits a connection; when all places are taken another one is evicted. `None` when none may be.
    pub(crate) fn admit(self: &Arc<Self>) -> Option<ConnectionPlace> {
        let mut connections = self.open.lock();
        if connections.inside.len() >= self.places_max {
            connections.make_room(self.places_max, milliseconds(self.begun))?;
        }
        let number = connections.next;
        connections.next += 1;
        let connection = Arc::new(OpenConnection {
            begun: self.begun,
            active: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            multiplexed: AtomicBool::new(false),
            following: AtomicUsize::new(0),
            has_followed: AtomicBool::new(false),
            idle_since_ms: AtomicU64::new(milliseconds(self.begun)),
            stalled_since_ms: AtomicU64::new(NOT),
            paused_until_ms: AtomicU64::new(0),
            evicted: CancellationToken::new(),
        });
        connections.inside.insert(number, Arc::clone(&connection));
        drop(connections);
        Some(ConnectionPlace { connections: Arc::clone(self), number, connection })
    }

    /// Evicts followers that do not read: they get the missed events when they follow again.
    pub(crate) fn evict_stalled_followers(&self) {
        let now_ms = milliseconds(self.begun);
        let connections = self.open.lock();
        let stalled =
            |connection: &&Arc<OpenConnection>| connection.has_followed() && connection.is_stalled(now_ms);
        connections.inside.values().filter(stalled).for_each(|connection| connection.evicted.cancel());
    }

    /// The number of open connections, followers included.
    pub(crate) fn len(&self) -> usize {
        self.open.lock().inside.len()
    }
}

impl OpenConnections {
    /// Evicts connections in their order until there is a place; `None` when there is none. It may have to evict several, after
    /// some have ceased to follow.
    fn make_room(&mut self, places_max: usize, now_ms: u64) -> Option<()> {
        let mut taken = self.inside.values().filter(|connection| !connection.follows()).count();
        while taken >= places_max {
            let may_go = self
                .inside
                .iter()
                .filter_map(|(number, connection)| Some((connection.rank(now_ms)?, *number)));
            let (_, number) = may_go.min()?;
            if let Some(evicted) = self.inside.remove(&number) {
                evicted.evicted.cancel();
            }
            taken -= 1;
        }
        Some(())
    }
}

impl OpenConnection {
    /// A request has begun: its head is complete.
    pub(crate) fn begin(self: &Arc<Self>, multiplexed: bool) -> ActiveRequest {
        self.active.fetch_add(1, Ordering::AcqRel);
        self.requests.fetch_add(1, Ordering::Relaxed);
        if multiplexed {
            self.multiplexed.store(true, Ordering::Relaxed);
        }
        ActiveRequest { connection: Arc::clone(self), follows: false }
    }

    /// The number of requests that have begun, when the head of the next one may be timed: no request is active.
    pub(crate) fn awaits_head(&self) -> Option<u64> {
        let waits = self.active.load(Ordering::Acquire) == 0 && !self.multiplexed.load(Ordering::Relaxed);
        waits.then(|| self.requests.load(Ordering::Relaxed))
    }

    /// Stops reading from it for a while.
    pub(crate) fn pause(&self, wait: Duration) {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.paused_until_ms.store(milliseconds(self.begun).saturating_add(wait_ms), Ordering::Relaxed);
    }

    /// How much longer it is not read from.
    pub(crate) fn paused(&self) -> Duration {
        match self.paused_until_ms.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            until => Duration::from_millis(until.saturating_sub(milliseconds(self.begun))),
        }
    }

    /// Waits until it is evicted.
    pub(crate) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// Notes whether the connection waits for its peer.
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

    fn has_followed(&self) -> bool {
        self.has_followed.load(Ordering::Acquire)
    }

    /// True when it has waited for its peer so long that it may be evicted.
    fn is_stalled(&self, now_ms: u64) -> bool {
        let stalled_ms = self.stalled_since_ms.load(Ordering::Relaxed);
        stalled_ms != NOT
            && now_ms.saturating_sub(stalled_ms) >= STALLED_MS_MIN
            // Other requests of the same connection may make progress.
            && !self.multiplexed.load(Ordering::Relaxed)
    }

    /// The smallest is evicted first; `None` for one that may not be.
    fn rank(&self, now_ms: u64) -> Option<(EvictionRank, u64)> {
        if self.follows() {
            return None;
        }
        let stalled_ms = self.stalled_since_ms.load(Ordering::Relaxed);
        let idle_ms = self.idle_since_ms.load(Ordering::Relaxed);
        let idle = self.active.load(Ordering::Acquire) == 0;
        if idle && self.requests.load(Ordering::Relaxed) == 0 {
            Some((EvictionRank::Silent, idle_ms))
        } else if self.is_stalled(now_ms) {
            Some((EvictionRank::Stalled, stalled_ms))
        } else {
            idle.then_some((EvictionRank::Idle, idle_ms))
        }
    }
}

impl ActiveRequest {
    /// The same request, which from now on follows the feed.
    pub(crate) fn following(mut self) -> Self {
        if !self.follows {
            self.connection.following.fetch_add(1, Ordering::AcqRel);
            self.connection.has_followed.store(true, Ordering::Release);
            self.follows = true;
        }
        self
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        if self.follows {
            self.connection.following.fetch_sub(1, Ordering::AcqRel);
        }
        self.connection.idle_since_ms.store(milliseconds(self.connection.begun), Ordering::Relaxed);
        self.connection.active.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        self.connections.open.lock().inside.remove(&self.number);
    }
}

fn milliseconds(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_connection_evicts_the_least_useful_one() {
        let connections = Arc::new(Connections::new(3));
        let [known, silent, working] = [0, 1, 2].map(|_| connections.admit().expect("there is room"));
        drop(known.connection.begin(false));
        let work = working.connection.begin(false);
        let gone = |place: &ConnectionPlace| place.connection.evicted.is_cancelled();
        let first = connections.admit().expect("the silent one goes");
        assert_eq!((gone(&silent), gone(&known), gone(&working)), (true, false, false));
        let active = first.connection.begin(false);
        let second = connections.admit().expect("then the idle one");
        assert!(gone(&known) && !gone(&working) && !gone(&first));
        let also_active = second.connection.begin(true);
        assert!(connections.admit().is_none(), "all have something under way");
        drop(active);
        also_active.connection.waits_for_peer(true);
        let third = connections.admit().expect("one is idle again");
        assert!(gone(&first));
        assert_eq!(connections.len(), 3);
        drop((silent, known, first));
        assert_eq!(connections.len(), 3, "those who went count no more");
        drop((work, also_active, working, second, third));
        assert_eq!(connections.len(), 0);
    }

    #[test]
    fn a_peer_that_is_waited_for_may_have_to_go() {
        let connection = |requests, active, stalled, multiplexed| {
            let place = Arc::new(Connections::new(1)).admit().unwrap();
            let connection = &place.connection;
            connection.requests.store(requests, Ordering::Relaxed);
            connection.active.store(active, Ordering::Relaxed);
            connection.stalled_since_ms.store(stalled, Ordering::Relaxed);
            connection.multiplexed.store(multiplexed, Ordering::Relaxed);
            connection.rank(5_000).map(|(rank, _)| rank)
        };
        assert_eq!(connection(0, 0, NOT, false), Some(EvictionRank::Silent));
        assert_eq!(connection(1, 0, NOT, false), Some(EvictionRank::Idle));
        assert_eq!(connection(1, 1, NOT, false), None);
        assert_eq!(connection(1, 1, 4_001, false), None, "everybody is slow for a moment");
        assert_eq!(connection(1, 1, 4_000, false), Some(EvictionRank::Stalled));
        assert_eq!(connection(1, 1, 4_000, true), None, "others of the same connection may go well");
    }

    #[test]
    fn a_follower_takes_no_place_and_is_not_evicted_for_another() {
        let connections = Arc::new(Connections::new(2));
        let gone = |place: &ConnectionPlace| place.connection.evicted.is_cancelled();
        let follower = connections.admit().unwrap();
        let feed = follower.connection.begin(false).following();
        // It waits for its peer, for as long as possible.
        follower.connection.stalled_since_ms.store(0, Ordering::Relaxed);
        let others: Vec<_> =
            (0..10).map(|_| connections.admit().expect("strangers make room for strangers")).collect();
        assert_eq!((gone(&follower), others.iter().filter(|one| gone(one)).count()), (false, 8));
        assert_eq!(connections.len(), 3, "two, and the one that follows");
        let work: Vec<_> = others[8..].iter().map(|one| one.connection.begin(false)).collect();
        assert!(connections.admit().is_none(), "it goes for nobody");
        drop(feed);
        // It counts again, so there is one too many; it waits for its peer, so it is evicted, and no connection is
        // admitted yet.
        assert!(connections.admit().is_none() && gone(&follower));
        drop(work);
        assert!(connections.admit().is_some());
        drop((follower, others));
        assert_eq!(connections.len(), 0);
    }

    /// The stream of a follower ends with the server, also while its reader has not read all of it.
    #[test]
    fn a_stop_does_not_wait_for_a_follower_that_does_not_read() {
        let begun = Instant::now().checked_sub(Duration::from_millis(STALLED_MS_MIN)).unwrap();
        let connections = Arc::new(Connections { begun, ..Connections::new(3) });
        let [over, under_way, other] = [0, 1, 2].map(|_| connections.admit().unwrap());
        for place in [&over, &under_way, &other] {
            place.connection.stalled_since_ms.store(0, Ordering::Relaxed);
        }
        drop(over.connection.begin(false).following());
        let _feed = under_way.connection.begin(false).following();
        let _answer = other.connection.begin(false);
        connections.evict_stalled_followers();
        let gone = [&over, &under_way, &other].map(|place| place.connection.evicted.is_cancelled());
        assert_eq!(gone, [true, true, false], "an answer has its time to be read");
    }

    #[test]
    fn the_head_of_a_request_is_awaited_while_none_is_under_way() {
        let connections = Arc::new(Connections::new(1));
        let connection = connections.admit().unwrap();
        let connection = &connection.connection;
        assert_eq!(connection.awaits_head(), Some(0));
        let request = connection.begin(false);
        assert_eq!(connection.awaits_head(), None);
        drop(request);
        assert_eq!(connection.awaits_head(), Some(1));
        drop(connection.begin(true));
        assert_eq!(connection.awaits_head(), None, "in HTTP/2 a ping is no head");
    }
}
