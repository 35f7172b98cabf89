//! The principal of a recorded change, as answers show it.

/// The name in answers for a change that was made while nobody had to log in.
const LOCAL: &str = "local";

/// The principal, or [`LOCAL`].
pub(crate) fn shown(actor: Option<&str>) -> &str {
    actor.unwrap_or(LOCAL)
}
