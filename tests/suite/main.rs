//! The test binary: one module per subject, linked once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "all of this is tests, helpers included")]

mod alerting;
mod allocation;
mod archive;
mod binary;
mod central;
mod circles;
mod cli;
mod clients;
mod clocks;
mod copies;
mod counts;
mod crash;
mod damage;
mod decide;
mod fuzz;
mod golden;
mod http;
mod local_socket;
mod low_stock;
mod machine;
mod node;
mod occupied;
mod orders;
mod papers;
#[cfg(feature = "planted-bugs")]
mod planted;
mod ports;
mod probes;
mod properties;
mod repair;
mod retries;
mod several;
mod shared;
mod sim_disk;
mod simulate;
mod source;
mod sync;
mod tidy;
mod tls;
mod verify;

use onhand_sim::{log_rules as rules, model_check, oracle};
