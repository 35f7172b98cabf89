//! The client behind proxies: where a request comes from, and whether it was encrypted on its way.
//!
//! A header says nothing by itself, because everybody can send it. When the peer of the connection is one of `TRUSTED_PROXIES`, the
//! entry that this proxy has added is believed: the last one of `X-Forwarded-For`, or of `Forwarded` (RFC 7239). If it names another
//! trusted proxy, the entry in front of it is believed too, and so on; the first address that is no trusted proxy is the client.
//! What stands in front of that was written by the client, and is never read.
//!
//! ```text
//! X-Forwarded-For: 1.2.3.4, 203.0.113.9, 10.0.0.2     peer 10.0.0.1; 10.0.0.0/8 is trusted
//!                  invented  the client  a proxy
//! ```
//! An entry that has no address (`unknown`, `_hidden`, a typo) ends the search: the nearest proxy is the client then. So it is
//! when both headers are there and name two clients. A proxy writes one of them and may pass the other one on as the client wrote it.
//!
//! The way was encrypted when the proxy says `https` for it (`X-Forwarded-Proto`, `proto=`); when it says nothing, the connection to
//! this node counts. From anybody else these headers change nothing here; that a request which has one is never local is the rule
//! of `web_gate`.

use crate::limits::FORWARDED_HOPS_MAX;
use http::header::FORWARDED;
use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The proxies that are believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The address; nothing over the local socket.
    pub address: Option<IpAddr>,
    /// True when nobody could read it on the way, as far as is known: TLS, or the local socket.
    pub encrypted: bool,
    /// True when a trusted proxy has forwarded it, on a connection that others may share.
    pub proxied: bool,
}

/// One entry of a header.
#[derive(Debug, Clone, Copy)]
struct Hop {
    address: IpAddr,
    /// Whether it came by `https`, if that is said.
    https: Option<bool>,
}

impl Client {
    /// Over the local socket.
    pub(crate) const LOCAL_SOCKET: Self = Self { address: None, encrypted: true, proxied: false };

    /// The peer of a connection over TCP, with TLS or without.
    pub fn at(address: IpAddr, encrypted: bool) -> Self {
        Self { address: Some(address.to_canonical()), encrypted, proxied: false }
    }
}

impl TrustedProxies {
    /// The proxies with an address in one of these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// The client of a request with these headers, that `peer` has sent.
    pub fn client_behind(&self, peer: Client, headers: &HeaderMap) -> Client {
        let Some(address) = peer.address.filter(|address| self.trusts(*address)) else { return peer };
        let proxy = Hop { address, https: None };
        let listed = |name: &HeaderName, read: fn(&str) -> Option<Hop>| {
            headers
                .contains_key(name)
                .then(|| self.nearest(proxy, elements(headers, name).map(|one| read(one?))))
        };
        let client = match (listed(&FORWARDED, of_forwarded), listed(&X_FORWARDED_FOR, of_x_forwarded_for)) {
            (Some(one), Some(other)) if one.address != other.address => proxy,
            (Some(client), _) | (None, Some(client)) => client,
            (None, None) => proxy,
        };
        let said = [client.https, x_forwarded_proto(headers)];
        let https = said.into_iter().flatten().reduce(|one, other| one && other);
        Client { address: Some(client.address), encrypted: https.unwrap_or(peer.encrypted), proxied: true }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The first hop that is no trusted proxy, in entries from the right; the last one that is known when the entries end before.
    fn nearest(&self, proxy: Hop, hops: impl Iterator<Item = Option<Hop>>) -> Hop {
        let mut known = proxy;
        for hop in hops.take(FORWARDED_HOPS_MAX) {
            let Some(hop) = hop else { break };
            known = hop;
            if !self.trusts(hop.address) {
                break;
            }
        }
        known
    }
}

/// The elements of a list header from the right, over all its lines; `None` for one that is not text. Commas between quotes divide
/// nothing; read from the right, a quote that a client has left open is met behind the entries of the proxies.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = Option<&'a str>> {
    headers.get_all(name).iter().rev().flat_map(|line| {
        let mut rest = Some(line.as_bytes());
        std::iter::from_fn(move || {
            let bytes = rest.take()?;
            let mut quoted = false;
            let comma = bytes.iter().rposition(|byte| {
                quoted ^= *byte == b'"';
                *byte == b',' && !quoted
            });
            let (before, last) = match comma.and_then(|comma| bytes.split_at_checked(comma)) {
                Some((before, last)) => (Some(before), last.get(1..).unwrap_or_default()),
                None => (None, bytes),
            };
            rest = before;
            Some(std::str::from_utf8(last).ok())
        })
    })
}

fn of_x_forwarded_for(element: &str) -> Option<Hop> {
    Some(Hop { address: address(element)?, https: None })
}

/// `for=192.0.2.60;proto=http;by=203.0.113.43`, in any order.
fn of_forwarded(element: &str) -> Option<Hop> {
    let (mut address_of, mut https) = (None, None);
    for pair in element.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        let value = value.strip_prefix('"').map_or(Some(value), |rest| rest.strip_suffix('"'))?;
        // Neither an address nor a scheme needs them.
        if value.contains(['"', '\\']) {
            return None;
        }
        let twice = if name.eq_ignore_ascii_case("for") {
            address_of.replace(address(value)?).is_some()
        } else if name.eq_ignore_ascii_case("proto") {
            https.replace(value.eq_ignore_ascii_case("https")).is_some()
        } else {
            false
        };
        if twice {
            return None;
        }
    }
    Some(Hop { address: address_of?, https })
}

/// Whether every entry says `https`; nothing when there is none.
fn x_forwarded_proto(headers: &HeaderMap) -> Option<bool> {
    let is_https = |line: &HeaderValue| {
        line.to_str().is_ok_and(|line| line.split(',').all(|one| one.trim().eq_ignore_ascii_case("https")))
    };
    let mut lines = headers.get_all(X_FORWARDED_PROTO).iter().peekable();
    lines.peek()?;
    Some(lines.all(is_https))
}

/// An address, also with a port: `192.0.2.43`, `192.0.2.43:47011`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let is_port = |port: &str| {
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let address: IpAddr = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(bracketed) => {
            let (address, port) = bracketed?;
            let fits = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            address.parse::<Ipv6Addr>().ok().filter(|_| fits)?.into()
        }
        None => match (text.parse(), text.split_once(':')) {
            (Ok(address), _) => address,
            (Err(_), Some((address, port))) if is_port(port) => address.parse::<Ipv4Addr>().ok()?.into(),
            (Err(_), _) => return None,
        },
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOR: &str = "x-forwarded-for";
    const PROTO: &str = "x-forwarded-proto";
    const RFC: &str = "forwarded";
    const CLIENT: &str = "203.0.113.9";
    const PROXY: &str = "10.0.0.1";

    fn proxies() -> TrustedProxies {
        TrustedProxies::new(["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap()).into())
    }

    /// The client of a request from `peer` without TLS.
    fn seen(peer: &str, headers: &[(&str, &[u8])]) -> (String, bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let client = proxies().client_behind(Client::at(peer.parse().unwrap(), false), &map);
        (client.address.unwrap().to_string(), client.encrypted)
    }

    #[test]
    fn the_client_is_the_last_address_that_is_no_trusted_proxy() {
        for (headers, client) in [
            (&[][..], PROXY),
            (&[(FOR, CLIENT)], CLIENT),
            (&[(FOR, " 203.0.113.9\t")], CLIENT),
            (&[(FOR, "1.2.3.4, 203.0.113.9")], CLIENT),
            (&[(FOR, "1.2.3.4,203.0.113.9,10.0.0.2, 10.9.9.9")], CLIENT),
            (&[(FOR, "1.2.3.4"), (FOR, CLIENT)], CLIENT),
            (&[(FOR, "1.2.3.4, 203.0.113.9"), (FOR, "10.0.0.2")], CLIENT),
            (&[(FOR, "10.0.0.7")], "10.0.0.7"),
            (&[(FOR, "10.0.0.8, 10.0.0.7")], "10.0.0.8"),
            (&[(FOR, "203.0.113.9:47011")], CLIENT),
            (&[(FOR, "::ffff:203.0.113.9")], CLIENT),
            (&[(FOR, "2001:db8::1")], "2001:db8::1"),
            (&[(FOR, "[2001:db8::1]:443")], "2001:db8::1"),
            (&[(FOR, "2001:db8::1, fd00::7")], "2001:db8::1"),
            (&[(RFC, "for=203.0.113.9")], CLIENT),
            (&[(RFC, "For=\"203.0.113.9:47011\" ;by=10.0.0.1; host=\"a.example\"")], CLIENT),
            (&[(RFC, "for=\"[2001:db8:cafe::17]:4711\"")], "2001:db8:cafe::17"),
            (&[(RFC, "for=1.2.3.4, for=203.0.113.9;proto=http, for=10.0.0.3")], CLIENT),
            (&[(RFC, "for=1.2.3.4"), (RFC, "for=203.0.113.9")], CLIENT),
            (&[(RFC, "for=203.0.113.9"), (FOR, CLIENT)], CLIENT),
        ] {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            for peer in [PROXY, "::ffff:10.0.0.1"] {
                assert_eq!(seen(peer, &headers), (client.to_owned(), false), "{headers:?}");
            }
            for stranger in [CLIENT, "127.0.0.1", "11.0.0.1", "2001:db8::5"] {
                assert_eq!(seen(stranger, &headers).0, stranger, "{headers:?}");
            }
        }
    }

    #[test]
    fn what_has_no_address_ends_at_the_proxy_that_wrote_it() {
        for value in [
            "",
            ",",
            " ",
            "unknown",
            "_hidden",
            "localhost",
            "203.0.113",
            "203.0.113.9.1",
            "203.0.113.09",
            "1.2.3.4:",
            "1.2.3.4:80:80",
            "1.2.3.4 5.6.7.8",
            "[2001:db8::1",
            "2001:db8::1]",
            "[2001:db8::1]443",
            "[2001:db8::1%lo]",
            "[1.2.3.4]",
            "fe80::1%eth0",
            "0x7f.1",
            "1.2.3.4/8",
            "\"203.0.113.9\"",
            "\u{e9}",
            "203.0.113.9,",
            "203.0.113.9, unknown",
        ] {
            assert_eq!(seen(PROXY, &[(FOR, value.as_bytes())]).0, PROXY, "{value:?}");
            let behind = format!("{value}, 10.0.0.2");
            assert_eq!(seen(PROXY, &[(FOR, behind.as_bytes())]).0, "10.0.0.2", "{behind:?}");
        }
        for value in [
            "",
            ";",
            "for",
            "for=",
            "for=unknown",
            "for=_gazonk",
            "203.0.113.9",
            "by=203.0.113.9",
            "for=203.0.113.9;for=203.0.113.9",
            "for=\"203.0.113.9",
            "for=203.0.113.9\"",
            "for=\"203.0.113\\.9\"",
            "for=203.0.113.9;proto",
            "for =203.0.113.9",
            "for=203.0.113.9 proto=https",
            "for=203.0.113.9;proto=\"a;b\"",
            "for=203.0.113.9,",
            "for=203.0.113.9;proto=https;proto=https",
        ] {
            assert_eq!(seen(PROXY, &[(RFC, value.as_bytes())]).0, PROXY, "{value:?}");
        }
        assert_eq!(seen(PROXY, &[(FOR, b"203.0.113.9\xff")]).0, PROXY);
        assert_eq!(seen(PROXY, &[(FOR, b"\xff, 203.0.113.9")]).0, CLIENT);
        assert_eq!(seen(PROXY, &[(RFC, b"\xff"), (RFC, b"for=203.0.113.9")]).0, CLIENT);
    }

    #[test]
    fn nothing_that_a_client_writes_moves_it() {
        for lie in [
            "for=\"",
            "\"",
            "\",\"",
            "for=\"1.2.3.4",
            "\\\"",
            "for=1.2.3.4;x=\"a,b",
            ",,,,",
            "10.0.0.1",
            "for=10.0.0.1",
        ] {
            let (by_for, by_rfc) = (format!("{lie}, {CLIENT}"), format!("{lie}, for={CLIENT};proto=https"));
            assert_eq!(seen(PROXY, &[(FOR, by_for.as_bytes())]), (CLIENT.to_owned(), false), "{lie}");
            assert_eq!(seen(PROXY, &[(RFC, by_rfc.as_bytes())]), (CLIENT.to_owned(), true), "{lie}");
            assert_eq!(seen(PROXY, &[(FOR, lie.as_bytes()), (FOR, CLIENT.as_bytes())]).0, CLIENT, "{lie}");
        }
        // The proxy writes one header, and passes the other one on.
        for (one, other) in
            [((RFC, "for=1.2.3.4"), (FOR, CLIENT)), ((RFC, "for=203.0.113.9"), (FOR, "1.2.3.4"))]
        {
            assert_eq!(seen(PROXY, &[(one.0, one.1.as_bytes()), (other.0, other.1.as_bytes())]).0, PROXY);
        }
        let long = vec!["10.0.0.2"; FORWARDED_HOPS_MAX + 1].join(",");
        assert_eq!(seen(PROXY, &[(FOR, format!("{CLIENT},{long}").as_bytes())]).0, "10.0.0.2");
    }

    #[test]
    fn the_way_is_encrypted_when_the_proxy_says_so() {
        for (headers, encrypted) in [
            (&[][..], false),
            (&[(PROTO, "https")], true),
            (&[(PROTO, "HTTPS")], true),
            (&[(PROTO, "http")], false),
            (&[(PROTO, "https,http")], false),
            (&[(PROTO, "https"), (PROTO, "http")], false),
            (&[(PROTO, "https, https")], true),
            (&[(PROTO, "")], false),
            (&[(PROTO, "https\u{e9}")], false),
            (&[(RFC, "for=203.0.113.9;proto=https")], true),
            (&[(RFC, "for=203.0.113.9;proto=\"https\"")], true),
            (&[(RFC, "for=203.0.113.9;proto=http")], false),
            (&[(RFC, "for=203.0.113.9;proto=https, for=10.0.0.2;proto=http")], true),
            (&[(RFC, "for=203.0.113.9, for=10.0.0.2;proto=https")], false),
            (&[(RFC, "for=203.0.113.9;proto=http"), (PROTO, "https")], false),
            (&[(FOR, CLIENT), (PROTO, "https")], true),
        ] {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            assert_eq!(seen(PROXY, &headers).1, encrypted, "{headers:?}");
            assert!(!seen(CLIENT, &headers).1, "{headers:?}");
        }
        // The scheme that a header names counts more than the scheme of the connection from the proxy.
        let mut headers = HeaderMap::new();
        let over_tls = Client::at(PROXY.parse().unwrap(), true);
        assert!(proxies().client_behind(over_tls, &headers).encrypted);
        headers.append(X_FORWARDED_PROTO, HeaderValue::from_static("http"));
        assert!(!proxies().client_behind(over_tls, &headers).encrypted);
        assert_eq!(proxies().client_behind(Client::LOCAL_SOCKET, &headers), Client::LOCAL_SOCKET);
    }
}
