//! What the edge notes in the audit trail: refused requests, the first use of a credential from a network, and what a handler has
//! marked in its answer, or in its problem ([`Noted`]). A request that is answered as it should be costs the look at its status, and at one table.

use crate::edge::known_addresses::KnownAddresses;
use crate::request::caller::Caller;
use crate::request::request_id::RequestId;
use crate::response::hints::Noted;
use crate::response::problem::Problem;
use http::StatusCode;
use onhand_app::Ledger;
use onhand_app::ports::{AuditEntry, AuditKind, AuditTrail};
use smol_str::SmolStr;
use std::net::IpAddr;
use std::sync::Arc;

/// The actor of requests that need no login.
const LOCAL: &str = "local";

/// The audit trail, as the edge sees it.
pub(crate) struct Recording {
    trail: Arc<dyn AuditTrail>,
    ledger: Arc<Ledger>,
    known: KnownAddresses,
}

/// A request, as far as entries tell it.
pub(crate) struct RecordedRequest<'a> {
    /// Nothing for the local socket.
    pub(crate) address: Option<IpAddr>,
    /// One of the known methods, or `other`: anything else may hold anything.
    pub(crate) method: &'static str,
    /// The template of its route.
    pub(crate) route: Option<&'static str>,
    /// True when the route asks nobody who they are.
    pub(crate) is_public: bool,
    pub(crate) id: &'a RequestId,
    /// Once it is known.
    pub(crate) caller: Option<&'a Caller>,
}

/// True for an answer that refuses a request for what its sender is: 401, 403, 421.
pub(crate) fn is_refusal(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::MISDIRECTED_REQUEST)
}

impl Recording {
    pub(crate) fn new(trail: Arc<dyn AuditTrail>, ledger: Arc<Ledger>) -> Self {
        Self { trail, ledger, known: KnownAddresses::default() }
    }

    /// True the first time that the credential of a caller comes from this network.
    pub(crate) fn is_first_use(&self, caller: &Caller, network: Option<IpAddr>) -> bool {
        caller.used().zip(network).is_some_and(|(used, network)| self.known.is_new(used, network))
    }

    /// Notes the first use of a credential from a network.
    pub(crate) fn first_use(&self, request: &RecordedRequest<'_>) {
        self.trail.note(self.entry(AuditKind::FirstUse, request));
    }

    /// Notes an answer that is a refusal, or that its handler has marked: then `noted` says as what.
    pub(crate) fn answered(
        &self,
        request: &RecordedRequest<'_>,
        status: StatusCode,
        problem: Option<&Problem>,
        noted: Option<&Noted>,
    ) {
        let refused = if request.is_public { AuditKind::LoginFailed } else { AuditKind::Refused };
        let kind = noted.and_then(|noted| noted.kind).unwrap_or(refused);
        let mut entry = self.entry(kind, request);
        if let Some(noted) = noted {
            entry.actor = noted.actor.clone().or(entry.actor);
            entry.credential = noted.credential.clone().or(entry.credential);
        }
        entry.status = Some(status.as_u16());
        entry.code = problem.map(|problem| SmolStr::new_static(problem.code().slug()));
        self.trail.note(entry);
    }

    fn entry(&self, kind: AuditKind, request: &RecordedRequest<'_>) -> AuditEntry {
        let caller = request.caller.filter(|_| !request.is_public);
        let actor = caller.map(|caller| caller.actor().unwrap_or(SmolStr::new_static(LOCAL)));
        AuditEntry {
            actor,
            credential: caller.and_then(Caller::credential).map(|id| SmolStr::new(id.as_str())),
            address: request.address,
            method: Some(SmolStr::new_static(request.method)),
            route: request.route.map(SmolStr::new_static),
            request_id: Some(SmolStr::new(request.id.as_str())),
            ..AuditEntry::new(self.ledger.now(), kind)
        }
    }
}
