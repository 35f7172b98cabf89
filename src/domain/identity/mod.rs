//! Identity: who may do what. Principals with their grants, the metadata of their tokens, and the mode of the installation.
//!
//! | file | what it is |
//! | --- | --- |
//! | `permission` | what may be done, `resource:verb`, and sets of it |
//! | `role` | named sets of permissions |
//! | `grant` | a role or a permission within a scope |
//! | `access` | the grants of a principal, resolved for questions |
//! | `admins` | who can manage identity, and log in to do it |
//! | `principal` | a person, service, node or team, with grants |
//! | `token` | the metadata of a token: whose, since when, until when |
//! | `mode` | development or judging: a mask over grants |
//! | `ids` | ids of principals and tokens, which say nothing of names |
//!
//! Nothing here is personal or secret: names, logins, password hashes and hashes of tokens are in the vault of the node, so that a
//! person can be erased and the log stays.

mod access;
mod admins;
mod grant;
mod ids;
mod mode;
mod permission;
mod principal;
mod role;
mod token;

pub use access::{Access, Denied, StoreScope};
pub use admins::{Admin, Admins, GRACE_MS_MAX};
pub use grant::{Grant, GrantError, TeamId};
pub use ids::{PrincipalId, PrincipalKind, TokenId, WrongId};
pub use mode::{Mode, ModeCommand, ModeFact, ModeRecord, ModeState};
pub use permission::{Permission, PermissionSet};
pub use principal::{Principal, PrincipalCommand, PrincipalFact, PrincipalRecord};
pub use role::{Role, RoleScope};
pub use token::{Revocation, Token, TokenChange, TokenCommand, TokenFact, TokenKind, TokenRecord};
