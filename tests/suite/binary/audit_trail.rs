//! The audit trail of the real binary: floods, kills, secrets, forgery, disks that refuse, several processes, streams.

use super::api::{Api, Reply};
use super::process::{Node, onhand, run, verify};
use super::room::Room;
use crate::cli::told;
use http::Method;
use onhand_remote::client_builder;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const LEVEL: &str = "/stores/BERLIN/inventory/TEA";

/// A node with an administrator.
struct Desk {
    api: Api,
    admin: String,
}

impl Desk {
    async fn of(node: &Node) -> Self {
        let api = Api::of(node);
        let admin = issue(&api, "", "the-name-of-the-desk", &json!({"role": "admin"})).await.0;
        Self { api, admin }
    }

    async fn get(&self, path: &str) -> Reply {
        self.api.get_with(path, &[("authorization", &self.admin)]).await
    }

    /// All rows with this filter.
    async fn rows(&self, filter: &str) -> Vec<Value> {
        let page = self.get(&format!("/audit?limit=1000&{filter}")).await;
        assert_eq!((page.status, &page.json["nextCursor"]), (200, &Value::Null), "{}", page.text);
        page.json["items"].as_array().unwrap().clone()
    }
}

/// A new token: its value of `Authorization`, its public id and its principal.
async fn issue(api: &Api, authorization: &str, name: &str, grant: &Value) -> (String, String, String) {
    let body = json!({"kind": "service", "name": name, "grants": [grant]});
    let headers = [("authorization", authorization)];
    let reply = api.post("/tokens", if authorization.is_empty() { &[] } else { &headers }, &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let text = |member: &str| reply.json[member].as_str().unwrap().to_owned();
    (format!("Bearer {}", text("token")), text("tokenId"), text("principalId"))
}

/// The files of the trail, in order.
fn files(data_dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(data_dir.join("audit")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn lines(data_dir: &Path) -> Vec<String> {
    let text = files(data_dir).into_iter().map(|file| fs::read_to_string(file).unwrap()).collect::<String>();
    text.lines().map(str::to_owned).collect()
}

fn count(rows: &[Value]) -> u64 {
    rows.iter().map(|row| row["count"].as_u64().unwrap()).sum()
}

#[track_caller]
fn what(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["what"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_wrong_tokens_is_a_few_lines_and_no_kill_breaks_the_chain() {
    let directory = TempDir::new().unwrap();
    let mut node = Node::start(directory.path(), &[]);
    let desk = Desk::of(&node).await;
    let flood = async |api: &Api, times: u64| {
        for turn in 0..times {
            let wrong = format!("Bearer a-wrong-token-{turn}");
            api.get_with(&format!("/stores?limit={turn}"), &[("authorization", &wrong)]).await;
        }
    };
    flood(&desk.api, 1_000).await;
    let rows = desk.rows("kind=errors").await;
    assert_eq!((rows.len(), count(&rows)), (2, 1_000), "{rows:?}");
    assert!(rows.iter().all(|row| row["where"] == "GET /stores" && row["outcome"] == "unauthorized"));
    assert!(rows.iter().all(|row| row["address"] == "127.0.0.1" && row["actor"].is_null()), "{rows:?}");
    for turn in 0..3 {
        flood(&Api::of(&node), 300).await;
        node.process.kill();
        verify(directory.path());
        node = Node::start(directory.path(), &[]);
        let desk = Desk { api: Api::of(&node), admin: desk.admin.clone() };
        flood(&desk.api, 100).await;
        // What was counted when the process was killed may be lost; what a reader has seen is not.
        let now = count(&desk.rows("kind=errors").await);
        assert!(now >= 1_000 + 100 * (turn + 1), "{now}");
        node.process.kill();
        verify(directory.path());
        node = Node::start(directory.path(), &[]);
    }
    assert!(lines(directory.path()).len() < 40, "{:?}", lines(directory.path()));
    let metrics = Desk { api: Api::of(&node), admin: desk.admin }.get("/metrics").await.text;
    assert!(metrics.contains("onhand_audit_entries_lost_total 0\n"), "{metrics}");
    node.stop();
    let said = verify(directory.path());
    assert!(said.contains("chain 0 ends with entry"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_says_who_did_what_and_holds_no_secret() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let desk = Desk::of(&node).await;
    let grant = json!({"role": "till", "stores": ["BERLIN"]});
    let (till, id, who) = issue(&desk.api, &desk.admin, "the-name-of-the-till", &grant).await;
    let stock = json!({"delta": 9, "reason": "the-reason"});
    desk.api.post(&format!("{LEVEL}/adjust"), &[("authorization", &desk.admin)], &stock).await.is(200, "");
    let sale = |store: &str| json!({"storeId": store, "sku": "TEA", "quantity": 1});
    for _ in 0..3 {
        desk.api.post("/stock/sale", &[("authorization", &till)], &sale("BERLIN")).await.is(200, "");
    }
    desk.api.post("/stock/sale", &[("authorization", &till)], &sale("PARIS")).await.is(403, "forbidden");
    // Its own text as a path, as a query and as the wrong scheme: none of it is repeated.
    let secret = till.strip_prefix("Bearer ").unwrap();
    let path = format!("/tokens/{secret}");
    let as_till = [("authorization", till.as_str())];
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
    desk.api.get_with("/auth/me", &as_till).await.is(200, "");

    let of_till = desk.rows(&format!("actor={who}")).await;
    let facts = |row: &Value| -> (String, String, String, String) {
        let text = |member: &str| row[member].as_str().unwrap_or("-").to_owned();
        (text("kind"), text("what"), text("where"), text("outcome"))
    };
    let row = |kind: &str, what: &str, place: &str, outcome: &str| {
        (kind.to_owned(), what.to_owned(), place.to_owned(), outcome.to_owned())
    };
    let sold = row("inventory", "ADJUST", "BERLIN/TEA", "done");
    assert_eq!(
        of_till.iter().map(facts).collect::<Vec<_>>(),
        [
            row("access", "first-use", "POST /stock/sale", "done"),
            sold.clone(),
            sold.clone(),
            sold,
            row("errors", "refused", "POST /stock/sale", "forbidden"),
            row("errors", "refused", "DELETE /tokens/{tokenId}", "forbidden"),
        ]
    );
    let of_trail = |row: &&Value| row["kind"] != "inventory";
    assert!(of_till.iter().filter(of_trail).all(|row| row["credential"] == *id), "{of_till:?}");
    assert_eq!(what(&desk.rows("kind=identity").await), ["PRINCIPAL", "TOKEN", "PRINCIPAL", "TOKEN"]);
    let access = desk.rows("kind=access").await;
    assert_eq!(what(&access), ["first-use", "first-use", "export"]);
    assert_eq!(access[2]["where"], "GET /stock/current");
    let errors = desk.rows("kind=errors").await;
    let across = errors.iter().find(|row| row["outcome"] == "cross-site").unwrap();
    assert_eq!((&across["where"], &across["status"]), (&json!("other /stores"), &json!(403)));

    // The window of time, and pages of any size, show the same rows.
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
    desk.api.get_with("/audit", &as_till).await.is(403, "forbidden");

    let table = desk.api.get_with("/audit", &csv).await;
    assert_eq!(
        table.text.lines().count(),
        all.len() + 2,
        "a heading, and the refusal of just now: {}",
        table.text
    );
    node.stop();
    let trail = lines(directory.path()).join("\n") + &table.text;
    let parts = secret
        .split('_')
        .filter(|part| part.len() > 12)
        .chain([secret, desk.admin.split('_').nth(2).unwrap()]);
    for hidden in parts.chain(["the-name-of", "the-reason", "SECRETMETHOD", "Bearer", "Basic"]) {
        assert!(!trail.contains(hidden), "{hidden}: {trail}");
    }
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_was_changed_is_named_and_hinders_nobody() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let desk = Desk::of(&node).await;
    for place in ["stores", "products", "tokens", "events"] {
        desk.api.get(&format!("/{place}")).await.is(401, "unauthorized");
        desk.rows("kind=errors").await;
    }
    let file = files(directory.path()).remove(0);
    let text = fs::read_to_string(&file).unwrap();
    let at = text.lines().position(|line| line.contains("/products")).unwrap();
    fs::write(&file, text.replace("/products", "/stores00")).unwrap();
    // Beside the running node, and after a kill, and for the node that starts on it.
    let wrong = format!("WRONG  {}, line {}: the checksum does not fit the line", file.display(), at + 1);
    let found = || {
        let mut command = onhand(&["verify", "--data-dir"]);
        command.arg(directory.path());
        let ended = run(command);
        assert_eq!((ended.code, ended.stdout.contains(&wrong)), (Some(65), true), "{}", ended.stdout);
    };
    let is_told = async |desk: &Desk| {
        let rows = desk.rows("kind=errors").await;
        let damaged: Vec<&Value> = rows.iter().filter(|row| row["what"] == "damaged").collect();
        assert_eq!(damaged.len(), 1, "{rows:?}");
        let detail = damaged[0]["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("line {}: the checksum", at + 1)), "{detail}");
        assert_eq!(rows.iter().filter(|row| row["what"] == "refused").count(), 3, "{rows:?}");
    };
    found();
    is_told(&desk).await;
    node.process.kill();
    found();
    let node = Node::start(directory.path(), &[]);
    let desk = Desk { api: Api::of(&node), admin: desk.admin };
    desk.api
        .post(&format!("{LEVEL}/adjust"), &[("authorization", &desk.admin)], &json!({"delta": 1}))
        .await
        .is(200, "");
    let rows = desk.rows("kind=errors").await;
    assert_eq!(
        what(&rows).iter().filter(|what| **what == "damaged").count(),
        2,
        "met, and found at the start"
    );
    node.stop();
    found();
}

/// A place where no directory can be, until it is made free.
#[tokio::test(flavor = "multi_thread")]
async fn tills_go_on_without_a_trail_and_the_trail_goes_on_when_it_can() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("audit"), "in the way").unwrap();
    let node = Node::start(directory.path(), &[]);
    let desk = Desk::of(&node).await;
    let admin = [("authorization", desk.admin.as_str())];
    for _ in 0..20 {
        desk.api.get("/stores").await.is(401, "unauthorized");
        desk.api.post(&format!("{LEVEL}/adjust"), &admin, &json!({"delta": 1})).await.is(200, "");
    }
    desk.get("/audit?kind=errors").await.is(500, "internal");
    assert_eq!(desk.rows("kind=inventory").await.len(), 20, "the log is there");
    let metrics = desk.get("/metrics").await.text;
    assert!(!metrics.contains("onhand_audit_disk_errors_total 0\n"), "{metrics}");
    fs::remove_file(directory.path().join("audit")).unwrap();
    assert_eq!(count(&desk.rows("kind=errors").await), 20, "nothing was lost, and the 500 was no refusal");
    node.stop();
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_the_trail_stops_no_till() {
    let script = "mkdir -p \"$1/data/audit\"; mount -t tmpfs -o size=64k none \"$1/data/audit\"";
    let Some(room) = Room::open("a full disk of the audit trail", script) else { return };
    let data = room.path().join("data");
    let node = Node::start_as(room.onhand(), &data, &["--log-level", "error"]);
    let desk = Desk::of(&node).await;
    let admin = [("authorization", desk.admin.as_str())];
    let refuse = async |turn: u32| {
        // Each is another one: another code or route would do, too.
        let id = format!("turn-{turn}-{}", "x".repeat(100));
        let path = format!("/products/{turn}");
        desk.api.get_with(&path, &[("x-request-id", &id)]).await.is(401, "unauthorized");
        desk.get("/audit?kind=errors&limit=1").await;
    };
    desk.api.get("/stores").await.is(401, "unauthorized");
    room.sh("dd if=/dev/zero of=\"$1/data/audit/others\" bs=4k 2>/dev/null || true");
    let mut turn = 0;
    loop {
        refuse(turn).await;
        turn += 1;
        desk.api.post(&format!("{LEVEL}/adjust"), &admin, &json!({"delta": 1})).await.is(200, "");
        let metrics = desk.get("/metrics").await.text;
        if !metrics.contains("onhand_audit_disk_errors_total 0\n") {
            break;
        }
    }
    for _ in 0..20 {
        refuse(turn).await;
        turn += 1;
        desk.api.post(&format!("{LEVEL}/adjust"), &admin, &json!({"delta": 1})).await.is(200, "");
    }
    room.sh("rm \"$1/data/audit/others\"");
    let rows = desk.rows("kind=errors").await;
    assert_eq!(count(&rows), u64::from(turn) + 1, "{rows:?}");
    node.process.signal(rustix::process::Signal::TERM);
    let ended = node.process.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.matches("the audit trail cannot be written").count() <= 2, "{}", ended.stderr);
    super::full_disk::sound(&room, &data);
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
    let first = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    let row: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
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
        text.push_str(&String::from_utf8(resumed.chunk().await.unwrap().unwrap().to_vec()).unwrap());
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
    let csv = audit(&["--actor", "local", "--output", "csv"]);
    assert!(csv.contains("time,kind,actor,what") && csv.contains("r-1") && !csv.contains("r-2"), "{csv}");
    assert!(audit(&["--until", "1d"]).contains("nothing since"), "before it began");
    assert!(audit(&["--kind", "rumours"]).starts_with("exit code 69"));
    assert!(audit(&["--since", "yesterday"]).starts_with("exit code 2"));
    assert!(audit(&["--follow", "--output", "csv"]).starts_with("exit code 2"));
    node.stop();
}
