//! The audit trail on disks that refuse, and with lines that somebody has changed.

use super::{Desk, LEVEL, count, files, what};
use crate::binary::api::Api;
use crate::binary::full_disk::sound;
use crate::binary::process::{Node, onhand, run, verify};
use crate::binary::room::Room;
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

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
    sound(&room, &data);
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
