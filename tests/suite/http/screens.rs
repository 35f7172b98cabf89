//! The feed for screens: under load levels come in the place of their events.

use super::feed::{LEVEL, filled};
use super::{NDJSON, Scratch, Setup};
use onhand_sim_machine::disk::{DiskOperation, Fault, Injection, SimDisk};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn a_screen_gets_the_levels_in_the_place_of_many_events() {
    let node = filled().await;
    let end = node.get("/events?limit=0").await.json["end"].as_u64().unwrap();
    let mut stream = node.follow(&format!("/events?latest=true&after={end}"), NDJSON, &[]).await;
    node.stock(LEVEL, 1).await;
    assert_eq!(stream.event().await.unwrap()["sequence"], end + 1, "a few changes come as events");
    for _ in 0..150 {
        node.stock(LEVEL, 1).await;
    }
    node.stock("/stores/S9/inventory/other", 1).await;
    let piece = stream.event().await.unwrap();
    assert_eq!((&piece["from"], &piece["through"]), (&json!(end + 1), &json!(end + 152)), "{piece}");
    assert_eq!((piece["levels"].as_array().unwrap().len(), &piece["others"]), (2, &json!(false)));
    for level in piece["levels"].as_array().unwrap() {
        let path = format!(
            "/stores/{}/inventory/{}",
            level["storeId"].as_str().unwrap(),
            level["sku"].as_str().unwrap()
        );
        assert_eq!(*level, node.get(&path).await.json);
    }
    node.stock(LEVEL, 1).await;
    assert_eq!(stream.event().await.unwrap()["sequence"], end + 153);
    node.get_with("/events?latest=true&sku=A-1", &[("accept", NDJSON)]).await.is(400, "invalid-request");
}

#[tokio::test]
async fn a_screen_that_begins_in_the_past_gets_the_events_up_to_now() {
    let node = filled().await;
    for _ in 0..150 {
        node.stock(LEVEL, 1).await;
    }
    let end = node.get("/events?limit=0").await.json["end"].as_u64().unwrap();
    let mut stream = node.follow("/events?latest=true&after=0", NDJSON, &[]).await;
    for sequence in 1..=end {
        assert_eq!(stream.event().await.unwrap()["sequence"], sequence);
    }
}

/// Whatever comes in the place of what: who applies all of it has what the node has.
#[tokio::test(flavor = "multi_thread")]
async fn screens_end_with_the_stock_of_the_node() {
    let node = Arc::new(filled().await);
    let begin = node.get("/events?limit=0").await.json["end"].as_u64().unwrap();
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(node.follow(&format!("/events?latest=true&after={begin}"), NDJSON, &[]).await);
    }
    let writers = (0..4).map(|writer| {
        let node = Arc::clone(&node);
        tokio::spawn(async move {
            for round in 0..400 {
                node.stock(&format!("/stores/S{}/inventory/A-{}", round % 3, (round + writer) % 5), 1).await;
            }
        })
    });
    futures_util::future::join_all(writers.collect::<Vec<_>>()).await.into_iter().for_each(Result::unwrap);
    let end = node.get("/events?limit=0").await.json["end"].as_u64().unwrap();
    assert_eq!(end, begin + 1_600);
    let mut pieces = 0;
    for stream in &mut streams {
        let (mut levels, mut through) = (std::collections::BTreeMap::new(), begin);
        while through < end {
            let seen = stream.event().await.unwrap();
            let moved: Vec<Value> = if let Some(latest) = seen["levels"].as_array() {
                assert_eq!(seen["from"], through, "no gap");
                pieces += 1;
                latest.clone()
            } else {
                assert_eq!(seen["sequence"], through + 1, "no gap");
                vec![
                    json!({"storeId": seen["payload"]["storeId"], "sku": seen["payload"]["sku"], "version": seen["after"]["version"]}),
                ]
            };
            through = seen["through"].as_u64().or(seen["sequence"].as_u64()).unwrap();
            for level in moved {
                let version = level["version"].as_u64().unwrap();
                let known =
                    levels.entry((level["storeId"].to_string(), level["sku"].to_string())).or_insert(0);
                *known = version.max(*known);
            }
        }
        for ((store_id, sku), version) in levels {
            let path = format!("/stores/{store_id}/inventory/{sku}").replace('"', "");
            assert_eq!(node.get(&path).await.json["version"], version, "{path}");
        }
    }
    assert!(pieces > 0, "levels came in the place of events");
}

/// A rolled back change was never shown, so it says nothing about the changes a screen has missed.
#[tokio::test]
async fn a_screen_that_begins_in_the_past_gets_all_events_after_a_disk_fault_too() {
    let disk = SimDisk::new(1);
    let node = Scratch::open(Setup { disk: Arc::new(disk.clone()), ..Setup::default() });
    for number in 0..150 {
        node.stock(&format!("/stores/S1/inventory/A-{number}"), 1).await;
    }
    let mut first = node.follow("/events?latest=true&after=150", NDJSON, &[]).await;
    disk.inject(Injection::at(1, Fault::Eio).only(DiskOperation::WriteAt).sticky());
    node.post("/stores/S1/inventory/NEW/adjust", &[], r#"{"delta":1}"#).await.is(503, "read-only");
    disk.clear_faults();
    while node.get("/readyz").await.status != 200 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    node.stock(LEVEL, 1).await;
    assert_eq!(first.event().await.unwrap()["sequence"], 151);
    let mut second = node.follow("/events?latest=true&after=0", NDJSON, &[]).await;
    for sequence in 1..=151 {
        assert_eq!(second.event().await.unwrap()["sequence"], sequence);
    }
}
