//! The possible histories of a run: oracles that differ in the acts that had no answer.

use crate::model_check::{IdentitySeen, ListedCatalogue, NodeAnswer, answer_of, listed_by};
use crate::oracle::{Act, Done, Happened, Oracle, OracleAnswer, Shown};
use onhand_app::{CommandError, Outcome};

/// The time that a key is kept: longer than any run.
const KEY_TTL_MS: i64 = 1_000_000_000_000;

/// No time passes for these oracles.
const CLOCK: i64 = 0;

/// An oracle, and the acts that it may still execute.
#[derive(Clone)]
struct PossibleHistory {
    oracle: Oracle,
    /// Acts without an answer that have had no effect so far.
    left: Vec<Act>,
}

/// All possible histories.
pub(super) struct PossibleHistories {
    histories: Vec<PossibleHistory>,
}

impl PossibleHistories {
    pub(super) fn new() -> Self {
        let mut oracle = Oracle::new(KEY_TTL_MS);
        oracle.tells_alerts = false;
        Self { histories: vec![PossibleHistory { oracle, left: Vec::new() }] }
    }

    pub(super) fn count(&self) -> usize {
        self.histories.len()
    }

    /// The oracle of one possible history.
    pub(super) fn likely(&self) -> &Oracle {
        &self.histories.first().expect("something has happened").oracle
    }

    /// True when only one history is possible.
    pub(super) fn certain(&self) -> bool {
        matches!(&self.histories[..], [history] if history.left.is_empty())
    }

    /// The number of acts that may still have their effect.
    pub(super) fn open(&self) -> usize {
        self.histories.iter().map(|history| history.left.len()).max().unwrap_or_default()
    }

    /// Adds an act whose outcome is unknown.
    pub(super) fn perhaps(&mut self, act: &Act) {
        for history in &mut self.histories {
            history.left.push(act.clone());
        }
    }

    /// Keeps the histories in which an act has this outcome.
    pub(super) fn answered(&mut self, act: &Act, outcome: Result<Outcome, CommandError>) {
        let NodeAnswer::Answer(answer) = answer_of(outcome) else { panic!("it was not answered: {act:?}") };
        let seen = plain(answer);
        // The process that was frozen in the middle of this act has executed it by now.
        self.keep(&format_args!("{act:?} answered {seen:?}"), |history| {
            if let Some(place) = history.left.iter().position(|left| left == act) {
                history.left.remove(place);
            }
            plain(history.oracle.play(CLOCK, act)) == seen
        });
    }

    /// Keeps the histories that fit one process's view of a SKU, except its alert.
    pub(super) fn observed(&mut self, sku: &str, seen: Shown) {
        let seen = Shown { alert: None, ..seen };
        self.keep(&format_args!("{sku} shown as {seen:?}"), |history| history.oracle.shown(sku) == seen);
    }

    /// Keeps the histories that fit the lists of one process.
    pub(super) fn observed_lists(&mut self, seen: &ListedCatalogue) {
        self.keep(&format_args!("shown as {seen:?}"), |history| listed_by(&history.oracle) == *seen);
    }

    /// Keeps the histories that fit one process's view of identity.
    pub(super) fn observed_identity(&mut self, seen: &IdentitySeen) {
        self.keep(&format_args!("shown as {seen:?}"), |history| seen.fits(&history.oracle.identity));
    }

    /// Ends the uncertainty: an act that has had no effect by now will have none.
    pub(super) fn settle(&mut self) {
        self.histories.iter_mut().for_each(|history| history.left.clear());
        self.forget_twins();
        for history in &mut self.histories {
            history.oracle.settle();
        }
    }

    /// Keeps the histories that fit, after any of the open acts may have had their effect.
    fn keep(&mut self, what: &dyn std::fmt::Display, mut fits: impl FnMut(&mut PossibleHistory) -> bool) {
        let mut kept: Vec<PossibleHistory> = Vec::new();
        for history in std::mem::take(&mut self.histories) {
            for mut history in history.ways() {
                if fits(&mut history) {
                    kept.push(history);
                }
            }
        }
        assert!(!kept.is_empty(), "cannot have happened: {what}");
        self.histories = kept;
        self.forget_twins();
        if let [history] = &mut self.histories[..] {
            history.oracle.settle();
        }
    }

    /// Removes equal histories.
    fn forget_twins(&mut self) {
        let mut kept: Vec<PossibleHistory> = Vec::new();
        for history in self.histories.drain(..) {
            let alike = |other: &PossibleHistory| {
                other.left == history.left
                    && other.oracle.levels == history.oracle.levels
                    && other.oracle.catalogue == history.oracle.catalogue
                    && other.oracle.identity == history.oracle.identity
                    && other.oracle.knows_as(&history.oracle)
            };
            if !kept.iter().any(alike) {
                kept.push(history);
            }
        }
        self.histories = kept;
    }
}

impl PossibleHistory {
    /// This history, and those in which open acts happen now, in any order.
    fn ways(self) -> Vec<Self> {
        let mut ways = vec![self];
        let mut begin = 0;
        while begin < ways.len() {
            let end = ways.len();
            for number in begin..end {
                let way = ways.get(number).cloned().into_iter();
                for (history, place) in
                    way.flat_map(|history| (0..history.left.len()).map(move |place| (history.clone(), place)))
                {
                    let mut history = history;
                    let act = history.left.remove(place);
                    history.oracle.play(CLOCK, &act);
                    ways.push(history);
                }
            }
            begin = end;
        }
        ways
    }
}

/// An answer without the parts that depend on time, on the log of an event, and on when a process learned of a threshold.
fn plain(answer: OracleAnswer) -> OracleAnswer {
    let OracleAnswer::Done(done) = answer else { return answer };
    let timeless = |happened: Happened| Happened { at: 0, ..happened };
    let events = done.events.into_iter().filter(|happened| happened.kind != "ALERT").map(timeless).collect();
    let unapplied = done
        .unapplied
        .into_iter()
        .map(|(op, why)| (op, if why.starts_with("replayed") { "replayed".to_owned() } else { why }));
    let replays = done.replays.into_iter().map(|(op, happened)| (op, timeless(happened)));
    OracleAnswer::Done(Done {
        sequence: 0,
        events,
        unapplied: unapplied.collect(),
        replays: replays.collect(),
        replayed: done.replayed,
    })
}
