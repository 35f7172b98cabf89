//! Writing answers: problems (`problem`, `code`, `refusal`), headers (`etag`, `replayed`, `vary`), HTML pages (`html`), the
//! principal of a change (`actor`), and hints for the connection (`hints`).

pub(crate) mod actor;
pub(crate) mod code;
pub(crate) mod etag;
pub(crate) mod hints;
pub(crate) mod html;
pub(crate) mod problem;
pub(crate) mod refusal;
pub(crate) mod replayed;
pub(crate) mod vary;
