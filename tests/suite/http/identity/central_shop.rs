//! A shop at which logins of central are good.

use super::super::Setup;
use super::{Chain, setup};
use onhand_app::identity::DeclaredCentral;
use onhand_app::ports::{Claims, Vault};
use onhand_disk::RealDisk;
use onhand_domain::Timestamp;
use onhand_domain::identity::{PrincipalId, PrincipalKind, TokenId};
use onhand_vault::FileVault;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) const URL: &str = "https://central.example.com";
pub(super) const ISSUER: &str = "urn:uuid:00000000-0000-0000-0000-00000000000c";

/// A shop, and the vault of a central whose keys it has fetched.
pub(super) struct Shop {
    pub(super) chain: Chain,
    pub(super) central: FileVault,
    _directory: tempfile::TempDir,
}

impl Shop {
    pub(super) async fn open(ceiling: &Value) -> Self {
        Self::of(setup(), ceiling).await
    }

    pub(super) async fn of(setup: Setup, ceiling: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let central = FileVault::open(Arc::new(RealDisk), directory.path().join("identity")).unwrap();
        let shop = Self { chain: Chain::of(setup).await, central, _directory: directory };
        shop.central.rotate_keys(false, shop.now()).unwrap();
        shop.declare(ceiling).await;
        shop.fetch(shop.now()).await;
        shop
    }

    pub(super) fn now(&self) -> Timestamp {
        self.chain.node.node.ledger.wall_clock()
    }

    pub(super) fn seconds(&self) -> i64 {
        self.now().milliseconds().div_euclid(1_000)
    }

    pub(super) async fn declare(&self, ceiling: &Value) {
        self.declare_at(URL, ceiling).await;
    }

    pub(super) async fn declare_at(&self, url: &str, ceiling: &Value) {
        let ceiling = serde_json::from_value(ceiling.clone()).unwrap();
        let logins = self.chain.node.node.central_logins.as_ref().unwrap();
        logins.declare(Some(DeclaredCentral { url: url.to_owned(), ceiling })).await;
    }

    pub(super) async fn fetch(&self, at: Timestamp) {
        let logins = self.chain.node.node.central_logins.as_ref().unwrap();
        logins.learn(URL, ISSUER.to_owned(), self.central.public_keys().unwrap(), at).await.unwrap();
    }

    /// The claims of a person with these grants, that are good.
    pub(super) fn claims(&self, grants: &Value) -> Claims {
        let now = self.seconds();
        Claims {
            iss: ISSUER.to_owned(),
            aud: format!("urn:uuid:{}", self.chain.node.node.ledger_id),
            sub: PrincipalId::of_bits(PrincipalKind::Person, 1_000),
            sid: Some(TokenId::of_bits(1)),
            jti: None,
            iat: now,
            exp: now + 600,
            grants: serde_json::from_value(grants.clone()).unwrap(),
        }
    }

    pub(super) fn signed(&self, claims: &Claims) -> String {
        format!("Bearer {}", self.central.sign(claims, self.now()).unwrap())
    }

    pub(super) fn person(&self, grants: &Value) -> String {
        self.signed(&self.claims(grants))
    }
}

pub(super) fn manager(stores: &[&str]) -> Value {
    json!([{"role": "manager", "stores": stores}])
}
