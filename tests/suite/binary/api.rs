//! An HTTP client that checks every answer against openapi.yaml.

use super::process::Node;
use crate::http::contract;
use http::{HeaderMap, Method, StatusCode};
use onhand_remote::client_builder;
use serde_json::Value;
use std::time::Duration;

/// A client of one node.
#[derive(Clone, Debug)]
pub(super) struct Api {
    http: reqwest::Client,
    base: String,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) json: Value,
    pub(super) text: String,
}

impl Api {
    pub(super) fn of(node: &Node) -> Self {
        let http = client_builder(true).timeout(Duration::from_secs(60)).build().unwrap();
        Self { http, base: node.url.clone() }
    }

    /// Sends a request; the error is that of a broken or refused connection.
    pub(super) async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Reply, reqwest::Error> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?;
        contract::check(&method, path, StatusCode::from_u16(status).unwrap(), &headers, &bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Ok(Reply { status, headers, json, text })
    }

    pub(super) async fn try_post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Reply, reqwest::Error> {
        self.try_say(Method::POST, path, headers, body).await
    }

    /// Sends a JSON body with any method.
    pub(super) async fn try_say(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Reply, reqwest::Error> {
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/json"));
        self.try_send(method, path, &headers, body.to_string().into_bytes()).await
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.get_with(path, &[]).await
    }

    pub(super) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.try_send(Method::GET, path, headers, Vec::new()).await.expect("the node answers")
    }

    pub(super) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        self.try_post(path, headers, body).await.expect("the node answers")
    }

    /// All items of a list, page after page.
    pub(super) async fn items(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let next = cursor.as_str().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let page = self.get(&format!("{path}?limit=1000{next}")).await;
            assert_eq!(page.status, 200, "{path}: {}", page.text);
            items.extend(page.json["items"].as_array().unwrap().iter().cloned());
            cursor = page.json["nextCursor"].clone();
            if cursor.is_null() {
                return items;
            }
        }
    }
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks the status of the answer and, for a rejection, its code.
    #[track_caller]
    pub(super) fn is(&self, status: u16, code: &str) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        if status >= 400 {
            assert_eq!(self.json["code"], code, "{}", self.text);
        }
        self
    }

    pub(super) fn replayed(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    /// (qty, on hand, reserved, version)
    #[track_caller]
    pub(super) fn level(&self) -> (i64, i64, i64, u64) {
        let number = |name: &str| self.json[name].as_i64().unwrap_or_else(|| panic!("{}", self.text));
        (number("qty"), number("onHand"), number("reserved"), number("version").unsigned_abs())
    }
}
