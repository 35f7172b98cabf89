//! The whole central model in one answer: `{storeId: {sku: {qty, version, updatedAt}}}`.
//!
//! It is read in pieces, so neither memory nor a lock is held for the size of the model. Each level is at least as
//! fresh as the header `onhand-as-of`. It is broken off when what the caller may do changes.

use crate::limits::CENTRAL_LEVELS_MAX;
use crate::node::Node;
use crate::request::caller::Caller;
use crate::response::hints::Noted;
use axum::Extension;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use onhand_app::central::{Central, CentralModel, total};
use onhand_domain::identity::StoreScope;
use onhand_domain::{Quantity, Sku, StoreId, Timestamp};
use serde::Serialize;
use std::io;
use std::io::Write;
use std::sync::Arc;

/// The media type of the stream.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.onhand.central+json";

const ONHAND_AS_OF: HeaderName = HeaderName::from_static("onhand-as-of");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StreamedLevel {
    qty: Quantity,
    version: u64,
    updated_at: Timestamp,
}

/// One answer on its way.
struct CentralStream {
    node: Arc<Node>,
    caller: Caller,
    model: Arc<CentralModel>,
    scope: StoreScope,
    position: StreamPosition,
}

enum StreamPosition {
    Begin,
    Behind(StoreId, Sku),
    End,
}

/// The model within some stores, while it is being read: it may change between two pieces.
pub(crate) fn response(
    node: Arc<Node>,
    caller: Caller,
    model: Arc<CentralModel>,
    scope: StoreScope,
) -> Response {
    let as_of = model.look(|central| {
        let reached = central.as_of().iter();
        reached.map(|(node, sequence)| format!("{node}:{sequence}")).collect::<Vec<_>>().join(", ")
    });
    let reader = CentralStream { node, caller, model, scope, position: StreamPosition::Begin };
    let stream = futures_util::stream::unfold(reader, |mut reader| async {
        let next = reader.next().await?;
        Some((next, reader))
    });
    let headers = [(CONTENT_TYPE, MEDIA_TYPE.to_owned()), (ONHAND_AS_OF, as_of)];
    (headers, Extension(Noted::EXPORT), Body::from_stream(stream)).into_response()
}

impl CentralStream {
    /// The next bytes; nothing at the end.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        let position = std::mem::replace(&mut self.position, StreamPosition::End);
        if !matches!(position, StreamPosition::End) && !self.node.goes_on(&self.caller).await {
            return Some(Err(io::Error::other("the caller may not read it any more")));
        }
        let (bytes, position) = self.model.look(|central| piece(central, &self.scope, position))?;
        self.position = position;
        Some(Ok(bytes))
    }
}

/// The next piece and the position behind it.
fn piece(central: &Central, scope: &StoreScope, place: StreamPosition) -> Option<(Bytes, StreamPosition)> {
    const INFALLIBLE: &str = "plain structs with string keys always serialise into memory";
    let mut out = Vec::with_capacity(96 * CENTRAL_LEVELS_MAX);
    let last = match place {
        StreamPosition::Begin => None,
        StreamPosition::Behind(store, sku) => Some((store, sku)),
        StreamPosition::End => return None,
    };
    if last.is_none() {
        out.push(b'{');
    }
    let mut open = last.as_ref().map(|(store, _)| store.clone());
    let mut reached = None;
    let behind = central.within(scope, last.as_ref().map(|(store, sku)| (store, sku)));
    for (store, sku, levels) in behind.take(CENTRAL_LEVELS_MAX) {
        let (numbers, updated_at) = total(&levels);
        // Names are plain ASCII: nothing in them must be escaped.
        match &open {
            Some(same) if same == store => write!(out, ",\"{sku}\":"),
            Some(_) => write!(out, "}},\"{store}\":{{\"{sku}\":"),
            None => write!(out, "\"{store}\":{{\"{sku}\":"),
        }
        .expect(INFALLIBLE);
        let level = StreamedLevel { qty: numbers.qty(), version: numbers.version, updated_at };
        serde_json::to_writer(&mut out, &level).expect(INFALLIBLE);
        if open.as_ref() != Some(store) {
            open = Some(store.clone());
        }
        reached = Some((store.clone(), sku.clone()));
    }
    let Some((store, sku)) = reached else {
        out.extend_from_slice(if open.is_some() { b"}}" } else { b"}" });
        return Some((Bytes::from(out), StreamPosition::End));
    };
    Some((Bytes::from(out), StreamPosition::Behind(store, sku)))
}
