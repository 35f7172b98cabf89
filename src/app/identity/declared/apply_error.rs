//! Why a file of identity is not applied.

use crate::CommandError;
use crate::stock::ReadError;
use onhand_domain::Rejection;
use onhand_domain::identity::TokenId;
use std::io;

/// Why a file is not applied, or not to its end; applying it again goes on.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Nothing changed.
    #[error("there would be no administrator: give somebody in it grants = [{{ role = \"admin\" }}]")]
    NoAdministrator,
    /// A login or an address, by the place of the person in the file, from 1.
    #[error(
        "entry {0} of [[people]] has the login or e-mail address of another person: choose others, or erase that person"
    )]
    LoginTaken(usize),
    /// Nothing changed.
    #[error("the token {0} was issued with another kind: give it that kind, or another id")]
    OtherKind(TokenId),
    /// The vault cannot be read or written.
    #[error("the vault cannot be used")]
    Vault(#[from] io::Error),
    /// The ledger cannot be read.
    #[error("the log cannot be read")]
    Read(#[from] ReadError),
    /// The ledger refused.
    #[error("the log does not take it")]
    Command(#[from] CommandError),
}

impl ApplyError {
    /// True when another process has changed something meanwhile, or is about to.
    pub(super) fn is_concurrent(&self) -> bool {
        match self {
            Self::LoginTaken(_) | Self::Command(CommandError::Contended) => true,
            Self::Command(CommandError::Refused(refusal)) => matches!(
                refusal.rejection,
                Rejection::PrincipalExists { .. }
                    | Rejection::TokenExists { .. }
                    | Rejection::PrincipalNotFound
            ),
            _ => false,
        }
    }
}
