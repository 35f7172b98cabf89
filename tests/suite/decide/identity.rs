//! Every refusal of a change of principals, tokens and the mode.

use onhand_domain::identity::{
    Access, Admin, Admins, Denied, Grant, Mode, ModeCommand, Permission, PermissionSet, Principal,
    PrincipalCommand, PrincipalId, PrincipalKind, Revocation, Token, TokenChange, TokenCommand, TokenId,
    TokenKind,
};
use onhand_domain::{Command, Draft, Evidence, Expected, Key, Rejection, State, Timestamp, decide};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The states of identity.
#[derive(Default)]
pub(super) struct Registry(BTreeMap<Key, State>);

impl Registry {
    /// Decides a command and keeps what it changed.
    pub(super) fn ask(&mut self, command: impl Into<Command>) -> Result<(), Rejection> {
        let command = command.into();
        let keys = command.keys();
        let mut states: Vec<State> =
            keys.iter().map(|key| self.0.get(key).cloned().unwrap_or_else(|| State::absent(key))).collect();
        let mut evidence = Evidence::default();
        evidence.add(self.admins());
        let mut new_id = Uuid::now_v7;
        let now = Timestamp::from_milliseconds(1_000);
        let mut draft = Draft::new(now, &keys, states.iter_mut().collect(), &mut new_id).based_on(&evidence);
        let decided = decide(&mut draft, &command).map_err(|refusal| refusal.rejection);
        draft.finish();
        if decided.is_ok() {
            self.0.extend(keys.into_iter().zip(states));
        }
        decided
    }

    fn expiry_of(&self, id: u64) -> i64 {
        match &self.0[&Key::Token(TokenId::of_bits(id))] {
            State::Token(master) => master.details.as_ref().unwrap().expires_at.milliseconds(),
            other => panic!("{other:?}"),
        }
    }

    fn admins(&self) -> Admins {
        let admin = |(key, state): (&Key, &State)| match (key, state) {
            (Key::Principal(id), State::Principal(master)) => {
                let principal = master.details.as_ref().filter(|principal| principal.is_admin())?;
                Some(Admin { principal_id: id.clone(), kind: principal.kind, tokens: self.tokens_of(id) })
            }
            _ => None,
        };
        Admins(self.0.iter().filter_map(admin).collect())
    }

    fn tokens_of(&self, owner: &PrincipalId) -> Vec<(TokenId, Timestamp)> {
        let of_owner = |(key, state): (&Key, &State)| match (key, state) {
            (Key::Token(id), State::Token(master)) => {
                let token =
                    master.details.as_ref().filter(|token| token.principal_id == *owner && !token.revoked)?;
                Some((id.clone(), token.expires_at))
            }
            _ => None,
        };
        self.0.iter().filter_map(of_owner).collect()
    }
}

pub(super) fn principal(id: u64, grants: &str, create: bool) -> PrincipalCommand {
    PrincipalCommand {
        principal_id: PrincipalId::of_bits(PrincipalKind::Person, id),
        expected: Expected::Any,
        create,
        principal: Principal {
            kind: PrincipalKind::Person,
            grants: serde_json::from_str(grants).unwrap(),
            disabled: false,
        },
        granter: Access::FULL,
    }
}

pub(super) fn access(grants: &str) -> Access {
    let grants: Vec<Grant> = serde_json::from_str(grants).unwrap();
    Access::of(&grants, PermissionSet::NONE)
}

pub(super) fn token(id: u64, owner: u64, change: impl FnOnce(Token) -> TokenChange) -> TokenCommand {
    let principal_id = PrincipalId::of_bits(PrincipalKind::Person, owner);
    let metadata = Token {
        principal_id: principal_id.clone(),
        kind: TokenKind::Service,
        created_at: Timestamp::from_milliseconds(1_000),
        expires_at: Timestamp::from_milliseconds(61_000),
        revoked: false,
    };
    TokenCommand {
        token_id: TokenId::of_bits(id),
        expected: Expected::Any,
        principal_id,
        change: change(metadata),
        granter: Access::FULL,
    }
}

pub(super) const ADMIN: &str = r#"[{"role":"admin"}]"#;
pub(super) const TILL: &str = r#"[{"role":"till","stores":["BERLIN"]}]"#;

#[test]
fn there_is_always_an_administrator() {
    let mut registry = Registry::default();
    let first = registry.ask(Command::Principal(principal(1, TILL, true)));
    assert_eq!(first, Err(Rejection::LastAdmin), "nobody could grant anything after that");
    registry.ask(Command::Principal(principal(1, ADMIN, true))).unwrap();
    registry.ask(Command::Principal(principal(2, TILL, true))).unwrap();
    let mut disabled = principal(1, ADMIN, false);
    disabled.principal.disabled = true;
    for last in
        [principal(1, TILL, false), principal(1, r#"[{"role":"admin","stores":["A"]}]"#, false), disabled]
    {
        assert_eq!(registry.ask(Command::Principal(last)), Err(Rejection::LastAdmin));
    }
    registry.ask(Command::Principal(principal(2, ADMIN, false))).unwrap();
    registry.ask(Command::Principal(principal(1, TILL, false))).unwrap();
    assert_eq!(registry.admins().0.len(), 1);
}

#[test]
fn principals_are_created_once_and_changed_by_version() {
    let mut registry = Registry::default();
    let missing = registry.ask(Command::Principal(principal(1, ADMIN, false)));
    assert_eq!(missing, Err(Rejection::PrincipalNotFound));
    registry.ask(Command::Principal(principal(1, ADMIN, true))).unwrap();
    let again = registry.ask(Command::Principal(principal(1, ADMIN, true)));
    assert_eq!(again, Err(Rejection::PrincipalExists { current_version: 1 }));
    let stale = PrincipalCommand { expected: Expected::Version(7), ..principal(1, ADMIN, false) };
    assert_eq!(
        registry.ask(Command::Principal(stale)),
        Err(Rejection::VersionConflict { current_version: 1 })
    );
}

#[test]
fn nobody_grants_or_changes_what_is_beyond_their_own_grants() {
    let mut registry = Registry::default();
    registry.ask(Command::Principal(principal(1, ADMIN, true))).unwrap();
    let manager = access(r#"[{"permission":"identity:manage"},{"role":"manager","stores":["BERLIN"]}]"#);
    let by_manager = |command: PrincipalCommand| PrincipalCommand { granter: manager.clone(), ..command };
    for (grants, allowed) in
        [(TILL, true), (r#"[{"role":"till","stores":["PARIS"]}]"#, false), (ADMIN, false)]
    {
        let decided = registry.ask(Command::Principal(by_manager(principal(2, grants, true))));
        assert_eq!(decided, if allowed { Ok(()) } else { Err(Rejection::GrantBeyondOwn) }, "{grants}");
        registry.0.remove(&Key::Principal(PrincipalId::of_bits(PrincipalKind::Person, 2)));
    }
    let taken_down = registry.ask(Command::Principal(by_manager(principal(1, TILL, false))));
    assert_eq!(taken_down, Err(Rejection::GrantBeyondOwn), "the administrator has more");
    let own = Box::new(PrincipalCommand { granter: manager.clone(), ..principal(3, ADMIN, true) });
    let issue =
        TokenCommand { granter: manager.clone(), ..token(1, 3, |token| TokenChange::Issue(token, own)) };
    assert_eq!(registry.ask(Command::Token(issue)), Err(Rejection::GrantBeyondOwn));
    let given = Box::new(principal(4, ADMIN, true));
    registry.ask(Command::Token(token(2, 4, |token| TokenChange::Issue(token, given)))).unwrap();
    let changes: [fn(Token) -> TokenChange; 2] = [
        |token| TokenChange::Replace(token, TokenId::of_bits(2), Timestamp::from_milliseconds(2_000)),
        |_| TokenChange::Revoke(Revocation::OfLastToo),
    ];
    for (id, change) in [3, 2].into_iter().zip(changes) {
        let command = TokenCommand { granter: manager.clone(), ..token(id, 4, change) };
        assert_eq!(registry.ask(Command::Token(command)), Err(Rejection::GrantBeyondOwn));
    }
}

#[test]
fn a_token_is_replaced_by_one_of_the_same_principal_and_a_revoked_one_stays_revoked() {
    let mut registry = Registry::default();
    let owner = Box::new(principal(1, ADMIN, true));
    let (first, again) = (owner.clone(), owner);
    registry.ask(Command::Token(token(1, 1, |token| TokenChange::Issue(token, first)))).unwrap();
    assert_eq!(
        registry.ask(Command::Token(token(1, 1, |token| TokenChange::Issue(token, again)))),
        Err(Rejection::TokenExists { current_version: 1 })
    );
    let of_another = registry
        .ask(Command::Token(token(1, 2, |_| TokenChange::Revoke(Revocation::KeepsAdmin(Vec::new())))));
    assert_eq!(of_another, Err(Rejection::PrincipalNotFound), "the token is not of that principal");
    let replace = |old: u64, at: i64| {
        move |token| TokenChange::Replace(token, TokenId::of_bits(old), Timestamp::from_milliseconds(at))
    };
    assert_eq!(registry.ask(Command::Token(token(2, 1, replace(9, 2_000)))), Err(Rejection::TokenNotFound));
    registry.ask(Command::Token(token(2, 1, replace(1, 1_000_000)))).unwrap();
    assert_eq!(registry.expiry_of(1), 61_000, "a token never lives longer than it was issued for");
    registry.ask(Command::Token(token(3, 1, replace(1, 2_000)))).unwrap();
    assert_eq!(registry.expiry_of(1), 2_000);
    registry
        .ask(Command::Token(token(1, 1, |_| TokenChange::Revoke(Revocation::KeepsAdmin(Vec::new())))))
        .unwrap();
    let revoked = registry.ask(Command::Token(token(4, 1, replace(1, 2_000))));
    assert_eq!(revoked, Err(Rejection::TokenNotFound), "and there is no new one");
    assert!(!registry.0.contains_key(&Key::Token(TokenId::of_bits(4))));
    let unknown = registry
        .ask(Command::Token(token(9, 1, |_| TokenChange::Revoke(Revocation::KeepsAdmin(Vec::new())))));
    assert_eq!(unknown, Err(Rejection::TokenNotFound));
}

#[test]
fn a_file_declares_a_token_good_again_and_never_for_another_principal() {
    let mut registry = Registry::default();
    for (number, owner) in [(1, 1), (2, 2)] {
        let owned = Box::new(principal(owner, ADMIN, true));
        registry.ask(Command::Token(token(number, owner, |token| TokenChange::Issue(token, owned)))).unwrap();
    }
    registry.ask(Command::Token(token(1, 1, |_| TokenChange::Revoke(Revocation::OfLastToo)))).unwrap();
    let later = |token: Token| {
        TokenChange::Declare(Token { expires_at: Timestamp::from_milliseconds(9_000_000), ..token })
    };
    registry.ask(Command::Token(token(1, 1, later))).unwrap();
    assert_eq!(registry.expiry_of(1), 9_000_000);
    for (number, owner) in [(1, 2), (9, 1)] {
        let refused = registry.ask(Command::Token(token(number, owner, later)));
        assert_eq!(refused, Err(Rejection::TokenNotFound), "{number} {owner}");
    }
}

#[test]
fn a_command_needs_what_it_does() {
    let denied = |needs: Permission| Err(Denied { needs, store_id: None, part: None });
    let mode = Command::Mode(ModeCommand { expected: Expected::Any, mode: Mode::Judging });
    assert_eq!(mode.permit(&access(TILL)), denied(Permission::IdentityManage));
    assert_eq!(mode.permit(&access(ADMIN)), Ok(()));
    let scoped = access(r#"[{"permission":"identity:manage","stores":["BERLIN"]}]"#);
    assert_eq!(mode.permit(&scoped), denied(Permission::IdentityManage), "identity belongs to no store");
    assert_eq!(Command::Due(Vec::new()).permit(&Access::default()), Ok(()), "the node's own");
}
