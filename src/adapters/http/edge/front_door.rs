//! The front door: who a request comes from, and whether its route is open to them. Asked on the matched route, never on the text
//! of the path.
//!
//! As long as there is no principal, nobody can log in. A node that only its own machine reaches is open then, to `local`; one that
//! listens elsewhere answers nothing but what is public, until an administrator was made on its machine, over the local socket, which always admits
//! the owner of the data directory.

use crate::edge::local_peer::LocalPeer;
use crate::edge::route::Need;
use crate::request::caller::Caller;
use crate::request::path_params::PathParams;
use crate::response::code::Code;
use crate::response::problem::Problem;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Request};
use onhand_app::Ledger;
use onhand_app::ports::Vault;
use onhand_app::stock::ReadError;
use onhand_domain::StoreId;
use onhand_domain::identity::{Denied, Permission};
use std::sync::Arc;

/// The value of `WWW-Authenticate`.
pub(crate) const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"onhand\"");

/// What is open without a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenRules {
    /// As long as there is no principal, everybody who reaches the listener may do everything.
    pub without_principals: bool,
    /// Metrics are for everybody, whether there are principals or not.
    pub metrics: bool,
}

/// The check of every request but those of public routes.
pub(crate) struct FrontDoor {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) vault: Option<Arc<dyn Vault>>,
    pub(crate) open: OpenRules,
}

impl Default for OpenRules {
    fn default() -> Self {
        Self { without_principals: true, metrics: false }
    }
}

impl FrontDoor {
    /// True when callers must show who they are.
    pub(crate) fn asks_who(&self) -> bool {
        !self.ledger.has_no_principals()
    }

    /// Reads what other processes of the data directory have granted or revoked: it counts here from the next request on.
    pub(crate) async fn catch_up(&self, need: Need) -> Result<(), Problem> {
        // A probe is answered whatever the log of another process says.
        if matches!(need, Need::Public | Need::Probe) {
            return Ok(());
        }
        Ok(self.ledger.catch_up().await.map_err(ReadError::from)?)
    }

    /// The caller of a request, as far as the route asks.
    pub(crate) fn caller_of<B>(&self, need: Need, request: &Request<B>) -> Result<Caller, Problem> {
        if request.extensions().get::<LocalPeer>().is_some() {
            return Ok(Caller::over_socket());
        }
        let is_open = match need {
            Need::Public => true,
            Need::Metrics => self.open.metrics,
            Need::Probe => !self.asks_who(),
            _ => false,
        };
        if is_open {
            return Ok(Caller::default());
        }
        if need == Need::Probe {
            return Ok(self.prober(request.headers()));
        }
        self.identify(request.headers())
    }

    /// Checks that the route is open to its caller.
    pub(crate) fn permit(need: Need, caller: &Caller, params: &PathParams) -> Result<(), Problem> {
        let checked = match need {
            Need::Public | Need::Probe | Need::Anyone => Ok(()),
            Need::Metrics => caller.access().permit(Permission::OpsRead),
            Need::Everywhere(needs) => caller.access().permit(needs),
            Need::Somewhere(needs) if caller.access().may_somewhere(needs) => Ok(()),
            Need::Somewhere(needs) => Err(Denied { needs, store_id: None, part: None }),
            Need::InStore(needs) => match params.get("storeId").and_then(|id| StoreId::new(id).ok()) {
                Some(store) => caller.access().permit_in(needs, &store),
                // The handler says what is wrong with the id, to those who may ask at all.
                None => caller.access().permit(needs),
            },
        };
        checked.map_err(|denied| caller.refused(&denied))
    }

    /// Who probes. Probes are never limited, so nothing but a bearer token is looked at: it is cheap to check, and cannot be guessed.
    fn prober(&self, headers: &HeaderMap) -> Caller {
        let is_bearer = |value: &HeaderValue| {
            value.as_bytes().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
        };
        let shown = headers.get(AUTHORIZATION).filter(|value| is_bearer(value));
        shown.and_then(|_| self.identify(headers).ok()).unwrap_or_else(Caller::stranger)
    }

    fn identify(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        if !self.asks_who() {
            return if self.open.without_principals {
                Ok(Caller::default())
            } else {
                Err(Problem::plain(Code::SetupRequired))
            };
        }
        let mut credentials = headers.get_all(AUTHORIZATION).iter();
        let (Some(credential), None) = (credentials.next(), credentials.next()) else {
            return Err(unauthorized());
        };
        let text = credential.to_str().map_err(|_| unauthorized())?;
        match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                self.by_token(token.trim_start())
            }
            _ => Err(unauthorized()),
        }
    }

    fn by_token(&self, text: &str) -> Result<Caller, Problem> {
        let vault = self.vault.as_ref().ok_or_else(unauthorized)?;
        let damaged = |error| Problem::plain(Code::Internal).because(&error);
        let id = vault.id_in(text).ok_or_else(unauthorized)?;
        // The log is asked first: what it does not know as good reaches no file.
        let token = self.ledger.token_now(&id).filter(|token| token.is_good(self.ledger.now()));
        let token = token.ok_or_else(unauthorized)?;
        if !vault.is_token(&id, text).map_err(damaged)? {
            return Err(unauthorized());
        }
        let authority = self.ledger.authority(&token.principal_id).filter(|authority| !authority.disabled);
        authority.map(|authority| Caller::of_token(authority, id)).ok_or_else(unauthorized)
    }
}

/// One refusal for everything that can be wrong with a credential.
fn unauthorized() -> Problem {
    Problem::plain(Code::Unauthorized)
}
