//! The counts of a load: latencies in a histogram, answers by status, and errors.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest latency that is recorded exactly, in microseconds; longer ones count as this.
const LATENCY_US_MAX: u64 = 120_000_000;
/// Significant digits of the histogram: no figure is off by more than a thousandth.
const DIGITS: u8 = 3;

/// Counts of one thread, or of all of them added up.
#[derive(Debug)]
pub(super) struct LoadTally {
    latency_us: Histogram<u64>,
    pub(super) requests: u64,
    pub(super) statuses: BTreeMap<u16, u64>,
    /// Operations of batches that were refused although there is stock.
    pub(super) refused: u64,
    /// Requests without an answer: connection lost, or still waiting at the end.
    pub(super) unanswered: u64,
    /// Answers with an unexpected status.
    pub(super) unexpected: u64,
    /// Answers that rejected a request because of overload, with `--overload`; of the figures above, only `requests`
    /// and `statuses` include them.
    pub(super) away: Option<Box<LoadTally>>,
    /// Message of the first of the faults above.
    pub(super) first_fault: Option<String>,
}

impl LoadTally {
    pub(super) fn new() -> Self {
        Self {
            latency_us: Histogram::new_with_max(LATENCY_US_MAX, DIGITS)
                .expect("the bounds are constants that fit"),
            requests: 0,
            statuses: BTreeMap::new(),
            refused: 0,
            unanswered: 0,
            unexpected: 0,
            away: None,
            first_fault: None,
        }
    }

    /// Counts an answer that came `latency` after its request was due.
    pub(super) fn answered(&mut self, status: u16, latency: Duration) {
        self.requests += 1;
        *self.statuses.entry(status).or_default() += 1;
        self.latency_us.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts an answer that rejected its request because of overload.
    pub(super) fn turned_away(&mut self, status: u16, latency: Duration) {
        self.requests += 1;
        *self.statuses.entry(status).or_default() += 1;
        self.away.get_or_insert_with(|| Box::new(Self::new())).answered(status, latency);
    }

    /// A request that will never be answered.
    pub(super) fn lost(&mut self, what: impl FnOnce() -> String) {
        self.unanswered += 1;
        self.fault(what);
    }

    /// Keeps the message of the first fault.
    pub(super) fn fault(&mut self, what: impl FnOnce() -> String) {
        if self.first_fault.is_none() {
            self.first_fault = Some(what());
        }
    }

    /// Adds the counts of another thread.
    pub(super) fn add(&mut self, other: Self) {
        self.latency_us.add(&other.latency_us).expect("all tallies have the same bounds");
        self.requests += other.requests;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.refused += other.refused;
        match (&mut self.away, other.away) {
            (Some(away), Some(other)) => away.add(*other),
            (away, Some(other)) => *away = Some(other),
            (_, None) => {}
        }
        self.unanswered += other.unanswered;
        self.unexpected += other.unexpected;
        self.first_fault = self.first_fault.take().or(other.first_fault);
    }

    /// The latency that a share of the answers does not exceed, in milliseconds.
    pub(super) fn percentile_ms(&self, percent: f64) -> f64 {
        milliseconds(self.latency_us.value_at_percentile(percent))
    }

    pub(super) fn mean_ms(&self) -> f64 {
        self.latency_us.mean() / 1000.0
    }

    pub(super) fn min_ms(&self) -> f64 {
        milliseconds(self.latency_us.min())
    }

    pub(super) fn max_ms(&self) -> f64 {
        milliseconds(self.latency_us.max())
    }

    /// Requests that had their effect; a conflict or a rejection had none.
    pub(super) fn done(&self) -> u64 {
        self.statuses.range(200..300).map(|(_, count)| count).sum()
    }

    /// The number of all faults.
    pub(super) fn errors(&self) -> u64 {
        self.refused + self.unanswered + self.unexpected
    }
}

fn milliseconds(microseconds: u64) -> f64 {
    // Bounded by LATENCY_US_MAX, far below what a u32 holds.
    f64::from(u32::try_from(microseconds).unwrap_or(u32::MAX)) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64) {
        assert!((value - expected).abs() <= expected * 0.001, "{value} is not {expected}");
    }

    #[test]
    fn percentiles_are_right_to_a_thousandth() {
        let mut tally = LoadTally::new();
        for microseconds in 1..=10_000 {
            tally.answered(200, Duration::from_micros(microseconds));
        }
        close(tally.percentile_ms(50.0), 5.0);
        close(tally.percentile_ms(99.0), 9.9);
        close(tally.max_ms(), 10.0);
        close(tally.mean_ms(), 5.0005);
    }

    #[test]
    fn threads_add_up() {
        let (mut one, mut other) = (LoadTally::new(), LoadTally::new());
        one.answered(200, Duration::from_millis(1));
        other.answered(200, Duration::from_millis(3));
        other.answered(503, Duration::from_secs(1000));
        other.unexpected += 1;
        other.fault(|| "first".to_owned());
        other.fault(|| "second".to_owned());
        one.turned_away(429, Duration::from_millis(1));
        other.turned_away(503, Duration::from_millis(2));
        one.add(other);
        assert_eq!(one.away.as_ref().map(|away| away.requests), Some(2));
        assert_eq!((one.requests, one.done(), one.errors()), (5, 2, 1));
        assert_eq!(one.statuses, BTreeMap::from([(200, 2), (429, 1), (503, 2)]));
        assert_eq!(one.first_fault.as_deref(), Some("first"));
        close(one.percentile_ms(100.0), 120_000.0);
    }
}
