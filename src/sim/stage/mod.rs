//! A node played against the oracle: the same acts to both, and after every crash the two are brought together.
//!
//! Everything here panics where node and oracle differ: whoever plays catches that, and says by which seed.

mod said;
mod words;

use crate::app::low_stock::AlertFilter;
use crate::app::ports::Clock;
use crate::app::{APART_MS, CommandError, Outcome};
use crate::domain::{Sku, StoreId};
use crate::sim::node::{SimNode, SimSettings};
use crate::sim::oracle::{Act, Answer, Happened, Oracle};
use crate::sim::rules::{self, Rules};
use crate::sim::world::World;
pub(super) use said::{Listed, listed, listed_by, shown};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
pub use words::{CATALOGUE, happened};
pub(super) use words::{command, hear};

/// The SKUs of a small play, in key order.
pub const SKUS: [&str; 3] = ["A", "B", "C"];

/// A world, its oracle, and the node while it runs.
pub struct Stage {
    /// What the node stands on.
    pub world: World,
    /// What the node owes.
    pub oracle: Oracle,
    /// The time of the log, as far as no entry moves it on.
    pub course: i64,
    /// The SKUs of the play, in key order.
    pub skus: &'static [&'static str],
    /// The log on the disk, as far as it was held against its rules.
    rules: Rules,
}

/// What a node answered, or that it could not.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// It answered.
    Answer(Answer),
    /// The log failed while it was on its way.
    Unknown,
    /// Nothing changed: the log cannot be written.
    ReadOnly,
    /// The effect stands, its answer could not be read back.
    Unread,
}

/// Acts without an answer, in the order of their arrival.
#[derive(Debug, Default)]
pub struct Open {
    /// Nobody knows whether they happened.
    pub unknown: Vec<Act>,
    /// They have not happened, and were told so.
    pub refused: Vec<Act>,
}

impl Open {
    /// True when all were answered.
    pub fn is_empty(&self) -> bool {
        self.unknown.is_empty() && self.refused.is_empty()
    }

    /// Every act without an answer.
    pub fn all(&self) -> Vec<Act> {
        [&self.unknown[..], &self.refused[..]].concat()
    }
}

impl Stage {
    /// An empty world of three SKUs.
    pub fn new(settings: SimSettings) -> Self {
        let world = World::new(settings);
        let course = world.clock.now().milliseconds();
        let oracle = Oracle::new(settings.idempotency_ttl_ms);
        Self { world, oracle, course, skus: &SKUS, rules: Rules::default() }
    }

    /// Log time, in milliseconds, as far as no entry moves it on.
    pub fn clock(&self) -> i64 {
        self.course
    }

    /// Time passes, or the wall clock is turned back.
    pub fn pass(&mut self, milliseconds: i64) {
        self.world.clock.pass(milliseconds);
        self.course += milliseconds.max(0);
    }

    /// Plays acts that arrive together, all before the disk is written, and holds every answer against the oracle.
    pub async fn play(&mut self, node: &SimNode, acts: &[Act]) {
        let clock = self.clock();
        let heard = ask(node, &self.oracle, clock, acts).await;
        for (act, heard) in acts.iter().zip(heard) {
            let owed = self.oracle.play(clock, act);
            assert_eq!(heard, Heard::Answer(owed), "{act:?}");
        }
        self.oracle.settle();
    }

    /// Lets due holds expire by themselves.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn pass_due(&mut self, node: &SimNode) -> Result<(), CommandError> {
        node.drive(node.ledger.expire_due()).await?;
        self.oracle.pass_due(self.clock());
        Ok(())
    }

    /// Every level is what the oracle says, and everything that is said, and every alert.
    pub async fn check_levels(&self, node: &SimNode) {
        for sku in self.skus {
            self.check_level(node, sku).await;
        }
        let seen = node.drive(listed(&node.ledger)).await.expect("lists are read");
        assert_eq!(seen, listed_by(&self.oracle), "products and stores in their lists");
    }

    /// What is shown of a SKU is what the oracle says.
    pub async fn check_level(&self, node: &SimNode, sku: &'static str) {
        let seen = node.drive(shown(&node.ledger, &self.oracle, sku)).await.expect("states are read");
        assert_eq!(seen, self.oracle.shown(sku), "{sku}");
    }

    /// Takes what was answered before a crash for granted, and returns the acts that were not.
    ///
    /// The log is one line of acts: nothing is acknowledged behind something that is not. What is read-only has not
    /// happened; of what is unknown the log may hold the first few.
    pub fn hold(&mut self, acts: &[Act], heard: Vec<Heard>) -> Open {
        let (clock, mut ahead, mut open) = (self.clock(), self.oracle.clone(), Open::default());
        for (act, heard) in acts.iter().zip(heard) {
            let before = ahead.end();
            let owed = ahead.play(clock, act);
            let moved = ahead.end() > before;
            match heard {
                Heard::Unknown => {
                    open.unknown.push(act.clone());
                    continue;
                }
                Heard::ReadOnly => {
                    open.refused.push(act.clone());
                    continue;
                }
                Heard::Unread => {}
                Heard::Answer(answer) => assert_eq!(answer, owed, "{act:?}"),
            }
            if open.is_empty() {
                self.oracle = ahead.clone();
            } else {
                assert!(!moved, "acknowledged behind something that was not: {act:?}");
                let durable = self.oracle.clone().play(clock, act);
                assert_eq!(durable, owed, "answered by what is not durable: {act:?}");
            }
        }
        open
    }

    /// The log took acts and gave them back: its time does not go back with them.
    pub fn took_back(&mut self) {
        self.oracle.floor = self.oracle.time(self.clock());
    }

    /// Opens the directory after a crash, and meets it.
    pub async fn reopen(&mut self, unanswered: &[Act], expiring: bool) -> SimNode {
        let node = self.world.open();
        self.meet(&node, unanswered, expiring).await;
        node
    }

    /// Brings the oracle together with a node that has just started. Of `unanswered` (in the order of arrival) the log may
    /// hold the first few, each in full; the oracle learns which. So it is with expiries that were under way. Then log and
    /// levels must be what the oracle says.
    pub async fn meet(&mut self, node: &SimNode, unanswered: &[Act], expiring: bool) {
        self.oracle.floor = i64::MIN;
        let durable = node.ledger.log().durable().sequence().0;
        let clock = self.clock();
        if expiring && durable > self.oracle.end() {
            self.oracle.pass_due(clock);
        }
        for act in unanswered {
            let mut ahead = self.oracle.clone();
            ahead.play(clock, act);
            if ahead.end() > durable {
                break;
            }
            self.oracle = ahead;
        }
        // Small differences are made up for at a start; what is more waits for a sign in the log, which nobody writes here.
        let wall = self.world.clock.now().milliseconds();
        let last = self.oracle.log.last().map_or(wall, |last| last.at);
        self.course = if (0..=APART_MS).contains(&(wall - last)) { wall } else { last };
        assert_eq!(durable, self.oracle.end(), "acknowledged entries are there, and whole commands only");
        self.oracle.settle();
        self.check(node).await;
    }

    /// Everything on the disk is what the oracle says, whatever was found before.
    pub async fn check_all(&mut self, node: &SimNode) {
        self.rules = Rules::default();
        self.check(node).await;
    }

    /// Log, levels and history are what the oracle says. What was found to be so before is not read again: a
    /// new stage reads everything.
    pub async fn check(&mut self, node: &SimNode) {
        let before = self.rules.end();
        let mut told: Vec<Happened> = Vec::new();
        for entry in rules::entries_after(&self.world.disk, before) {
            if entry.sequence <= before {
                continue;
            }
            self.rules.check(&entry);
            told.extend(entry.events.iter().map(|event| happened(event, entry.at.milliseconds())));
        }
        let known = usize::try_from(before.0).expect("a log in memory");
        assert_eq!(told.iter().collect::<Vec<_>>(), self.oracle.log.after(known).collect::<Vec<_>>());
        self.check_levels(node).await;
    }
}

/// Where a level is.
pub fn place(oracle: &Oracle, sku: &str) -> (StoreId, Sku) {
    (StoreId::new(oracle.store).expect("a store's id"), Sku::new(sku).expect("a SKU"))
}

/// A command on its way.
type Running<'a> = Pin<Box<dyn Future<Output = Result<Outcome, CommandError>> + 'a>>;

/// What the node answers to acts that arrive together.
pub async fn ask(node: &SimNode, oracle: &Oracle, clock: i64, acts: &[Act]) -> Vec<Heard> {
    // `Right` and `Wrong` are versions as the oracle sees them when the act's turn comes.
    let mut running: Vec<Running<'_>> = Vec::new();
    let mut begin = |(command, meta)| {
        running.push(Box::pin(async move { node.ledger.execute(command, &meta).await }));
    };
    if let [act] = acts {
        begin(command(oracle, clock, act));
    } else {
        let mut ahead = oracle.clone();
        for act in acts {
            begin(command(&ahead, clock, act));
            ahead.play(clock, act);
        }
    }
    let mut heard: Vec<Option<Heard>> = acts.iter().map(|_| None).collect();
    let mut written = false;
    let all = std::future::poll_fn(|context| {
        for (running, heard) in running.iter_mut().zip(&mut heard) {
            if heard.is_none()
                && let Poll::Ready(outcome) = running.as_mut().poll(context)
            {
                *heard = Some(hear(outcome));
            }
        }
        if !written {
            written = true;
            shows_nothing_early(node, oracle, acts, context);
        }
        if heard.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    });
    node.drive(all).await;
    heard.into_iter().flatten().collect()
}

/// Before the disk is written everything is shown as it was, or not at all.
fn shows_nothing_early(node: &SimNode, oracle: &Oracle, acts: &[Act], context: &mut Context<'_>) {
    for sku in acts.iter().flat_map(Act::skus) {
        let (store_id, wanted) = place(oracle, sku);
        let owed = oracle.shown(sku);
        let mut read = pin!(node.ledger.level(&store_id, &wanted));
        if let Poll::Ready(seen) = read.as_mut().poll(context) {
            let seen = seen.expect("levels are read").map(|level| level.numbers.version);
            let owed = owed.level.map(|(.., version)| version);
            assert_eq!(seen, owed, "{sku} is shown too early");
        }
        let mut read = pin!(node.ledger.product(&wanted));
        if let Poll::Ready(seen) = read.as_mut().poll(context) {
            let seen = seen.expect("products are read").map(|product| product.version);
            assert_eq!(seen, owed.product.map(|(_, version)| version), "product {sku} is shown too early");
        }
        let filter = AlertFilter { store_id: Some(store_id.clone()), sku: Some(wanted.clone()) };
        let mut read = pin!(node.ledger.alerts(&filter, None, 1));
        if let Poll::Ready(seen) = read.as_mut().poll(context) {
            let seen = seen.expect("alerts are read").pop().map(|alert| alert.version);
            assert_eq!(seen, owed.alert.map(|(_, version)| version), "the alert of {sku} is shown too early");
        }
    }
}
