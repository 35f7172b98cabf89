//! Scale of the suite: a long run repeats each story many times, and both kinds print their counts.
//!
//! `ONHAND_TEST_SCALE=50` kills 50 times as often, cuts power, flips bits, plays cases of properties 50 times as often: to be
//! given with the name of the story it is meant for, as all of them together take days.

use std::fmt::Display;
use std::io::Write as _;

/// The factor of repetitions.
pub(crate) fn scale() -> u64 {
    match std::env::var("ONHAND_TEST_SCALE") {
        Ok(text) => {
            text.parse().ok().filter(|scale| *scale > 0).expect("ONHAND_TEST_SCALE is a number above 0")
        }
        Err(_) => 1,
    }
}

/// Prints the counts of a story, past the capture of the test harness: these are the published figures.
pub(crate) fn counted(story: &str, figures: impl Display) {
    // A lost line is no reason to fail.
    let _ = writeln!(std::io::stderr(), "\n### {story}: {figures}");
}
