//! The test binary: one module per subject, linked once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "all of this is tests, helpers included")]

mod central;
mod cli;
mod clients;
mod http;
mod node;
mod repair;
mod sim_disk;
mod source;
mod sync;
mod tidy;
