//! The port of the vault: personal data and verifiers of identity, outside the log, so that they can be erased.

use onhand_domain::Timestamp;
use onhand_domain::identity::{PrincipalId, TokenId, TokenKind};
use std::io;

/// What the vault keeps of a token: its name, and a verifier of its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptToken {
    /// The name that people gave it: 1-64 characters.
    pub name: String,
    /// SHA-256 of the whole text of the token.
    pub sha256: [u8; 32],
}

/// What the vault keeps of a person.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptPerson {
    /// The login: 1-64 characters, compared without regard to case.
    pub login: String,
    /// The name as shown: 1-128 characters.
    pub name: Option<String>,
    /// The e-mail address, by which the person may log in too.
    pub email: Option<String>,
    /// The verifier of the password, in the PHC string format; nothing as long as no password is set.
    pub password: Option<String>,
}

/// Why the vault does not keep a person.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Another person has the login or e-mail address.
    #[error("another person has that login or e-mail address")]
    LoginTaken,
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// Personal data and verifiers, one small file for each person and token. Everything kept is durable before a call returns. Several
/// processes of one data directory share it: what one keeps, the others find.
///
/// A new principal or token is kept first and enters the log after; a revocation enters the log first. Authority needs both, so a
/// crash between the two gives nobody more than they had.
pub trait Vault: Send + Sync {
    /// Makes a new token and keeps its verifier under a name. Returns its public id and its text, which exists nowhere else.
    ///
    /// # Errors
    /// What the disk says; then nothing is kept.
    fn issue_token(&self, kind: TokenKind, name: &str) -> io::Result<(TokenId, String)>;

    /// The public id in the text of a token; nothing when the text is not one, or has a character wrong. The disk is not asked.
    fn id_in(&self, text: &str) -> Option<TokenId>;

    /// As [`Vault::is_token`] for a token that was read before: nothing when its file has to be read first. The disk is not asked.
    fn is_known_token(&self, id: &TokenId, text: &str) -> Option<bool>;

    /// True when `text` is the token of that id. Takes the same time wherever the secret differs.
    ///
    /// # Errors
    /// What the disk says, or a file that is damaged.
    fn is_token(&self, id: &TokenId, text: &str) -> io::Result<bool>;

    /// Keeps what is known of a token.
    ///
    /// # Errors
    /// What the disk says; then nothing is kept.
    fn keep_token(&self, id: &TokenId, token: &KeptToken) -> io::Result<()>;

    /// What is kept of a token; nothing when there is none.
    ///
    /// # Errors
    /// What the disk says, or a file that is damaged.
    fn token(&self, id: &TokenId) -> io::Result<Option<KeptToken>>;

    /// Removes a token; nothing happens when there is none.
    ///
    /// # Errors
    /// What the disk says.
    fn erase_token(&self, id: &TokenId) -> io::Result<()>;

    /// Removes the tokens of which `is_useless` is true and whose files were written before a time. Returns how many. A file that is no
    /// token's stays.
    ///
    /// # Errors
    /// What the disk says; then some may be removed.
    fn sweep_tokens(&self, is_useless: &dyn Fn(&TokenId) -> bool, before: Timestamp) -> io::Result<usize>;

    /// Keeps a person under their login, or replaces what was kept of them.
    ///
    /// # Errors
    /// [`KeepError`]; then what was kept before is still kept.
    fn keep_person(&self, id: &PrincipalId, person: &KeptPerson) -> Result<(), KeepError>;

    /// What is kept of a person; nothing when there is none.
    ///
    /// # Errors
    /// What the disk says, or a file that is damaged.
    fn person(&self, id: &PrincipalId) -> io::Result<Option<KeptPerson>>;

    /// The person with a login or an e-mail address.
    ///
    /// # Errors
    /// What the disk says.
    fn person_of(&self, login: &str) -> io::Result<Option<PrincipalId>>;

    /// Removes everything that is kept of a person: nothing of it is left on the disk.
    ///
    /// # Errors
    /// What the disk says; then calling it again goes on.
    fn erase_person(&self, id: &PrincipalId) -> io::Result<()>;

    /// 32 random bytes of the machine, for secrets and ids.
    fn random(&self) -> [u8; 32];
}
