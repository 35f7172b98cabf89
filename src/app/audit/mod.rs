//! Audit: who did what, in one table: the changes in the logs and the entries of the audit trail, merged by time.
//!
//! | file | content |
//! | --- | --- |
//! | `row` | a row of the table, from an event or from an entry |
//! | `place` | the place of a reader in all logs and chains |
//! | `reader` | reads the rows behind a place, page by page |

mod place;
mod reader;
mod row;

pub use place::AuditPlace;
pub use reader::{AuditFilter, AuditPiece, AuditReader};
pub use row::{AuditCategory, AuditRow};
