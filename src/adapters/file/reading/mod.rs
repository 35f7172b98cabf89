//! Reading back: entries in order, and the events of one key.
//!
//! | file | content |
//! | --- | --- |
//! | [`archived`] | opening a segment, in `log/` or compressed |
//! | [`segments`] | the segments of a log, and the entries in them |
//! | [`forward`] | the events of all keys, a piece at a time |
//! | [`history`] | the port `History`: one entry, the movements of a key, a state as of a moment |

pub mod archived;
pub(crate) mod forward;
pub(crate) mod history;
pub(crate) mod segments;
