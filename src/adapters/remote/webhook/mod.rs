//! Alerts as signed webhooks (Standard Webhooks): `POST <address>`, one alert a request.
//!
//! ```text
//! webhook-id: 01a1fa0d-1f90-7478-9417-58c82ae9a2ac      the event's id, the same in every attempt
//! webhook-timestamp: 1795194147                         when this attempt was made, in seconds since 1970
//! webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=
//!
//! {"type":"stock.low","timestamp":"2026-11-20T17:42:07.216Z","data":{"storeId":"BERLIN","sku":"TEA","qty":4,...}}
//! ```
//! A status of 200 to 299 means that the receiver has the alert. Only the status and `Retry-After` of an answer are
//! read; redirects are not followed. Each attempt resolves the name anew, on a connection of its own.

mod signature;
mod target;

use crate::{client_builder, error_chain, retry_after};
use onhand_app::ports::{AlertDelivery, AlertNews, AlertReceiver, Clock, DeliveryError};
use onhand_config::WebhookSettings;
use onhand_domain::{Quantity, Sequence, Sku, StoreId, Timestamp};
use reqwest::{StatusCode, Url};
use serde::Serialize;
use signature::signatures;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use target::{Targets, refusal};
use uuid::Uuid;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout of an attempt, from the first byte sent to the head of the answer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// [`AlertReceiver`] over HTTP.
pub struct Webhook {
    http: reqwest::Client,
    url: Url,
    settings: WebhookSettings,
    clock: Arc<dyn Clock>,
}

#[derive(Serialize)]
struct AlertBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: Timestamp,
    data: AlertData<'a>,
}

/// The data of an alert, with the member names of `GET /alerts` and the feed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertData<'a> {
    store_id: &'a StoreId,
    sku: &'a Sku,
    qty: Quantity,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<Quantity>,
    version: u64,
    node: Uuid,
    sequence: Sequence,
}

impl Webhook {
    /// A sender to the address of these settings.
    ///
    /// # Errors
    /// An error text for a person: an invalid address, or no HTTP client can be built.
    pub fn new(settings: WebhookSettings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let url = Url::parse(&settings.url).map_err(|error| error.to_string())?;
        let targets = Targets { private: settings.allow_private, public: url.scheme() == "https" };
        let host = url.host_str().unwrap_or_default();
        // An IP address does not pass through the resolver, so it is checked here.
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>()
            && !targets.permit(address)
        {
            return Err(refusal(host, address));
        }
        // Behind a proxy the target address could not be checked.
        let http = client_builder(true)
            .dns_resolver(targets)
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ATTEMPT_TIMEOUT)
            .build()
            .map_err(error_chain)?;
        Ok(Self { http, url, settings, clock })
    }

    async fn post(&self, alert: &AlertNews) -> Result<(), DeliveryError> {
        let body = body(alert);
        let id = alert.event_id.to_string();
        let timestamp = self.clock.now().milliseconds() / 1_000;
        let request = self
            .http
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures(&self.settings.secrets, &id, timestamp, &body))
            .header("webhook-id", id)
            .body(body);
        let answer = request.send().await.map_err(|error| DeliveryError::Failed(error_chain(error)))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => Err(DeliveryError::Gone),
            StatusCode::TOO_MANY_REQUESTS => {
                Err(DeliveryError::Busy { retry_after: retry_after(answer.headers()) })
            }
            status => Err(DeliveryError::Failed(format!("it answers {status}"))),
        }
    }
}

impl AlertReceiver for Webhook {
    fn deliver<'a>(&'a self, alert: &'a AlertNews) -> AlertDelivery<'a> {
        Box::pin(self.post(alert))
    }
}

/// The same bytes in every attempt, because they are built from the log alone.
fn body(alert: &AlertNews) -> Vec<u8> {
    let AlertNews { node, sequence, at, ref fact, version, .. } = *alert;
    let data = AlertData {
        store_id: &fact.store_id,
        sku: &fact.sku,
        qty: fact.qty,
        threshold: fact.threshold,
        version,
        node,
        sequence,
    };
    let kind = if fact.raised { "stock.low" } else { "stock.recovered" };
    serde_json::to_vec(&AlertBody { kind, timestamp: at, data }).expect("plain structs always become JSON")
}
