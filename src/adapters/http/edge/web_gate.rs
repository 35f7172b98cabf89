//! The gate against web pages: protects against requests that a page makes its visitor's browser send.
//!
//! Without a login, every client that reaches the socket may change stock. A page that a browser on this machine
//! opens reaches a loopback socket in two ways:
//!
//! - **DNS rebinding.** The page's own name is made to resolve to 127.0.0.1, so that for the browser the node is
//!   the page's own server, and its answers may be read. The name in `Host` (HTTP/2: `:authority`) shows it.
//! - **Cross-site requests.** A form, or a `fetch` that needs no preflight, is sent to any address the page names;
//!   the answer is hidden from the page, the effect is not. `Sec-Fetch-Site` shows it, in older browsers `Origin`;
//!   pages cannot set either. The rule is that of `CrossOriginProtection` in Go 1.25.
//!
//! No page reaches the local socket, so its callers may use any host name.
//!
//! A check allocates nothing: it is one pass over the names of the headers.

use crate::edge::local_peer::LocalPeer;
use crate::response::code::Code;
use crate::response::problem::Problem;
use http::header::{FORWARDED, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The prefix of the headers in which proxies name the original caller.
const X_FORWARDED: &str = "x-forwarded-";

/// The rules for requests that a web page may have sent.
#[derive(Debug, Clone)]
pub struct WebGate {
    /// The address of the listener, when only callers on this machine are served.
    local: Option<IpAddr>,
    /// Origins whose pages may send requests and read the answers.
    origins: Vec<HeaderValue>,
}

/// The headers of a request that name its destination and its origin.
#[derive(Debug, Default)]
struct OriginHeaders<'a> {
    host: Field<'a>,
    origin: Field<'a>,
    site: Field<'a>,
    forwarded: bool,
}

/// A header that may occur once.
#[derive(Debug, Default)]
struct Field<'a> {
    value: Option<&'a HeaderValue>,
    doubled: bool,
}

impl WebGate {
    /// The gate of a node that serves only callers on its own machine and listens on this address.
    pub fn local(address: IpAddr) -> Self {
        Self { local: Some(address), origins: Vec::new() }
    }

    /// The gate of a node that may be called by any name.
    pub fn any_host() -> Self {
        Self { local: None, origins: Vec::new() }
    }

    /// The same gate with origins whose pages may send requests; each as a browser writes it.
    ///
    /// # Panics
    /// When an origin is not visible ASCII; the settings are validated before.
    #[must_use]
    pub fn with_origins(mut self, origins: &[String]) -> Self {
        let value = |origin: &String| HeaderValue::from_str(origin).expect("an origin is visible ASCII");
        self.origins = origins.iter().map(value).collect();
        self
    }

    /// True when answers depend on the origin of the request.
    pub(crate) fn knows_origins(&self) -> bool {
        !self.origins.is_empty()
    }

    /// Accepts or refuses a request. Returns its origin when pages of that origin may read the answer. With `login`, callers show who
    /// they are: then a proxy may forward them, by any name.
    pub(crate) fn check<B>(&self, request: &Request<B>, login: bool) -> Result<Option<HeaderValue>, Problem> {
        let seen = OriginHeaders::read(request.headers());
        // HTTP/1.0 has no Host header. Browsers do not speak it any more, probes of load balancers do.
        let over_socket = request.extensions().get::<LocalPeer>().is_some();
        let hostless = (self.local.is_none() || over_socket) && request.version() < Version::HTTP_11;
        let host = seen.host_of(request.uri(), hostless)?;
        let local = self.local.filter(|_| !login);
        // Over the socket, too, where a proxy would lend its caller the rights of the owner.
        if seen.forwarded && (over_socket || local.is_some()) {
            let detail = if over_socket { FORWARDED_OVER_SOCKET } else { FORWARDED_DETAIL };
            return Err(Problem::new(Code::MisdirectedHost, detail));
        }
        if local.is_some_and(|bound| !over_socket && !is_local(name_of(host), bound)) {
            return Err(Problem::plain(Code::MisdirectedHost));
        }
        let known = seen.origin.only().filter(|origin| self.origins.contains(*origin));
        if known.is_none() && !is_safe(request.method()) && seen.is_cross_site(host) {
            return Err(Problem::plain(Code::CrossSite));
        }
        Ok(known.cloned())
    }
}

const FORWARDED_DETAIL: &str = "A proxy has forwarded the request, so its caller may be anywhere, and this server answers \
     only callers on its own machine as long as nobody has to log in. Call it directly, or start it with --insecure and \
     let the proxy decide who may call.";

const FORWARDED_OVER_SOCKET: &str = "A proxy has forwarded the request over the local socket, which admits the owner of the data \
     directory alone. Have the proxy call the port of the server instead.";

impl Default for WebGate {
    /// The gate of a node on 127.0.0.1.
    fn default() -> Self {
        Self::local(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }
}

impl<'a> OriginHeaders<'a> {
    fn read(headers: &'a HeaderMap) -> Self {
        let mut seen = Self::default();
        for (name, value) in headers {
            if name == HOST {
                seen.host.note(value);
            } else if name == ORIGIN {
                seen.origin.note(value);
            } else if name == SEC_FETCH_SITE {
                seen.site.note(value);
            } else if name == FORWARDED || name.as_str().starts_with(X_FORWARDED) {
                seen.forwarded = true;
            }
        }
        seen
    }

    /// The host that the request is for, with its port as written.
    ///
    /// HTTP/1.1 has it in `Host`, and in the request target if that is absolute; HTTP/2 in `:authority`, and perhaps in `Host`. If
    /// the two differed, one server of a chain could see another host than the next (RFC 9112 section 3.2, RFC 9113 section
    /// 8.3.1).
    fn host_of(&self, uri: &'a Uri, hostless: bool) -> Result<&'a str, Problem> {
        if self.host.doubled {
            return Err(Problem::parameter("Host", "is given more than once; send it once"));
        }
        let header = self.host.value.map(|host| host.to_str().unwrap_or(NO_HOST));
        let host = match (uri.authority().map(Authority::as_str), header) {
            (None, None) if hostless => "",
            (None, None) => {
                return Err(Problem::parameter("Host", "is missing; name the host that is called"));
            }
            (Some(target), Some(header)) if !target.eq_ignore_ascii_case(header) => {
                return Err(Problem::parameter("Host", "differs from the host in the target; send it alike"));
            }
            (Some(host), _) | (None, Some(host)) => host,
        };
        if is_host(host) {
            Ok(host)
        } else {
            Err(Problem::parameter("Host", "must be a host name or address, and a port if there is one"))
        }
    }

    fn is_cross_site(&self, host: &str) -> bool {
        if self.site.value.is_some() {
            return !self.site.only().is_some_and(|site| site == "same-origin" || site == "none");
        }
        if self.origin.value.is_none() {
            // A browser sends at least one of the two headers when a page of another site made the request.
            return false;
        }
        let origin = self.origin.only().and_then(|origin| origin.to_str().ok()?.split_once("://"));
        !origin.is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
    }
}

impl<'a> Field<'a> {
    fn note(&mut self, value: &'a HeaderValue) {
        self.doubled |= self.value.replace(value).is_some();
    }

    /// The value, when the header occurs exactly once.
    fn only(&self) -> Option<&'a HeaderValue> {
        self.value.filter(|_| !self.doubled)
    }
}

/// Stands for a header that is not text; no host has this name.
const NO_HOST: &str = " ";

/// Methods that change nothing (RFC 9110, section 9.2.1), as far as a page can send them.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// True for `uri-host [ ":" port ]` (RFC 9110, section 7.2); an empty host is one, too.
fn is_host(host: &str) -> bool {
    let name = name_of(host);
    let port = host.get(name.len()..).unwrap_or_default();
    let port_fits = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.len() <= 5 && digits.bytes().all(|digit| digit.is_ascii_digit()));
    let name_fits = match bracketed(name) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte)),
    };
    name_fits && port_fits
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    let end = match host.rfind(']') {
        Some(bracket) => bracket + 1,
        None => host.find(':').unwrap_or(host.len()),
    };
    host.get(..end).unwrap_or(host)
}

fn bracketed(name: &str) -> Option<&str> {
    name.strip_prefix('[')?.strip_suffix(']')
}

/// True for names that resolve to this machine with any resolver, and for the address of the listener.
fn is_local(name: &str, bound: IpAddr) -> bool {
    if let Some(address) = bracketed(name) {
        return address
            .parse()
            .is_ok_and(|address: Ipv6Addr| address == Ipv6Addr::LOCALHOST || address == bound);
    }
    // A trailing dot marks a name as fully qualified (RFC 1034, section 3.1).
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || name.parse().is_ok_and(|address: Ipv4Addr| address == Ipv4Addr::LOCALHOST || address == bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code of a refusal, or an empty word.
    fn judged(gate: &WebGate, method: &str, target: &str, headers: &[(&str, &str)]) -> &'static str {
        let builder = Request::builder().method(method).uri(target);
        let request = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
        gate.check(&request.body(()).unwrap(), false).err().map_or("", |problem| problem.code().slug())
    }

    #[test]
    fn a_host_leads_to_this_machine_or_nowhere() {
        const LOCAL: &str = "";
        const OTHER: &str = "misdirected-host";
        const BAD: &str = "invalid-request";
        let gate = WebGate::local("127.0.0.5".parse().unwrap());
        let gate_6 = WebGate::local("fd00::7".parse().unwrap());
        for (host, verdict) in [
            ("localhost", LOCAL),
            ("localhost:3000", LOCAL),
            ("LocalHost:3000", LOCAL),
            ("localhost.", LOCAL),
            ("localhost.:3000", LOCAL),
            ("localhost:", LOCAL),
            ("127.0.0.1", LOCAL),
            ("127.0.0.1:65535", LOCAL),
            ("[::1]", LOCAL),
            ("[::1]:3000", LOCAL),
            ("[0:0:0:0:0:0:0:1]:3000", LOCAL),
            ("evil.example", OTHER),
            ("evil.example:3000", OTHER),
            ("localhost.evil.example", OTHER),
            ("localhost..", OTHER),
            ("evil-localhost", OTHER),
            ("sub.localhost", OTHER),
            ("127.0.0.1.nip.io:3000", OTHER),
            ("127.0.0.2", OTHER),
            ("127.1", OTHER),
            ("2130706433", OTHER),
            ("0x7f000001", OTHER),
            ("0.0.0.0:3000", OTHER),
            ("10.0.0.7", OTHER),
            ("[::]", OTHER),
            ("[::ffff:127.0.0.1]", OTHER),
            ("", OTHER),
            (":3000", OTHER),
            ("localhost,evil.example", OTHER),
            ("%6cocalhost", OTHER),
            ("user@localhost", BAD),
            ("localhost:3000@evil.example", BAD),
            ("localhost/evil", BAD),
            ("localhost evil", BAD),
            ("localhost:port", BAD),
            ("localhost:3000:3000", BAD),
            ("localhost:999999", BAD),
            ("::1", BAD),
            ("[::1", BAD),
            ("[::1]x", BAD),
            ("[::1%25lo]", BAD),
            ("[localhost]", BAD),
            ("[[::1]]", BAD),
            ("\u{1f3e0}", BAD),
        ] {
            for gate in [&gate, &gate_6] {
                assert_eq!(judged(gate, "GET", "/", &[("host", host)]), verdict, "{host}");
            }
            let any = if verdict == BAD { BAD } else { "" };
            assert_eq!(judged(&WebGate::any_host(), "GET", "/", &[("host", host)]), any, "{host}");
        }
        assert_eq!(judged(&gate, "GET", "/", &[("host", "127.0.0.5:80")]), LOCAL);
        assert_eq!(judged(&gate_6, "GET", "/", &[("host", "[fd00:0::7]:80")]), LOCAL);
        assert_eq!(judged(&gate, "GET", "/", &[("host", "[fd00::7]")]), OTHER);
    }

    #[test]
    fn a_request_names_one_host() {
        let gate = WebGate::default();
        for (target, hosts, verdict) in [
            ("/", &[][..], "invalid-request"),
            ("/", &["localhost", "localhost"], "invalid-request"),
            ("http://localhost/", &[], ""),
            ("http://localhost:3000/", &["LOCALHOST:3000"], ""),
            ("http://localhost:3000/", &["localhost"], "invalid-request"),
            ("http://evil.example/", &["localhost"], "invalid-request"),
            ("http://localhost/", &["evil.example"], "invalid-request"),
            ("http://evil.example/", &[], "misdirected-host"),
            ("http://user@localhost/", &[], "invalid-request"),
        ] {
            let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            assert_eq!(judged(&gate, "GET", target, &headers), verdict, "{target} {hosts:?}");
        }
    }

    #[test]
    fn a_probe_of_before_1_1_needs_no_host_where_any_will_do() {
        for (version, any, local) in [
            (Version::HTTP_10, true, false),
            (Version::HTTP_11, false, false),
            (Version::HTTP_2, false, false),
        ] {
            let request = Request::builder().version(version).uri("/livez").body(()).unwrap();
            assert_eq!(WebGate::any_host().check(&request, false).is_ok(), any, "{version:?}");
            assert_eq!(WebGate::default().check(&request, false).is_ok(), local, "{version:?}");
        }
    }

    #[test]
    fn only_pages_of_this_server_change_something() {
        const OWN: &str = "";
        const OTHER: &str = "cross-site";
        let gate = WebGate::default().with_origins(&["https://desk.example".to_owned()]);
        for (headers, verdict) in [
            (&[][..], OWN),
            (&[("sec-fetch-site", "same-origin")], OWN),
            (&[("sec-fetch-site", "none")], OWN),
            (&[("sec-fetch-site", "same-site")], OTHER),
            (&[("sec-fetch-site", "cross-site")], OTHER),
            (&[("sec-fetch-site", "Same-Origin")], OTHER),
            (&[("sec-fetch-site", "")], OTHER),
            (&[("sec-fetch-site", "none"), ("sec-fetch-site", "none")], OTHER),
            (&[("sec-fetch-site", "same-origin"), ("origin", "http://evil.example")], OWN),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:3000")], OTHER),
            (&[("origin", "http://localhost:3000")], OWN),
            (&[("origin", "https://LOCALHOST:3000")], OWN),
            (&[("origin", "http://localhost")], OTHER),
            (&[("origin", "http://localhost:3001")], OTHER),
            (&[("origin", "http://127.0.0.1:3000")], OTHER),
            (&[("origin", "http://evil.example")], OTHER),
            (&[("origin", "http://evil.example?://localhost:3000")], OTHER),
            (&[("origin", "null")], OTHER),
            (&[("origin", "")], OTHER),
            (&[("origin", "localhost:3000")], OTHER),
            (&[("origin", "http://localhost:3000"), ("origin", "http://localhost:3000")], OTHER),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://desk.example")], OWN),
            (&[("origin", "https://desk.example")], OWN),
            (&[("origin", "http://desk.example")], OTHER),
            (&[("origin", "https://desk.example:8443")], OTHER),
            (&[("origin", "https://desk.example"), ("origin", "https://desk.example")], OTHER),
        ] {
            let headers: Vec<_> =
                [("host", "localhost:3000")].into_iter().chain(headers.iter().copied()).collect();
            for method in ["POST", "PUT", "PATCH", "DELETE", "QUERY", "TRACE"] {
                assert_eq!(judged(&gate, method, "/", &headers), verdict, "{method} {headers:?}");
            }
            for method in ["GET", "HEAD", "OPTIONS"] {
                assert_eq!(judged(&gate, method, "/", &headers), "", "{method} {headers:?}");
            }
        }
    }

    #[test]
    fn what_a_proxy_has_forwarded_is_not_local() {
        for name in ["forwarded", "x-forwarded-for", "X-Forwarded-Host", "x-forwarded-proto", "x-forwarded-"]
        {
            let headers = [("host", "localhost"), (name, "")];
            assert_eq!(judged(&WebGate::default(), "GET", "/", &headers), "misdirected-host", "{name}");
            assert_eq!(judged(&WebGate::any_host(), "GET", "/", &headers), "", "{name}");
        }
    }

    #[test]
    fn over_the_local_socket_any_name_will_do_but_no_proxy() {
        let gate = WebGate::default();
        for (headers, verdict) in [
            (&[("host", "stock.example")][..], ""),
            (&[("host", "stock.example"), ("host", "stock.example")], "invalid-request"),
            (&[("host", "stock.example"), ("x-forwarded-for", "10.0.0.7")], "misdirected-host"),
            (&[("host", "stock.example"), ("origin", "http://evil.example")], "cross-site"),
        ] {
            let builder = Request::builder().method("POST").uri("/").extension(LocalPeer { uid: 0 });
            let request =
                headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
            let judged = gate.check(&request.body(()).unwrap(), false);
            assert_eq!(judged.err().map_or("", |problem| problem.code().slug()), verdict, "{headers:?}");
        }
    }
}
