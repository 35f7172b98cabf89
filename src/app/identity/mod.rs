//! Identity in the ledger: what principals may do, looked up in memory at each request, and the changes of it.
//!
//! | file | what it does |
//! | --- | --- |
//! | `authorities` | the projection: principals and tokens by id, the mode, the administrators |
//! | `central_logins` | people who have logged in at central, and what they may do here |
//! | `declared` | people and tokens that a file declares, and what it takes to have them |
//! | `reads` | principals, tokens and the mode, once they are durable |
//! | `sweep` | what a crash has left over in the vault |
//!
//! Authority is never frozen into a token, but for those that central signs for another node: a change of a grant, a revocation or another mode acts on the next request, in every
//! process of the data directory that has read the change.

pub(crate) mod authorities;
mod central_logins;
mod declared;
mod reads;
mod sweep;

pub use authorities::Authority;
pub use central_logins::{CentralBasis, CentralLogin, CentralLogins, DeclaredCentral};
pub use declared::apply::{Applied, apply, release};
pub use declared::apply_error::ApplyError;
pub use declared::{Declared, DeclaredPerson, DeclaredToken};
