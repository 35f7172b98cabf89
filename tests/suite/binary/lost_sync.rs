//! Two `onhand serve` on one data directory: a sync of the first fails while the second requests its leases.

use super::api::Api;
use super::process::{Node, verify};
use super::sick_disk::with_failing_syncs;
use rustix::process::Signal;
use serde_json::json;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// No probe succeeds during the test.
const OPTIONS: [&str; 5] = ["--locks-enabled", "--breaker-cooldown-ms", "600000", "--rate-limit-rps", "0"];
const CHANGE: &str = "/stores/LONDON/inventory/TEA/adjust";

/// Posts a change until it is answered with 200.
async fn insist(api: &Api, key: &str, delta: i64) {
    let begun = Instant::now();
    loop {
        match api.try_post(CHANGE, &[("idempotency-key", key)], &json!({ "delta": delta })).await {
            Ok(reply) if reply.status == 200 => return,
            Ok(reply) => assert_eq!(reply.status, 503, "{}", reply.text),
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(60), "{error}"),
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{key} is never taken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_sync_failed_is_there_once_or_never_when_others_go_on() {
    for stopped in [Signal::TERM, Signal::KILL] {
        let directory = TempDir::new().unwrap();
        // The start syncs a few files; a later sync of the writer fails.
        let Some(program) = with_failing_syncs("30") else { return };
        let mut arguments = OPTIONS.to_vec();
        arguments.extend(["--sync", "off"]);
        let one = Node::start_as(program, directory.path(), &arguments);
        let two = Node::start(directory.path(), &arguments);
        let (first, second) = (Api::of(&one), Api::of(&two));
        let mut keys = Vec::new();
        let lost = loop {
            let key = format!("k-{}", keys.len());
            let reply = first.post(CHANGE, &[("idempotency-key", &key)], &json!({"delta": 10})).await;
            if reply.status != 200 {
                reply.is(503, "outcome-unknown");
                break key;
            }
            keys.push(key);
            assert!(keys.len() < 200, "no sync fails");
        };
        insist(&second, "taken", -2).await;
        one.process.signal(stopped);
        let ended = tokio::task::spawn_blocking(move || one.process.wait()).await.unwrap();
        assert!(matches!(ended.code, None | Some(74 | 75)), "{stopped:?} {ended:?}");
        insist(&second, "after", -3).await;
        let again = Node::start(directory.path(), &arguments);
        let third = Api::of(&again);
        insist(&third, &lost, 10).await;
        insist(&second, &lost, 10).await;
        let sum = i64::try_from(keys.len() + 1).unwrap() * 10 - 5;
        for api in [&second, &third] {
            let (_, on_hand, _, version) = api.get("/stores/LONDON/inventory/TEA").await.level();
            assert_eq!((on_hand, version), (sum, keys.len() as u64 + 3), "{stopped:?}");
        }
        again.stop();
        two.stop();
        println!("{}", verify(directory.path()));
    }
}
