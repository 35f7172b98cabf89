//! A row of the audit table: an event of a log, or an entry of the trail.

use crate::audit::place::AuditPlace;
use crate::ports::{AuditEntry, AuditKind, Movement};
use onhand_domain::{EventKind, Sequence, Timestamp, Topics};
use smol_str::{SmolStr, format_smolstr};
use std::net::IpAddr;

/// The actor of changes that were made while nobody had to log in.
const LOCAL: &str = "local";
/// The outcome of what was done.
const DONE: &str = "done";
/// The outcome of what the trail says about itself, and of a credential that came twice.
const NOTICED: &str = "noticed";

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditCategory {
    /// Changes other than of levels and identity: catalogue, thresholds, alerts, imports, the time of the log.
    Events,
    /// Movements of stock.
    Inventory,
    /// Changes of principals, tokens and the mode.
    Identity,
    /// Logins, first uses of a credential from an address, exports, erasures.
    Access,
    /// Refused requests, and what the trail says about itself.
    Errors,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// The place of a reader that has read up to this row.
    pub place: AuditPlace,
    /// When it happened.
    pub time: Timestamp,
    /// What it is about.
    pub category: AuditCategory,
    /// The principal, or `local`; nothing when it is not known.
    pub actor: Option<SmolStr>,
    /// The type of the event, or the kind of the entry.
    pub what: &'static str,
    /// The state that was changed, or method and route of the request.
    pub place_of: Option<SmolStr>,
    /// `done`, the code of the refusal, or `noticed`.
    pub outcome: SmolStr,
    /// The request.
    pub request_id: Option<SmolStr>,
    /// How often.
    pub count: u64,
    /// When it happened first, of several.
    pub first_time: Option<Timestamp>,
    /// The address of the client.
    pub address: Option<IpAddr>,
    /// The public id of the credential.
    pub credential: Option<SmolStr>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The sequence in the log.
    pub sequence: Option<Sequence>,
    /// What else a person must know.
    pub detail: Option<String>,
}

impl AuditCategory {
    /// Every category.
    pub const ALL: [Self; 5] = [Self::Events, Self::Inventory, Self::Identity, Self::Access, Self::Errors];

    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Inventory => "inventory",
            Self::Identity => "identity",
            Self::Access => "access",
            Self::Errors => "errors",
        }
    }

    /// The category of that name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == name)
    }

    /// True when rows of it come from the trail, and not from the logs.
    pub(crate) const fn is_of_trail(self) -> bool {
        matches!(self, Self::Access | Self::Errors)
    }

    /// The topics of its events in a log.
    pub(crate) fn topics(self) -> Topics {
        match self {
            Self::Inventory => Topics::MOVEMENTS,
            Self::Identity => [EventKind::Principal, EventKind::Token, EventKind::Mode]
                .into_iter()
                .fold(Topics::NONE, |topics, kind| topics.and(Topics::kind(kind))),
            Self::Events | Self::Access | Self::Errors => Topics::NONE,
        }
    }

    /// The category of an event.
    pub(crate) fn of_event(movement: &Movement) -> Self {
        match movement.event.kind {
            EventKind::Principal | EventKind::Token | EventKind::Mode => Self::Identity,
            _ if movement.event.fact.movement().is_some() => Self::Inventory,
            _ => Self::Events,
        }
    }

    /// The category of an entry.
    pub(crate) const fn of_entry(kind: AuditKind) -> Self {
        match kind {
            AuditKind::Login
            | AuditKind::Logout
            | AuditKind::LoginFailed
            | AuditKind::CredentialReused
            | AuditKind::FirstUse
            | AuditKind::Export
            | AuditKind::Erased => Self::Access,
            AuditKind::Refused | AuditKind::Lost | AuditKind::Repaired | AuditKind::Damaged => Self::Errors,
        }
    }
}

/// The actor of an event as rows show it.
pub(crate) fn actor_of(movement: &Movement) -> &str {
    movement.actor.as_deref().unwrap_or(LOCAL)
}

impl AuditRow {
    pub(crate) fn of_event(movement: &Movement) -> Self {
        Self {
            place: AuditPlace::default(),
            time: movement.at,
            category: AuditCategory::of_event(movement),
            actor: Some(actor_of(movement).into()),
            what: movement.event.kind.as_str(),
            place_of: Some(format_smolstr!("{}", movement.event.fact.key())),
            outcome: SmolStr::new_static(DONE),
            request_id: movement.request_id.clone(),
            count: 1,
            first_time: None,
            address: None,
            credential: None,
            status: None,
            sequence: Some(movement.sequence),
            detail: None,
        }
    }

    pub(crate) fn of_entry(entry: AuditEntry) -> Self {
        let noticed = match entry.kind {
            AuditKind::Lost | AuditKind::Repaired | AuditKind::Damaged | AuditKind::CredentialReused => {
                NOTICED
            }
            _ => DONE,
        };
        let place_of = match (&entry.method, &entry.route) {
            (Some(method), Some(route)) => Some(format_smolstr!("{method} {route}")),
            (Some(method), None) => Some(method.clone()),
            (None, _) => None,
        };
        Self {
            place: AuditPlace::default(),
            time: entry.time,
            category: AuditCategory::of_entry(entry.kind),
            actor: entry.actor,
            what: entry.kind.as_str(),
            place_of,
            outcome: entry.code.unwrap_or(SmolStr::new_static(noticed)),
            request_id: entry.request_id,
            count: entry.count,
            first_time: entry.first_time,
            address: entry.address,
            credential: entry.credential,
            status: entry.status,
            sequence: None,
            detail: entry.detail,
        }
    }
}
