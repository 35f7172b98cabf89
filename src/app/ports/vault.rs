//! The port of the vault: personal data and verifiers of identity, outside the log, so that they can be erased.

use crate::ports::session::{
    CentralKeys, Claims, KeptSession, NewSession, PasswordMatch, PasswordsBusy, PublicKey, Refreshed,
    SessionUse,
};
use onhand_domain::Timestamp;
use onhand_domain::identity::{PrincipalId, TokenId, TokenKind};
use std::collections::BTreeSet;
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
    /// When the person was added.
    pub created_at: Timestamp,
}

/// What a file of identity has declared: changed by that file alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Managed {
    /// The path of the file.
    pub file: String,
    /// The persons it names.
    pub persons: BTreeSet<PrincipalId>,
    /// The tokens it names.
    pub tokens: BTreeSet<TokenId>,
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

    /// The same for a signed token with these claims, to which its id is added.
    ///
    /// # Errors
    /// What the disk says; then nothing is kept.
    fn issue_signed_token(&self, claims: Claims, name: &str, now: Timestamp)
    -> io::Result<(TokenId, String)>;

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

    /// As [`Vault::sweep_tokens`], for persons.
    ///
    /// # Errors
    /// What the disk says; then some may be removed.
    fn sweep_persons(
        &self,
        is_useless: &dyn Fn(&PrincipalId) -> bool,
        before: Timestamp,
    ) -> io::Result<usize>;

    /// Keeps a person under their login, or replaces what was kept of them.
    ///
    /// # Errors
    /// [`KeepError`]; then what was kept before is still kept.
    fn keep_person(&self, id: &PrincipalId, person: &KeptPerson) -> Result<(), KeepError>;

    /// Changes what is kept of a person, whom nobody else changes meanwhile. False when there is none.
    ///
    /// # Errors
    /// As [`Vault::keep_person`].
    fn change_person(&self, id: &PrincipalId, change: &dyn Fn(&mut KeptPerson)) -> Result<bool, KeepError>;

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

    /// Begins a session, or makes a link, for a person.
    ///
    /// # Errors
    /// What the disk says; then there is none.
    fn begin_session(&self, id: &PrincipalId, usage: SessionUse, now: Timestamp) -> io::Result<NewSession>;

    /// The good session with that id. It may be asked at every request of a person: one file is read.
    ///
    /// # Errors
    /// What the disk says, or a file that is damaged.
    fn session(&self, id: &TokenId, now: Timestamp) -> io::Result<Option<KeptSession>>;

    /// The good session whose secret is `text`. Takes the same time wherever the secret differs.
    ///
    /// # Errors
    /// What the disk says, or a file that is damaged.
    fn session_of(
        &self,
        usage: SessionUse,
        text: &str,
        now: Timestamp,
    ) -> io::Result<Option<(TokenId, KeptSession)>>;

    /// Replaces a refresh token. One that was replaced within the last ten seconds gets the same successor again; an older one
    /// was copied, and ends its session.
    ///
    /// # Errors
    /// What the disk says; then the token is as good as before.
    fn renew_session(&self, text: &str, now: Timestamp) -> io::Result<Refreshed>;

    /// Takes a one-use link: whose it is. Of several that take it at once, one does.
    ///
    /// # Errors
    /// What the disk says.
    fn take_link(&self, text: &str, now: Timestamp) -> io::Result<Option<PrincipalId>>;

    /// Ends a session; nothing happens when there is none.
    ///
    /// # Errors
    /// What the disk says; then calling it again goes on.
    fn end_session(&self, id: &TokenId) -> io::Result<()>;

    /// Ends all sessions and links of a person, but for one.
    ///
    /// # Errors
    /// What the disk says; then calling it again goes on.
    fn end_sessions_of(&self, id: &PrincipalId, but: Option<&TokenId>) -> io::Result<()>;

    /// Ends the links of a person.
    ///
    /// # Errors
    /// What the disk says; then calling it again goes on.
    fn end_links_of(&self, id: &PrincipalId) -> io::Result<()>;

    /// True when this process has ended that session, and [`Vault::upkeep`] was called at most once since.
    fn has_ended(&self, id: &TokenId) -> bool;

    /// A signed token with these claims.
    ///
    /// # Errors
    /// What the disk says, or keys that are damaged.
    fn sign(&self, claims: &Claims, now: Timestamp) -> io::Result<String>;

    /// The claims of a token that this vault has signed; nothing for any other text. Whether the times and the rest are right is
    /// for the caller to say.
    ///
    /// # Errors
    /// What the disk says, or keys that are damaged.
    fn claims_in(&self, text: &str) -> io::Result<Option<Claims>>;

    /// The claims of a token that one of these keys has signed; as [`Vault::claims_in`].
    fn claims_by(&self, keys: &[PublicKey], text: &str) -> Option<Claims>;

    /// Keeps the public keys of central.
    ///
    /// # Errors
    /// What the disk says; then what was kept before is still kept.
    fn keep_central_keys(&self, keys: &CentralKeys) -> io::Result<()>;

    /// The public keys of central, as they were kept last.
    ///
    /// # Errors
    /// What the disk says, or a file that is damaged.
    fn central_keys(&self) -> io::Result<Option<CentralKeys>>;

    /// The public keys of signed tokens.
    ///
    /// # Errors
    /// What the disk says, or keys that are damaged.
    fn public_keys(&self) -> io::Result<Vec<PublicKey>>;

    /// Makes another signing key, which signs from now on, and answers its id. When `revokes`, everything signed before is worth
    /// nothing.
    ///
    /// # Errors
    /// What the disk says.
    fn rotate_keys(&self, revokes: bool, now: Timestamp) -> io::Result<String>;

    /// Removes sessions that have ended, forgets those of [`Vault::has_ended`], and makes the next signing key in time. To be called
    /// every hour or so.
    ///
    /// # Errors
    /// What the disk says.
    fn upkeep(&self, now: Timestamp) -> io::Result<()>;

    /// Checks a new password of somebody with these logins; the error says what to do.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    fn check_password(&self, password: &str, logins: &[&str]) -> Result<(), String>;

    /// The verifier of a new password. Blocks for the time of the work and of those that wait before.
    ///
    /// # Errors
    /// [`PasswordsBusy`].
    fn hash_password(&self, password: &str) -> Result<String, PasswordsBusy>;

    /// Compares a password with a verifier; without one, the same work is done for a no. Blocks as
    /// [`Vault::hash_password`] does.
    ///
    /// # Errors
    /// [`PasswordsBusy`].
    fn verify_password(&self, password: &str, kept: Option<&str>) -> Result<PasswordMatch, PasswordsBusy>;

    /// What a file of identity has declared; nothing when there is no such file.
    ///
    /// # Errors
    /// What the disk says, or a file that is damaged.
    fn managed(&self) -> io::Result<Managed>;

    /// Keeps what a file of identity has declared.
    ///
    /// # Errors
    /// What the disk says; then what was kept before is still kept.
    fn keep_managed(&self, managed: &Managed) -> io::Result<()>;

    /// 32 random bytes of the machine, for secrets and ids.
    fn random(&self) -> [u8; 32];

    /// HMAC-SHA-256 of personal data with the key of the vault: in the log it tells a retry, and tells nothing without the vault.
    fn personal_hash(&self, data: &[u8]) -> [u8; 32];

    /// HMAC-SHA-256 of some bytes, with a key that no other process and no file has: for what is compared in memory.
    fn keyed_hash(&self, parts: &[&[u8]]) -> [u8; 32];
}
