//! Answering: problems, pages and entity tags.

pub(crate) mod actor;
pub(crate) mod code;
pub(crate) mod etag;
pub(crate) mod hints;
pub(crate) mod html;
pub(crate) mod problem;
pub(crate) mod refusal;
pub(crate) mod replayed;
pub(crate) mod vary;
