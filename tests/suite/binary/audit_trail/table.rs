//! The audit table: what it says, to whom, and what it never says.

use super::{Desk, LEVEL, count, issue, lines, what};
use crate::binary::api::Api;
use crate::binary::process::{Node, verify};
use crate::cli::told;
use http::Method;
use onhand_remote::client_builder;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The window of time, and pages of any size, show the same rows.
async fn pages_show_the_same(desk: &Desk) {
    let all = desk.rows("").await;
    let mut walked = Vec::new();
    let mut path = "/audit?limit=2".to_owned();
    while walked.len() < all.len() {
        let page = desk.get(&path).await;
        walked.extend(page.json["items"].as_array().unwrap().clone());
        let next = page.json["nextCursor"].as_str().map(|cursor| format!("/audit?limit=2&cursor={cursor}"));
        path = next
            .unwrap_or_else(|| format!("/audit?limit=2&after={}", page.json["through"].as_str().unwrap()));
    }
    let bare = |rows: &[Value]| -> Vec<Value> {
        rows.iter().map(|row| json!([row["time"], row["what"], row["requestId"], row["sequence"]])).collect()
    };
    assert_eq!(bare(&walked), bare(&all));
    let middle = all[all.len() / 2]["time"].as_str().unwrap();
    let (old, new) =
        (desk.rows(&format!("until={middle}")).await, desk.rows(&format!("since={middle}")).await);
    assert_eq!(bare(&[old, new].concat()), bare(&all));
    for wrong in
        ["kind=messages", "since=today", "after=7", "since=2026-11-30T00:00:00Z&until=2026-11-29T00:00:00Z"]
    {
        desk.get(&format!("/audit?{wrong}")).await.is(400, "invalid-request");
    }
}

/// A till sells, and is refused; somebody tries to make the trail repeat a secret; a list is exported.
async fn trade(desk: &Desk, till: &str) {
    let stock = json!({"delta": 9, "reason": "the-reason"});
    desk.api.post(&format!("{LEVEL}/adjust"), &[("authorization", &desk.admin)], &stock).await.is(200, "");
    let sale = |store: &str| json!({"storeId": store, "sku": "TEA", "quantity": 1});
    for _ in 0..3 {
        desk.api.post("/stock/sale", &[("authorization", till)], &sale("BERLIN")).await.is(200, "");
    }
    desk.api.post("/stock/sale", &[("authorization", till)], &sale("PARIS")).await.is(403, "forbidden");
    // Its own text as a path, as a query and as the wrong scheme: none of it is repeated.
    let secret = till.strip_prefix("Bearer ").unwrap();
    let path = format!("/tokens/{secret}");
    let as_till = [("authorization", till)];
    desk.api.try_send(Method::DELETE, &path, &as_till, Vec::new()).await.unwrap().is(403, "forbidden");
    desk.api
        .get_with("/stores", &[("authorization", &format!("Basic {secret}"))])
        .await
        .is(401, "unauthorized");
    desk.api.get_with("/stores", &[("host", &format!("{secret}.example"))]).await.is(401, "unauthorized");
    desk.api
        .try_send(
            Method::from_bytes(b"SECRETMETHOD").unwrap(),
            "/stores",
            &[("sec-fetch-site", "cross-site")],
            Vec::new(),
        )
        .await
        .unwrap()
        .is(403, "cross-site");
    let csv = [("authorization", desk.admin.as_str()), ("accept", "text/csv")];
    desk.api.get_with("/stock/current", &csv).await.is(200, "");
    let whole = [csv[0], ("accept", "application/vnd.onhand.central+json")];
    desk.api.get_with("/central/inventory", &whole).await.is(200, "");
    desk.api.get_with("/auth/me", &as_till).await.is(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_says_who_did_what_and_holds_no_secret() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let desk = Desk::of(&node).await;
    let grant = json!({"role": "till", "stores": ["BERLIN"]});
    let (till, id, who) = issue(&desk.api, &desk.admin, "the-name-of-the-till", &grant).await;
    trade(&desk, &till).await;
    let of_till = desk.rows(&format!("actor={who}")).await;
    let facts = |row: &Value| -> (String, String, String, String) {
        let text = |member: &str| row[member].as_str().unwrap_or("-").to_owned();
        (text("kind"), text("what"), text("where"), text("outcome"))
    };
    let row = |kind: &str, what: &str, place: &str, outcome: &str| {
        (kind.to_owned(), what.to_owned(), place.to_owned(), outcome.to_owned())
    };
    let sold = row("inventory", "ADJUST", "BERLIN/TEA", "done");
    let mut wanted = [
        row("access", "first-use", "POST /stock/sale", "done"),
        sold.clone(),
        sold.clone(),
        sold,
        row("errors", "refused", "POST /stock/sale", "forbidden"),
        row("errors", "refused", "DELETE /tokens/{tokenId}", "forbidden"),
    ];
    // In the order in which they happened, but that entries come before changes of the same millisecond.
    let at = |row: &Value| (row["time"].as_str().unwrap().to_owned(), row["kind"] == "inventory");
    assert!(of_till.is_sorted_by_key(at), "{of_till:?}");
    let mut shown: Vec<_> = of_till.iter().map(facts).collect();
    assert_eq!(shown.first(), wanted.first());
    wanted.sort();
    shown.sort();
    assert_eq!(shown, wanted);
    let of_trail = |row: &&Value| row["kind"] != "inventory";
    assert!(of_till.iter().filter(of_trail).all(|row| row["credential"] == *id), "{of_till:?}");
    assert_eq!(what(&desk.rows("kind=identity").await), ["PRINCIPAL", "TOKEN", "PRINCIPAL", "TOKEN"]);
    let access = desk.rows("kind=access").await;
    assert_eq!(what(&access), ["first-use", "first-use", "export", "export"]);
    let places = (&access[2]["where"], &access[3]["where"]);
    assert_eq!(places, (&json!("GET /stock/current"), &json!("GET /central/inventory")));
    let errors = desk.rows("kind=errors").await;
    let across = errors.iter().find(|row| row["outcome"] == "cross-site").unwrap();
    assert_eq!((&across["where"], &across["status"]), (&json!("other /stores"), &json!(403)));

    desk.api.get_with("/audit", &[("authorization", &till)]).await.is(403, "forbidden");
    pages_show_the_same(&desk).await;
    let all = desk.rows("").await;
    let csv = [("authorization", desk.admin.as_str()), ("accept", "text/csv")];
    let table = desk.api.get_with("/audit", &csv).await;
    assert_eq!(table.text.lines().count(), all.len() + 1, "and a heading: {}", table.text);
    node.stop();
    let secret = till.strip_prefix("Bearer ").unwrap();
    let trail = lines(directory.path()).join("\n") + &table.text;
    // The kind, the public id, and what nobody may know.
    let hidden_part = |token: &str| token.splitn(3, '_').last().unwrap().to_owned();
    let parts = [secret.to_owned(), hidden_part(secret), hidden_part(&desk.admin)];
    let parts = parts.iter().map(String::as_str);
    for hidden in parts.chain(["the-name-of", "the-reason", "SECRETMETHOD", "Bearer", "Basic"]) {
        assert!(!trail.contains(hidden), "{hidden}: {trail}");
    }
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_is_followed_until_the_reader_may_not() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let desk = Desk::of(&node).await;
    let (auditor, id, _) = issue(&desk.api, &desk.admin, "x", &json!({"role": "auditor"})).await;
    let http = client_builder(true).build().unwrap();
    let request =
        http.get(format!("{}/audit?kind=errors", node.url)).header("accept", "application/x-ndjson");
    let mut stream = request.header("authorization", &auditor).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    desk.api.get("/products").await.is(401, "unauthorized");
    let mut first = String::new();
    // Where there is no row yet, a stream begins with an empty line.
    while !first.trim_start().contains('\n') {
        first.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }
    let row: Value = serde_json::from_str(first.trim().lines().next().unwrap()).unwrap();
    assert_eq!((&row["what"], &row["where"]), (&json!("refused"), &json!("GET /products")), "{first}");
    // The change of a sale is no news for this reader; the revocation ends the stream with the next row.
    let path = format!("/tokens/{id}");
    let revoked =
        desk.api.try_send(Method::DELETE, &path, &[("authorization", &desk.admin)], Vec::new()).await;
    revoked.unwrap().is(200, "");
    desk.api.get("/tokens").await.is(401, "unauthorized");
    let mut rest = Vec::new();
    while let Ok(Some(piece)) = stream.chunk().await {
        rest.extend(piece);
    }
    assert!(
        !String::from_utf8(rest).unwrap().contains("GET /tokens"),
        "nothing is shown after the revocation"
    );
    // A stream goes on behind the last row that was seen.
    let mut resumed = http
        .get(format!("{}/audit?kind=errors", node.url))
        .header("accept", "text/event-stream")
        .header("authorization", &desk.admin)
        .header("last-event-id", row["id"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    let mut text = String::new();
    while !text.contains("data: ") {
        text.push_str(std::str::from_utf8(&resumed.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(text.contains("GET /tokens") && !text.contains("GET /products"), "{text}");
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_prints_the_table() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    api.post(&format!("{LEVEL}/adjust"), &[("x-request-id", "r-1")], &json!({"delta": 1})).await.is(200, "");
    let across = [("sec-fetch-site", "cross-site"), ("x-request-id", "r-2")];
    api.post("/sync", &across, &Value::Null).await.is(403, "cross-site");
    api.get_with("/stores", &[("host", "evil.example")]).await.is(421, "misdirected-host");
    let feed = client_builder(true).build().unwrap().get(format!("{}/events", node.url));
    assert_eq!(feed.header("accept", "text/event-stream").send().await.unwrap().status(), 200);
    let here = TempDir::new().unwrap();
    let audit = |more: &[&str]| {
        let arguments: Vec<&str> = ["audit", "--server", &node.url].iter().chain(more).copied().collect();
        told(here.path(), &arguments)
    };
    let table = audit(&[]);
    assert!(table.starts_with("exit code 0"), "{table}");
    assert!(
        table.contains("BERLIN/TEA") && table.contains("POST /sync") && table.contains("cross-site"),
        "{table}"
    );
    let json = audit(&["--kind", "errors", "--output", "json"]);
    assert!(json.contains(r#""requestId":"r-2""#) && !json.contains("r-1"), "{json}");
    assert!(json.contains(r#""outcome":"misdirected-host""#) && !json.contains("evil"), "{json}");
    let exports = audit(&["--kind", "access"]);
    assert!(exports.contains("GET /events") && exports.contains("local"), "{exports}");
    let csv = audit(&["--actor", "local", "--output", "csv"]);
    assert!(csv.contains("time,kind,actor,what") && csv.contains("r-1") && !csv.contains("r-2"), "{csv}");
    assert!(audit(&["--since", "2d", "--until", "1d"]).contains("nothing since"), "before it began");
    assert!(audit(&["--kind", "rumours"]).starts_with("exit code 69"));
    assert!(audit(&["--since", "yesterday"]).starts_with("exit code 2"));
    assert!(audit(&["--follow", "--output", "csv"]).starts_with("exit code 2"));
    node.stop();
}
#[tokio::test(flavor = "multi_thread")]
async fn processes_of_one_directory_have_a_chain_each_and_one_table() {
    let directory = TempDir::new().unwrap();
    let nodes = [0, 1].map(|_| Node::start(directory.path(), &["--locks-enabled"]));
    let desk = Desk::of(&nodes[0]).await;
    let other = Desk { api: Api::of(&nodes[1]), admin: desk.admin.clone() };
    for turn in 0..10 {
        let api = if turn % 2 == 0 { &desk.api } else { &other.api };
        api.get("/stores").await.is(401, "unauthorized");
    }
    other.rows("kind=errors").await;
    let rows = desk.rows("kind=errors").await;
    assert_eq!(count(&rows), 10, "{rows:?}");
    assert_eq!(what(&desk.rows("kind=identity").await), what(&other.rows("kind=identity").await));
    for node in nodes {
        node.stop();
    }
    let said = verify(directory.path());
    assert!(said.contains("chain 1 ends") && said.contains("chain 2 ends"), "{said}");
}
