//! Dead letters: events that cannot be applied, and the way back for them.

pub(crate) mod bury;
pub(crate) mod letters;
pub(crate) mod redrive;
