//! HTTP clients: another node as event source, the keys of central, and the webhook receiver of alerts.

mod access;
mod central_keys;
mod source;
mod webhook;

pub use access::NodeAccess;
pub use central_keys::{FetchedKeys, fetch_keys};
pub use source::RemoteSource;
pub use webhook::Webhook;

use reqwest::Url;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use rustls::crypto::ring;
use std::time::Duration;

/// HTTP client settings: no redirects, no proxy for targets on this machine (`loopback`), TLS by rustls for
/// `https`. The caller sets the timeouts.
pub fn client_builder(loopback: bool) -> reqwest::ClientBuilder {
    // Fails from the second call on, when the provider is installed already.
    let _ = ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .user_agent(concat!("onhand/", env!("CARGO_PKG_VERSION")));
    if loopback { builder.no_proxy() } else { builder }
}

/// True for an address on this machine.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Delay that the receiver asks for in `Retry-After`; one second when the header is missing.
fn retry_after(headers: &HeaderMap) -> Duration {
    let asked = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(asked.unwrap_or(1))
}

/// The whole chain of causes, because reqwest's own message is generic. Without the URL, which may contain a
/// secret.
fn error_chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
