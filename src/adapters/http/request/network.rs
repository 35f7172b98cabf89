//! The network of a client: what counts as one client where addresses are counted.

use std::net::{IpAddr, Ipv6Addr};

/// The network of an address: itself, and in IPv6 the 64 bits that every host has at least.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}
