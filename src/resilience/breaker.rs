//! A circuit breaker: rejects calls to a failing peer, and probes whether it has recovered.
//!
//! The breaker opens once [`OUTCOMES_MIN`] of the last [`WINDOW`] outcomes are known and the share of failures reaches the threshold. After
//! the cool-down one probe is let through; it closes the breaker or opens it again.

use parking_lot::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// Number of outcomes kept.
const WINDOW: u32 = 10;
/// Fewest outcomes for a decision.
const OUTCOMES_MIN: u32 = 5;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerSettings {
    /// Share of failures among the last outcomes at which it opens, above 0 and up to 1.
    pub threshold: f64,
    /// How long it stays open before it probes.
    pub cooldown: Duration,
}

/// The state of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls pass the breaker.
    Closed,
    /// Calls are rejected.
    Open,
    /// One probe passes.
    HalfOpen,
}

/// The breaker is open, or its probe is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the breaker is open")]
pub struct Tripped {
    /// The wait after which a call may pass.
    pub retry_after: Duration,
}

/// The breaker of one peer.
#[derive(Debug)]
pub struct Breaker {
    name: String,
    settings: BreakerSettings,
    state: Mutex<Circuit>,
}

/// The permission for one call. A permit that is dropped without an outcome does not count.
#[derive(Debug)]
#[must_use = "an outcome that is not recorded does not count"]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    /// The number of transitions when the permit was given; its outcome does not count after a further one.
    transitions: u64,
}

#[derive(Debug)]
struct Circuit {
    phase: Phase,
    /// The number of transitions so far.
    transitions: u64,
    /// The number of times it has opened.
    opened: u64,
}

#[derive(Debug)]
enum Phase {
    Closed(OutcomeWindow),
    Open { until: Instant },
    HalfOpen { probing: bool },
}

/// The last outcomes, the newest in the lowest bit; a failure is 1.
#[derive(Debug, Default)]
struct OutcomeWindow {
    failures: u32,
    outcomes: u32,
}

impl Breaker {
    /// A closed breaker; `name` stands in log messages.
    pub fn new(name: impl Into<String>, settings: BreakerSettings) -> Self {
        let state = Circuit { phase: Phase::Closed(OutcomeWindow::default()), transitions: 0, opened: 0 };
        Self { name: name.into(), settings, state: Mutex::new(state) }
    }

    /// Requests a call.
    ///
    /// # Errors
    /// [`Tripped`] while the breaker is open, or while another caller probes.
    pub fn pass(&self) -> Result<Permit<'_>, Tripped> {
        let mut state = self.state.lock();
        if let Phase::Open { until } = state.phase {
            let rest = until.saturating_duration_since(Instant::now());
            if rest > Duration::ZERO {
                return Err(Tripped { retry_after: rest });
            }
            // Open -> HalfOpen
            state.transition_to(Phase::HalfOpen { probing: false });
            tracing::info!(breaker = self.name, "half-open: one request probes");
        }
        if let Phase::HalfOpen { probing } = &mut state.phase {
            if *probing {
                return Err(Tripped { retry_after: self.settings.cooldown });
            }
            *probing = true;
        }
        Ok(Permit { breaker: self, transitions: state.transitions })
    }

    /// True while the breaker is open and has not cooled down.
    pub fn rests(&self) -> bool {
        matches!(self.state.lock().phase, Phase::Open { until } if until > Instant::now())
    }

    /// Ends the cool-down of an open breaker, for a caller that expects the peer to have recovered.
    pub fn cool_down(&self) {
        if let Phase::Open { until } = &mut self.state.lock().phase {
            *until = Instant::now();
        }
    }

    /// The position of the breaker.
    pub fn position(&self) -> BreakerState {
        match self.state.lock().phase {
            Phase::Closed(_) => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// The number of times it has opened.
    pub fn opened(&self) -> u64 {
        self.state.lock().opened
    }

    fn record_outcome(&self, transitions: u64, failed: bool) {
        let mut state = self.state.lock();
        if state.transitions != transitions {
            return;
        }
        let opens = match &mut state.phase {
            Phase::Closed(window) => {
                window.push(failed);
                let share = window.share_of_failures().filter(|_| failed);
                share.is_some_and(|share| share >= self.settings.threshold)
            }
            Phase::HalfOpen { .. } => failed,
            Phase::Open { .. } => return,
        };
        if opens {
            // Closed -> Open, HalfOpen -> Open
            state.transition_to(Phase::Open { until: Instant::now() + self.settings.cooldown });
            state.opened += 1;
            let cooldown_ms = self.settings.cooldown.as_millis();
            tracing::warn!(
                breaker = self.name,
                cooldown_ms,
                "open: too much fails, nothing is asked for a while"
            );
        } else if matches!(state.phase, Phase::HalfOpen { .. }) {
            // HalfOpen -> Closed
            state.transition_to(Phase::Closed(OutcomeWindow::default()));
            tracing::info!(breaker = self.name, "closed: it answers again");
        }
    }
}

impl Permit<'_> {
    /// The peer answered.
    pub fn succeeded(self) {
        self.breaker.record_outcome(self.transitions, false);
    }

    /// The peer did not answer, or answered with an error.
    pub fn failed(self) {
        self.breaker.record_outcome(self.transitions, true);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.breaker.state.lock();
        if state.transitions == self.transitions
            && let Phase::HalfOpen { probing } = &mut state.phase
        {
            *probing = false;
        }
    }
}

impl BreakerState {
    /// The name for messages and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

impl Circuit {
    fn transition_to(&mut self, phase: Phase) {
        self.phase = phase;
        self.transitions += 1;
    }
}

impl OutcomeWindow {
    fn push(&mut self, failed: bool) {
        let all = (1 << WINDOW) - 1;
        self.failures = (self.failures << 1 | u32::from(failed)) & all;
        self.outcomes = (self.outcomes + 1).min(WINDOW);
    }

    /// The share of failures; none while there are too few outcomes.
    fn share_of_failures(&self) -> Option<f64> {
        let share = f64::from(self.failures.count_ones()) / f64::from(self.outcomes);
        (self.outcomes >= OUTCOMES_MIN).then_some(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Duration = Duration::from_secs(10);

    fn breaker(threshold: f64) -> Breaker {
        Breaker::new("test", BreakerSettings { threshold, cooldown: COOLDOWN })
    }

    /// Records outcomes in order: `+` an answer, `-` none.
    fn record(breaker: &Breaker, outcomes: &str) {
        for outcome in outcomes.chars() {
            let permit = breaker.pass().unwrap();
            if outcome == '+' { permit.succeeded() } else { permit.failed() }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_at_its_share_of_failures_among_the_last_ten() {
        for (threshold, outcomes, position) in [
            (0.5, "----", BreakerState::Closed),
            (0.5, "-----", BreakerState::Open),
            (0.5, "++++----", BreakerState::Open),
            (0.5, "+++++----", BreakerState::Closed),
            (0.5, "+++++-----", BreakerState::Open),
            // Outcomes further back than ten do not count.
            (0.5, "++++++++++++++++++++----", BreakerState::Closed),
            (0.5, "++++++++++++++++++++-----", BreakerState::Open),
            (0.5, "----++++++----", BreakerState::Closed),
            (1.0, "+----", BreakerState::Closed),
            (1.0, "-----", BreakerState::Open),
            (0.1, "+++++++++-", BreakerState::Open),
        ] {
            let breaker = breaker(threshold);
            record(&breaker, outcomes);
            assert_eq!(breaker.position(), position, "{threshold} {outcomes}");
            assert_eq!(breaker.opened(), u64::from(position == BreakerState::Open), "{threshold} {outcomes}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_breaker_rejects_calls_until_it_has_cooled_down() {
        let breaker = breaker(0.5);
        record(&breaker, "-----");
        assert_eq!(breaker.pass().unwrap_err().retry_after, COOLDOWN);
        tokio::time::advance(Duration::from_millis(9_999)).await;
        assert_eq!(breaker.pass().unwrap_err().retry_after, Duration::from_millis(1));
        assert!(breaker.rests());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!breaker.rests());
        let probe = breaker.pass().unwrap();
        assert_eq!(breaker.position(), BreakerState::HalfOpen);
        assert!(breaker.pass().is_err(), "one probe at a time");
        probe.succeeded();
        assert_eq!(breaker.position(), BreakerState::Closed);
        record(&breaker, "----");
        assert_eq!(breaker.position(), BreakerState::Closed, "what was before it opened is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_fails_opens_it_again() {
        let breaker = breaker(0.5);
        record(&breaker, "-----");
        tokio::time::advance(COOLDOWN).await;
        breaker.pass().unwrap().failed();
        assert_eq!((breaker.position(), breaker.opened()), (BreakerState::Open, 2));
        breaker.cool_down();
        breaker.pass().unwrap().failed();
        assert_eq!((breaker.position(), breaker.opened()), (BreakerState::Open, 3));
        assert_eq!(breaker.pass().unwrap_err().retry_after, COOLDOWN);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_dropped_gives_its_permit_back() {
        let breaker = breaker(0.5);
        record(&breaker, "-----");
        tokio::time::advance(COOLDOWN).await;
        let probing = async {
            let _probe = breaker.pass().unwrap();
            std::future::pending::<()>().await;
        };
        assert!(tokio::time::timeout(Duration::from_secs(1), probing).await.is_err());
        assert_eq!(breaker.position(), BreakerState::HalfOpen);
        breaker.pass().expect("the permit came back").succeeded();
        assert_eq!(breaker.position(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_outcome_does_not_count() {
        let breaker = breaker(0.5);
        let (late, later) = (breaker.pass().unwrap(), breaker.pass().unwrap());
        record(&breaker, "-----");
        late.succeeded();
        assert_eq!(breaker.position(), BreakerState::Open);
        tokio::time::advance(COOLDOWN).await;
        let probe = breaker.pass().unwrap();
        later.failed();
        assert_eq!(breaker.position(), BreakerState::HalfOpen);
        assert!(breaker.pass().is_err(), "the probe is still under way");
        probe.succeeded();
        assert_eq!((breaker.position(), breaker.opened()), (BreakerState::Closed, 1));
    }
}
