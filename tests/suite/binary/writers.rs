//! Two hundred concurrent writers on one SKU: nothing is lost, nothing happens twice, and the versions give the order.

use super::api::{Api, Reply};
use super::process::{Node, verify};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const WRITERS: usize = 200;
const LEVEL: &str = "/stores/LONDON/inventory/TEA";

/// Runs one story per writer, all started at the same moment.
async fn at_once<F, T>(api: &Api, story: impl Fn(Api, usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let start = Arc::new(Barrier::new(WRITERS));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (start, story) = (Arc::clone(&start), story(api.clone(), writer));
        writers.spawn(async move {
            start.wait().await;
            story.await
        });
    }
    writers.join_all().await
}

async fn adjust(api: &Api, delta: i64, headers: &[(&str, &str)]) -> Reply {
    api.post(&format!("{LEVEL}/adjust"), headers, &json!({"delta": delta})).await
}

fn version(reply: &Reply) -> u64 {
    let (_, _, _, version) = reply.level();
    assert_eq!(reply.header("etag"), Some(format!("\"{version}\"").as_str()));
    version
}

/// Checks the history of the level: each movement starts where the one before it ended.
async fn chained(api: &Api, movements: u64) -> Vec<Value> {
    let items = api.items(&format!("{LEVEL}/history")).await;
    assert_eq!(items.len() as u64, movements);
    for (place, pair) in items.windows(2).enumerate() {
        assert_eq!(pair[0]["after"], pair[1]["before"], "after movement {place}");
        assert!(pair[0]["sequence"].as_u64() < pair[1]["sequence"].as_u64());
    }
    let versions = items.iter().map(|item| item["after"]["version"].as_u64().unwrap());
    assert!(versions.eq(1..=movements), "versions rise by one from 1 to {movements}");
    items
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_precondition_every_change_counts() {
    const EACH: u64 = 10;
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    let seen = at_once(&api, |api, writer| async move {
        let mut versions = Vec::new();
        for round in 0..EACH {
            // Every tenth piece is taken out again, so that the sum is not simply the version.
            let delta = if (writer as u64 + round) % 10 == 9 { -1 } else { 2 };
            let reply = adjust(&api, delta, &[]).await;
            if reply.status == 409 {
                assert_eq!(reply.json["code"], "insufficient-stock");
                continue;
            }
            versions.push((version(&reply), delta, reply.level().1));
        }
        assert!(versions.is_sorted(), "one writer sees the versions rise");
        versions
    })
    .await;
    let mut seen: Vec<_> = seen.into_iter().flatten().collect();
    seen.sort_unstable();
    let mut on_hand = 0;
    for (place, (version, delta, answered)) in seen.iter().enumerate() {
        on_hand += delta;
        assert_eq!(
            (*version, *answered),
            (place as u64 + 1, on_hand),
            "each version was given once, in order"
        );
    }
    let total = seen.len() as u64;
    assert!(total > EACH * WRITERS as u64 * 8 / 10);
    assert_eq!(api.get(LEVEL).await.level(), (on_hand, on_hand, 0, total));
    chained(&api, total).await;
    node.stop();
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_if_match_every_writer_gets_through_once() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    adjust(&api, 1, &[]).await.is(200, "");
    let seen = at_once(&api, |api, _| async move {
        let mut known = version(&api.get(LEVEL).await);
        loop {
            let reply = adjust(&api, 1, &[("if-match", &format!("\"{known}\""))]).await;
            if reply.status == 200 {
                assert_eq!(version(&reply), known + 1, "the version named is the one it was changed from");
                return known + 1;
            }
            reply.is(409, "version-conflict");
            let current = reply.json["currentVersion"].as_u64().unwrap();
            assert!(current > known, "a conflict names a later version");
            assert_eq!(reply.header("etag"), Some(format!("\"{current}\"").as_str()));
            known = current;
        }
    })
    .await;
    let versions: BTreeSet<u64> = seen.into_iter().collect();
    assert!(versions.into_iter().eq(2..=WRITERS as u64 + 1));
    let pieces = WRITERS.cast_signed() as i64 + 1;
    assert_eq!(api.get(LEVEL).await.level(), (pieces, pieces, 0, WRITERS as u64 + 1));
    chained(&api, WRITERS as u64 + 1).await;
    node.stop();
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_sent_many_times_at_once_has_one_effect() {
    const KEYS: usize = 20;
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    adjust(&api, 1000, &[]).await.is(200, "");
    let seen = at_once(&api, |api, writer| async move {
        let key = format!("order-{}", writer % KEYS);
        let path = format!("{LEVEL}/reserve");
        let reply = api.post(&path, &[("idempotency-key", &key)], &json!({"qty": 1})).await;
        reply.is(200, "");
        let other = api.post(&path, &[("idempotency-key", &key)], &json!({"qty": 2})).await;
        other.is(409, "idempotency-key-reused");
        (key, reply)
    })
    .await;
    for number in 0..KEYS {
        let key = format!("order-{number}");
        let replies: Vec<&Reply> =
            seen.iter().filter(|(other, _)| *other == key).map(|(_, reply)| reply).collect();
        assert_eq!(
            replies.iter().filter(|reply| !reply.replayed()).count(),
            1,
            "{key}: one answer is the first"
        );
        assert!(replies.iter().all(|reply| reply.text == replies[0].text), "{key}: all answers are alike");
        assert!(replies.iter().all(|reply| reply.header("etag") == replies[0].header("etag")));
    }
    let (keys, version) = (KEYS.cast_signed() as i64, KEYS as u64 + 1);
    assert_eq!(api.get(LEVEL).await.level(), (1000 - keys, 1000, keys, version));
    chained(&api, version).await;
    node.stop();
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_pieces_are_sold_once() {
    const PIECES: i64 = 100;
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    adjust(&api, PIECES, &[]).await.is(200, "");
    let seen = at_once(&api, |api, writer| async move {
        let key = format!("buyer-{writer}");
        let path = format!("{LEVEL}/reserve");
        let body = json!({"qty": 1, "reservationId": key});
        let headers = [("idempotency-key", key.as_str())];
        let (first, second) =
            tokio::join!(api.post(&path, &headers, &body), api.post(&path, &headers, &body));
        if first.status == 409 {
            assert_eq!(first.is(409, "insufficient-stock").json["available"], 0);
            second.is(409, "insufficient-stock");
            return false;
        }
        assert_eq!(first.text, second.text, "a buyer who clicks twice is told the same");
        let body = json!({"reservationId": key});
        api.post(&format!("{LEVEL}/commit"), &[], &body).await.is(200, "");
        true
    })
    .await;
    assert_eq!(seen.into_iter().filter(|sold| *sold).count() as u64, PIECES.unsigned_abs());
    assert_eq!(api.get(LEVEL).await.level(), (0, 0, 0, 1 + 2 * PIECES.unsigned_abs()));
    chained(&api, 1 + 2 * PIECES.unsigned_abs()).await;
    node.stop();
    verify(directory.path());
}
