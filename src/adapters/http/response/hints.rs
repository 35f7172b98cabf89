//! Hints that an answer carries, as extensions: to the connection it leaves on, whose accept loop reads them, and to the audit trail.

use onhand_app::ports::AuditKind;
use smol_str::SmolStr;

/// The request was rejected for load: its client should wait before the next one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rejected;

/// The answer is a stream that lasts as long as its reader wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endless;

/// The answer is noted in the audit trail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Noted {
    /// What it is; of a refusal, nothing when that follows from the route.
    pub(crate) kind: Option<AuditKind>,
    /// The id of the principal, where that is not the caller.
    pub(crate) actor: Option<SmolStr>,
    /// The public id of the credential, where that is not the caller's.
    pub(crate) credential: Option<SmolStr>,
}

impl Noted {
    /// A whole list, the feed or the central model is read.
    pub(crate) const EXPORT: Self = Self { kind: Some(AuditKind::Export), actor: None, credential: None };
}
