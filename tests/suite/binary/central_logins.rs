//! People of central at a shop, while the line is up and while it is down: two real nodes.

use super::api::{Api, Reply};
use super::process::{Node, onhand, run, verify};
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const WAIT_MAX: Duration = Duration::from_secs(60);
const PASSWORD: &str = "correct horse stapled";

/// A node on which callers must log in, and the `Authorization` of its administrator.
async fn guarded(api: &Api) -> String {
    let body = json!({"kind": "service", "name": "desk", "grants": [{"role": "admin"}]});
    let first = api.post("/tokens", &[], &body).await;
    format!("Bearer {}", first.is(201, "").json["token"].as_str().unwrap())
}

async fn person(api: &Api, admin: &str, login: &str, grants: Value) -> String {
    let body = json!({"login": login, "password": PASSWORD, "grants": grants});
    let added = api.post("/users", &[("authorization", admin)], &body).await;
    added.is(201, "").json["userId"].as_str().unwrap().to_owned()
}

/// The `Authorization` of a login at `api`, for this node or another one.
async fn log_in(api: &Api, login: &str, audience: Option<&str>) -> String {
    let mut body = json!({"login": login, "password": PASSWORD});
    if let Some(audience) = audience {
        body["audience"] = json!(audience);
    }
    let answer = api.post("/auth/login", &[], &body).await;
    format!("Bearer {}", answer.is(200, "").json["accessToken"].as_str().unwrap())
}

async fn issuer(api: &Api) -> String {
    api.get("/auth/keys").await.is(200, "").json["issuer"].as_str().unwrap().to_owned()
}

async fn get(api: &Api, path: &str, authorization: &str) -> Reply {
    api.get_with(path, &[("authorization", authorization)]).await
}

async fn sell(api: &Api, authorization: &str, store: &str) -> Reply {
    let body = json!({"storeId": store, "sku": "TEA", "quantity": 1});
    api.post("/stock/sale", &[("authorization", authorization)], &body).await
}

/// Waits until the shop has fetched keys by which the caller is known, or not known any more.
async fn comes_to(api: &Api, authorization: &str, status: u16) {
    let begun = Instant::now();
    while get(api, "/auth/me", authorization).await.status != status {
        assert!(begun.elapsed() < WAIT_MAX, "it does not come to {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Central with two people, and a shop that admits them below a ceiling.
struct Line {
    directories: [TempDir; 3],
    /// The id of Ada at central, where she manages two stores; `root` administrates it.
    ada: String,
    central: Node,
    central_admin: String,
    shop: Node,
    desk: String,
    shop_issuer: String,
}

impl Line {
    async fn open() -> Self {
        let directories = [(); 3].map(|()| TempDir::new().unwrap());
        let central = Node::start(directories[0].path(), &[]);
        let at_central = Api::of(&central);
        let central_admin = guarded(&at_central).await;
        let both = json!([{"role": "manager", "stores": ["BERLIN", "PARIS"]}]);
        let ada = person(&at_central, &central_admin, "ada", both).await;
        person(&at_central, &central_admin, "root", json!([{"role": "admin"}])).await;
        // Central makes its first key with the first login.
        log_in(&at_central, "ada", None).await;
        let ceiling = "grants = [{ role = \"manager\", stores = [\"BERLIN\"] }, { role = \"viewer\" }]";
        let file = format!("[central]\nurl = \"{}\"\n{ceiling}\n", central.url);
        fs::write(directories[2].path().join("identity.toml"), file).unwrap();
        let shop = shop(&directories);
        let at_shop = Api::of(&shop);
        for store in ["BERLIN", "PARIS"] {
            let path = format!("/stores/{store}/inventory/TEA/adjust");
            at_shop.post(&path, &[], &json!({"delta": 9})).await.is(200, "");
        }
        let (desk, shop_issuer) = (guarded(&at_shop).await, issuer(&at_shop).await);
        Self { directories, ada, central, central_admin, shop, desk, shop_issuer }
    }

    /// A login of Ada at central for the shop, once the shop knows it.
    async fn ada_at_shop(&self) -> String {
        let credential = log_in(&Api::of(&self.central), "ada", Some(&self.shop_issuer)).await;
        comes_to(&Api::of(&self.shop), &credential, 200).await;
        credential
    }
}

fn shop(directories: &[TempDir; 3]) -> Node {
    let file = directories[2].path().join("identity.toml");
    Node::start(directories[1].path(), &["--identity-file", file.to_str().unwrap()])
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_central_work_at_a_shop_below_its_ceiling_also_while_the_line_is_down() {
    let line = Line::open().await;
    let (at_central, at_shop) = (Api::of(&line.central), Api::of(&line.shop));
    let ada = line.ada_at_shop().await;
    sell(&at_shop, &ada, "BERLIN").await.is(200, "");
    let refused = sell(&at_shop, &ada, "PARIS").await;
    assert_eq!(refused.is(403, "forbidden").json["have"], json!(["BERLIN"]), "{}", refused.text);
    let root = log_in(&at_central, "root", Some(&line.shop_issuer)).await;
    get(&at_shop, "/stores/PARIS/inventory/TEA", &root).await.is(200, "");
    get(&at_shop, "/users", &root).await.is(403, "forbidden");
    sell(&at_shop, &root, "PARIS").await.is(403, "forbidden");
    // A token is good at one node: whoever runs a shop cannot use at central what its people show there.
    get(&at_central, "/auth/me", &ada).await.is(401, "unauthorized");
    let central_issuer = issuer(&at_central).await;
    for audience in [None, Some(&*central_issuer)] {
        let other = log_in(&at_central, "ada", audience).await;
        get(&at_shop, "/auth/me", &other).await.is(401, "unauthorized");
    }
    // The line is down, and the shop starts again meanwhile.
    line.central.process.kill();
    line.shop.process.kill();
    let node = shop(&line.directories);
    let at_shop = Api::of(&node);
    sell(&at_shop, &ada, "BERLIN").await.is(200, "");
    sell(&at_shop, &ada, "PARIS").await.is(403, "forbidden");
    let history = get(&at_shop, "/stores/BERLIN/inventory/TEA/history", &line.desk).await;
    let last = history.json["items"].as_array().unwrap().last().unwrap();
    assert_eq!(last["actor"], json!(line.ada), "{}", history.text);
    let used = get(&at_shop, "/audit?kind=access", &line.desk).await;
    let mut rows = used.json["items"].as_array().unwrap().iter();
    assert!(rows.any(|row| row["actor"] == json!(line.ada)), "{}", used.text);
    node.stop();
    verify(line.directories[1].path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_believes_the_keys_of_central_as_it_has_fetched_them() {
    let mut line = Line::open().await;
    let ada = line.ada_at_shop().await;
    // While the shop is away, central revokes its keys; the shop fetches at its start.
    line.shop.stop();
    let (revoke, admin) = (json!({"revoke": true}), [("authorization", &*line.central_admin)]);
    Api::of(&line.central).post("/auth/keys/rotate", &admin, &revoke).await.is(200, "");
    line.shop = shop(&line.directories);
    comes_to(&Api::of(&line.shop), &ada, 401).await;
    let ada = line.ada_at_shop().await;
    // The file of the keys is damaged: it is said, and fetched again.
    line.shop.stop();
    let data = line.directories[1].path();
    let path = data.join("identity/central-keys.json");
    let kept = fs::read_to_string(&path).unwrap();
    fs::write(&path, kept.replace("fetchedAt", "fetchedat")).unwrap();
    let told = run(onhand(&["verify", "--data-dir", data.to_str().unwrap()]));
    let said = format!("{}{}", told.stdout, told.stderr);
    assert!(told.code != Some(0) && said.contains("central-keys.json is damaged"), "{said}");
    let node = shop(&line.directories);
    comes_to(&Api::of(&node), &ada, 200).await;
    node.stop();
    verify(data);
    // A shop that is told of no central any more believes nothing of it.
    let node = Node::start(data, &[]);
    get(&Api::of(&node), "/auth/me", &ada).await.is(401, "unauthorized");
    node.stop();
    line.central.stop();
}
