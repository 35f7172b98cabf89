//! Whose limit a request uses up: that of its principal, by role, or that of its address.

use super::super::api::{Api, Reply};
use super::super::process::{Node, verify};
use super::LEVEL;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// A credential that is none of this node's, in the form of one.
const WRONG: &str = "Bearer oht_0123456789ab_czAIcfRMFo58lJ3ix1DmDCybuP9TABfFomcjTpy02440ePaiK";

async fn issue(api: &Api, authorization: Option<&str>, kind: &str, grant: &Value) -> String {
    let body = json!({"kind": kind, "name": "x", "grants": [grant]});
    let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
    let issued = api.post("/tokens", &headers, &body).await;
    assert_eq!(issued.status, 201, "{}", issued.text);
    format!("Bearer {}", issued.json["token"].as_str().unwrap())
}

async fn admin(api: &Api) -> String {
    issue(api, None, "service", &json!({"role": "admin"})).await
}

fn till() -> Value {
    json!({"role": "till", "stores": ["LONDON"]})
}

async fn read_as(api: &Api, authorization: &str) -> Reply {
    api.get_with(LEVEL, &[("authorization", authorization)]).await
}

/// Sends until the limit is reached, and returns that answer; every one before has this status.
async fn use_up(api: &Api, authorization: &str, status: u16) -> Reply {
    loop {
        let reply = read_as(api, authorization).await;
        if reply.status == 429 {
            reply.is(429, "rate-limited");
            return reply;
        }
        assert_eq!(reply.status, status, "{}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tills_behind_one_address_do_not_wait_for_each_other_nor_for_who_guesses() {
    let directory = TempDir::new().unwrap();
    let options = ["--rate-limit-rps", "1", "--rate-limit-burst", "3", "--rate-limit-roles", "admin=0"];
    let node = Node::start(directory.path(), &options);
    let api = Api::of(&node);
    let admin = admin(&api).await;
    let mut tills = Vec::new();
    for _ in 0..30 {
        tills.push(issue(&api, Some(&admin), "till", &till()).await);
    }
    use_up(&api, WRONG, 401).await;
    use_up(&api, "Basic YTpi", 401).await;
    // Wrong credentials for metrics count, too; health is answered all the same.
    while api.get_with("/metrics", &[("authorization", WRONG)]).await.status != 429 {}
    api.get_with("/readyz", &[("authorization", WRONG)]).await.is(200, "");
    for till in &tills {
        for _ in 0..2 {
            assert_eq!(read_as(&api, till).await.status, 404, "nobody has put any there");
        }
    }
    use_up(&api, &tills[0], 404).await;
    assert_eq!(read_as(&api, &tills[1]).await.status, 404);
    let unlimited = read_as(&api, &admin).await;
    assert_eq!((unlimited.status, unlimited.header("ratelimit-policy")), (404, None));
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_has_its_own_limit() {
    let directory = TempDir::new().unwrap();
    let roles = "till=5:7,warehouse-staff=2:4,admin=0";
    let options = ["--rate-limit-rps", "100", "--rate-limit-burst", "150", "--rate-limit-roles", roles];
    let node = Node::start(directory.path(), &options);
    let api = Api::of(&node);
    let admin = admin(&api).await;
    for (grant, name, policy) in [
        (till(), "till", "\"till\";q=7;w=2"),
        (
            json!({"role": "warehouse-staff", "stores": ["LONDON"]}),
            "warehouse-staff",
            "\"warehouse-staff\";q=4;w=2",
        ),
        (json!({"role": "viewer"}), "client", "\"client\";q=150;w=2"),
        (json!({"permission": "stock:read"}), "client", "\"client\";q=150;w=2"),
    ] {
        let caller = issue(&api, Some(&admin), "service", &grant).await;
        let reply = read_as(&api, &caller).await;
        assert_eq!((reply.status, reply.header("ratelimit-policy")), (404, Some(policy)));
        let standing = reply.header("ratelimit").unwrap();
        assert!(standing.starts_with(&format!("\"{name}\";r=")), "{standing}");
    }
    let caller = issue(&api, Some(&admin), "till", &till()).await;
    let refused = use_up(&api, &caller, 404).await;
    assert_eq!(refused.header("ratelimit"), Some("\"till\";r=0;t=2"));
    node.stop();
}

/// Clients that guess as fast as they can, from the address of a till.
#[tokio::test(flavor = "multi_thread")]
async fn a_till_sells_on_while_others_guess_tokens() {
    const SALES: usize = 300;
    let directory = TempDir::new().unwrap();
    let options =
        ["--rate-limit-rps", "50", "--rate-limit-burst", "50", "--rate-limit-roles", "admin=0,till=0"];
    let node = Node::start(directory.path(), &options);
    let api = Api::of(&node);
    let admin = admin(&api).await;
    let headers = [("authorization", admin.as_str())];
    api.post(&format!("{LEVEL}/adjust"), &headers, &json!({"delta": SALES})).await.is(200, "");
    let till = issue(&api, Some(&admin), "till", &till()).await;
    let over = Arc::new(AtomicBool::new(false));
    let mut guessers = JoinSet::new();
    for _ in 0..20 {
        let (api, over) = (Api::of(&node), Arc::clone(&over));
        guessers.spawn(async move {
            let (mut refused, mut limited) = (0, 0);
            while !over.load(Ordering::Relaxed) {
                match read_as(&api, WRONG).await.status {
                    401 => refused += 1,
                    429 => limited += 1,
                    status => panic!("{status}"),
                }
            }
            (refused, limited)
        });
    }
    use_up(&api, WRONG, 401).await;
    let sale = json!({"storeId": "LONDON", "sku": "TEA", "quantity": 1});
    for _ in 0..SALES {
        api.post("/stock/sale", &[("authorization", &till)], &sale).await.is(200, "");
    }
    over.store(true, Ordering::Relaxed);
    let counts = guessers.join_all().await;
    assert!(counts.iter().map(|(_, limited)| limited).sum::<u64>() > 0, "{counts:?}");
    assert_eq!(read_as(&api, &till).await.level().1, 0);
    node.stop();
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_open_where_the_settings_say_so() {
    for (open, status) in [(true, 200), (false, 401)] {
        let directory = TempDir::new().unwrap();
        let option = format!("--metrics-open={open}");
        let node = Node::start(directory.path(), &[&option]);
        let api = Api::of(&node);
        api.get("/metrics").await.is(200, "");
        let admin = admin(&api).await;
        assert_eq!(api.get("/metrics").await.status, status);
        api.get_with("/metrics", &[("authorization", &admin)]).await.is(200, "");
        // Readiness names other nodes and the state of the disk, which is for those who run it.
        let ready = api.get("/readyz").await;
        assert_eq!(ready.is(200, "").json, json!({"ready": true, "mode": "normal"}));
        let ready = api.get_with("/readyz", &[("authorization", &admin)]).await;
        assert_eq!(ready.is(200, "").json["breakers"]["storage"], "closed");
        node.stop();
    }
}
