//! The change feed in pages, and its filters.

use super::{NDJSON, SSE, Scratch, request};
use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

pub(super) const LEVEL: &str = "/stores/S1/inventory/A-1";

fn sequences(page: &Value) -> Vec<u64> {
    page["items"].as_array().unwrap().iter().map(|item| item["sequence"].as_u64().unwrap()).collect()
}

/// A log with seven events: five movements of three levels, an import with one.
pub(super) async fn filled() -> Scratch {
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
async fn a_page_has_each_event_with_the_state_before_and_after() {
    let node = filled().await;
    let page = node.get("/api/events").await;
    page.is(200, "");
    assert_eq!(sequences(&page.json), [1, 2, 3, 4, 5, 6, 7]);
    let told = ["node", "through", "end", "nextCursor"].map(|member| page.json[member].clone());
    assert_eq!(json!(told), json!([node.id, 7, 7, null]));
    let reserve = &page.json["items"][3];
    assert_eq!((&reserve["type"], &reserve["requestId"]), (&"RESERVE".into(), &"till-7".into()));
    assert_eq!((&reserve["node"], &reserve["actor"]), (&json!(node.id), &"local".into()));
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
async fn invalid_queries_are_rejected() {
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
async fn head_and_other_methods_do_not_follow() {
    let node = filled().await;
    let head = node.send(request(Method::HEAD, "/events", &[], Body::empty())).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    node.send(request(Method::POST, "/events", &[], Body::empty())).await.is(405, "method-not-allowed");
}
