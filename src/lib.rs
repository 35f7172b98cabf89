//! Onhand: a stock ledger for retail chains. This page is the map of the house.
//!
//! | folder | what lives there | may look at |
//! | --- | --- | --- |
//! | [`domain`] | the rules of stock: pure, no clock, no I/O, no randomness | nothing |
//! | [`resilience`] | breaker, bulkhead, token bucket, retry, deadline: engines that know nothing of stock | nothing |
//! | [`app`] | the use cases and the ports they own: ledger, idempotency, queries, feed, alerting, sync | `domain`, `resilience` |
//! | [`config`] | every setting: name, default, unit, bound | `domain` |
//! | [`adapters`] | one folder per technology: `file` (the log on disk), `http`, `remote` (others over HTTP) | `app`, `domain`, `config`, `resilience` |
//! | [`planted`] | bugs on purpose, in builds with the feature `planted-bugs` only | nothing |
//! | [`runtime`] | a running node: opening, tasks, election of the worker, stop | `adapters`, `app`, `config`, `domain`, `resilience`, `telemetry` |
//! | [`sim`] | the simulated world: disk, clocks, nodes, and the oracle that they are checked against | `app`, `domain`, `adapters::file`, `resilience`, `runtime::node`, `runtime::central::worker` |
//! | [`spreadsheet`] | cells of CSV that a spreadsheet would run | nothing |
//! | [`telemetry`] | every metric by name, kind and meaning | nothing |
//! | [`cli`] | the command line: one file or folder per command | everything |
//!
//! Arrows point one way: `cli -> runtime -> adapters -> app -> domain`. `tests/suite/tidy.rs` guards them.

pub mod adapters;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod planted;
pub mod resilience;
pub mod runtime;
pub mod sim;
pub mod spreadsheet;
pub mod telemetry;
