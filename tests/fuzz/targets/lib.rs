//! The targets in one library, so that they are made once and not for each binary.

#[path = "mod.rs"]
mod targets;

/// Runs the target of that name.
///
/// # Panics
/// When there is none, or it has found something.
pub fn run(name: &str, bytes: &[u8]) {
    targets::run(name, bytes);
}
