//! Who may do what: every route for every kind of caller, scopes in path, body, batch and import, what lists and the feed show,
//! tokens that are rotated, revoked, expired or wrong, persons and their sessions.

mod access;
mod central;
mod central_files;
mod central_shop;
mod customers;
mod explain;
mod imports;
mod last_admin;
mod long_answers;
mod matrix;
mod operations;
mod persons;
mod races;
mod sessions;
mod tokens;

use super::{Answer, Scratch, Setup};
use http::Method;
use onhand_app::Meta;
use onhand_app::identity::CentralLogins;
use onhand_app::ports::Vault;
use onhand_disk::RealDisk;
use onhand_domain::identity::{
    Access, Principal, PrincipalCommand, PrincipalId, PrincipalKind, Token, TokenChange, TokenCommand,
    TokenId, TokenKind,
};
use onhand_domain::{Command, Expected};
use onhand_http::{Node, OpenRules};
use onhand_vault::FileVault;
use std::sync::Arc;

/// A node with stock in three stores, and its first administrator.
pub(super) struct Chain {
    node: Scratch,
    pub(super) admin: String,
}

/// The node with identity, which nobody of central may use yet.
pub(super) fn with_vault(node: Node, vault: Arc<dyn Vault>, rules: OpenRules) -> Node {
    let central = Arc::new(CentralLogins::new(Arc::clone(&vault)));
    node.with_identity(vault, rules).with_central_logins(central)
}

fn setup() -> Setup {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let vault = FileVault::open(Arc::new(RealDisk), directory.path().join("identity")).unwrap();
    Setup { vault: Some(Arc::new(vault)), directory, ..Setup::default() }
}

impl Chain {
    pub(super) async fn open() -> Self {
        Self::of(setup()).await
    }

    async fn of(setup: Setup) -> Self {
        let node = Scratch::open(setup);
        for store in ["BERLIN", "PARIS", "ROME"] {
            node.stock(&format!("/stores/{store}/inventory/TEA"), 10).await;
        }
        let body = r#"{"kind":"service","name":"desk","grants":[{"role":"admin"}]}"#;
        let first = node.post("/tokens", &[], body).await;
        assert_eq!(first.status, 201, "{}", first.text);
        let admin = bearer(&first);
        Self { node, admin }
    }

    /// A token with these grants; its value of `Authorization`, and its id.
    pub(super) async fn token(&self, kind: &str, grants: &str) -> (String, String) {
        let body = format!(r#"{{"kind":"{kind}","name":"a {kind}","grants":{grants}}}"#);
        let answer = self.node.post("/tokens", &[("authorization", &self.admin)], &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        (bearer(&answer), answer.json["tokenId"].as_str().unwrap().to_owned())
    }

    /// Changes a principal without asking who may.
    async fn put_principal(&self, create: bool, id: &PrincipalId, grants: &str, disabled: bool) {
        let kind = if id.as_str().starts_with("u_") { PrincipalKind::Person } else { PrincipalKind::Service };
        let command = principal(
            id,
            create,
            Principal { kind, grants: serde_json::from_str(grants).unwrap(), disabled },
        );
        self.node.node.ledger.execute(Command::Principal(command), &Meta::default()).await.unwrap();
    }

    /// A token of an administrator that has expired.
    async fn expired(&self) -> String {
        let (vault, ledger) = (self.node.node.vault.as_ref().unwrap(), &self.node.node.ledger);
        let (token_id, text) = vault.issue_token(TokenKind::Service, "old").unwrap();
        let principal_id = PrincipalId::of_bits(PrincipalKind::Service, 7);
        let grants = serde_json::from_str(r#"[{"role":"admin"}]"#).unwrap();
        let owner = Principal { kind: PrincipalKind::Service, grants, disabled: false };
        let (created_at, expires_at) =
            (ledger.now().plus_milliseconds(-2_000), ledger.now().plus_milliseconds(-1));
        let kind = TokenKind::Service;
        let token =
            Token { principal_id: principal_id.clone(), kind, created_at, expires_at, revoked: false };
        let command = TokenCommand {
            token_id,
            expected: Expected::Any,
            change: TokenChange::Issue(token, Box::new(principal(&principal_id, true, owner))),
            principal_id,
            granter: Access::FULL,
        };
        ledger.execute(Command::Token(command), &Meta::default()).await.unwrap();
        format!("Bearer {text}")
    }

    /// Credentials that are not good, each with what is wrong with it.
    async fn not_good(&self) -> Vec<(&'static str, String)> {
        let admin = r#"[{"role":"admin"}]"#;
        let ((revoked, id), (disabled, of_disabled)) =
            (self.token("service", admin).await, self.token("service", admin).await);
        self.say(Method::DELETE, &format!("/tokens/{id}"), &self.admin, "").await.is(200, "");
        let token = self.node.node.ledger.token_now(&TokenId::new(&of_disabled).unwrap()).unwrap();
        self.put_principal(false, &token.principal_id, admin, true).await;
        vec![
            ("none", String::new()),
            ("malformed", "Bearer x".to_owned()),
            ("expired", self.expired().await),
            ("revoked", revoked),
            ("disabled", disabled),
        ]
    }

    pub(super) async fn get(&self, path: &str, authorization: &str) -> Answer {
        self.node.get_with(path, &[("authorization", authorization)]).await
    }

    pub(super) async fn say(&self, method: Method, path: &str, authorization: &str, body: &str) -> Answer {
        self.node.say(method, path, &[("authorization", authorization)], body).await
    }
}

fn principal(id: &PrincipalId, create: bool, principal: Principal) -> PrincipalCommand {
    PrincipalCommand {
        principal_id: id.clone(),
        expected: Expected::Any,
        create,
        principal,
        granter: Access::FULL,
    }
}

fn bearer(answer: &Answer) -> String {
    format!("Bearer {}", answer.json["token"].as_str().unwrap())
}

fn stores(answer: &Answer) -> Vec<&str> {
    let items = answer.json["items"].as_array().unwrap().iter();
    items.map(|item| item["storeId"].as_str().unwrap()).collect()
}
