//! Answering: problems, pages and entity tags.

pub(crate) mod code;
pub(crate) mod etag;
pub(crate) mod html;
pub(crate) mod page;
pub(crate) mod problem;
pub(crate) mod refusal;
