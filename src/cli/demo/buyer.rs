//! One buyer of the flash sale: impatient, on a bad connection, so everything is sent several times.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;
use serde_json::json;

use super::catalogue::{SALE_SKU, SALE_STORE};
use crate::terminal::client::{NodeClient, NodeResponse, encode};
use onhand_runtime::exit::{Exit, Failure};

/// The results of the buyers, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BuyerCounts {
    /// Requests that were sent, retries included.
    pub(super) requests: u32,
    /// Pieces that were reserved for a buyer and then paid for.
    pub(super) sold: u32,
    /// Buyers who got no piece.
    pub(super) refused: u32,
    /// Answers that repeated an earlier one.
    pub(super) replayed: u32,
}

impl BuyerCounts {
    pub(super) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.sold += other.sold;
        self.refused += other.refused;
        self.replayed += other.replayed;
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reserved {
    reservation: Reservation,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reservation {
    reservation_id: String,
}

/// Reserves one piece, three times with one key, and pays for it if it was granted.
///
/// # Errors
/// When the node gives two answers to one order, or executes it twice.
pub(super) async fn buy(client: &NodeClient, buyer: u32) -> Result<BuyerCounts, Failure> {
    let mut seen = BuyerCounts::default();
    let order = order_body();
    let key = order_key(buyer);
    let (double, click) =
        tokio::join!(send(client, "reserve", &key, &order), send(client, "reserve", &key, &order));
    let retry = send(client, "reserve", &key, &order).await?;
    let answers = [double?, click?, retry];
    seen.requests += 3;
    seen.replayed += count(&answers, is_replay);
    let [first, rest @ ..] = &answers;
    if rest.iter().any(|answer| answer.status != first.status) {
        return Err(Failure::new(Exit::Failed, format!("buyer {buyer} got different answers to one order")));
    }
    match first.status.as_u16() {
        200 if count(&answers, is_replay) == 2 => {}
        200 => return Err(Failure::new(Exit::Failed, format!("buyer {buyer} was sold one order twice"))),
        409 => return Ok(BuyerCounts { refused: 1, ..seen }),
        status => return Err(Failure::new(Exit::Failed, format!("buyer {buyer} got status {status}"))),
    }
    let reserved: Reserved = serde_json::from_slice(&first.body).map_err(|error| {
        Failure::new(Exit::Failed, format!("buyer {buyer} got an unreadable answer: {error}"))
    })?;
    let payment = encode(&json!({"reservationId": reserved.reservation.reservation_id}));
    for _ in 0..2 {
        let paid = send(client, "commit", &format!("payment-{buyer}"), &payment).await?;
        if paid.status != 200 {
            let message = format!("the payment of buyer {buyer} got status {}", paid.status);
            return Err(Failure::new(Exit::Failed, message));
        }
        seen.requests += 1;
        seen.replayed += u32::from(is_replay(&paid));
    }
    Ok(BuyerCounts { sold: 1, ..seen })
}

/// Sends the order of a buyer once more, or another one under the same key.
pub(super) async fn order_again(
    client: &NodeClient,
    buyer: u32,
    pieces: u32,
) -> Result<NodeResponse, Failure> {
    let order = if pieces == 1 { order_body() } else { encode(&json!({ "qty": pieces })) };
    send(client, "reserve", &order_key(buyer), &order).await
}

/// True when the answer is marked as a replay.
pub(super) fn is_replay(answer: &NodeResponse) -> bool {
    answer.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
}

fn order_key(buyer: u32) -> String {
    format!("order-{buyer}")
}

fn order_body() -> Bytes {
    encode(&json!({"qty": 1}))
}

fn count(answers: &[NodeResponse], is: fn(&NodeResponse) -> bool) -> u32 {
    answers.iter().map(|answer| u32::from(is(answer))).sum()
}

async fn send(client: &NodeClient, verb: &str, key: &str, body: &Bytes) -> Result<NodeResponse, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(
        "idempotency-key",
        HeaderValue::from_str(key).expect("keys here are letters, digits, dashes"),
    );
    let path = format!("/stores/{SALE_STORE}/inventory/{SALE_SKU}/{verb}");
    Ok(client.call(Method::POST, &path, headers, Some(body.clone())).await?)
}
