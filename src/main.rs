//! The `onhand` binary.

fn main() {}
