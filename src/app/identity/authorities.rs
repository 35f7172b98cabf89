//! The projection of identity: principals and tokens by id.
//!
//! A new grant counts from the moment it is decided, a few milliseconds before it is durable; if it is rolled back, so is this.

use crate::ledger::projection::{Moved, Projection};
use dashmap::DashMap;
use onhand_domain::identity::{
    Access, Admin, Admins, Grant, Mode, Principal, PrincipalId, PrincipalKind, Role, Token, TokenId,
};
use onhand_domain::{Evidence, Key, Sequence, State};
use parking_lot::RwLock;
use std::sync::Arc;

/// What a principal may do now.
#[derive(Debug, Clone, PartialEq)]
pub struct Authority {
    /// The id of the principal.
    pub principal_id: PrincipalId,
    /// Its kind.
    pub kind: PrincipalKind,
    /// What it may do, in the present mode; nothing when it is disabled.
    pub access: Access,
    /// The roles that it has been granted, wherever.
    pub roles: Vec<Role>,
    /// What it might do if the mode took nothing away; nothing when it is disabled.
    pub unmasked: Access,
    /// True when it is disabled.
    pub disabled: bool,
}

/// Principals and tokens by id, and the mode.
#[derive(Debug, Default)]
pub(crate) struct Authorities {
    principals: DashMap<PrincipalId, (Principal, Arc<Authority>)>,
    tokens: DashMap<TokenId, Token>,
    mode: RwLock<Mode>,
    /// The last event of each principal and token that this process's log has moved.
    heads: DashMap<Key, Sequence>,
}

impl Authorities {
    /// What a principal may do.
    pub(crate) fn of(&self, id: &PrincipalId) -> Option<Arc<Authority>> {
        self.principals.get(id).map(|entry| Arc::clone(&entry.1))
    }

    /// The metadata of a token.
    pub(crate) fn token(&self, id: &TokenId) -> Option<Token> {
        self.tokens.get(id).map(|token| token.clone())
    }

    /// True when there is no principal at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.principals.is_empty()
    }

    /// The ids of principals that administrate.
    pub(crate) fn administrators(&self) -> Vec<PrincipalId> {
        let admins = self.principals.iter().filter(|entry| entry.value().0.is_admin());
        admins.map(|entry| entry.key().clone()).collect()
    }

    /// The mode.
    pub(crate) fn mode(&self) -> Mode {
        *self.mode.read()
    }

    /// The ids of all persons, in order, those that were erased among them.
    pub(crate) fn persons(&self) -> Vec<PrincipalId> {
        let persons = self.principals.iter().filter(|entry| entry.value().0.kind == PrincipalKind::Person);
        let mut ids: Vec<PrincipalId> = persons.map(|entry| entry.key().clone()).collect();
        ids.sort_unstable();
        ids
    }

    /// The ids of all tokens, in order.
    pub(crate) fn tokens(&self) -> Vec<TokenId> {
        let mut ids: Vec<TokenId> = self.tokens.iter().map(|entry| entry.key().clone()).collect();
        ids.sort_unstable();
        ids
    }

    /// The persons that are administrators, in order.
    pub(crate) fn admin_persons(&self) -> Vec<PrincipalId> {
        let admins = self.principals.iter().filter(|entry| entry.value().0.is_admin());
        let persons = admins.filter(|entry| entry.value().0.kind == PrincipalKind::Person);
        let mut ids: Vec<PrincipalId> = persons.map(|entry| entry.key().clone()).collect();
        ids.sort_unstable();
        ids
    }

    /// The administrators with their tokens. Every token is read: identity changes seldom.
    fn admins(&self) -> Admins {
        let admins = self.principals.iter().filter(|entry| entry.value().0.is_admin());
        let mut admins: Vec<Admin> = admins
            .map(|entry| Admin {
                principal_id: entry.key().clone(),
                kind: entry.value().0.kind,
                tokens: Vec::new(),
            })
            .collect();
        for token in self.tokens.iter().filter(|token| !token.revoked) {
            if let Some(admin) = admins.iter_mut().find(|admin| admin.principal_id == token.principal_id) {
                admin.tokens.push((token.key().clone(), token.expires_at));
            }
        }
        Admins(admins)
    }

    fn note_principal(&self, id: &PrincipalId, principal: Option<&Principal>) {
        match principal {
            Some(principal) => {
                let authority = Arc::new(authority(id, principal, self.mode()));
                self.principals.insert(id.clone(), (principal.clone(), authority));
            }
            None => drop(self.principals.remove(id)),
        }
    }

    fn note_token(&self, id: &TokenId, token: Option<&Token>) {
        match token {
            Some(token) => drop(self.tokens.insert(id.clone(), token.clone())),
            None => drop(self.tokens.remove(id)),
        }
    }

    fn note_mode(&self, mode: Mode) {
        *self.mode.write() = mode;
        for mut entry in self.principals.iter_mut() {
            let authority = Arc::new(authority(entry.key(), &entry.value().0, mode));
            entry.value_mut().1 = authority;
        }
    }
}

fn authority(id: &PrincipalId, principal: &Principal, mode: Mode) -> Authority {
    let access = |mode: Mode| if principal.disabled { Access::default() } else { mode.access(principal) };
    Authority {
        principal_id: id.clone(),
        kind: principal.kind,
        access: access(mode),
        unmasked: access(Mode::Development),
        roles: principal.grants.iter().filter_map(Grant::named_role).collect(),
        disabled: principal.disabled,
    }
}

impl Projection for Authorities {
    fn changed(&self, moved: &Moved<'_>) -> Option<Key> {
        if matches!(moved.key, Key::Principal(_) | Key::Token(_)) {
            if moved.head == Sequence::START {
                self.heads.remove(moved.key);
            } else {
                self.heads.insert(moved.key.clone(), moved.head);
            }
        }
        match (moved.key, moved.state) {
            (Key::Principal(id), State::Principal(master)) => {
                self.note_principal(id, master.details.as_ref());
            }
            (Key::Token(id), State::Token(master)) => self.note_token(id, master.details.as_ref()),
            (Key::Mode, State::Mode(master)) => self.note_mode(master.details.unwrap_or_default()),
            _ => {}
        }
        None
    }

    /// That no administrator would be left may follow from any principal or token.
    fn rests_on(&self, keys: &[Key]) -> Sequence {
        if !keys.iter().any(|key| matches!(key, Key::Principal(_))) {
            return Sequence::START;
        }
        self.heads.iter().map(|head| *head).max().unwrap_or_default()
    }

    fn evidence(&self, keys: &[Key], evidence: &mut Evidence) {
        if keys.iter().any(|key| matches!(key, Key::Principal(_))) {
            evidence.add(self.admins());
        }
    }
}
