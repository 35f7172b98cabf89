//! The front door: who a request comes from, and whether its route is open to them. Asked on the matched route, never on the text
//! of the path.
//!
//! As long as there is no principal, nobody can log in. A node that only its own machine reaches is open then, to `local`; one that
//! listens elsewhere answers nothing but what is public, until an administrator was made on its machine, over the local socket, which always admits
//! the owner of the data directory.

use crate::edge::credentials::Credential;
use crate::edge::logins::Logins;
use crate::edge::need;
use crate::edge::route::Need;
use crate::request::caller::{Caller, Shown};
use crate::request::path_params::PathParams;
use crate::response::code::Code;
use crate::response::problem::Problem;
use http::{HeaderMap, HeaderValue};
use onhand_app::identity::CentralLogins;
use onhand_app::ports::{Claims, SessionUse, Vault};
use onhand_app::stock::ReadError;
use onhand_app::{Ledger, blocking};
use onhand_domain::Timestamp;
use onhand_domain::identity::{PrincipalId, TokenId};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

/// The value of `WWW-Authenticate`. Basic is taken too and not named: a browser would ask for a password in a window of its own.
pub(crate) const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"onhand\"");

/// The audience of signed tokens.
pub(crate) const AUDIENCE: &str = "onhand";
/// How long an answer that goes on relies on a password or a cookie before it is asked again, in seconds.
const RELIED_ON_SECONDS: i64 = 300;

/// What is open without a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct OpenRules {
    /// As long as there is no principal, everybody who reaches the listener may do everything.
    pub without_principals: bool,
    /// Metrics are for everybody, whether there are principals or not.
    pub metrics: bool,
    /// Passwords are taken over plain HTTP.
    pub plain_passwords: bool,
    /// Everybody may register as a customer.
    pub signup: bool,
}

/// Who stands at the door: how a request came, and what it presents.
#[derive(Clone, Copy)]
pub(crate) struct Visitor<'a> {
    /// What it presents.
    pub(crate) headers: &'a HeaderMap,
    /// True when it came over the local socket.
    pub(crate) local: bool,
    /// The network it came from; nothing for the local socket.
    pub(crate) network: Option<IpAddr>,
    /// True when nobody could read it on its way.
    pub(crate) encrypted: bool,
}

impl Visitor<'_> {
    /// True when it presents a password.
    pub(crate) fn has_password(self) -> bool {
        matches!(Credential::of(self.headers, self.encrypted), Ok(Some(Credential::Basic { .. })))
    }
}

/// The check of every request but those of public routes.
pub(crate) struct FrontDoor {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) vault: Option<Arc<dyn Vault>>,
    pub(crate) logins: Option<Arc<Logins>>,
    /// Logins of central that are good here.
    pub(crate) central: Option<Arc<CentralLogins>>,
    /// The issuer of signed tokens, and the audience of those that central signs.
    pub(crate) issuer: String,
    pub(crate) open: OpenRules,
}

impl Default for OpenRules {
    fn default() -> Self {
        Self { without_principals: true, metrics: false, plain_passwords: true, signup: false }
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
    pub(crate) async fn caller_of(&self, need: Need, visitor: Visitor<'_>) -> Result<Caller, Problem> {
        if visitor.local {
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
            return Ok(self.prober(visitor).await);
        }
        self.identify(visitor).await
    }

    /// Checks that the route is open to its caller.
    pub(crate) fn permit(need: Need, caller: &Caller, params: &PathParams) -> Result<(), Problem> {
        caller.check(|access| need::check(need, access, params))
    }

    /// The caller of a probe. Probes are never limited, so only a token is checked: that is cheap, and it cannot be guessed.
    async fn prober(&self, visitor: Visitor<'_>) -> Caller {
        let shown = match Credential::of(visitor.headers, visitor.encrypted) {
            Ok(Some(Credential::Token(text))) => self.by_token(text).await.ok(),
            _ => None,
        };
        shown.unwrap_or_else(Caller::stranger)
    }

    async fn identify(&self, visitor: Visitor<'_>) -> Result<Caller, Problem> {
        if !self.asks_who() {
            return if self.open.without_principals {
                Ok(Caller::default())
            } else {
                Err(Problem::plain(Code::SetupRequired))
            };
        }
        let presented = Credential::of(visitor.headers, visitor.encrypted);
        match presented.ok().flatten().ok_or_else(unauthorized)? {
            Credential::Token(text) => self.by_token(text).await,
            Credential::Signed(text) => self.by_signed(text).await,
            Credential::Cookie(text) => self.by_cookie(text).await,
            Credential::Basic { login, password } => self.by_password(&login, &password, visitor).await,
        }
    }

    async fn by_token(&self, text: &str) -> Result<Caller, Problem> {
        let vault = self.vault.as_ref().ok_or_else(unauthorized)?;
        let id = vault.id_in(text).ok_or_else(unauthorized)?;
        self.by_token_of(&id, text).await
    }

    async fn by_token_of(&self, id: &TokenId, text: &str) -> Result<Caller, Problem> {
        let vault = self.vault.as_ref().ok_or_else(unauthorized)?;
        // The log is asked first: what it does not know as good reaches no file.
        let good = || self.ledger.token_now(id).filter(|token| token.is_good(self.ledger.now()));
        let mut token = good().ok_or_else(unauthorized)?;
        let fits = if let Some(fits) = vault.is_known_token(id, text) {
            fits
        } else {
            // The first use in this process. The file is not read on a thread that others wait for.
            let (vault, id, text) = (Arc::clone(vault), id.clone(), text.to_owned());
            let read = blocking(move || vault.is_token(&id, &text)).await;
            token = good().ok_or_else(unauthorized)?;
            read.map_err(|error| Problem::of_vault(&error))?
        };
        if !fits {
            return Err(unauthorized());
        }
        self.known(&token.principal_id, Shown::Token(id.clone()))
    }

    /// An access token, as long as its session goes on; or the token of a team, which the log knows as any other.
    async fn by_signed(&self, text: &str) -> Result<Caller, Problem> {
        let (vault, now) = (self.vault.clone().ok_or_else(unauthorized)?, self.ledger.now());
        let presented = text.to_owned();
        let read = move || -> io::Result<Option<(Claims, bool)>> {
            let Some(claims) = vault.claims_in(&presented)? else { return Ok(None) };
            let Some(session_id) = &claims.sid else { return Ok(Some((claims, false))) };
            let session = vault.session(session_id, now)?;
            let goes_on = session.is_some_and(|session| session.principal_id == claims.sub);
            Ok(Some((claims, goes_on)))
        };
        let (claims, session_goes_on) = match blocking(read).await {
            Ok(Some(read)) => read,
            Ok(None) => return self.by_central(text).await,
            // Tokens of central need no keys of this node.
            Err(error) => {
                return self.by_central(text).await.map_err(|_| Problem::of_vault(&error));
            }
        };
        if !claims.is_in_time(now) || claims.aud != AUDIENCE || claims.iss != self.issuer {
            return Err(unauthorized());
        }
        match (&claims.jti, claims.sid) {
            (Some(id), None) => self.by_token_of(id, text).await,
            (None, Some(session)) if session_goes_on => {
                let until = Timestamp::EPOCH.plus_seconds(claims.exp);
                self.known(&claims.sub, Shown::Session(session, until))
            }
            _ => Err(unauthorized()),
        }
    }

    /// An access token that central has signed for this node.
    async fn by_central(&self, text: &str) -> Result<Caller, Problem> {
        let central = self.central.clone().ok_or_else(unauthorized)?;
        let (ledger, audience, text) = (Arc::clone(&self.ledger), self.issuer.clone(), text.to_owned());
        let found = blocking(move || central.login(&ledger, &text, &audience)).await;
        let login = found.ok_or_else(unauthorized)?;
        Ok(Caller::known(login.authority, Shown::Central(login.basis)))
    }

    async fn by_cookie(&self, text: &str) -> Result<Caller, Problem> {
        let (vault, now) = (self.vault.clone().ok_or_else(unauthorized)?, self.ledger.now());
        let presented = text.to_owned();
        let found = blocking(move || vault.session_of(SessionUse::Browser, &presented, now)).await;
        let (id, session) = found.map_err(|error| Problem::of_vault(&error))?.ok_or_else(unauthorized)?;
        self.known(&session.principal_id, Shown::Session(id, now.plus_seconds(RELIED_ON_SECONDS)))
    }

    async fn by_password(
        &self,
        login: &str,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<Caller, Problem> {
        if !visitor.encrypted && !self.open.plain_passwords {
            return Err(Problem::plain(Code::TlsRequired));
        }
        let logins = self.logins.as_ref().ok_or_else(unauthorized)?;
        let id = logins.verify_often(login, password, visitor.network).await?;
        self.known(&id, Shown::Password(self.ledger.now().plus_seconds(RELIED_ON_SECONDS)))
    }

    fn known(&self, id: &PrincipalId, shown: Shown) -> Result<Caller, Problem> {
        let authority = self.ledger.authority(id).filter(|authority| !authority.disabled);
        authority.map(|authority| Caller::known(authority, shown)).ok_or_else(unauthorized)
    }
}

/// One refusal for everything that can be wrong with a credential.
fn unauthorized() -> Problem {
    Problem::plain(Code::Unauthorized)
}
