//! Plans over HTTP: on the levels of now and of then, within the scope of the caller, and what is refused.

use super::Scratch;
use super::identity::Chain;
use http::Method;
use serde_json::{Value, json};

const PLAN: &str = "/orders/plan";

fn tea(qty: i64) -> Value {
    json!({"lines": [{"sku": "TEA", "qty": qty}]})
}

/// The stores that send, with their pieces of tea.
fn sent(plan: &Value) -> Vec<(&str, i64)> {
    let parts = plan["parts"].as_array().unwrap().iter();
    parts.map(|part| (part["storeId"].as_str().unwrap(), part["lines"][0]["qty"].as_i64().unwrap())).collect()
}

async fn node() -> Scratch {
    let node = Scratch::new();
    for (store, pieces) in [("BERLIN", 3), ("PARIS", 8), ("ROME", 5)] {
        node.stock(&format!("/stores/{store}/inventory/TEA"), pieces).await;
    }
    node
}

#[tokio::test]
async fn a_plan_says_who_sends_what_and_why() {
    let node = node().await;
    let plan = async |body: Value| node.post(PLAN, &[], &body.to_string()).await;
    let answer = plan(tea(4)).await;
    answer.is(200, "");
    assert_eq!(sent(&answer.json), [("PARIS", 4)], "it keeps most: {}", answer.text);
    let ranks = json!([[0, 9_007_199_254_740_991_i64, -4], [0, 9_007_199_254_740_991_i64, -1]]);
    let shown: Vec<&Value> =
        answer.json["stores"].as_array().unwrap().iter().map(|store| &store["ranks"]).collect();
    assert_eq!(json!(shown[..2]), ranks);
    // Eight and five are enough for twelve; thirteen and three for sixteen, and seventeen are not there.
    assert_eq!(sent(&plan(tea(12)).await.json), [("PARIS", 8), ("ROME", 4)]);
    assert_eq!(sent(&plan(tea(16)).await.json), [("PARIS", 8), ("ROME", 5), ("BERLIN", 3)]);
    let short = plan(tea(17)).await;
    assert_eq!((&short.json["complete"], &short.json["asked"][0]["short"]), (&json!(false), &json!(1)));
    // Two lines of one SKU are one.
    let lines = json!({"lines": [{"sku": "TEA", "qty": 4}, {"sku": "TEA", "qty": 4}]});
    assert_eq!(sent(&plan(lines).await.json), [("PARIS", 8)]);
    let mut ruled = tea(4);
    ruled["rules"] = json!({"keepsBack": 1, "stores": {"ROME": {"priority": 1, "keepsBack": 0}, "PARIS": {"excluded": true}}});
    let answer = plan(ruled).await;
    assert_eq!(sent(&answer.json), [("ROME", 4)], "{}", answer.text);
    assert_eq!(answer.json["stores"][2]["leftOut"], "excluded");
    let closed = json!({"name": "Paris", "kind": "shop", "active": false}).to_string();
    node.say(Method::PUT, "/stores/PARIS", &[], &closed).await.is(201, "");
    assert_eq!(sent(&plan(tea(4)).await.json), [("ROME", 4)]);
    // Nothing is held, and nothing was changed.
    let level = node.get("/stores/ROME/inventory/TEA").await;
    assert_eq!((&level.json["reserved"], &level.json["version"]), (&json!(0), &json!(1)));
    let nowhere = plan(json!({"lines": [{"sku": "CUP", "qty": 1}]})).await;
    assert_eq!((sent(&nowhere.json), &nowhere.json["search"]), (vec![], &json!("exact")));
}

#[tokio::test]
async fn a_plan_can_be_asked_for_on_the_levels_of_then() {
    let node = node().await;
    let sale = r#"{"storeId":"PARIS","sku":"TEA","quantity":7}"#;
    node.post("/stock/sale", &[], sale).await.is(200, "");
    let at = async |moment: &str| node.post(&format!("{PLAN}{moment}"), &[], &tea(4).to_string()).await;
    assert_eq!(sent(&at("").await.json), [("ROME", 4)]);
    assert_eq!(sent(&at("?asOf=3").await.json), [("PARIS", 4)]);
    let first = at("?asOf=1").await;
    assert_eq!((sent(&first.json), &first.json["complete"]), (vec![("BERLIN", 3)], &json!(false)));
    assert_eq!(at("?asOf=0").await.json["stores"][0]["leftOut"], "nothing-to-give");
    at("?asOf=99").await.is(400, "invalid-request");
    at("?asOf=then").await.is(400, "invalid-request");
}

#[tokio::test]
async fn a_body_that_is_no_demand_is_refused_by_its_place() {
    let node = node().await;
    let with = |rules: Value| json!({"lines": [{"sku": "TEA", "qty": 1}], "rules": rules});
    let many = vec![json!({"sku": "TEA", "qty": 1}); 201];
    let most = 9_007_199_254_740_991_i64;
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"lines": []}), "/lines"),
        (json!({ "lines": many }), "/lines"),
        (tea(0), "/lines/0/qty"),
        (tea(-1), "/lines/0/qty"),
        (json!({"lines": [{"sku": "TEA", "qty": 1.5}]}), "/lines/0/qty"),
        (json!({"lines": [{"sku": "", "qty": 1}]}), "/lines/0/sku"),
        (json!({"lines": [{"sku": "TEA"}]}), "/lines/0"),
        (json!({"lines": [{"sku": "TEA", "qty": 1, "price": 1}]}), "/lines/0"),
        (json!({"lines": [{"sku": "TEA", "qty": most}, {"sku": "TEA", "qty": 1}]}), "/lines/1/qty"),
        (with(json!(null)), "/rules"),
        (with(json!({"ranks": ["cheapest"]})), "/rules/ranks/0"),
        (with(json!({"ranks": ["complete", "complete"]})), "/rules"),
        (with(json!({"keepsBack": -1})), "/rules"),
        (with(json!({"stores": {"A": {"keepsBack": -1}}})), "/rules"),
        (with(json!({"stores": {"A": {"priority": null}}})), "/rules/stores"),
        (with(json!({"stores": {"a/b": {}}})), "/rules/stores"),
    ] {
        let answer = node.post(PLAN, &[], &body.to_string()).await;
        answer.is(400, "invalid-request");
        let at = answer.json["pointer"].as_str().or(answer.json["errors"][0]["pointer"].as_str());
        assert!(at.unwrap_or_default().starts_with(pointer), "{body}: {}", answer.text);
    }
    node.post(&format!("{PLAN}?limit=1"), &[], &tea(1).to_string()).await.is(400, "invalid-request");
}

#[tokio::test]
async fn a_plan_looks_at_no_stock_that_its_caller_may_not_read() {
    let chain = Chain::open().await;
    for (grants, outcome) in [
        (r#"[{"role":"admin"}]"#, Ok(3)),
        (r#"[{"role":"shop","stores":["PARIS","ROME"]}]"#, Ok(2)),
        (r#"[{"permission":"orders:place"},{"permission":"stock:read","stores":["ROME"]}]"#, Ok(1)),
        (r#"[{"permission":"orders:place"}]"#, Err("stock:read")),
        (r#"[{"role":"viewer"}]"#, Err("orders:place")),
        (r#"[{"role":"customer"}]"#, Err("orders:place")),
    ] {
        let (caller, _) = chain.token("service", grants).await;
        let answer = chain.say(Method::POST, PLAN, &caller, &tea(25).to_string()).await;
        match outcome {
            Ok(stores) => {
                answer.is(200, "");
                assert_eq!(answer.json["stores"].as_array().unwrap().len(), stores, "{grants}");
            }
            Err(needs) => {
                answer.is(403, "forbidden");
                assert_eq!(answer.json["needs"], needs, "{grants}");
            }
        }
    }
}
