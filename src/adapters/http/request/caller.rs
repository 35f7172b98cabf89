//! The caller of a request: a principal with what it may do, or `local` as long as nobody must log in.

use crate::response::code::Code;
use crate::response::problem::Problem;
use onhand_app::Ledger;
use onhand_app::identity::Authority;
use onhand_domain::StoreId;
use onhand_domain::identity::{Access, Denied, Permission, PrincipalKind, StoreScope, TokenId};
use serde::Serialize;
use smol_str::SmolStr;
use std::sync::Arc;

/// Stores that a refusal names at most.
const NAMED_MAX: usize = 20;

static FULL: Access = Access::FULL;

/// Who a request comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    /// Nothing for `local`, who may do everything.
    authority: Option<Arc<Authority>>,
    /// The token that showed it.
    token: Option<TokenId>,
    /// True when the request came over the local socket, from the owner of the data directory.
    over_socket: bool,
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

    /// A principal that has shown a token.
    pub(crate) fn of_token(authority: Arc<Authority>, token: TokenId) -> Self {
        Self { authority: Some(authority), token: Some(token), over_socket: false }
    }

    /// True for the owner of the data directory.
    pub(crate) const fn is_over_socket(&self) -> bool {
        self.over_socket
    }

    /// As [`Caller::is_unchanged`], also by what other processes of the data directory have changed until now. A long answer ends when
    /// this does.
    pub(crate) async fn goes_on(&self, ledger: &Ledger) -> bool {
        ledger.catch_up().await.is_ok() && self.is_unchanged(ledger)
    }

    /// True as long as nothing has changed about the caller: what it may do, and its token.
    pub(crate) fn is_unchanged(&self, ledger: &Ledger) -> bool {
        let Some(authority) = &self.authority else { return self.over_socket || ledger.has_no_principals() };
        let same = ledger.authority(&authority.principal_id).is_some_and(|now| now == *authority);
        let good = |id: &TokenId| ledger.token_now(id).is_some_and(|token| token.is_good(ledger.now()));
        same && self.token.as_ref().is_none_or(good)
    }

    /// What the caller may do.
    pub(crate) fn access(&self) -> &Access {
        self.authority.as_ref().map_or(&FULL, |authority| &authority.access)
    }

    /// The principal; nothing for `local`.
    pub(crate) fn authority(&self) -> Option<&Authority> {
        self.authority.as_deref()
    }

    /// The actor of changes in the log; nothing for `local`.
    pub(crate) fn actor(&self) -> Option<SmolStr> {
        self.authority.as_ref().map(|authority| SmolStr::new(authority.principal_id.as_str()))
    }

    /// True when the feed shows principals, tokens and the mode to the caller: to those who may read identity, and to nodes, which
    /// follow the log without gaps.
    pub(crate) fn sees_identity(&self) -> bool {
        let is_node = self.authority().is_some_and(|authority| authority.kind == PrincipalKind::Node);
        is_node || self.access().permit(Permission::IdentityRead).is_ok()
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
        at(*part, Problem::new(Code::Forbidden, detail).extended(&missing))
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
    use onhand_domain::identity::{Mode, Principal, PrincipalId};

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
            disabled: false,
        };
        let caller = Caller::of_token(Arc::new(authority), TokenId::of_bits(1));
        let code = |needs| caller.check(|access| somewhere(access, needs)).map_err(|problem| problem.code());
        assert_eq!(code(Permission::ChatSend), Ok(()));
        assert_eq!(code(Permission::ExerciseInject), Err(Code::ModeForbids));
        assert_eq!(code(Permission::ExerciseRun), Err(Code::Forbidden));
        let everywhere = caller.check(|access| access.permit(Permission::ExerciseInject));
        assert_eq!(everywhere.unwrap_err().code(), Code::Forbidden, "the team has it in no mode");
    }
}
