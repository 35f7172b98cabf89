//! Long answers: they are broken off once what their caller may do has changed. And the first use of a token, which waits for a file.

use super::super::reports::CSV;
use super::super::{NDJSON, Setup};
use super::persons::{PASSWORD, access};
use super::{Chain, setup};
use axum::body::Body;
use http::Method;
use http_body_util::BodyExt;
use onhand_app::central::{Central, CentralLevel, CentralModel};
use onhand_app::ports::Vault;
use onhand_disk::{Disk, DiskFile, OpenMode, RealDisk};
use onhand_domain::identity::PrincipalId;
use onhand_domain::stock::LevelAfter;
use onhand_domain::{Quantity, Sku, StoreId, Timestamp};
use onhand_vault::FileVault;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use uuid::Uuid;

const NDJSON_WANTED: (&str, &str) = ("accept", NDJSON);
const WHOLE: (&str, &str) = ("accept", "application/vnd.onhand.central+json");

/// Reads one piece, changes something, and reads on: what comes then is an error, and not the end.
async fn is_cut(mut body: Body, change: impl Future<Output = ()>) {
    body.frame().await.unwrap().unwrap();
    change.await;
    assert!(body.frame().await.unwrap().is_err(), "the rest is cut");
    assert!(body.frame().await.is_none());
}

async fn revoke(chain: &Chain, id: &str) {
    chain.say(Method::DELETE, &format!("/tokens/{id}"), &chain.admin, "").await.is(200, "");
}

/// A model with so many levels in each of three stores.
fn central(levels: u64) -> Arc<CentralModel> {
    let mut central = Central::default();
    let node = Uuid::from_u128(7);
    for number in 0..3 * levels {
        let store = ["BERLIN", "PARIS", "ROME"][usize::try_from(number % 3).unwrap()];
        let place = (StoreId::new(store).unwrap(), Sku::new(&format!("S-{number:05}")).unwrap());
        let numbers = LevelAfter { on_hand: Quantity::new(1).unwrap(), reserved: Quantity::ZERO, version: 1 };
        central.put(&place, CentralLevel { ledger: node, node, numbers, updated_at: Timestamp::EPOCH });
    }
    Arc::new(CentralModel::new(central))
}

#[tokio::test]
async fn a_table_is_cut_when_its_callers_token_is_revoked() {
    let chain = Chain::open().await;
    let operations: Vec<Value> = (0..2_500)
        .map(|number| json!({"op": "adjust", "storeId": "BERLIN", "sku": format!("S-{number}"), "delta": 1}))
        .collect();
    let batch = json!({ "operations": operations }).to_string();
    chain.say(Method::POST, "/inventory/batch", &chain.admin, &batch).await.is(200, "");
    for path in ["/stock/current", "/stock/movements"] {
        let (viewer, id) = chain.token("service", r#"[{"role":"viewer"}]"#).await;
        let body = chain.node.open_stream(path, &[CSV, ("authorization", &viewer)]).await;
        is_cut(body, revoke(&chain, &id)).await;
    }
}

#[tokio::test]
async fn a_stream_ends_when_another_process_has_ended_its_session() {
    let chain = Chain::open().await;
    let id = chain.person("ada", json!([{"role": "viewer"}])).await;
    let session = chain.log_in(json!({"login": "ada", "password": PASSWORD})).await;
    let headers = [NDJSON_WANTED, ("authorization", &access(&session))];
    let mut follower = chain.node.open_stream("/events", &headers).await;
    follower.frame().await.unwrap().unwrap();
    let other = FileVault::open(Arc::new(RealDisk), chain.node.directory.path().join("identity")).unwrap();
    other.end_sessions_of(&PrincipalId::new(&id).unwrap(), None).unwrap();
    assert!(follower.frame().await.is_none(), "nothing happens in the log, and yet it ends");
    chain.get("/auth/me", &access(&session)).await.is(401, "unauthorized");
}

#[tokio::test]
async fn the_whole_of_central_is_cut_when_its_callers_token_is_revoked() {
    let chain = Chain::of(Setup { central: Some(central(1_000)), ..setup() }).await;
    let (viewer, id) = chain.token("service", r#"[{"role":"viewer"}]"#).await;
    let body = chain.node.open_stream("/central/inventory", &[WHOLE, ("authorization", &viewer)]).await;
    is_cut(body, revoke(&chain, &id)).await;
}

#[tokio::test]
async fn central_within_a_scope_is_that_of_its_stores() {
    let chain = Chain::of(Setup { central: Some(central(1_200)), ..setup() }).await;
    let grants = r#"[{"permission":"central:read","stores":["ROME","BERLIN","NOWHERE"]}]"#;
    let (reader, _) = chain.token("service", grants).await;
    let whole = chain.node.get_with("/central/inventory", &[WHOLE, ("authorization", &reader)]).await;
    let counts: Vec<(&str, usize)> = whole
        .json
        .as_object()
        .unwrap()
        .iter()
        .map(|(store, levels)| (store.as_str(), levels.as_object().unwrap().len()))
        .collect();
    assert_eq!(counts, [("BERLIN", 1_200), ("ROME", 1_200)]);
    let (mut path, mut walked) = ("/central/inventory?limit=1000".to_owned(), Vec::new());
    loop {
        let page = chain.get(&path, &reader).await;
        assert_eq!(page.is(200, "").json["partial"], true);
        let items = page.json["items"].as_array().unwrap().iter();
        walked.extend(items.map(|level| format!("{} {}", level["storeId"], level["sku"])));
        let Some(cursor) = page.json["nextCursor"].as_str() else { break };
        path = format!("/central/inventory?limit=1000&cursor={cursor}");
    }
    assert_eq!((walked.len(), walked.is_sorted()), (2_400, true));
}

/// A disk that reads a token only once somebody says so.
struct Waiting(Mutex<Receiver<()>>);

impl Disk for Waiting {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        if mode == OpenMode::Read && path.parent().is_some_and(|folder| folder.ends_with("tokens")) {
            self.0.lock().recv_timeout(Duration::from_secs(10)).map_err(io::Error::other)?;
        }
        RealDisk.open(path, mode)
    }

    fn open_dir(&self, directory: &Path) -> io::Result<Arc<dyn DiskFile>> {
        RealDisk.open_dir(directory)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(directory)
    }

    fn create_dir_all(&self, directory: &Path) -> io::Result<()> {
        RealDisk.create_dir_all(directory)
    }

    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        RealDisk.sync_dir(directory)
    }
}

/// The runtime has one thread: a request that blocks it lets no other go on.
#[tokio::test]
async fn the_first_use_of_a_token_holds_up_no_other_request() {
    let chain = Chain::open().await;
    let (viewer, _) = chain.token("service", r#"[{"role":"viewer"}]"#).await;
    let directory = Arc::clone(&chain.node.directory);
    let (read, waiting) = channel();
    let disk = Arc::new(Waiting(Mutex::new(waiting)));
    let vault = FileVault::open(disk, directory.path().join("identity")).unwrap();
    let node = chain.node.restart(Setup { vault: Some(Arc::new(vault)), ..Setup::default() });
    let others = async {
        tokio::task::yield_now().await;
        node.get("/health").await.is(200, "");
        read.send(()).unwrap();
    };
    let headers = [("authorization", &*viewer)];
    let (answer, ()) = tokio::join!(node.get_with("/stock/current", &headers), others);
    answer.is(200, "");
    drop(read);
    node.get_with("/stock/current", &headers).await.is(200, "");
}
