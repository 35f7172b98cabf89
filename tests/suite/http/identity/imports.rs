//! Imports: each belongs to who began it.

use super::super::Answer;
use super::Chain;
use super::central_shop::Shop;
use http::Method;
use serde_json::{Value, json};

const IMPORTER: &str = r#"[{"permission":"import:run","stores":["BERLIN"]}]"#;

fn row(number: u64, store: &str) -> Value {
    json!({"row": number, "storeId": store, "sku": "TEA", "kind": "sale", "quantity": 6})
}

async fn step(chain: &Chain, by: &str, after: u64, rows: &[Value]) -> Answer {
    let through = rows.last().map_or(after, |row| row["row"].as_u64().unwrap());
    let body = json!({"afterRow": after, "throughRow": through, "last": rows.is_empty(), "rows": rows});
    chain.say(Method::POST, "/imports/one/rows", by, &body.to_string()).await
}

#[tokio::test]
async fn who_began_an_import_follows_and_ends_it() {
    let chain = Chain::open().await;
    let (owner, _) = chain.token("service", IMPORTER).await;
    let (other, _) = chain.token("service", IMPORTER).await;
    chain.get("/imports/one", &owner).await.is(404, "not-found");
    step(&chain, &owner, 0, &[row(1, "BERLIN"), row(2, "BERLIN")]).await.is(200, "");
    let progress = chain.get("/imports/one", &owner).await;
    assert_eq!((&progress.is(200, "").json["rowsDone"], &progress.json["refused"]), (&json!(2), &json!(1)));
    let refusals = chain.get("/imports/one/refusals", &owner).await;
    assert_eq!(refusals.is(200, "").json["items"][0]["code"], "insufficient-stock");
    step(&chain, &owner, 2, &[row(3, "PARIS")]).await.is(403, "forbidden");
    // Another one may neither see it nor go on with it, even within its own stores.
    for path in ["/imports/one", "/imports/one/refusals"] {
        let refused = chain.get(path, &other).await;
        assert_eq!(
            (&refused.is(403, "forbidden").json["needs"], refused.json.get("scope")),
            (&json!("import:run"), None)
        );
        chain.get(path, &chain.admin).await.is(200, "");
    }
    step(&chain, &other, 2, &[row(3, "BERLIN")]).await.is(403, "forbidden");
    step(&chain, &other, 2, &[]).await.is(403, "forbidden");
    let end = step(&chain, &owner, 2, &[]).await;
    assert_eq!(end.is(200, "").json["finished"], true);
    assert_eq!(chain.get("/imports/one", &owner).await.json["finished"], true);
}

#[tokio::test]
async fn an_import_from_before_there_were_principals_is_for_those_who_may_run_any() {
    let chain = Chain::open().await;
    let (importer, _) = chain.token("service", IMPORTER).await;
    let (everywhere, _) = chain.token("service", r#"[{"permission":"import:run"}]"#).await;
    let ledger = &chain.node.node.ledger;
    let id = onhand_domain::ImportId::new("one").unwrap();
    let begin = onhand_domain::imports::ImportRows {
        import_id: id,
        after_row: 0,
        through_row: 5,
        last: false,
        rows: Vec::new(),
        is_own: true,
    };
    let local = onhand_app::Meta::default();
    ledger.execute(onhand_domain::Command::Import(begin), &local).await.unwrap();
    chain.get("/imports/one", &importer).await.is(403, "forbidden");
    step(&chain, &importer, 5, &[]).await.is(403, "forbidden");
    step(&chain, &everywhere, 5, &[row(6, "ROME")]).await.is(200, "");
    step(&chain, &everywhere, 6, &[]).await.is(200, "");
}

#[tokio::test]
async fn rows_of_a_person_of_central_reach_the_stores_of_their_login() {
    let both = json!([{"permission": "import:run", "stores": ["BERLIN", "PARIS"]}]);
    let shop = Shop::open(&json!([{"permission": "import:run", "stores": ["BERLIN"]}])).await;
    let (ada, chain) = (shop.person(&both), &shop.chain);
    let refused = step(chain, &ada, 0, &[row(1, "BERLIN"), row(2, "PARIS")]).await;
    assert_eq!(refused.is(403, "forbidden").json["scope"], "PARIS");
    step(chain, &ada, 0, &[row(1, "BERLIN")]).await.is(200, "");
    chain.get("/imports/one", &ada).await.is(200, "");
    let other = chain.token("service", IMPORTER).await.0;
    step(chain, &other, 1, &[]).await.is(403, "forbidden");
    assert_eq!(step(chain, &ada, 1, &[]).await.is(200, "").json["finished"], true);
}
