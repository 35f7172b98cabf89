//! The dead letters of the worker: `bury` writes them, `redrive` tries them again or discards them. `model/letters.rs` defines them.

pub(crate) mod bury;
pub(crate) mod redrive;
