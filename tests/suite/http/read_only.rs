//! The disk fails: the answers for a client, the answers for an orchestrator, and the recovery.

use super::{Answer, Scratch, Setup};
use onhand_sim_machine::disk::{DiskOperation, Fault, Injection, SimDisk};
use std::sync::Arc;
use std::time::Duration;

const LEVEL: &str = "/stores/LONDON/inventory/A-1";

async fn reserve(node: &Scratch, qty: i64, key: &str) -> Answer {
    let body = format!(r#"{{"qty":{qty}}}"#);
    node.post(&format!("{LEVEL}/reserve"), &[("idempotency-key", key)], &body).await
}

#[tokio::test]
async fn a_disk_that_refuses_makes_the_node_read_only_until_it_is_well() {
    for (operation, first) in
        [(DiskOperation::SyncData, "outcome-unknown"), (DiskOperation::WriteAt, "read-only")]
    {
        let disk = SimDisk::new(1);
        let node = Scratch::open(Setup { disk: Arc::new(disk.clone()), ..Setup::default() });
        node.stock(LEVEL, 5).await;
        reserve(&node, 1, "one").await.is(200, "");
        disk.inject(Injection::at(1, Fault::Eio).only(operation).sticky());
        reserve(&node, 1, "two").await.is(503, first);
        let refused = reserve(&node, 1, "three").await;
        refused.is(503, "read-only");
        assert_eq!(
            (refused.header("retry-after"), &refused.json["retryAfterMs"]),
            (Some("5"), &5_000.into())
        );

        let level = node.get(LEVEL).await;
        assert_eq!(
            (level.status.as_u16(), &level.json["qty"], &level.json["version"]),
            (200, &4.into(), &2.into())
        );
        let again = reserve(&node, 1, "one").await;
        assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (200, Some("true")));
        reserve(&node, 100, "four").await.is(409, "insufficient-stock");
        assert_eq!(node.get("/events").await.json["items"].as_array().unwrap().len(), 2);
        let readiness = node.get("/readyz").await;
        readiness.is(503, "not-ready");
        assert_eq!((&readiness.json["mode"], &readiness.json["ready"]), (&"read-only".into(), &false.into()));
        assert_ne!(readiness.json["breakers"]["storage"], "closed");
        node.get("/livez").await.is(200, "");

        disk.clear_faults();
        while node.get("/readyz").await.status != 200 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let ready = node.get("/readyz").await.json;
        assert_eq!((&ready["mode"], &ready["breakers"]["storage"]), (&"normal".into(), &"closed".into()));
        for key in ["two", "two", "three"] {
            reserve(&node, 1, key).await.is(200, "");
        }
        assert_eq!(node.get(LEVEL).await.json["qty"], 2, "each once");
    }
}

/// A node that stops while its disk fails has one more reason to be not ready: a probe that has seen it is not waited for.
#[tokio::test]
async fn the_readiness_of_a_read_only_node_reports_its_stop() {
    const FOR_EVER: Duration = Duration::from_secs(3_600);
    let disk = SimDisk::new(1);
    let node = Scratch::open(Setup { disk: Arc::new(disk.clone()), ..Setup::default() });
    node.stock(LEVEL, 5).await;
    disk.inject(Injection::at(1, Fault::Eio).only(DiskOperation::WriteAt).sticky());
    reserve(&node, 1, "one").await.is(503, "read-only");
    node.get("/readyz").await.is(503, "not-ready");
    let told = async { tokio::join!(node.node.draining.announce(FOR_EVER), node.get("/readyz")).1 };
    let heard = tokio::time::timeout(Duration::from_secs(60), told).await.expect("it was told");
    assert_eq!(heard.is(503, "not-ready").json["mode"], "read-only");
}

/// A change of a product that was rolled back is not waited for, even by commands that depend on it.
#[tokio::test]
async fn a_strict_rejection_is_answered_while_the_disk_fails() {
    for operation in [DiskOperation::SyncData, DiskOperation::WriteAt] {
        let disk = SimDisk::new(1);
        let node = Scratch::open(Setup { disk: Arc::new(disk.clone()), strict: true, ..Setup::default() });
        for sku in ["TEA", "CUP"] {
            node.post("/products", &[], &format!(r#"{{"sku":"{sku}","name":"{sku}"}}"#)).await.is(201, "");
        }
        node.delete("/products/CUP").await.is(204, "");
        disk.inject(Injection::at(1, Fault::Eio).only(operation).sticky());
        assert_eq!(node.delete("/products/TEA").await.status, 503);
        let answers = async {
            let mut codes = Vec::new();
            for sku in ["TEA", "CUP", "POT"] {
                let path = format!("/stores/LONDON/inventory/{sku}/adjust");
                let answer = node.post(&path, &[], r#"{"delta":1}"#).await;
                codes.push(answer.json["code"].as_str().unwrap().to_owned());
            }
            codes
        };
        let codes = tokio::time::timeout(Duration::from_secs(60), answers).await.expect("each is answered");
        assert_eq!(codes, ["read-only", "product-not-found", "product-not-found"]);
        disk.clear_faults();
        while node.get("/readyz").await.status != 200 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        node.stock("/stores/LONDON/inventory/TEA", 1).await;
    }
}
