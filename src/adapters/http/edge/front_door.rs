//! The front door: who a request comes from, and whether its route is open to them. Asked on the matched route, never on the text
//! of the path.
//!
//! As long as there is no principal, nobody can log in. A node that only its own machine reaches is open then, to `local`; one that
//! listens elsewhere answers nothing but what is public, until an administrator was made on its machine, over the local socket, which always admits
//! the owner of the data directory.

use crate::edge::route::Need;
use crate::request::caller::{Caller, somewhere};
use crate::request::path_params::PathParams;
use crate::response::code::Code;
use crate::response::problem::Problem;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use onhand_app::ports::Vault;
use onhand_app::stock::ReadError;
use onhand_app::{Ledger, blocking};
use onhand_domain::StoreId;
use onhand_domain::identity::{Access, Denied, Permission};
use std::sync::Arc;

/// The value of `WWW-Authenticate`.
pub(crate) const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"onhand\"");

/// What is open without a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenRules {
    /// As long as there is no principal, everybody who reaches the listener may do everything.
    pub without_principals: bool,
    /// Metrics are for everybody, as long as there is no principal.
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
        Self { without_principals: true, metrics: true }
    }
}

impl FrontDoor {
    /// True when callers must show who they are.
    pub(crate) fn asks_who(&self) -> bool {
        !self.ledger.has_no_principals()
    }

    /// Reads what other processes of the data directory have granted or revoked: it counts here from the next request on.
    pub(crate) async fn catch_up(&self, need: Need) -> Result<(), Problem> {
        if need == Need::Public {
            return Ok(());
        }
        Ok(self.ledger.catch_up().await.map_err(ReadError::from)?)
    }

    /// The caller of a request, when the route is open to them. `over_socket` is true for one that came over the local socket.
    pub(crate) async fn admit(
        &self,
        need: Need,
        over_socket: bool,
        headers: &HeaderMap,
        params: &PathParams,
    ) -> Result<Caller, Problem> {
        if over_socket {
            return Ok(Caller::over_socket());
        }
        if need == Need::Public || (need == Need::Metrics && self.open.metrics && !self.asks_who()) {
            return Ok(Caller::default());
        }
        let caller = self.identify(headers).await?;
        caller.check(|access| permitted(need, access, params))?;
        Ok(caller)
    }

    async fn identify(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
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
                self.by_token(token.trim_start()).await
            }
            _ => Err(unauthorized()),
        }
    }

    async fn by_token(&self, text: &str) -> Result<Caller, Problem> {
        let vault = self.vault.as_ref().ok_or_else(unauthorized)?;
        let damaged = |error| Problem::plain(Code::Internal).because(&error);
        let id = vault.id_in(text).ok_or_else(unauthorized)?;
        // The log is asked first: what it does not know as good reaches no file.
        let good = || self.ledger.token_now(&id).filter(|token| token.is_good(self.ledger.now()));
        let mut token = good().ok_or_else(unauthorized)?;
        let fits = if let Some(fits) = vault.is_known_token(&id, text) {
            fits
        } else {
            // The first use in this process. The file is not read on a thread that others wait for.
            let (vault, id, text) = (Arc::clone(vault), id.clone(), text.to_owned());
            let read = blocking(move || vault.is_token(&id, &text)).await.map_err(damaged)?;
            token = good().ok_or_else(unauthorized)?;
            read
        };
        if !fits {
            return Err(unauthorized());
        }
        let authority = self.ledger.authority(&token.principal_id).filter(|authority| !authority.disabled);
        authority.map(|authority| Caller::of_token(authority, id)).ok_or_else(unauthorized)
    }
}

/// Checks an access against the need of a route.
fn permitted(need: Need, access: &Access, params: &PathParams) -> Result<(), Denied> {
    let in_store = |needs| match params.get("storeId").and_then(|id| StoreId::new(id).ok()) {
        Some(store) => access.permit_in(needs, &store),
        // The handler says what is wrong with the id, to those who may ask at all.
        None => access.permit(needs),
    };
    match need {
        Need::Public | Need::Anyone => Ok(()),
        Need::Metrics => access.permit(Permission::OpsRead),
        Need::Everywhere(needs) => access.permit(needs),
        Need::Somewhere(needs) => somewhere(access, needs),
        Need::OrOwn(needs) if access.may_own(needs) => Ok(()),
        Need::OrOwn(needs) if params.get("storeId") == Some("") => somewhere(access, needs),
        Need::InStore(needs) | Need::OrOwn(needs) => in_store(needs),
    }
}

/// One refusal for everything that can be wrong with a credential.
fn unauthorized() -> Problem {
    Problem::plain(Code::Unauthorized)
}
