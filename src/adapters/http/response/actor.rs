//! The principal of a recorded change, as answers show it.

/// The name in answers for a change whose caller was not identified.
const ANONYMOUS: &str = "anonymous";

/// The principal, or [`ANONYMOUS`].
pub(crate) fn shown(actor: Option<&str>) -> &str {
    actor.unwrap_or(ANONYMOUS)
}
