//! Logins of central where the files of the vault cannot be written, or are damaged.

use super::central_shop::{ISSUER, Shop, URL, manager};
use super::persons::{PASSWORD, access};
use onhand_app::ports::Vault;
use serde_json::json;

/// Keys that the disk did not take are newer than the file, and are written as soon as it takes them.
#[tokio::test]
async fn a_key_that_central_has_revoked_stays_revoked_where_the_file_could_not_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let shop = Shop::open(&manager(&["BERLIN"])).await;
    let old = shop.person(&manager(&["BERLIN"]));
    let file = shop.chain.node.directory.path().join("identity/central-keys.json");
    let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    // The vault refuses a file that others may read.
    mode(0o644);
    shop.central.rotate_keys(true, shop.now()).unwrap();
    let logins = shop.chain.node.node.central_logins.as_ref().unwrap();
    let fetch =
        async || logins.learn(URL, ISSUER.to_owned(), shop.central.public_keys().unwrap(), shop.now()).await;
    assert!(fetch().await.is_err());
    let new = shop.person(&manager(&["BERLIN"]));
    mode(0o600);
    // Another central, and back: the file is as old as before.
    for url in ["https://other.example.com", URL] {
        shop.declare_at(url, &manager(&["BERLIN"])).await;
        shop.chain.get("/auth/me", &old).await.is(401, "unauthorized");
    }
    mode(0o644);
    assert!(fetch().await.is_err());
    mode(0o600);
    // The same ceiling, and another one.
    for ceiling in [manager(&["BERLIN"]), manager(&["BERLIN", "ROME"])] {
        shop.declare(&ceiling).await;
        shop.chain.get("/auth/me", &old).await.is(401, "unauthorized");
        shop.chain.get("/auth/me", &new).await.is(200, "");
    }
    fetch().await.unwrap();
    let kept = shop.chain.node.node.vault.as_ref().unwrap().central_keys().unwrap().unwrap();
    assert_eq!(kept.keys, shop.central.public_keys().unwrap());
}

#[tokio::test]
async fn damaged_keys_of_this_node_hinder_nobody_of_central() {
    let shop = Shop::open(&manager(&["BERLIN"])).await;
    shop.chain.person("bob", manager(&["BERLIN"])).await;
    let local = access(&shop.chain.log_in(json!({"login": "bob", "password": PASSWORD})).await);
    let file = shop.chain.node.directory.path().join("identity/keys.json");
    let kept = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, kept.replace("seed", "sead")).unwrap();
    assert_eq!(shop.chain.get("/auth/me", &local).await.status, 500);
    shop.chain.get("/auth/me", &shop.person(&manager(&["BERLIN"]))).await.is(200, "");
}
