//! The change feed: pages, filters, streams, readers that come back, readers that are slow.

use super::{NDJSON, SSE, Scratch, Setup, request};
use axum::body::Body;
use http::Method;
use onhand::app::ports::{History, HistoryError, Moment, Movement, MovementQuery};
use onhand::domain::{Entry, Key, Sequence, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const LEVEL: &str = "/stores/S1/inventory/A-1";

fn sequences(page: &Value) -> Vec<u64> {
    page["items"].as_array().unwrap().iter().map(|item| item["sequence"].as_u64().unwrap()).collect()
}

/// A log with seven events: five movements of three levels, an import with one.
async fn filled() -> Scratch {
    let node = Scratch::new();
    node.stock(LEVEL, 5).await;
    node.stock("/stores/S1/inventory/B", 5).await;
    node.stock("/stores/S2/inventory/A-1", 5).await;
    node.post(&format!("{LEVEL}/reserve"), &[("x-request-id", "till-7")], r#"{"qty":2,"reservationId":"r"}"#)
        .await;
    node.post(&format!("{LEVEL}/commit"), &[], r#"{"reservationId":"r"}"#).await;
    let row = json!({"row": 1, "storeId": "S2", "sku": "C", "kind": "stock-in", "quantity": 4});
    let step = json!({"afterRow": 0, "throughRow": 1, "last": true, "rows": [row]});
    node.post("/imports/f/rows", &[], &step.to_string()).await.is(200, "");
    node
}

#[tokio::test]
async fn a_page_tells_what_happened_with_the_state_before_and_after() {
    let node = filled().await;
    let page = node.get("/api/events").await;
    page.is(200, "");
    assert_eq!(sequences(&page.json), [1, 2, 3, 4, 5, 6, 7]);
    let told = ["node", "through", "end", "nextCursor"].map(|member| page.json[member].clone());
    assert_eq!(json!(told), json!([node.id, 7, 7, null]));
    let reserve = &page.json["items"][3];
    assert_eq!((&reserve["type"], &reserve["requestId"]), (&"RESERVE".into(), &"till-7".into()));
    assert_eq!((&reserve["node"], &reserve["actor"]), (&json!(node.id), &"anonymous".into()));
    assert_eq!(reserve["payload"], json!({"storeId": "S1", "sku": "A-1", "qty": 2, "reservationId": "r"}));
    assert_eq!(reserve["before"], json!({"qty": 5, "onHand": 5, "reserved": 0, "version": 1}));
    assert_eq!(reserve["after"], json!({"qty": 3, "onHand": 5, "reserved": 2, "version": 2}));
    let import = page.json["items"].as_array().unwrap().iter().find(|item| item["type"] == "IMPORT").unwrap();
    assert_eq!(import["before"], json!({"rowsDone": 0, "applied": 0, "refused": 0, "version": 0}));
    assert_eq!(import["after"], json!({"rowsDone": 1, "applied": 1, "refused": 0, "version": 1}));
}

#[tokio::test]
async fn pages_are_filtered_and_lead_to_one_another() {
    let node = filled().await;
    let times = node.get("/events").await.json["items"].clone();
    let since = |place: usize| times[place]["ts"].as_str().unwrap().to_owned();
    let at_or_after = |from: &str| {
        (1..=7).filter(|place| since(place - 1).as_str() >= from).map(|place| place as u64).collect()
    };
    let rows: Vec<(String, Vec<u64>)> = vec![
        ("storeId=S1&sku=A-1".into(), vec![1, 4, 5]),
        ("storeId=S1&sku=A-1&type=COMMIT".into(), vec![5]),
        ("storeId=S1&sku=A-1&after=1".into(), vec![4, 5]),
        ("storeId=S1".into(), vec![1, 2, 4, 5]),
        ("sku=A-1".into(), vec![1, 3, 4, 5]),
        ("type=ADJUST&storeId=S2&sku=NONE".into(), vec![]),
        ("after=6".into(), vec![7]),
        ("after=7".into(), vec![]),
        ("after=99".into(), vec![]),
        ("limit=0".into(), vec![]),
        (format!("since={}", since(4)), at_or_after(&since(4))),
        ("since=2999-01-01T00:00:00Z".into(), vec![]),
        ("since=2999-01-01T00:00:00Z&storeId=S1&sku=A-1".into(), vec![]),
        ("since=1999-01-01T00:00:00Z&storeId=S1&sku=A-1".into(), vec![1, 4, 5]),
    ];
    for (query, expected) in rows {
        let page = node.get(&format!("/events?{query}")).await;
        assert_eq!(sequences(&page.is(200, "").json), expected, "{query}");
        assert_eq!((&page.json["end"], &page.json["nextCursor"]), (&7.into(), &Value::Null), "{query}");
        // Page by page it is the same.
        if query.contains("limit") {
            continue;
        }
        let (mut path, mut walked) = (format!("/events?{query}&limit=1"), Vec::new());
        loop {
            let page = node.get(&path).await;
            walked.extend(sequences(&page.json));
            let Some(link) = page.header("link") else { break };
            path = link.strip_prefix('<').unwrap().split_once('>').unwrap().0.to_owned();
        }
        assert_eq!(walked, expected, "{query}, one by one");
    }
    assert_eq!(node.get("/events?after=99").await.json["through"], 99);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let node = filled().await;
    for (query, parameter) in [
        ("after=-1", "after"),
        ("after=x", "after"),
        ("limit=1001", "limit"),
        ("type=THEFT", "type"),
        ("storeId=a%20b", "storeId"),
        ("since=noon", "since"),
        ("follow=true", "follow"),
    ] {
        let answer = node.get(&format!("/events?{query}")).await;
        assert_eq!(answer.is(400, "invalid-request").json["errors"][0]["parameter"], parameter, "{query}");
    }
    node.get("/events?cursor=x").await.is(400, "invalid-cursor");
    let first = node.get("/events?limit=1").await;
    let cursor = first.json["nextCursor"].as_str().unwrap();
    node.get(&format!("/events?after=1&cursor={cursor}")).await.is(400, "invalid-request");
    for form in [SSE, NDJSON] {
        for (query, id) in [("limit=5", "1"), ("cursor=x", "1"), ("after=8", ""), ("", "8"), ("", "x")] {
            let mut headers = vec![("accept", form)];
            headers.extend((!id.is_empty()).then_some(("last-event-id", id)));
            node.get_with(&format!("/events?{query}"), &headers).await.is(400, "invalid-request");
        }
    }
}

#[tokio::test]
async fn a_stream_goes_on_as_things_happen() {
    for form in [SSE, NDJSON] {
        // A browser that comes back names the last event it saw, whatever the address says.
        for (headers, old) in [(vec![], vec![4, 5]), (vec![("last-event-id", "4")], vec![5])] {
            let node = filled().await;
            let mut stream = node.follow("/events?storeId=S1&sku=A-1&after=1", form, &headers).await;
            for sequence in old {
                assert_eq!(stream.event().await.unwrap()["sequence"], sequence);
            }
            let later = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                node.stock("/stores/S9/inventory/other", 1).await;
                node.stock(LEVEL, 1).await;
            };
            let (event, ()) = tokio::join!(stream.event(), later);
            assert_eq!(event.unwrap()["sequence"], 9);
            node.post(&format!("{LEVEL}/adjust"), &[], r#"{"delta":-1}"#).await.is(200, "");
            assert_eq!(stream.event().await.unwrap()["sequence"], 10);
        }
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_node() {
    let node = filled().await;
    let mut stream = node.follow("/events?after=7", SSE, &[]).await;
    let ending = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        node.shutdown.cancel();
    };
    let (last, ()) = tokio::join!(stream.event(), ending);
    assert_eq!(last, None);
    // One that comes now is sent away at once.
    assert_eq!(node.follow("/events", NDJSON, &[]).await.event().await, None);
}

#[tokio::test]
async fn only_so_many_follow_at_once() {
    let node = filled().await;
    let mut streams = Vec::new();
    for _ in 0..512 {
        streams.push(node.follow("/events?after=7", NDJSON, &[]).await);
    }
    node.get_with("/events", &[("accept", NDJSON)]).await.is(503, "overloaded");
    node.get("/events").await.is(200, "");
    drop(streams.pop());
    node.follow("/events", NDJSON, &[]).await.event().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_shows_that_it_lives() {
    let node = Scratch::new();
    for (form, greeting, heartbeat) in
        [(SSE, Some("retry: 1000\n\n"), ": heartbeat\n\n"), (NDJSON, None, "\n")]
    {
        let mut stream = node.follow("/events", form, &[]).await;
        if let Some(greeting) = greeting {
            assert_eq!(stream.piece().await.unwrap(), greeting);
        }
        for _ in 0..3 {
            let begun = tokio::time::Instant::now();
            assert_eq!(stream.piece().await.unwrap(), heartbeat);
            assert_eq!(begun.elapsed().as_secs(), 15);
        }
    }
}

#[tokio::test]
async fn a_reader_that_comes_back_at_random_sees_everything_once() {
    let mut random = fastrand::Rng::with_seed(20_261_120);
    // Segments of a few lines, so that the readers go through many of them, sealed and not.
    let setup = |node: Option<&Scratch>| Setup {
        segment_bytes: 4 << 10,
        directory: node.map_or_else(|| Setup::default().directory, |node| Arc::clone(&node.directory)),
        ..Setup::default()
    };
    let mut node = Scratch::open(setup(None));
    let mut versions = std::collections::BTreeMap::new();
    let (mut written, mut seen) = (0, 0);
    for round in 0..60 {
        let writes = random.u64(0..10);
        let form = if random.bool() { SSE } else { NDJSON };
        let wanted = random.u64(0..=written + writes - seen);
        let mut stream = node.follow(&format!("/events?after={seen}"), form, &[]).await;
        let skus: Vec<u64> = (0..writes).map(|_| random.u64(0..5)).collect();
        let writing = async {
            for sku in skus {
                node.stock(&format!("/stores/S1/inventory/SKU-{sku}"), 1).await;
            }
        };
        let reading = async {
            let mut read = Vec::new();
            while (read.len() as u64) < wanted {
                read.push(stream.event().await.unwrap());
            }
            read
        };
        let ((), read) = tokio::join!(writing, reading);
        written += writes;
        for event in read {
            seen += 1;
            assert_eq!(event["sequence"], seen, "no gap and no repeat");
            let version = versions.entry(event["payload"]["sku"].to_string()).or_insert(0);
            assert_eq!(event["before"]["version"], *version);
            *version += 1;
            assert_eq!(event["after"]["version"], *version);
        }
        if round % 7 == 6 {
            let setup = setup(Some(&node));
            node = node.restart(setup);
        }
    }
    let segments = std::fs::read_dir(node.directory.path().join("log")).unwrap();
    let segments = segments.filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "jsonl")
    });
    assert!(segments.count() > 5, "the log has many segments");
    assert!(written > 200 && seen > 100, "{written} written, {seen} seen");
}

/// Counts what is read of the log.
struct Counting(Arc<dyn History>);

static READ: AtomicUsize = AtomicUsize::new(0);

impl History for Counting {
    fn entry(&self, sequence: Sequence) -> Result<Option<Entry>, HistoryError> {
        self.0.entry(sequence)
    }

    fn events(&self, after: Sequence, upto: Sequence, limit: usize) -> Result<Vec<Movement>, HistoryError> {
        let events = self.0.events(after, upto, limit)?;
        READ.fetch_add(events.len(), Ordering::SeqCst);
        Ok(events)
    }

    fn sequence_at(&self, at: Timestamp) -> Result<Sequence, HistoryError> {
        self.0.sequence_at(at)
    }

    fn movements(&self, key: &Key, query: &MovementQuery) -> Result<Vec<Movement>, HistoryError> {
        self.0.movements(key, query)
    }

    fn last_before(&self, key: &Key, moment: Moment) -> Result<Option<Movement>, HistoryError> {
        self.0.last_before(key, moment)
    }
}

#[tokio::test]
async fn a_reader_that_stops_reading_costs_one_piece() {
    let node = Scratch::open(Setup { watch: |history| Arc::new(Counting(history)), ..Setup::default() });
    let operations: Vec<Value> = (0..2_000)
        .map(|number| json!({"op": "adjust", "storeId": "S1", "sku": format!("SKU-{number}"), "delta": 1}))
        .collect();
    let batch = json!({ "operations": operations }).to_string();
    node.post("/inventory/batch", &[], &batch).await.is(200, "");
    READ.store(0, Ordering::SeqCst);
    let mut stream = node.follow("/events", NDJSON, &[]).await;
    stream.event().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let read = READ.load(Ordering::SeqCst);
    assert!((1..=512).contains(&read), "{read} events were read for a reader that took one piece");
    let mut seen = 1;
    while seen < 2_000 {
        stream.event().await.unwrap();
        seen += 1;
    }
    assert_eq!(READ.load(Ordering::SeqCst), 2_000, "each event was read once");
}

#[tokio::test]
async fn head_and_other_methods_do_not_follow() {
    let node = filled().await;
    let head = node.send(request(Method::HEAD, "/events", &[], Body::empty())).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    node.send(request(Method::POST, "/events", &[], Body::empty())).await.is(405, "method-not-allowed");
}
