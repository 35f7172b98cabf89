//! One fuzz target: the one this binary is named after.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| onhand_fuzz::run(env!("CARGO_BIN_NAME"), bytes));
