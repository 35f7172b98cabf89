//! One tour of the whole contract on the real socket: every route at each of its addresses. The client checks each
//! answer against openapi.yaml.

use super::api::Api;
use super::order_tour::tour_of_orders;
use super::process::{Node, verify};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use onhand_console::Console;
use onhand_http::routes;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tempfile::TempDir;

const LEVEL: &str = "/stores/LONDON/inventory/TEA";
const KEY: &str = "idempotency-key";

/// A request that a route answers with success, in a store of its own for each prefix that the route is mounted at.
fn good_request(method: &Method, template: &str, place: usize) -> (String, Option<Value>) {
    let (store, product) = (format!("STORE-{place}"), format!("P-{place}"));
    let sku = if template.contains("/products/") { product.as_str() } else { "BANK%20CHARGES" };
    let path = template
        .replace("{storeId}", &store)
        .replace("{sku}", sku)
        .replace("{importId}", &format!("import-{place}"))
        .replace("{orderId}", &format!("order-{place}"))
        .replace("{shipmentId}", &format!("order-{place}.s1"))
        .replace("{code}", "version-conflict")
        .replace("{file}", "swagger-ui.css")
        .replace("{page}", "stock")
        .replace("{tag}", Console::new(None).tag())
        .replace("{*path}", "parts/table.js")
        .replace("{name}", "getting-started");
    let operation = json!({"op": "adjust", "storeId": store, "sku": "A", "delta": 1});
    let row =
        json!({"row": 1, "storeId": store, "sku": "B", "kind": "sale", "quantity": 2, "openingStock": 1});
    let body = match template.rsplit('/').next().unwrap() {
        _ if *method == Method::GET || *method == Method::DELETE => None,
        _ if template.ends_with("/catalogue/products") => {
            Some(json!({"update": true, "products": [{"sku": product, "category": "tea"}]}))
        }
        "products" => Some(json!({"sku": product, "name": "Tea", "lowStockThreshold": 5})),
        "stores" => Some(json!({"storeId": store, "name": "London", "kind": "shop"})),
        "threshold" => Some(json!({"lowStockThreshold": 2})),
        "{sku}" => Some(json!({"name": "More tea", "active": false})),
        "mode" => Some(json!({"mode": "development"})),
        "{storeId}" => Some(json!({"name": "London Bridge", "kind": "warehouse"})),
        "adjust" => Some(json!({"delta": 10, "reason": "delivery", "reference": "PO-1"})),
        "reserve" => {
            Some(json!({"qty": 3, "reservationId": "r-1", "ttlSeconds": 900, "reference": "order 1"}))
        }
        "release" => Some(json!({"reservationId": "r-1", "qty": 1})),
        "commit" => Some(json!({"reservationId": "r-1", "qty": 1, "closeRemainder": true})),
        "count" => Some(json!({"counted": 8, "reason": "yearly"})),
        "batch" => Some(json!({"atomic": false, "operations": [operation]})),
        "add" | "sale" | "remove" => Some(
            json!({"storeId": store, "sku": "C", "quantity": if template.ends_with("add") { 5 } else { 1 },
                        "reason": "as it is", "reference": "till-3"}),
        ),
        "routing" => Some(json!({"rules": {"keepsBack": 0}, "channels": {"web": {}}})),
        "plan" => Some(json!({"lines": [{"sku": "C", "qty": 1}]})),
        "rows" => Some(json!({"afterRow": 0, "throughRow": 1, "last": true, "rows": [row]})),
        _ => None,
    };
    let path = if template.ends_with("/shipments") { path + "?storeId=ORDERS" } else { path };
    (path, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_at_each_of_its_addresses() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--signup"]);
    let api = Api::of(&node);
    let mut served: BTreeSet<(String, String)> = BTreeSet::new();
    tour_of_orders(&api, &mut served).await;
    // Writes come first, so that reads find something, and deletions last; otherwise in the order of the list.
    let mut all_routes = routes();
    all_routes.retain(|route| !served.contains(&(route.method.to_string(), route.template.to_owned())));
    all_routes.sort_by_key(|route| match route.method {
        Method::GET => 1,
        Method::DELETE => 2,
        _ => 0,
    });
    // Once there is a principal, every call needs a credential.
    let (identity, others): (Vec<_>, Vec<_>) = all_routes.iter().partition(|route| {
        let persons = route.template.starts_with("/users");
        let changes = route.template.starts_with("/tokens") || route.template.starts_with("/auth/");
        persons || (changes && route.method != Method::GET) || route.template == "/auth/explain"
    });
    assert_eq!(identity.len(), 19);
    for route in others {
        for (place, address) in route.addresses().enumerate() {
            if address.contains("{id}") {
                // One dead letter; a healthy node has none.
                let path = address.replace("{id}", "none")
                    + if route.query.is_empty() { "" } else { "?reason=none" };
                let reply = api.try_send(route.method.clone(), &path, &[], Vec::new()).await.unwrap();
                reply.is(404, "not-found");
                served.insert((route.method.to_string(), address.clone()));
                continue;
            }
            let (path, body) = good_request(&route.method, &address, place);
            let reading = route.method == Method::GET;
            let reply = match &body {
                Some(body) => {
                    let key = format!("{} {address}-{place}", route.method).replace(' ', "-");
                    let headers = [(KEY, key.as_str()), ("content-type", "application/json")];
                    let body = serde_json::to_vec(body).unwrap();
                    api.try_send(route.method.clone(), &path, &headers, body).await.unwrap()
                }
                None => api.try_send(route.method.clone(), &path, &[], Vec::new()).await.unwrap(),
            };
            let created = ["/products", "/stores"].contains(&route.template) && !reading;
            let status = if route.method == Method::DELETE { 204 } else { 200 + u16::from(created) };
            assert_eq!(reply.status, status, "{} {path}: {}", route.method, reply.text);
            served.insert((route.method.to_string(), address.clone()));
            if reading {
                let head = api.try_send(Method::HEAD, &path, &[], Vec::new()).await.unwrap();
                assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
            }
            api.try_send(Method::OPTIONS, &path, &[], Vec::new())
                .await
                .unwrap()
                .is(405, "method-not-allowed");
            if !path.contains('?') && route.query.is_empty() && reading {
                api.get(&format!("{path}?verbose=1")).await.is(400, "invalid-request");
            }
        }
    }
    let admin = tour_of_persons(&api, &mut served).await;
    tour_of_tokens(&api, admin, &mut served).await;
    let all: BTreeSet<_> = routes()
        .iter()
        .flat_map(|route| {
            route.addresses().map(|address| (route.method.to_string(), address)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(served, all);
    node.stop();
    verify(directory.path());
}

/// The routes of persons and their sessions; the credential of an administrator who is left.
async fn tour_of_persons(api: &Api, served: &mut BTreeSet<(String, String)>) -> String {
    let (password, other) = ("correct horse stapled", "rusty bridge in winter");
    let mut admin = String::new();
    for (place, prefix) in ["", "/api"].into_iter().enumerate() {
        let mut ask =
            async |verb: &str, template: &str, id: &str, authorization: &str, body: Value, status: u16| {
                let path = format!("{prefix}{}", template.replace("{userId}", id));
                let bytes = if body.is_null() { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
                let headers = [("authorization", authorization), ("content-type", "application/json")];
                let headers: Vec<_> = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
                let reply = api.try_send(verb.parse().unwrap(), &path, &headers, bytes).await.unwrap();
                assert_eq!(reply.status, status, "{verb} {path}: {}", reply.text);
                served.insert((verb.to_owned(), format!("{prefix}{template}")));
                reply
            };
        let (ada, bob) = (format!("ada{place}"), format!("bob{place}"));
        let new = json!({"login": ada, "password": password, "grants": [{"role": "admin"}]});
        ask("POST", "/users", "", &admin, new, 201).await;
        let login = json!({"login": ada, "password": password});
        let session = ask("POST", "/auth/login", "", "", login, 200).await;
        let refresh = json!({"refreshToken": session.json["refreshToken"]});
        let session = ask("POST", "/auth/refresh", "", "", refresh, 200).await;
        let own = format!("Bearer {}", session.json["accessToken"].as_str().unwrap());
        let change = json!({"currentPassword": password, "password": other});
        ask("POST", "/auth/password", "", &own, change, 204).await;
        let invited = json!({"login": bob, "grants": []});
        let invited = ask("POST", "/users", "", &own, invited, 201).await;
        let id = invited.json["userId"].as_str().unwrap();
        let link = json!({"link": invited.json["link"]["text"], "password": password});
        ask("POST", "/auth/link", "", "", link, 204).await;
        ask("GET", "/users", "", &own, Value::Null, 200).await;
        ask("GET", "/users/{userId}", id, &own, Value::Null, 200).await;
        ask("PATCH", "/users/{userId}", id, &own, json!({"name": "Bob"}), 200).await;
        ask("PUT", "/users/{userId}/grants", id, &own, json!({"grants": [{"role": "viewer"}]}), 200).await;
        ask("POST", "/users/{userId}/reset", id, &own, Value::Null, 200).await;
        ask("DELETE", "/users/{userId}", id, &own, Value::Null, 204).await;
        let customer = json!({"login": format!("eve{place}"), "password": password});
        ask("POST", "/auth/register", "", "", customer, 201).await;
        ask("POST", "/auth/keys/rotate", "", &own, json!({}), 200).await;
        ask("POST", "/auth/logout", "", &own, Value::Null, 204).await;
        admin = basic(&ada, other);
    }
    admin
}

fn basic(login: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{login}:{password}")))
}

/// The routes that change tokens: issued, rotated, revoked.
async fn tour_of_tokens(api: &Api, mut admin: String, served: &mut BTreeSet<(String, String)>) {
    for prefix in ["", "/api"] {
        let headers = [("authorization", admin.as_str())];
        let body = json!({"kind": "service", "name": "desk", "grants": [{"role": "admin"}]});
        let issued = api.post(&format!("{prefix}/tokens"), &headers, &body).await;
        assert_eq!(issued.status, 201, "{}", issued.text);
        let authorization = format!("Bearer {}", issued.json["token"].as_str().unwrap());
        let headers = [("authorization", authorization.as_str())];
        let id = issued.json["tokenId"].as_str().unwrap();
        let explain = format!("{prefix}/auth/explain?principal={id}&method=GET&path=/stores");
        let explained = api.get_with(&explain, &headers).await;
        assert_eq!((explained.status, &explained.json["allowed"]), (200, &json!(true)), "{}", explained.text);
        let with_body = api.post(&explain, &headers, &json!({"any": "body"})).await;
        assert_eq!(with_body.json, explained.json, "the path alone decides");
        for method in ["GET", "POST"] {
            served.insert((method.to_owned(), format!("{prefix}/auth/explain")));
        }
        let rotated =
            api.post(&format!("{prefix}/tokens/{id}/rotate"), &headers, &json!({"graceSeconds": 60})).await;
        assert_eq!(rotated.status, 201, "{}", rotated.text);
        let new = format!("Bearer {}", rotated.json["token"].as_str().unwrap());
        let path = format!("{prefix}/tokens/{id}");
        let revoked =
            api.try_send(Method::DELETE, &path, &[("authorization", &new)], Vec::new()).await.unwrap();
        assert_eq!((revoked.status, &revoked.json["revoked"]), (200, &json!(true)), "{}", revoked.text);
        admin = new;
        for (method, path) in
            [("POST", "/tokens"), ("POST", "/tokens/{tokenId}/rotate"), ("DELETE", "/tokens/{tokenId}")]
        {
            served.insert((method.to_owned(), format!("{prefix}{path}")));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_the_same_place() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    let places = ["", "/api", "/api/inventory"];
    let first = api.post(&format!("{LEVEL}/adjust"), &[(KEY, "k-1")], &json!({"delta": 5})).await;
    for place in places {
        let again =
            api.post(&format!("{place}{LEVEL}/adjust"), &[(KEY, "\"k-1\"")], &json!({ "delta": 5 })).await;
        assert!(again.replayed(), "{place}: a key is known at every address");
        assert_eq!(again.text, first.text);
        let other = api.post(&format!("{place}{LEVEL}/adjust"), &[(KEY, "k-1")], &json!({"delta": 6})).await;
        other.is(409, "idempotency-key-reused");
    }
    let known =
        json!({"op": "adjust", "storeId": "LONDON", "sku": "TEA", "delta": 5, "idempotencyKey": "k-1"});
    let new = json!({"op": "adjust", "storeId": "LONDON", "sku": "RICE", "delta": 1});
    let batch = json!({"operations": [known, new]});
    for place in places {
        let reply = api.post(&format!("{place}/inventory/batch"), &[(KEY, "b-1")], &batch).await;
        assert_eq!(reply.replayed(), !place.is_empty());
        assert_eq!(
            reply.json["results"][0]["version"], 1,
            "an item's key is the key of its own route: {}",
            reply.text
        );
    }
    for place in places {
        assert_eq!(api.get(&format!("{place}{LEVEL}")).await.text, api.get(LEVEL).await.text);
        assert_eq!(api.get(LEVEL).await.level(), (5, 5, 0, 1));
    }
    node.stop();
}
