//! What is secret or personal about identity: kept in small files outside the log, so that it can be erased.
//!
//! | file | what it does |
//! | --- | --- |
//! | [`token`] | the text of a token |

pub mod token;
