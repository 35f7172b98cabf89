//! Request data that the edge adds beside the request itself.

use crate::request::caller::Caller;
use crate::request::path_params::PathParams;
use crate::request::request_id::RequestId;
use axum::extract::FromRequestParts;
use http::request::Parts;
use std::convert::Infallible;
use std::net::IpAddr;

/// Travels as an extension of the request from the edge to the extractors.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    /// The id of the request, from its header or generated.
    pub id: RequestId,
    /// Who it comes from.
    pub caller: Caller,
    /// The address of the client, behind trusted proxies; nothing over the local socket and from inside the process.
    pub address: Option<IpAddr>,
    /// True when nobody could read it on the way: TLS, `https` at a trusted proxy, or the local socket.
    pub encrypted: bool,
    /// The values of the path's parameters.
    pub params: PathParams,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let arrived = parts.extensions.get::<Arrived>();
        Ok(arrived.map(|arrived| arrived.caller.clone()).unwrap_or_default())
    }
}
