//! One fuzz target: the one this binary is named after.

#![no_main]

#[path = "mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::run(env!("CARGO_BIN_NAME"), bytes));
