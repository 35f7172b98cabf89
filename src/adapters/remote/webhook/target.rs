//! Allowed targets of alerts: none in the node's own network, unless configured.
//!
//! A user who may set the address must not reach hosts that only this machine can reach (SSRF). So the check is on
//! addresses, not names: the resolver gives the connection only allowed addresses. A name that resolves differently
//! a moment later (DNS rebinding) gains nothing. Ranges: the special-purpose registries of IANA (RFC 6890).

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::lookup_host;

/// Which addresses may be used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Targets {
    /// Private addresses are allowed, too.
    pub(super) private: bool,
    /// Public addresses are allowed; not without TLS.
    pub(super) public: bool,
}

impl Targets {
    pub(super) fn permit(self, address: IpAddr) -> bool {
        if is_public(address) { self.public } else { self.private }
    }
}

/// The error text for an address that is not allowed.
pub(super) fn refusal(host: &str, address: IpAddr) -> String {
    if is_public(address) {
        format!("{host} leads to the public address {address}: that takes https")
    } else {
        format!("{host} leads to {address}, which is not public: ALERT_WEBHOOK_ALLOW_PRIVATE=true allows it")
    }
}

/// Resolves names as the system does, and passes only allowed addresses.
impl Resolve for Targets {
    fn resolve(&self, name: Name) -> Resolving {
        let targets = *self;
        Box::pin(async move {
            let found: Vec<SocketAddr> = lookup_host((name.as_str(), 0)).await?.collect();
            let (good, bad): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|address| targets.permit(address.ip()));
            match bad.first() {
                Some(address) if good.is_empty() => Err(refusal(name.as_str(), address.ip()).into()),
                _ => Ok(Box::new(good.into_iter()) as Addrs),
            }
        })
    }
}

/// True for addresses of a single host on the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        // "This network", with the unspecified address; multicast, reserved and broadcast.
        || a == 0
        || a >= 224
        // Shared by a provider's customers (CGNAT).
        || (a == 100 && b & 0xc0 == 64)
        // Protocol assignments, and relays of 6to4.
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        // Benchmarks of networks.
        || (a == 198 && b & 0xfe == 18))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // IPv4 addresses embedded in IPv6.
    if let Some(inner) = address.to_ipv4_mapped().or_else(|| translated(address)) {
        return is_public_v4(inner);
    }
    let [first, second, ..] = address.segments();
    match (first, second) {
        // Protocol assignments and tunnels (Teredo), documentation, 6to4.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x2002, _) | (0x3fff, 0..=0xfff) => false,
        // The allocated part of the address space; loopback, unique local, link-local and multicast are outside of
        // it.
        (0x2000..=0x3fff, _) => true,
        _ => false,
    }
}

/// The IPv4 address embedded in a NAT64 address.
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.octets() {
        [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, inner @ ..] => Some(Ipv4Addr::from(inner)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_on_the_internet_are_public() {
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "128.0.0.1",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001::8a",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ];
        let others = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:8.8.8.8",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for (addresses, wanted) in [(&public[..], true), (&others[..], false)] {
            for address in addresses {
                assert_eq!(is_public(address.parse().unwrap()), wanted, "{address}");
            }
        }
    }

    #[test]
    fn what_is_not_public_takes_leave_and_what_is_takes_tls() {
        let (public, private) = (IpAddr::from([8, 8, 8, 8]), IpAddr::from([10, 0, 0, 7]));
        for (targets, permits) in [
            (Targets { private: false, public: true }, (true, false)),
            (Targets { private: true, public: true }, (true, true)),
            (Targets { private: true, public: false }, (false, true)),
        ] {
            assert_eq!((targets.permit(public), targets.permit(private)), permits, "{targets:?}");
        }
    }

    #[tokio::test]
    async fn a_name_is_looked_up_and_judged_by_where_it_leads() {
        let name = || "localhost".parse::<Name>().unwrap();
        let refused = Targets { private: false, public: true }.resolve(name()).await.err().unwrap();
        assert!(refused.to_string().contains("ALERT_WEBHOOK_ALLOW_PRIVATE"), "{refused}");
        let found = Targets { private: true, public: false }.resolve(name()).await.unwrap();
        assert!(found.into_iter().all(|address| address.ip().is_loopback()));
    }
}
