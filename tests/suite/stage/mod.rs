//! A node played against the oracle: the same acts to both, and after every crash the two are brought together.

mod words;

use crate::node::World;
use crate::oracle::{Act, Answer, Happened, Oracle};
use crate::rules;
use onhand::app::ports::Clock;
use onhand::app::{APART_MS, CommandError, Outcome};
use onhand::domain::{Sku, StoreId};
use onhand::sim::node::{SimNode, SimSettings};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
pub(crate) use words::happened;
use words::{command, hear};

/// The SKUs of every play, in key order.
pub(crate) const SKUS: [&str; 3] = ["A", "B", "C"];
pub(crate) const STORE: &str = "LONDON";

/// A world, its oracle, and the node while it runs.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) oracle: Oracle,
    /// The time of the log, as far as no entry moves it on.
    pub(crate) course: i64,
}

/// What a node answered, or that it could not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
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
pub(crate) struct Open {
    /// Nobody knows whether they happened.
    pub(crate) unknown: Vec<Act>,
    /// They have not happened, and were told so.
    pub(crate) refused: Vec<Act>,
}

impl Open {
    pub(crate) fn is_empty(&self) -> bool {
        self.unknown.is_empty() && self.refused.is_empty()
    }

    pub(crate) fn all(&self) -> Vec<Act> {
        [&self.unknown[..], &self.refused[..]].concat()
    }
}

impl Stage {
    pub(crate) fn new(settings: SimSettings) -> Self {
        let world = World::new(settings);
        let course = world.clock.now().milliseconds();
        Self { world, oracle: Oracle::new(settings.idempotency_ttl_ms), course }
    }

    pub(crate) fn clock(&self) -> i64 {
        self.course
    }

    /// Time passes, or the wall clock is turned back.
    pub(crate) fn pass(&mut self, milliseconds: i64) {
        self.world.clock.pass(milliseconds);
        self.course += milliseconds.max(0);
    }

    /// Plays acts that arrive together, all before the disk is written, and holds every answer against the oracle.
    pub(crate) async fn play(&mut self, node: &SimNode, acts: &[Act]) {
        let (mut oracle, clock) = (self.oracle.clone(), self.clock());
        let heard = ask(node, &self.oracle, clock, acts).await;
        for (act, heard) in acts.iter().zip(heard) {
            let owed = oracle.play(clock, act);
            assert_eq!(heard, Heard::Answer(owed), "{act:?}");
        }
        self.oracle = oracle;
    }

    /// Lets due holds expire by themselves.
    pub(crate) async fn pass_due(&mut self, node: &SimNode) {
        node.drive(node.ledger.expire_due()).await.unwrap();
        self.oracle.pass_due(self.clock());
    }

    /// Every level is what the oracle says.
    pub(crate) async fn check_levels(&self, node: &SimNode) {
        for sku in SKUS {
            let owed = self.oracle.levels.get(sku).filter(|level| level.version > 0);
            let owed = owed
                .map(|level| (level.on_hand - level.reserved, level.on_hand, level.reserved, level.version));
            assert_eq!(crate::node::level(node, sku).await, owed, "{sku}");
        }
    }

    /// Takes what was answered before a crash for granted, and returns the acts that were not.
    ///
    /// The log is one line of acts: nothing is acknowledged behind something that is not. What is read-only has not
    /// happened; of what is unknown the log may hold the first few.
    pub(crate) fn hold(&mut self, acts: &[Act], heard: Vec<Heard>) -> Open {
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
    pub(crate) fn took_back(&mut self) {
        self.oracle.floor = self.oracle.time(self.clock());
    }

    /// Opens the directory after a crash. Of `unanswered` (in the order of arrival) the log may hold the first few, each
    /// in full; the oracle learns which. So it is with expiries that were under way. Then log and levels must be what the
    /// oracle says.
    pub(crate) async fn reopen(&mut self, unanswered: &[Act], expiring: bool) -> SimNode {
        let node = self.world.open();
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
        self.check(&node).await;
        node
    }

    /// Log, levels and history are what the oracle says.
    pub(crate) async fn check(&self, node: &SimNode) {
        let entries = rules::entries(&self.world.disk);
        rules::check(&entries);
        let told: Vec<Happened> = entries
            .iter()
            .flat_map(|entry| {
                entry.events.iter().map(|event| happened(event, entry.at.milliseconds())).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(told, self.oracle.log);
        self.check_levels(node).await;
    }
}

/// A command on its way.
type Running<'a> = Pin<Box<dyn Future<Output = Result<Outcome, CommandError>> + 'a>>;

/// What the node answers to acts that arrive together.
pub(crate) async fn ask(node: &SimNode, oracle: &Oracle, clock: i64, acts: &[Act]) -> Vec<Heard> {
    // `Right` and `Wrong` are versions as the oracle sees them when the act's turn comes.
    let mut ahead = oracle.clone();
    let mut running: Vec<Running<'_>> = Vec::new();
    for act in acts {
        let (command, meta) = command(&ahead, clock, act);
        ahead.play(clock, act);
        running.push(Box::pin(async move { node.ledger.execute(command, &meta).await }));
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
            shows_nothing_early(node, oracle, context);
        }
        if heard.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    });
    node.drive(all).await;
    heard.into_iter().flatten().collect()
}

/// Before the disk is written a level is shown as it was, or not at all.
fn shows_nothing_early(node: &SimNode, oracle: &Oracle, context: &mut Context<'_>) {
    for sku in SKUS {
        let (store_id, wanted) = (StoreId::new(STORE).unwrap(), Sku::new(sku).unwrap());
        let mut read = pin!(node.ledger.level(&store_id, &wanted));
        if let Poll::Ready(seen) = read.as_mut().poll(context) {
            let owed = oracle.levels.get(sku).map(|level| level.version).filter(|version| *version > 0);
            assert_eq!(seen.unwrap().map(|level| level.numbers.version), owed, "{sku} is shown too early");
        }
    }
}
