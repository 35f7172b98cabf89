//! The port of the audit trail: what the log does not have, because nothing was changed. Logins, refused requests, exports.

use onhand_domain::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use tokio::sync::watch;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditKind {
    /// Somebody has logged in.
    Login,
    /// Somebody has logged out.
    Logout,
    /// A login was refused.
    LoginFailed,
    /// A refresh token was used twice: its family was ended.
    CredentialReused,
    /// A request was refused: no good credential, no permission, another site or another host.
    Refused,
    /// A credential was used from an address for the first time since the process started.
    FirstUse,
    /// A whole list, the feed or the central model was read.
    Export,
    /// Personal data of a customer was erased.
    Erased,
    /// Entries were lost: the queue was full, or the disk failed for too long.
    Lost,
    /// The end of a file was torn by a crash; the chain goes on behind its last whole entry.
    Repaired,
    /// A file is not what was written.
    Damaged,
}

/// One entry. It has no body, header, secret, login or name; a route is its template, because a path may hold all of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// When it happened; of an entry for several, when the last of them was written.
    pub time: Timestamp,
    /// What it is about.
    pub kind: AuditKind,
    /// The id of the principal, or `local`; nothing when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<SmolStr>,
    /// The public id of the credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<SmolStr>,
    /// The address of the client; nothing for the local socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The method of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<SmolStr>,
    /// The template of the route, such as `/stores/{storeId}`; nothing when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<SmolStr>,
    /// The status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The code of the problem that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<SmolStr>,
    /// The id of the request; of an entry for several, that of the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<SmolStr>,
    /// How often it happened.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub count: u64,
    /// When it happened first, of an entry for several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_time: Option<Timestamp>,
    /// What else a person must know: the file and the line of [`AuditKind::Repaired`] and [`AuditKind::Damaged`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Where the reader of the trail stands: by chain, the number of the last entry that was examined. Each process of a data directory
/// has its chain.
pub type TrailPlace = BTreeMap<u16, u64>;

/// A query over all chains.
pub struct TrailQuery<'a> {
    /// Only entries behind this place.
    pub after: &'a TrailPlace,
    /// Most entries of each chain.
    pub limit: usize,
    /// Only those at or after this time.
    pub since: Option<Timestamp>,
    /// True when what this process has noted until now must be there: it is written first.
    pub fresh: bool,
    /// Only those that pass.
    pub passes: &'a dyn Fn(&AuditEntry) -> bool,
}

/// What was read of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainPiece {
    /// The number of the chain.
    pub chain: u16,
    /// The entries with their numbers, in order. Damage that was met stands among them as [`AuditKind::Damaged`].
    pub entries: Vec<(u64, AuditEntry)>,
    /// Every entry up to this number was examined.
    pub through: u64,
    /// The time of that entry, when others follow.
    pub unfinished_at: Option<Timestamp>,
}

/// The audit trail: written behind, read in order.
///
/// Contract of an adapter: entries are read in the order in which they were noted by a process, each once, except that equal ones
/// may be folded into one with a count; what is lost is counted, and the count is itself an entry.
pub trait AuditTrail: Send + Sync {
    /// Notes an entry. Never blocks, never fails, never waits for a disk: an entry for which there is no room is counted.
    fn note(&self, entry: AuditEntry);

    /// Reads entries of all chains. Blocks on the disk.
    ///
    /// # Errors
    /// What the disk says. Damage is no error: it is an entry.
    fn read(&self, query: &TrailQuery<'_>) -> io::Result<Vec<ChainPiece>>;

    /// Counts up whenever this process has written entries.
    fn written(&self) -> watch::Receiver<u64>;
}

impl AuditKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Login,
        Self::Logout,
        Self::LoginFailed,
        Self::CredentialReused,
        Self::Refused,
        Self::FirstUse,
        Self::Export,
        Self::Erased,
        Self::Lost,
        Self::Repaired,
        Self::Damaged,
    ];

    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Logout => "logout",
            Self::LoginFailed => "login-failed",
            Self::CredentialReused => "credential-reused",
            Self::Refused => "refused",
            Self::FirstUse => "first-use",
            Self::Export => "export",
            Self::Erased => "erased",
            Self::Lost => "lost",
            Self::Repaired => "repaired",
            Self::Damaged => "damaged",
        }
    }
}

impl AuditEntry {
    /// An entry of this kind, with nothing else known.
    pub const fn new(time: Timestamp, kind: AuditKind) -> Self {
        Self {
            time,
            kind,
            actor: None,
            credential: None,
            address: None,
            method: None,
            route: None,
            status: None,
            code: None,
            request_id: None,
            count: 1,
            first_time: None,
            detail: None,
        }
    }
}

const fn once() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_once(count: &u64) -> bool {
    *count == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_kind_is_that_in_files() {
        for kind in AuditKind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.as_str()));
        }
    }
}
