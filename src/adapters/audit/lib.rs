//! The audit trail: refused requests, logins, exports of whole lists; in files that are chained by their hashes.
//!
//! | file | what it does |
//! | --- | --- |
//! | `trail` | [`FileTrail`]: the port `onhand_app::ports::AuditTrail`; a bounded queue, and the thread behind it |
//! | `fold` | equal entries within a minute become one with a count |
//! | `writer` | appends lines to the chain of this process; a new file after an error of the disk |
//! | `end` | the end of a chain at the start, also after a crash |
//! | `walk` | a chain line by line, each checked against the one before; `read` and [`check`] stand on it |
//! | `read` | entries behind a place, for the port |
//! | [`check`] | what `onhand verify` says of the trail |
//! | `file_name`, [`line`], `options` | names of files, bytes of a line, where a trail is |
//!
//! Each process of a data directory writes a chain of its own: number 0 when it has the directory alone, else its number among those
//! that share it. A file has the entries of one day (UTC) and at most [`FILE_BYTES`], and is named after the day, the chain and the
//! number of its first entry:
//!
//! ```text
//! audit/2026-11-30-0-000000000017.jsonl
//! {"crc":"8 hex","prev":"64 hex","n":17,"synced":16,"entry":{"time":"2026-11-30T09:12:44.031Z","kind":"refused",...}}<LF>
//! ```
//! `crc` is CRC-32C over every byte from behind `"crc":"........",` up to the line feed: it tells a line that is torn or changed from
//! one that was written. `prev` is the SHA-256 of the whole line before, with its line feed, also across files; that of entry 1 is
//! all zeros. `synced` is the number up to which entries were durable when the line was written. Directories have mode 0700, files
//! 0600.
//!
//! **The next file says where one ends.** A process never writes to a file of an earlier one, nor to one that the disk has refused:
//! it begins another one behind the last entry that is there for sure. Lines of the earlier file from that number on do not count.
//!
//! **After a crash** the lines behind the last sync are there in part, in any order. The first line that does not fit ends the file,
//! unless an intact line says in `synced` that it was durable: then it is damage, which nothing hides. A crash loses at most what was
//! noted within the last second, and the counts of entries that were still being folded.
//!
//! A chain shows that a line was changed, removed or put in between. It cannot show that files were removed at its beginning, as
//! `AUDIT_KEEP_DAYS` does it, nor that its end was cut off or all of it written anew by somebody who may write the directory: for that,
//! the hash that `onhand verify` prints is kept elsewhere.

pub mod check;
#[cfg(test)]
mod crashes;
mod end;
mod file_name;
mod fold;
#[cfg(test)]
mod forgery;
pub mod line;
mod options;
mod read;
#[cfg(test)]
mod testing;
mod trail;
mod walk;
mod writer;

pub use options::TrailOptions;
pub use trail::{FileTrail, TrailClock};

/// The size at which the next file is begun.
pub const FILE_BYTES: u64 = 1 << 20;
