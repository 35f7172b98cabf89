//! A node compared with the oracle: both get the same acts, and after every crash the oracle follows the log.
//!
//! Everything here panics where node and oracle differ: the caller catches that and names the seed.

use crate::log_rules::{self, Rules};
use crate::model_check::answers::{NodeAnswer, answer_of, happened};
use crate::model_check::commands::command;
use crate::model_check::identity::identity_seen;
use crate::model_check::values::{SKUS, place};
use crate::model_check::views::{listed, listed_by, shown};
use crate::node::{SimNode, SimSettings};
use crate::oracle::{Act, Happened, Oracle};
use crate::world::World;
use onhand_app::low_stock::AlertFilter;
use onhand_app::ports::Clock;
use onhand_app::{APART_MS, CommandError, Outcome};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

/// A simulated world and the oracle that its node is compared with.
pub struct ModelCheck {
    /// The disk and the clocks of the node.
    pub world: World,
    /// The expected answers and states of the node.
    pub oracle: Oracle,
    /// The running log time in milliseconds, until an entry moves it on.
    pub course: i64,
    /// The SKUs of the run, in key order.
    pub skus: &'static [&'static str],
    /// The rules, fed with the part of the log that has been checked.
    rules: Rules,
}

/// Acts without an answer, in the order of their arrival.
#[derive(Debug, Default)]
pub struct OpenActs {
    /// Acts whose outcome is unknown.
    pub unknown: Vec<Act>,
    /// Acts that were answered as rejected and had no effect.
    pub refused: Vec<Act>,
}

impl OpenActs {
    /// True when every act was answered.
    pub fn is_empty(&self) -> bool {
        self.unknown.is_empty() && self.refused.is_empty()
    }

    /// Every act without an answer.
    pub fn all(&self) -> Vec<Act> {
        [&self.unknown[..], &self.refused[..]].concat()
    }
}

impl ModelCheck {
    /// An empty world of three SKUs.
    pub fn new(settings: SimSettings) -> Self {
        let world = World::new(settings);
        let course = world.clock.now().milliseconds();
        let oracle = Oracle::new(settings.idempotency_ttl_ms);
        Self { world, oracle, course, skus: &SKUS, rules: Rules::default() }
    }

    /// The running log time in milliseconds, until an entry moves it on.
    pub fn clock(&self) -> i64 {
        self.course
    }

    /// Lets time pass, or turns the wall clock back.
    pub fn pass(&mut self, milliseconds: i64) {
        self.world.clock.pass(milliseconds);
        self.course += milliseconds.max(0);
    }

    /// Executes acts that arrive together, before the disk is written, and compares every answer with the oracle.
    pub async fn play(&mut self, node: &SimNode, acts: &[Act]) {
        let clock = self.clock();
        let answers = ask(node, &self.oracle, clock, acts).await;
        for (act, answer) in acts.iter().zip(answers) {
            let owed = self.oracle.play(clock, act);
            assert_eq!(answer, NodeAnswer::Answer(owed), "{act:?}");
        }
        self.oracle.settle();
    }

    /// Expires the holds that are due.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn pass_due(&mut self, node: &SimNode) -> Result<(), CommandError> {
        node.drive(node.ledger.expire_due()).await?;
        self.oracle.pass_due(self.clock());
        Ok(())
    }

    /// Compares every level, the catalogue and every alert with the oracle.
    pub async fn check_levels(&self, node: &SimNode) {
        for sku in self.skus {
            self.check_level(node, sku).await;
        }
        let seen = node.drive(listed(&node.ledger)).await.expect("lists are read");
        assert_eq!(seen, listed_by(&self.oracle), "products and stores in their lists");
        let seen = node.drive(identity_seen(&node.ledger)).await.expect("identity is read");
        assert!(seen.fits(&self.oracle.identity), "{seen:?}, and not {:?}", self.oracle.identity);
        assert!(seen.is_governed(), "no administrator can log in: {seen:?}");
    }

    /// Compares the node's views of a SKU with the oracle.
    pub async fn check_level(&self, node: &SimNode, sku: &'static str) {
        let seen = node.drive(shown(&node.ledger, &self.oracle, sku)).await.expect("states are read");
        assert_eq!(seen, self.oracle.shown(sku), "{sku}");
    }

    /// Applies the acts that were answered before a crash to the oracle, and returns the others.
    ///
    /// The log has the acts in order: nothing is acknowledged behind an act that is not. Acts answered as read-only
    /// have not happened; of those with an unknown outcome the log may hold the first few.
    pub fn hold(&mut self, acts: &[Act], answers: Vec<NodeAnswer>) -> OpenActs {
        let (clock, mut ahead, mut open) = (self.clock(), self.oracle.clone(), OpenActs::default());
        for (act, answer) in acts.iter().zip(answers) {
            let before = ahead.end();
            let owed = ahead.play(clock, act);
            let moved = ahead.end() > before;
            match answer {
                NodeAnswer::Unknown => {
                    open.unknown.push(act.clone());
                    continue;
                }
                NodeAnswer::ReadOnly => {
                    open.refused.push(act.clone());
                    continue;
                }
                NodeAnswer::Unread => {}
                NodeAnswer::Answer(answer) => assert_eq!(answer, owed, "{act:?}"),
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

    /// The log has rolled acts back; log time does not go back with them.
    pub fn rolled_back(&mut self) {
        self.oracle.floor = self.oracle.time(self.clock());
    }

    /// Opens the node after a crash, and makes the oracle follow it.
    pub async fn reopen(&mut self, unanswered: &[Act], expiring: bool) -> SimNode {
        let node = self.world.open();
        self.meet(&node, unanswered, expiring).await;
        node
    }

    /// Makes the oracle follow a node that has just started. Of `unanswered` (in the order of arrival) the log may hold
    /// the first few, each in full; the oracle applies those. The same goes for expiries in progress. Then log and
    /// levels must equal the oracle.
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
        // Small differences are corrected at a start; larger ones need a sign in the log, which no run writes.
        let wall = self.world.clock.now().milliseconds();
        let last = self.oracle.log.last().map_or(wall, |last| last.at);
        self.course = if (0..=APART_MS).contains(&(wall - last)) { wall } else { last };
        assert_eq!(durable, self.oracle.end(), "acknowledged entries are there, and whole commands only");
        self.oracle.settle();
        self.check(node).await;
    }

    /// Compares everything on the disk with the oracle, including the parts that have been checked.
    pub async fn check_all(&mut self, node: &SimNode) {
        self.rules = Rules::default();
        self.check(node).await;
    }

    /// Compares log, levels and history with the oracle. Parts that have been checked are not read again; a new
    /// `ModelCheck` reads everything.
    pub async fn check(&mut self, node: &SimNode) {
        let before = self.rules.end();
        let mut told: Vec<Happened> = Vec::new();
        for entry in log_rules::entries_after(&self.world.disk, before) {
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

/// A command in progress.
type RunningCommand<'a> = Pin<Box<dyn Future<Output = Result<Outcome, CommandError>> + 'a>>;

/// Sends acts to the node that arrive together, and returns its answers.
pub async fn ask(node: &SimNode, oracle: &Oracle, clock: i64, acts: &[Act]) -> Vec<NodeAnswer> {
    // `Right` and `Wrong` are versions in the oracle when the act's turn comes.
    let mut running: Vec<RunningCommand<'_>> = Vec::new();
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
    let mut heard: Vec<Option<NodeAnswer>> = acts.iter().map(|_| None).collect();
    let mut written = false;
    let all = std::future::poll_fn(|context| {
        for (running, heard) in running.iter_mut().zip(&mut heard) {
            if heard.is_none()
                && let Poll::Ready(outcome) = running.as_mut().poll(context)
            {
                *heard = Some(answer_of(outcome));
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

/// Checks that before the disk is written every state is shown unchanged, or not at all.
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
        let filter = AlertFilter {
            store_id: Some(store_id.clone()),
            sku: Some(wanted.clone()),
            ..AlertFilter::default()
        };
        let mut read = pin!(node.ledger.alerts(&filter, None, 1));
        if let Poll::Ready(seen) = read.as_mut().poll(context) {
            let seen = seen.expect("alerts are read").pop().map(|alert| alert.version);
            assert_eq!(seen, owed.alert.map(|(_, version)| version), "the alert of {sku} is shown too early");
        }
    }
}
