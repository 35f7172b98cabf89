//! Products against a small node in memory that keeps the contract and can be made to fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::post};
use clap::{Args, FromArgMatches};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::options::ProductsArgs;
use super::send::{ProductOutcome, send};
use super::survey::CatalogueSurvey;
use crate::terminal::client::NodeClient;

#[derive(Default)]
struct FakeCatalogue {
    products: BTreeMap<String, Value>,
    answers: BTreeMap<String, Value>,
    posts: u64,
    /// Numbers of the posts that are rejected with 503, and of those whose answer is lost.
    busy: Vec<u64>,
    lost: Vec<u64>,
}

type SharedCatalogue = Arc<Mutex<FakeCatalogue>>;

impl FakeCatalogue {
    fn say(&mut self, body: &Value) -> Value {
        let results = body["products"].as_array().unwrap().iter().map(|line| {
            let sku = line["sku"].as_str().unwrap().to_owned();
            match self.products.get(&sku) {
                Some(known) if known == line => json!({"status": 200, "unchanged": true}),
                Some(_) if body["update"] != true => {
                    json!({"status": 409, "code": "product-differs", "detail": "x", "differs": ["name", "unitPrice"]})
                }
                known => {
                    let status = if known.is_none() { 201 } else { 200 };
                    self.products.insert(sku, line.clone());
                    json!({"status": status, "version": 7})
                }
            }
        });
        json!({"results": results.collect::<Vec<_>>()})
    }
}

async fn products(
    State(node): State<SharedCatalogue>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let mut node = node.lock().unwrap();
    node.posts += 1;
    let problem = |code: &str| (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"code": code}))).into_response();
    if node.busy.contains(&node.posts) {
        return problem("overloaded");
    }
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let answer = match node.answers.get(&key) {
        Some(answer) => answer.clone(),
        None => node.say(&body),
    };
    node.answers.insert(key, answer.clone());
    if node.lost.contains(&node.posts) { problem("outcome-unknown") } else { Json(answer).into_response() }
}

async fn scene() -> (SharedCatalogue, NodeClient) {
    let node = SharedCatalogue::default();
    let routes = Router::new().route("/catalogue/products", post(products)).with_state(Arc::clone(&node));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = NodeClient::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (node, client)
}

fn args(directory: &TempDir, text: &str) -> ProductsArgs {
    let path = directory.path().join("products.csv");
    std::fs::write(&path, text).unwrap();
    let command =
        ProductsArgs::augment_args(clap::Command::new("products")).mut_args(|argument| argument.env(None));
    let matches = command.try_get_matches_from(["products", path.to_str().unwrap(), "--currency", "GBP"]);
    ProductsArgs::from_arg_matches(&matches.unwrap()).unwrap()
}

fn catalogue(products: u64, price: &str) -> String {
    let rows = (0..products).map(|number| format!("S{number},Thing {number},{price}\n"));
    std::iter::once("sku,name,price\n".to_owned()).chain(rows).collect()
}

async fn sent(client: &NodeClient, survey: &CatalogueSurvey, update: bool) -> Vec<ProductOutcome> {
    send(client, &survey.tally.products, update, |_| ()).await.unwrap()
}

#[tokio::test]
async fn lost_answers_and_busy_times_count_every_product_once() {
    let directory = TempDir::new().unwrap();
    for (busy, lost, posts) in
        [(vec![], vec![], 3), (vec![1, 3], vec![], 5), (vec![], vec![1, 3, 5], 6), (vec![2], vec![3, 4], 6)]
    {
        let (node, client) = scene().await;
        (node.lock().unwrap().busy, node.lock().unwrap().lost) = (busy, lost);
        let survey = CatalogueSurvey::take(&args(&directory, &catalogue(2_500, "2.55"))).unwrap();
        assert_eq!(sent(&client, &survey, false).await, vec![ProductOutcome::Created; 2_500]);
        assert_eq!(node.lock().unwrap().posts, posts);
        let product = node.lock().unwrap().products["S2499"].clone();
        let price = json!({"amountMinor": 255, "currency": "GBP"});
        assert_eq!(product, json!({"sku": "S2499", "name": "Thing 2499", "unitPrice": price}));
        assert_eq!(
            sent(&client, &survey, true).await,
            vec![ProductOutcome::Unchanged; 2_500],
            "another run, other keys"
        );
    }
}

#[tokio::test]
async fn a_rejected_product_is_reported_at_its_first_row() {
    let directory = TempDir::new().unwrap();
    let (_, client) = scene().await;
    let args_then = args(&directory, &catalogue(3, "2.55"));
    sent(&client, &CatalogueSurvey::take(&args_then).unwrap(), false).await;
    let text = "sku,name,price\nS9,New,1\nS1,Other,2.95\nS1,Thing,2.95\nS1,Thing,2.95\nS2,Thing 2,2.55\nS1,Thing,0\n";
    let args = args(&directory, text);
    let survey = CatalogueSurvey::take(&args).unwrap();
    let told = sent(&client, &survey, false).await;
    let report = directory.path().join("odd.csv");
    let findings = survey.answer(&args, &told, Some(&report)).unwrap();
    assert_eq!((findings.agreeing, findings.odd.total, findings.refused.total), (4, 2, 1));
    let text = std::fs::read_to_string(report).unwrap();
    let expected = "row,line,code,detail,sku,name,price\n\
        2,3,product-differs,the catalogue says another name and unitPrice; --update replaces it,S1,Other,2.95\n\
        2,3,another-name,\"it says the name is \"\"Other\"\"; 2 rows say \"\"Thing\"\", the first is row 3\",S1,Other,2.95\n\
        6,7,zero-price,\"\"\"0\"\" is no price: it is nothing, as of what was given away or written off\",S1,Thing,0\n";
    assert_eq!(text, expected);
    assert_eq!(
        sent(&client, &survey, true).await,
        [ProductOutcome::Unchanged, ProductOutcome::Changed, ProductOutcome::Unchanged]
    );
}

#[tokio::test]
async fn a_file_that_changes_meanwhile_is_noticed() {
    let directory = TempDir::new().unwrap();
    let args_then = args(&directory, &catalogue(3, "2.55"));
    let survey = CatalogueSurvey::take(&args_then).unwrap();
    for text in [catalogue(4, "2.55"), catalogue(3, "2.95"), catalogue(2, "2.55")] {
        let args = args(&directory, &text);
        let failure = survey.answer(&args, &[], None).unwrap_err();
        assert!(failure.error.to_string().contains("changed while it was read"), "{:?}", failure.error);
    }
}
