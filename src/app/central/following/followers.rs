//! The followers of a worker, one for each source; sources may join while it runs.

use crate::blocking;
use crate::central::following::follower::Follower;
use crate::central::model::step::Origin;
use crate::central::{LetterError, Worker};
use crate::ports::{EventSource, Joining};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use onhand_resilience::{Breaker, BreakerSettings};
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, OwnedMutexGuard};
use uuid::Uuid;

/// Pause between two checks for new logs.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// All followers of a worker; none is ever removed.
pub(crate) struct Followers {
    followed: RwLock<Vec<Followed>>,
    settings: BreakerSettings,
    joining: Vec<Arc<dyn Joining>>,
    /// A source has joined.
    joined: Notify,
    /// For each node the number of the source that follows it.
    claims: Mutex<BTreeMap<Uuid, usize>>,
}

/// A source with its breaker and its follower.
#[derive(Clone)]
pub(crate) struct Followed {
    pub(crate) source: Arc<dyn EventSource>,
    pub(crate) breaker: Arc<Breaker>,
    pub(crate) follower: Arc<tokio::sync::Mutex<Follower>>,
}

impl Followers {
    pub(crate) fn new(
        sources: Vec<Arc<dyn EventSource>>,
        joining: Vec<Arc<dyn Joining>>,
        settings: BreakerSettings,
    ) -> Self {
        let followers = Self {
            followed: RwLock::default(),
            settings,
            joining,
            joined: Notify::new(),
            claims: Mutex::default(),
        };
        for source in sources {
            followers.follow_too(source);
        }
        followers
    }

    fn follow_too(&self, source: Arc<dyn EventSource>) {
        let mut followers = self.followed.write();
        let breaker = Arc::new(Breaker::new(format!("source {}", source.name()), self.settings));
        let reader = Follower::new(followers.len(), Arc::clone(&source), Arc::clone(&breaker));
        let follower = Arc::new(tokio::sync::Mutex::new(reader));
        followers.push(Followed { source, breaker, follower });
        drop(followers);
        self.joined.notify_one();
    }

    /// All present sources, in the order of joining.
    pub(crate) fn all(&self) -> Vec<Followed> {
        self.followed.read().clone()
    }

    /// Adds the sources that have appeared since the last check.
    pub(crate) async fn look(&self) {
        for joining in &self.joining {
            let joining = Arc::clone(joining);
            match blocking(move || joining.joined()).await {
                Ok(new) => new.into_iter().for_each(|source| self.follow_too(source)),
                Err(error) => {
                    tracing::warn!(%error, "cannot see whether a log has joined; it is tried again");
                }
            }
        }
    }

    /// Follows all sources, including those that join later, until it is dropped.
    pub(crate) async fn run(&self, worker: &Worker) {
        let looks = async {
            loop {
                self.look().await;
                tokio::time::sleep(CHECK_EVERY).await;
            }
        };
        let rounds = async {
            let mut rounds = FuturesUnordered::new();
            loop {
                let begun = rounds.len();
                rounds.extend(self.all().into_iter().skip(begun).map(|followed| worker.rounds(followed)));
                tokio::select! {
                    Some(()) = rounds.next() => unreachable!("a source is followed for ever"),
                    () = self.joined.notified() => {}
                }
            }
        };
        tokio::select! {
            () = looks => {}
            () = rounds => {}
        }
    }

    /// The follower of a node's log, once the source has answered.
    pub(crate) async fn follower_of(
        &self,
        node: Uuid,
    ) -> Result<(OwnedMutexGuard<Follower>, Origin), LetterError> {
        let number = self.claims.lock().get(&node).copied();
        let found = number.and_then(|number| self.followed.read().get(number).cloned());
        if let Some(followed) = found {
            let follower = followed.follower.lock_owned().await;
            if let Some(origin) = follower.origin.filter(|origin| origin.node == node) {
                return Ok((follower, origin));
            }
        }
        Err(LetterError::Source(format!("node {node} has not answered yet")))
    }

    /// Claims a node for a source; returns the name of another source that follows the node already.
    pub(crate) fn claim(&self, node: Uuid, number: usize) -> Option<String> {
        let holder = *self.claims.lock().entry(node).or_insert(number);
        let followed = self.followed.read();
        let other = followed.get(holder).filter(|_| holder != number)?;
        Some(other.source.name().to_owned())
    }
}
