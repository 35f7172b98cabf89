//! What belongs to whom: the last token to the administrators, an import to who began it.

use super::identity::{ADMIN, Registry, TILL, access, principal, token};
use onhand_domain::identity::{
    Denied, Permission, PrincipalCommand, PrincipalId, PrincipalKind, Revocation, Token, TokenChange,
    TokenCommand,
};
use onhand_domain::imports::ImportRows;
use onhand_domain::{Command, ImportId, Key, Rejection};

#[test]
fn the_last_token_of_the_administrators_stays() {
    let mut registry = Registry::default();
    let of_service = |id: u64, grants: &str| {
        let principal_id = PrincipalId::of_bits(PrincipalKind::Service, id);
        let mut owner =
            PrincipalCommand { principal_id: principal_id.clone(), ..principal(id, grants, true) };
        owner.principal.kind = PrincipalKind::Service;
        let issue = |token: Token| {
            TokenChange::Issue(Token { principal_id: principal_id.clone(), ..token }, Box::new(owner))
        };
        TokenCommand { principal_id: principal_id.clone(), ..token(id, id, issue) }
    };
    let revoke = |id: u64, revocation: Revocation| {
        let change = |_| TokenChange::Revoke(revocation);
        let principal_id = PrincipalId::of_bits(PrincipalKind::Service, id);
        Command::Token(TokenCommand { principal_id, ..token(id, id, change) })
    };
    let keeps = || Revocation::KeepsAdmin(Vec::new());
    // Of two processes that take the last administrators their tokens at once, the second one waits for what the first one decides.
    assert!(revoke(1, keeps()).keys().contains(&Key::Mode), "the lock of every change of an administrator");
    registry.ask(Command::Token(of_service(1, ADMIN))).unwrap();
    registry.ask(Command::Token(of_service(2, TILL))).unwrap();
    assert_eq!(registry.ask(revoke(1, keeps())), Err(Rejection::LastAdmin));
    registry.ask(revoke(2, keeps())).unwrap();
    registry.ask(Command::Token(of_service(3, ADMIN))).unwrap();
    registry.ask(revoke(3, keeps())).unwrap();
    // The third one is an administrator still, but cannot log in: the first one may not go.
    let mut disabled = of_service(1, ADMIN);
    let TokenChange::Issue(_, owner) = &mut disabled.change else { panic!("it is one") };
    owner.create = false;
    owner.principal.disabled = true;
    assert_eq!(registry.ask(Command::Principal((**owner).clone())), Err(Rejection::LastAdmin));
    // A person among the administrators counts by its password, which only the vault knows.
    let ada = principal(9, ADMIN, true);
    let with_password = Revocation::KeepsAdmin(vec![ada.principal_id.clone()]);
    assert_eq!(registry.ask(revoke(1, with_password.clone())), Err(Rejection::LastAdmin), "she is not there");
    registry.ask(Command::Principal(ada)).unwrap();
    assert_eq!(registry.ask(revoke(1, keeps())), Err(Rejection::LastAdmin));
    registry.ask(revoke(1, with_password)).unwrap();
    registry.ask(revoke(3, Revocation::OfLastToo)).unwrap();
}

#[test]
fn an_import_is_continued_by_who_began_it() {
    let scoped = access(r#"[{"permission":"import:run","stores":["BERLIN"]}]"#);
    let step = |is_own: bool| {
        let import_id = ImportId::new("one").unwrap();
        Command::Import(ImportRows {
            import_id,
            after_row: 1,
            through_row: 1,
            last: true,
            rows: vec![],
            is_own,
        })
    };
    assert_eq!(step(true).permit(&scoped), Ok(()));
    let denied = Err(Denied { needs: Permission::ImportRun, store_id: None, part: None });
    assert_eq!(step(false).permit(&scoped), denied);
    assert_eq!(step(true).permit(&access(TILL)), denied);
    assert_eq!(step(false).permit(&access(r#"[{"permission":"import:run"}]"#)), Ok(()));
}
