//! The change feed as a stream: readers that reconnect, readers that are slow, readers that are many.

use super::feed::{LEVEL, filled};
use super::{NDJSON, SSE, Scratch, Setup};
use onhand_app::ports::{EventPiece, EventQuery, History, HistoryError, Moment, Movement, MovementQuery};
use onhand_domain::{Entry, Key, Sequence, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[tokio::test]
async fn a_stream_goes_on_as_things_happen() {
    for form in [SSE, NDJSON] {
        // A browser that reconnects sends the last event it saw, whatever the address contains.
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
    // A further one is rejected at once.
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
    for (form, greeting, heartbeat) in [(SSE, "retry: 1000\n\n", ": heartbeat\n\n"), (NDJSON, "\n", "\n")] {
        let opened = tokio::time::Instant::now();
        let mut stream = node.follow("/events", form, &[]).await;
        assert_eq!(stream.piece().await.unwrap(), greeting);
        assert_eq!(opened.elapsed().as_secs(), 0, "a proxy may hold the head back until there is a byte");
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
    // Segments of a few lines, so that the readers pass many of them, sealed and not.
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

/// Counts the reads of the log.
struct Counting(Arc<dyn History>);

static READ: AtomicUsize = AtomicUsize::new(0);

impl History for Counting {
    fn entry(&self, sequence: Sequence) -> Result<Option<Entry>, HistoryError> {
        self.0.entry(sequence)
    }

    fn events(&self, query: &EventQuery) -> Result<EventPiece, HistoryError> {
        let piece = self.0.events(query)?;
        READ.fetch_add(piece.movements.len(), Ordering::SeqCst);
        Ok(piece)
    }

    fn end(&self) -> Result<Sequence, HistoryError> {
        self.0.end()
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_of_every_form_see_what_many_write_at_once() {
    const WRITERS: u64 = 8;
    const EACH: u64 = 25;
    let node = Arc::new(Scratch::open(Setup { segment_bytes: 8 << 10, ..Setup::default() }));
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let node = Arc::clone(&node);
        tasks.spawn(async move {
            for number in 0..EACH {
                node.stock(&format!("/stores/S{}/inventory/A-{}", number % 2, writer % 3), 1).await;
            }
        });
    }
    for (reader, form) in [SSE, NDJSON, SSE, "page"].into_iter().enumerate() {
        let node = Arc::clone(&node);
        tasks.spawn(async move {
            // The third one reads one store only, the others everything.
            let filter = if reader == 2 { "&storeId=S1" } else { "" };
            let wanted = if reader == 2 { WRITERS * (EACH / 2) } else { WRITERS * EACH };
            let mut seen: Vec<u64> = Vec::new();
            let mut after = 0;
            while (seen.len() as u64) < wanted {
                let path = format!("/events?after={after}{filter}");
                if form == "page" {
                    let page = node.get(&format!("{path}&limit=7")).await;
                    let items = page.is(200, "").json["items"].as_array().unwrap();
                    seen.extend(items.iter().map(|item| item["sequence"].as_u64().unwrap()));
                    after = page.json["through"].as_u64().unwrap();
                } else {
                    let mut stream = node.follow(&path, form, &[]).await;
                    while (seen.len() as u64) < wanted {
                        after = stream.event().await.unwrap()["sequence"].as_u64().unwrap();
                        seen.push(after);
                        // Sometimes the connection breaks.
                        if after % 40 == 7 {
                            break;
                        }
                    }
                }
            }
            assert!(seen.is_sorted_by(|one, next| one < next), "{form}: {seen:?}");
            if reader != 2 {
                assert_eq!((seen[0], *seen.last().unwrap()), (1, wanted));
            }
        });
    }
    let all = async {
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(120), all).await.expect("everything is seen");
}
