//! The importer is killed in the middle, then the node: the import run again ends as if nothing had happened.

use super::super::api::Api;
use super::super::process::{Node, Process, verify};
use super::{Sales, generated, levels, real, refused_rows, succeeded};
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_history_survives_kills() {
    let directory = TempDir::new().unwrap();
    interrupted(&generated(directory.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_history_survives_kills() {
    let Some(sales) = real("the real trade history, interrupted") else { return };
    interrupted(&sales).await;
}

/// Killed in the middle, first the importer, then the node: the import run again ends with the same levels.
async fn interrupted(sales: &Sales) {
    let directory = TempDir::new().unwrap();
    let (data, report) = (directory.path().join("data"), directory.path().join("refused.csv"));
    let node = Node::start(&data, &["--idemp-ttl-ms", "1"]);
    let port = node.address().rsplit_once(':').unwrap().1.to_owned();
    let folded = sales.fold();
    let mut dry_run = sales.import(&node, &report);
    dry_run.arg("--dry-run");
    let told = succeeded(dry_run).stdout;
    let id = told.lines().find_map(|line| line.trim().strip_prefix("import ")).unwrap().trim().to_owned();

    let importer = Process::spawn(sales.import(&node, &report));
    comes_to(&node, &id, folded.rows / 4).await;
    importer.kill();
    let (_, rows_done) = progress(&Api::of(&node), &id).await;
    assert!(rows_done < folded.rows, "the import was over before the importer could be killed");

    let importer = Process::spawn(sales.import(&node, &report));
    comes_to(&node, &id, folded.rows / 2).await;
    node.process.kill();
    let node = Node::start(&data, &["--port", &port, "--idemp-ttl-ms", "1"]);
    let (finished, rows_done) = progress(&Api::of(&node), &id).await;
    assert!(!finished && rows_done >= folded.rows / 2, "what was shown as done is done: {rows_done}");
    let ended = tokio::task::spawn_blocking(|| importer.wait()).await.unwrap();
    assert_eq!(ended.code, Some(0), "it waits for the node to come back: {}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("going on after row"), "{}", ended.stdout);

    let again = succeeded(sales.import(&node, &report));
    assert!(again.stdout.contains("was imported before"), "{}", again.stdout);
    assert_eq!(refused_rows(&report), folded.refused);
    assert_eq!(levels(&node, &folded.levels).await, folded.levels);
    node.stop();
    verify(&data);
}

async fn progress(api: &Api, id: &str) -> (bool, u64) {
    let import = api.get(&format!("/imports/{id}")).await;
    (import.json["finished"] == true, import.json["rowsDone"].as_u64().unwrap_or(0))
}

async fn comes_to(node: &Node, id: &str, rows: u64) {
    let api = Api::of(node);
    loop {
        let (finished, rows_done) = progress(&api, id).await;
        assert!(!finished, "the import was over before it could be interrupted");
        if rows_done >= rows {
            return;
        }
    }
}
