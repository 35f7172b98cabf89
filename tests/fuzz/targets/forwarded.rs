//! Headers in which proxies name the client: what a client has written in front of the entry of a proxy moves nothing.

use http::{HeaderMap, HeaderName, HeaderValue};
use onhand_http::{Client, TrustedProxies};
use std::net::IpAddr;

const CLIENT: &str = "203.0.113.9";

/// Lines of headers as a client has sent them: the first byte of each says whether it is `Forwarded`, another header of proxies, or the
/// entry of a proxy behind it.
pub(super) fn headers(bytes: &[u8]) {
    let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().expect("a network")]);
    let proxy = Client::at(IpAddr::from([10, 0, 0, 1]), false);
    let stranger = Client::at(IpAddr::from([198, 51, 100, 7]), false);
    let mut all = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(8) {
        let Some((first, value)) = line.split_first() else { continue };
        let name = match first % 3 {
            0 => "forwarded",
            1 => "x-forwarded-for",
            _ => "x-forwarded-proto",
        };
        let entry =
            if name == "forwarded" { format!(", for={CLIENT};proto=https") } else { format!(", {CLIENT}") };
        let name = HeaderName::from_static(name);
        if let Ok(value) = HeaderValue::from_bytes(value) {
            all.append(&name, value);
        }
        if name != "x-forwarded-proto" {
            let mut one = HeaderMap::new();
            let whole = [value, entry.as_bytes()].concat();
            let Ok(whole) = HeaderValue::from_bytes(&whole) else { continue };
            one.append(&name, whole);
            let client = proxies.client_behind(proxy, &one);
            assert_eq!(client.address.map(|address| address.to_string()).as_deref(), Some(CLIENT));
            assert_eq!(client.encrypted, name == "forwarded");
        }
    }
    assert!(proxies.client_behind(proxy, &all).proxied);
    assert_eq!(proxies.client_behind(stranger, &all), stranger);
}
