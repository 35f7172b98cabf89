//! What is fuzzed: everything that reads bytes which somebody else may have written.
//!
//! Each target takes any bytes and must come back: no panic, no endless loop, and the few things that hold of whatever
//! was read. Where a checksum stands in the way, the first byte says whether it is put right first: else nothing behind
//! it would ever be reached. The suite replays `../corpus` through the same functions (`tests/suite/fuzz.rs`).
//!
//! ```text
//! cargo install --locked cargo-fuzz
//! cargo fuzz run --fuzz-dir tests/fuzz -s none --target-dir target/fuzz request -- -max_total_time=60
//! ```
//! `-s none`: sanitizers would need a nightly compiler, coverage does not. A finding is a file in `tests/fuzz/artifacts`;
//! once mended it goes into the corpus, so that the suite replays it for ever.

mod csv;
mod files;
mod forwarded;
mod http;
mod identity;
mod identity_file;
mod shop;
mod trail;

/// A target and its name.
type Target = (&'static str, fn(&[u8]));

/// Every target.
pub(super) const TARGETS: [Target; 16] = [
    ("lines", files::lines),
    ("segment", files::segment),
    ("index", files::index),
    ("snapshot", files::snapshot),
    ("central", files::central),
    ("letters", files::letters),
    ("body", http::body),
    ("headers", http::headers),
    ("forwarded", forwarded::headers),
    ("request", http::requests),
    ("csv", csv::import),
    ("trail", trail::trail),
    ("identity_file", identity_file::read),
    ("credentials", http::credentials),
    ("token", identity::token),
    ("grants", identity::grants),
];

/// Runs the target of that name.
///
/// # Panics
/// When there is none, or it has found something.
pub(super) fn run(name: &str, bytes: &[u8]) {
    let (_, target) =
        TARGETS.iter().find(|(known, _)| *known == name).expect("there is a target of that name");
    target(bytes);
}
