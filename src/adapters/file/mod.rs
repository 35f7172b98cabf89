//! JSON files: the log, its segments and snapshots, on a [`disk::Disk`].
//!
//! | file | what it knows |
//! | --- | --- |
//! | [`disk`] | every system call |
//! | [`layout`] | names and places |
//! | `record`, [`segment`] | the bytes of a line, the chain of lines |
//! | [`log`], `writer`, [`mark`] | appending: queue, group commit, durable end |
//! | [`breaker`], `mend`, `ballast` | when the disk refuses, and the way back |
//! | `index`, `segments`, `lines`, `history`, `forward` | reading back |
//! | [`recovery`], `replay`, [`identity`] | from a directory to a running log |
//! | [`snapshot`], `snapshotter`, [`archive`], [`maintenance`] | side work |
//! | [`central`], [`dead_letters`] | what the worker keeps |
//! | [`alerts_sent`] | what the webhook keeps |
//! | `tail`, [`local_source`], [`directory_source`], [`members`] | what the worker reads |
//! | [`audit`], [`repair`] | whether all of it holds, and the way out when it does not |

pub mod alerts_sent;
pub mod archive;
pub mod audit;
mod ballast;
pub mod breaker;
pub mod central;
pub mod clock;
pub mod dead_letters;
mod decode;
pub mod directory_source;
pub mod disk;
mod forward;
mod history;
pub mod identity;
mod index;
pub mod layout;
mod lease;
mod lines;
pub mod local_source;
pub mod log;
pub mod maintenance;
pub mod mark;
pub mod members;
mod mend;
mod migrate;
mod peer;
mod record;
pub mod recovery;
pub mod repair;
mod replay;
pub mod segment;
mod segments;
pub mod sharing;
pub mod snapshot;
pub mod snapshotter;
mod tail;
pub mod term;
mod writer;
