//! The caller of a request: a principal with what it may do, or `local` as long as nobody must log in.

use crate::response::code::Code;
use crate::response::hints::Noted;
use crate::response::problem::Problem;
use onhand_app::Ledger;
use onhand_app::identity::{Authority, CentralBasis, CentralLogins};
use onhand_app::ports::Vault;
use onhand_domain::identity::{Access, Denied, Permission, PrincipalKind, StoreScope, TokenId};
use onhand_domain::{StoreId, Timestamp};
use serde::Serialize;
use smol_str::SmolStr;
use std::sync::Arc;

/// Stores that a refusal names at most.
const NAMED_MAX: usize = 20;

static FULL: Access = Access::FULL;
static NONE: Access = Access::NONE;

/// Who a request comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    /// Nothing for `local`, who may do everything.
    authority: Option<Arc<Authority>>,
    /// How it showed who it is.
    shown: Shown,
    /// True when the request came over the local socket, from the owner of the data directory.
    over_socket: bool,
    /// True when it has shown no good credential, to a route that is open to all and shows some more.
    stranger: bool,
}

/// How a caller showed who it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Shown {
    /// It did not have to.
    #[default]
    Nothing,
    /// By a token.
    Token(TokenId),
    /// By a session, on which an answer may rely until then.
    Session(TokenId, Timestamp),
    /// By a password, on which an answer may rely until then.
    Password(Timestamp),
    /// By a login at central.
    Central(CentralBasis),
}

/// The members of a 403 that say what is missing.
#[derive(Debug, Serialize)]
struct Missing<'a> {
    needs: Permission,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a StoreId>,
    have: Vec<&'a StoreId>,
}

impl Caller {
    /// The owner of the data directory, over the local socket: `local`, whether others must log in or not.
    pub(crate) fn over_socket() -> Self {
        Self { over_socket: true, ..Self::default() }
    }

    /// Somebody who has shown no good credential where others have to.
    pub(crate) fn stranger() -> Self {
        Self { stranger: true, ..Self::default() }
    }

    /// True for the owner of the data directory.
    pub(crate) const fn is_over_socket(&self) -> bool {
        self.over_socket
    }

    /// A principal that has shown who it is.
    pub(crate) fn known(authority: Arc<Authority>, shown: Shown) -> Self {
        Self { authority: Some(authority), shown, ..Self::default() }
    }

    /// True as long as nothing has changed about the caller: what it may do, and its credential. An answer that goes on for ever ends
    /// when this does.
    pub(crate) fn is_unchanged(
        &self,
        ledger: &Ledger,
        vault: Option<&dyn Vault>,
        central: Option<&CentralLogins>,
    ) -> bool {
        let Some(authority) = &self.authority else { return self.over_socket || ledger.has_no_principals() };
        if let Shown::Central(basis) = &self.shown {
            return central.is_some_and(|central| central.holds(basis, authority, ledger));
        }
        let same = ledger.authority(&authority.principal_id).is_some_and(|now| now == *authority);
        let now = ledger.now();
        let good = match &self.shown {
            Shown::Nothing | Shown::Central(_) => false,
            Shown::Token(id) => ledger.token_now(id).is_some_and(|token| token.is_good(now)),
            Shown::Session(id, until) => now < *until && vault.is_some_and(|vault| !vault.has_ended(id)),
            Shown::Password(until) => now < *until,
        };
        same && good
    }

    /// The session of the caller, where it has one here.
    pub(crate) fn session(&self) -> Option<&TokenId> {
        match &self.shown {
            Shown::Session(id, _) => Some(id),
            Shown::Nothing | Shown::Token(_) | Shown::Password(_) | Shown::Central(_) => None,
        }
    }

    /// The login at central that the caller has shown.
    pub(crate) const fn central(&self) -> Option<&CentralBasis> {
        if let Shown::Central(basis) = &self.shown { Some(basis) } else { None }
    }

    /// What the caller may do.
    pub(crate) fn access(&self) -> &Access {
        let without = if self.stranger { &NONE } else { &FULL };
        self.authority.as_ref().map_or(without, |authority| &authority.access)
    }

    /// The principal; nothing for `local`.
    pub(crate) fn authority(&self) -> Option<&Authority> {
        self.authority.as_deref()
    }

    /// The actor of changes in the log; nothing for `local`.
    pub(crate) fn actor(&self) -> Option<SmolStr> {
        self.authority.as_ref().map(|authority| SmolStr::new(authority.principal_id.as_str()))
    }

    /// The public id of the token or session that showed it.
    pub(crate) fn credential(&self) -> Option<&TokenId> {
        match &self.shown {
            Shown::Token(id) | Shown::Session(id, _) => Some(id),
            Shown::Central(basis) => Some(&basis.session_id),
            Shown::Nothing | Shown::Password(_) => None,
        }
    }

    /// What is used for the first time from somewhere: a token, or whatever a person logs in with.
    pub(crate) fn used(&self) -> Option<&str> {
        let authority = self.authority.as_ref()?;
        Some(match &self.shown {
            Shown::Token(id) => id.as_str(),
            _ => authority.principal_id.as_str(),
        })
    }

    /// True when the feed shows principals, tokens and the mode to the caller: to those who may read identity, and to nodes, which
    /// follow the log without gaps.
    pub(crate) fn sees_identity(&self) -> bool {
        let is_node = self.authority().is_some_and(|authority| authority.kind == PrincipalKind::Node);
        is_node || self.access().permit(Permission::IdentityRead).is_ok()
    }

    /// True when the feed shows orders and shipments to the caller: to those who may read all of them, and to nodes.
    pub(crate) fn sees_orders(&self) -> bool {
        let is_node = self.authority().is_some_and(|authority| authority.kind == PrincipalKind::Node);
        is_node || self.access().permit(Permission::OrdersRead).is_ok()
    }

    /// The stores that a read is limited to. `asked` is the store that the caller asks for, if it is one.
    ///
    /// # Errors
    /// 403 when the caller may not read in that store, or in none.
    pub(crate) fn scope(&self, needs: Permission, asked: Option<&StoreId>) -> Result<StoreScope, Problem> {
        self.check(|access| match asked {
            Some(store) => access.permit_in(needs, store),
            None => somewhere(access, needs),
        })?;
        Ok(self.access().scope(needs))
    }

    /// The stores in which the caller sees all of the stock, or nothing when it sees only how much of it is for sale, as a customer does.
    /// `asked` as in [`Caller::scope`].
    ///
    /// # Errors
    /// As [`Caller::scope`].
    pub(crate) fn stock_scope(&self, asked: Option<&StoreId>) -> Result<Option<StoreScope>, Problem> {
        let scope = self.scope(Permission::StockRead, asked);
        if scope.is_err() && self.access().may_own(Permission::StockRead) {
            Ok(None)
        } else {
            scope.map(Some)
        }
    }

    /// Checks that something is within the access of the caller.
    ///
    /// # Errors
    /// 403: `mode-forbids` when it would be without the mode, else `forbidden`.
    pub(crate) fn check(&self, permitted: impl Fn(&Access) -> Result<(), Denied>) -> Result<(), Problem> {
        let Err(denied) = permitted(self.access()) else { return Ok(()) };
        match &self.authority {
            Some(authority) if permitted(&authority.unmasked).is_ok() => {
                let detail = format!(
                    "The present mode takes the permission {} from teams; wait until the mode is another one. Nothing was done.",
                    denied.needs
                );
                Err(at(denied.part, Problem::new(Code::ModeForbids, detail)))
            }
            _ => Err(self.refused(&denied)),
        }
    }

    /// The refusal of what is beyond the access of the caller.
    fn refused(&self, denied: &Denied) -> Problem {
        let Denied { needs, store_id, part } = denied;
        let have: Vec<&StoreId> = self.access().stores_with(*needs).take(NAMED_MAX).collect();
        let place = match (store_id, have.is_empty()) {
            (Some(store), _) => format!(" in the store {store}"),
            (None, true) => String::new(),
            (None, false) => " everywhere".to_owned(),
        };
        let detail = format!(
            "This needs the permission {needs}{place}; ask an administrator for it. Nothing was done."
        );
        let missing = Missing { needs: *needs, scope: store_id.as_ref(), have };
        let credential = self.credential().map(|id| SmolStr::new(id.as_str()));
        let noted = Noted { kind: None, actor: self.actor(), credential };
        let problem = Problem::new(Code::Forbidden, detail).extended(&missing).note(noted);
        at(*part, problem)
    }
}

/// Checks that an access has a permission in any store.
///
/// # Errors
/// [`Denied`].
pub(crate) fn somewhere(access: &Access, needs: Permission) -> Result<(), Denied> {
    if access.may_somewhere(needs) { Ok(()) } else { Err(Denied { needs, store_id: None, part: None }) }
}

/// The problem with the part of the body that it is about.
fn at(part: Option<(&str, usize)>, problem: Problem) -> Problem {
    match part {
        Some((list, index)) => problem.with(|facts| facts.pointer = Some(format!("/{list}/{index}"))),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_domain::identity::{Mode, Principal, PrincipalId, Role};

    /// No route of today needs what a mode takes away.
    #[test]
    fn the_mode_is_named_when_it_is_the_only_reason() {
        let grants = r#"[{"role":"team","team":"red"}]"#;
        let principal = Principal {
            kind: PrincipalKind::Team,
            grants: serde_json::from_str(grants).unwrap(),
            disabled: false,
        };
        let authority = Authority {
            principal_id: PrincipalId::of_bits(PrincipalKind::Team, 1),
            kind: PrincipalKind::Team,
            access: Mode::Judging.access(&principal),
            unmasked: Mode::Development.access(&principal),
            roles: vec![Role::Team],
            disabled: false,
        };
        let caller = Caller::known(Arc::new(authority), Shown::Token(TokenId::of_bits(1)));
        let code = |needs| caller.check(|access| somewhere(access, needs)).map_err(|problem| problem.code());
        assert_eq!(code(Permission::ChatSend), Ok(()));
        assert_eq!(code(Permission::ExerciseInject), Err(Code::ModeForbids));
        assert_eq!(code(Permission::ExerciseRun), Err(Code::Forbidden));
        let everywhere = caller.check(|access| access.permit(Permission::ExerciseInject));
        assert_eq!(everywhere.unwrap_err().code(), Code::Forbidden, "the team has it in no mode");
    }
}
