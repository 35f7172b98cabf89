//! Another node, reached over HTTP.

mod source;

pub use source::RemoteSource;

use reqwest::redirect::Policy;
use rustls::crypto::ring;

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
