//! Where connections are taken, how many, and how long they get to finish.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::{Faults, RawServe};

/// Connections open at the same time, at most.
const CONNECTIONS_MAX: u64 = 65_535;
/// An hour: longer than any orchestrator waits.
const SHUTDOWN_TIMEOUT_MS_MAX: u64 = 3_600_000;

/// Settings of the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenSettings {
    /// `HOST` and `PORT`; port 0 lets the system choose a free one.
    pub address: SocketAddr,
    /// `CONNECTIONS_MAX`: a connection beyond it is answered 503 and closed.
    pub connections_max: usize,
    /// `SHUTDOWN_TIMEOUT_MS`: time to drain and flush before the process gives up.
    pub shutdown_timeout: Duration,
    /// `READY_FILE`: written with the base URL (temporary file, then rename) once requests are taken.
    pub ready_file: Option<PathBuf>,
}

impl ListenSettings {
    pub(super) fn read(raw: &RawServe, faults: &mut Faults) -> Self {
        let host = host(raw, faults);
        let port = u16::try_from(faults.whole("PORT", &raw.port, 0, u64::from(u16::MAX), "a port"));
        let connections = faults.whole(
            "CONNECTIONS_MAX",
            &raw.connections_max,
            1,
            CONNECTIONS_MAX,
            "a whole number of connections",
        );
        let shutdown_ms = faults.whole(
            "SHUTDOWN_TIMEOUT_MS",
            &raw.shutdown_timeout_ms,
            1,
            SHUTDOWN_TIMEOUT_MS_MAX,
            "a whole number of milliseconds",
        );
        Self {
            address: SocketAddr::new(host, port.expect("the bound above is the largest port")),
            connections_max: usize::try_from(connections).expect("the bound above fits any usize"),
            shutdown_timeout: Duration::from_millis(shutdown_ms),
            ready_file: raw.ready_file.clone(),
        }
    }
}

/// Reads `HOST`. Without identity anyone who reaches the port may sell, so only loopback is open by itself.
fn host(raw: &RawServe, faults: &mut Faults) -> IpAddr {
    let insecure = faults.truth("INSECURE", &raw.insecure);
    let Some(host) = address(&raw.host) else {
        faults.add("HOST", &raw.host, "an IPv4 or IPv6 address, or localhost");
        return IpAddr::V4(Ipv4Addr::LOCALHOST);
    };
    if !host.is_loopback() && !insecure {
        faults.add(
            "HOST",
            &raw.host,
            "127.0.0.1, ::1 or localhost; others only with --insecure, as anyone who can reach the port could \
             change stock",
        );
    }
    host
}

/// An address as people write it, also `localhost` and `[::1]`. Names are not looked up: that would be I/O.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("localhost") {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok()
}
