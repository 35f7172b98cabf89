//! Others, reached over HTTP: another node, and whoever wants to hear of alerts.

mod source;
mod webhook;

pub use source::RemoteSource;
pub use webhook::Webhook;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use rustls::crypto::ring;
use std::time::Duration;

/// How others are asked over HTTP: not where they say, but where they are; without a proxy on this machine; with TLS by
/// rustls where the address is `https`. Times are the caller's to set.
pub fn client_builder(loopback: bool) -> reqwest::ClientBuilder {
    // From the second time on it is there.
    let _ = ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .user_agent(concat!("onhand/", env!("CARGO_PKG_VERSION")));
    if loopback { builder.no_proxy() } else { builder }
}

/// When it wants to be asked again; a second when it does not say.
fn retry_after(headers: &HeaderMap) -> Duration {
    let asked = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(asked.unwrap_or(1))
}

/// The whole chain of causes: reqwest's own sentence only says that it did not work. Without the address, in which there may be a
/// secret.
fn told(error: reqwest::Error) -> String {
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
