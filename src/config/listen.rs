//! The listener: its address, the limit of connections, the time to drain them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use http::uri::Authority;
use ipnet::IpNet;

use crate::fault::Faults;
use crate::raw_serve::RawServe;
use crate::tls::TlsSettings;

/// Connections open at the same time, at most.
const CONNECTIONS_MAX: u64 = 65_535;
/// An hour: longer than any orchestrator waits.
const SHUTDOWN_TIMEOUT_MS_MAX: u64 = 3_600_000;

/// Settings of the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct ListenSettings {
    /// `HOST` and `PORT`; port 0 lets the system choose a free one.
    pub address: SocketAddr,
    /// `CONNECTIONS_MAX`: a connection beyond it is answered 503 and closed.
    pub connections_max: usize,
    /// `SHUTDOWN_TIMEOUT_MS`: time to drain and flush before the process gives up.
    pub shutdown_timeout: Duration,
    /// `INSECURE`: as long as nobody can log in, every client that reaches the port may call, by whatever name.
    pub insecure: bool,
    /// `PLAIN_HTTP`: passwords are taken over plain HTTP, also from beyond this machine.
    pub plain_http: bool,
    /// `SIGNUP`: everybody may register as a customer.
    pub signup: bool,
    /// `CORS_ORIGINS`: origins whose pages may call, each in the form that browsers send.
    pub cors_origins: Vec<String>,
    /// `TRUSTED_PROXIES`: whose word about the client and its way is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// `METRICS_OPEN`: metrics need no login.
    pub metrics_open: bool,
    /// `TLS_CERT` and `TLS_KEY`: with them connections are HTTPS.
    pub tls: Option<TlsSettings>,
    /// `READY_FILE`: receives the base URL (temporary file, then rename) once requests are accepted.
    pub ready_file: Option<PathBuf>,
}

impl ListenSettings {
    pub(super) fn read(raw: &RawServe, faults: &mut Faults) -> Self {
        let insecure = faults.truth("INSECURE", &raw.insecure);
        let host = host(&raw.host, faults);
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
            insecure,
            plain_http: faults.truth("PLAIN_HTTP", &raw.plain_http),
            signup: faults.truth("SIGNUP", &raw.signup),
            cors_origins: origins(&raw.cors_origins, faults),
            trusted_proxies: networks(&raw.trusted_proxies, faults),
            metrics_open: faults.truth("METRICS_OPEN", &raw.metrics_open),
            tls: TlsSettings::read(&raw.tls, faults),
            ready_file: raw.ready_file.clone(),
        }
    }
}

/// Reads `HOST`.
fn host(given: &str, faults: &mut Faults) -> IpAddr {
    address(given).unwrap_or_else(|| {
        faults.add("HOST", given, "an IPv4 or IPv6 address, or localhost");
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    })
}

/// An address as people write it, also `localhost` and `[::1]`. Names are not resolved: that would be I/O.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("localhost") {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok()
}

/// Reads `TRUSTED_PROXIES`.
fn networks(given: &[String], faults: &mut Faults) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in given.iter().map(|text| text.trim()) {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        // A network of everybody would let each client choose its address; bits behind the prefix are a typo in one of the two.
        match network.ok().filter(|network| network.prefix_len() > 0 && network.trunc() == *network) {
            Some(network) => networks.push(network),
            None => faults.add(
                "TRUSTED_PROXIES",
                text,
                "addresses and networks such as 10.0.0.7, 10.0.0.0/8 or fd00::/8: nothing set behind the prefix, and \
                 none that everybody is in",
            ),
        }
    }
    networks
}

/// Reads `CORS_ORIGINS` and checks the form of each origin.
fn origins(given: &[String], faults: &mut Faults) -> Vec<String> {
    let mut origins = Vec::new();
    for text in given.iter().map(|text| text.trim()) {
        if is_origin(text) {
            origins.push(text.to_owned());
        } else {
            faults.add(
                "CORS_ORIGINS",
                text,
                "origins as browsers write them, such as https://desk.example or http://localhost:8080: a scheme, a host in \
                 small letters, a port unless it is the scheme's own, and nothing behind it; no *",
            );
        }
    }
    origins
}

/// True for an origin in the one form that browsers send (RFC 6454, section 6.2).
fn is_origin(text: &str) -> bool {
    let (rest, own_port) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
        (Some(rest), _) => (rest, ":80"),
        (_, Some(rest)) => (rest, ":443"),
        (None, None) => return false,
    };
    let authority: Option<Authority> = rest.parse().ok();
    let plain = |authority: &Authority| !authority.host().is_empty() && !rest.contains(['@', '*', '%']);
    let small = !rest.bytes().any(|byte| byte.is_ascii_uppercase());
    small && !rest.ends_with(own_port) && !rest.ends_with(':') && authority.as_ref().is_some_and(plain)
}
