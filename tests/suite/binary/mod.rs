//! The real binary on a real socket and a real disk: each story starts `onhand` as a process of its own.

mod admin;
mod api;
mod audit_trail;
mod bad_input;
mod catalogue;
mod central_logins;
mod clocks;
mod codes;
mod copies;
mod following;
mod full_disk;
mod gates;
mod identity;
mod kill;
mod locks;
mod lost_sync;
mod metrics;
mod migrate;
mod order_codes;
mod order_tour;
mod orders;
mod orders_edges;
mod orders_fold;
mod orders_small;
mod power_cut;
pub(crate) mod process;
mod raw;
mod readme;
mod room;
mod shared;
mod sick_disk;
mod spreadsheet;
mod start;
mod stays_full;
mod stop;
mod strict;
mod tour;
pub(crate) mod trade;
mod web_pages;
mod webhook;
mod writers;

use std::io::Write as _;

/// Prints that a story was skipped, past the capture of the test harness.
pub(crate) fn skipped(story: &str, reason: &str) {
    // A lost line is no reason to fail.
    let _ = writeln!(std::io::stderr(), "\n!!! SKIPPED {story}: {reason}\n");
}
