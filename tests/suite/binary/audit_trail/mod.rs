//! The audit trail of the real binary: floods, kills, secrets, forgery, disks that refuse, several processes, streams.

mod disks;
mod table;

use super::api::{Api, Reply};
use super::process::{Node, verify};
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
