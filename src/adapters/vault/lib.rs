//! What is secret or personal about identity: kept in small files outside the log, so that it can be erased.
//!
//! | file | what it does |
//! | --- | --- |
//! | `vault` | [`FileVault`]: the port `onhand_app::ports::Vault` in files, and the verifiers of tokens in memory |
//! | `tokens` | the verifiers of tokens, in files and in memory |
//! | `persons` | persons and their logins, of which each is one person's alone |
//! | `sessions`, `ended` | sessions of persons, and links that set a password once; those that were ended lately |
//! | `keys`, `signature` | the keys that sign tokens, and the cryptography of it |
//! | `workers` | the threads that compare passwords |
//! | `personal` | [`PersonalKeyFile`]: the keys that seal personal data in the log |
//! | [`check`] | every file read, for `onhand verify` |
//! | `files` | where the files lie, who may read them, how they are replaced and removed |
//! | `record` | the bytes of a file |
//! | `error` | why a vault, or a file of it, cannot be used |
//! | `random` | where secrets and ids come from |
//! | [`token`] | the text of a token |
//! | [`password`] | which passwords are taken, and what is kept of them |
//! | `frequent` | passwords that everybody tries first |
//! | [`identity_file`] | the file that declares people and tokens |
//!
//! The vault of a data directory, with everything in it:
//!
//! ```text
//! identity/LOCK                      empty; its advisory lock is held by the process that changes something
//! identity/vault.json                {"crc":"8 hex","format":1,"key":"64 hex"}<LF>
//! identity/tokens/<tokenId>.json     {"crc":"8 hex","tokenId":"0123456789ab","name":"till-3","sha256":"64 hex"}<LF>
//! identity/persons/<principalId>.json
//!                                    {"crc":"8 hex","principalId":"u_0123456789ab","login":"ada","name":"Ada L.",
//!                                    "email":"ada@example.com","password":"$argon2id$v=19$m=19456,t=2,p=1$...",
//!                                    "createdAt":"2026-11-20T16:00:00.123Z"}<LF>
//! identity/sessions/<sessionId>.json {"crc":"8 hex","sessionId":"0123456789ab","principalId":"u_0123456789ab","use":"refresh",
//!                                    "sha256":"64 hex","replaced":{"sha256":"64 hex","salt":"64 hex","at":"..."},
//!                                    "createdAt":"...","usedAt":"...","expiresAt":"..."}<LF>
//! identity/keys.json                 {"crc":"8 hex","keys":[{"keyId":"0123456789ab","seed":"64 hex","signsFrom":"..."}]}<LF>
//! identity/logins/<64 hex>           {"crc":"8 hex","principalId":"u_0123456789ab"}<LF>
//! identity/managed.json              {"crc":"8 hex","file":"/etc/onhand/identity.toml","persons":["u_0123456789ab"],
//!                                    "tokens":["0123456789ab"]}<LF>, as long as such a file declares people and tokens
//! identity/central-keys.json         {"crc":"8 hex","url":"https://central.example.com","issuer":"urn:uuid:...",
//!                                    "keys":[{"keyId":"0123456789ab","x":"43 of base64url"}],"fetchedAt":"..."}<LF>
//! identity/personal/LOCK             as `identity/LOCK`, for the file of keys beside it
//! identity/personal/keys             {"crc":"8 hex","format":1,"file":"16 hex"}<LF>, and lines with
//!                                    {"crc":"8 hex","file":"16 hex","at":56,"keys":[{"subject":"c-1","keyId":"16 hex",
//!                                    "key":"64 hex"}]}<LF>; the only file that grows: its rules stand in `personal`
//! ```
//! in one line each, but for the last one. `crc` is CRC-32C over every byte from behind `"crc":"........",` up to the line
//! feed. Of a person, what is not known (`name`, `email`, `password`) has no member. Members that are not listed are damage:
//! a later version that adds one counts `format` up. The name of a login's file is HMAC-SHA-256 of the login or e-mail
//! address in lower case, keyed with `key`, so that neither can be read from it. Directories have mode 0700, files 0600, and
//! those that let in anybody else are not used. A name ending in `.tmp` is an unfinished file of a process that was killed:
//! it is removed when the vault is opened.
//!
//! A token's file whose event never reached the log, because its process was killed in between, is useless, and so is one whose
//! token is revoked in the log. Such files are removed at a start, when they are older than a request can be.
//!
//! A change holds the lock, and so does the opening of the vault. Readers hold nothing: each file is replaced
//! as a whole, and what is appended to the file of keys of personal data counts from its mark on.
//!
//! **A person is what their own file says.** A login's file only shows the way to it, and one whose person is not there, or
//! has another login by now, counts as free. So each change has one moment in which it happens, the renaming or removal of
//! the person's file, and the files of logins stand around it: new ones are durable before it, those that were given up go
//! after it. A process that is killed in between has changed all or nothing; a login's file that it leaves over hinders
//! nobody. It is not looked for at a start: it goes when somebody takes that login, or when the person is erased, for which
//! every login's file is read. So there is never a person without their logins, and never one login with two persons.
//!
//! A login is taken by writing its file under the lock rather than by creating it exclusively: a file that is created under its
//! final name can be torn by a crash, and two processes that meet one which counts as free could each replace the other's.

pub mod check;
mod ended;
mod error;
mod files;
mod frequent;
mod hmac;
pub mod identity_file;
mod keys;
pub mod password;
mod personal;
mod persons;
mod random;
mod record;
mod sessions;
mod signature;
#[cfg(test)]
mod testing;
pub mod token;
mod tokens;
mod vault;
mod workers;

pub use error::{Remedy, VaultError};
pub use personal::PersonalKeyFile;
pub use random::{RandomSource, random_bytes};
pub use vault::FileVault;
