//! Who may do what: every route for every kind of caller, scopes in path, body, batch and import, what lists and the feed show,
//! tokens that are rotated, revoked, expired or wrong, persons and their sessions.

mod access;
mod explain;
mod operations;
mod persons;
mod sessions;
mod tokens;

use super::{Answer, Scratch, Setup};
use http::Method;
use onhand_disk::RealDisk;
use onhand_vault::FileVault;
use std::sync::Arc;

/// A node with stock in three stores, and its first administrator.
struct Chain {
    node: Scratch,
    admin: String,
}

fn setup() -> Setup {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let vault = FileVault::open(Arc::new(RealDisk), directory.path().join("identity")).unwrap();
    Setup { vault: Some(Arc::new(vault)), directory, ..Setup::default() }
}

impl Chain {
    async fn open() -> Self {
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
    async fn token(&self, kind: &str, grants: &str) -> (String, String) {
        let body = format!(r#"{{"kind":"{kind}","name":"a {kind}","grants":{grants}}}"#);
        let answer = self.node.post("/tokens", &[("authorization", &self.admin)], &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        (bearer(&answer), answer.json["tokenId"].as_str().unwrap().to_owned())
    }

    async fn get(&self, path: &str, authorization: &str) -> Answer {
        self.node.get_with(path, &[("authorization", authorization)]).await
    }

    async fn say(&self, method: Method, path: &str, authorization: &str, body: &str) -> Answer {
        self.node.say(method, path, &[("authorization", authorization)], body).await
    }
}

fn bearer(answer: &Answer) -> String {
    format!("Bearer {}", answer.json["token"].as_str().unwrap())
}

fn stores(answer: &Answer) -> Vec<&str> {
    let items = answer.json["items"].as_array().unwrap().iter();
    items.map(|item| item["storeId"].as_str().unwrap()).collect()
}
