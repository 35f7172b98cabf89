//! Certificates as a story needs them, and a client that speaks TLS as it is told.

use crate::binary::process::Node;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(super) const HTTP_2: &[u8] = b"h2";
pub(super) const HTTP_1_1: &[u8] = b"http/1.1";

/// A certificate of `localhost` that vouches for itself, and its key.
pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: String,
    pub(super) der: CertificateDer<'static>,
}

/// A directory with the two files of TLS, and room for data.
pub(super) struct Files {
    directory: TempDir,
}

/// A client that believes some certificates.
#[derive(Clone)]
pub(super) struct Client(TlsConnector);

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Pair {
    pub(super) fn new() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Self { certificate: cert.pem(), key: signing_key.serialize_pem(), der: cert.der().clone() }
    }
}

impl Files {
    pub(super) fn with(pair: &Pair) -> Self {
        let files = Self { directory: TempDir::new().unwrap() };
        files.lay(&pair.certificate, &pair.key);
        files
    }

    /// Writes both files.
    pub(super) fn lay(&self, certificate: &str, key: &str) {
        fs::write(self.certificate(), certificate).unwrap();
        fs::write(self.key(), key).unwrap();
        fs::set_permissions(self.key(), Permissions::from_mode(0o600)).unwrap();
    }

    pub(super) fn certificate(&self) -> PathBuf {
        self.directory.path().join("certificate.pem")
    }

    pub(super) fn key(&self) -> PathBuf {
        self.directory.path().join("key.pem")
    }

    pub(super) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Starts a node that has them.
    pub(super) fn node(&self, more: &[&str]) -> Node {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let (certificate, key) = (text(&self.certificate()), text(&self.key()));
        let options = [&["--tls-cert", &certificate, "--tls-key", &key], more].concat();
        Node::start(&self.data(), &options)
    }
}

impl Client {
    /// Speaks that version of TLS, and offers these protocols.
    pub(super) fn new(
        believed: &[&Pair],
        version: &'static SupportedProtocolVersion,
        offered: &[&[u8]],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        for pair in believed {
            roots.add(pair.der.clone()).unwrap();
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
        Self(TlsConnector::from(Arc::new(config)))
    }

    /// The same without sessions that are resumed, so that each connection is shown the certificate of now.
    pub(super) fn without_memory(self) -> Self {
        let mut config = ClientConfig::clone(self.0.config());
        config.resumption = Resumption::disabled();
        Self(TlsConnector::from(Arc::new(config)))
    }

    pub(super) async fn connect(&self, address: &str) -> io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        self.0.connect(ServerName::try_from("localhost").unwrap(), stream).await
    }

    /// A GET on a connection of its own.
    pub(super) async fn get(&self, address: &str, path: &str) -> Answer {
        let mut sender = Sender::on(self.connect(address).await.unwrap()).await;
        sender.send(request("GET", path, "")).await
    }
}

/// A connection on which requests follow each other.
pub(super) enum Sender {
    One(http1::SendRequest<Body>),
    Two(http2::SendRequest<Body>),
}

impl Sender {
    /// Speaks what the handshake has chosen.
    pub(super) async fn on(stream: TlsStream<TcpStream>) -> Self {
        let two = stream.get_ref().1.alpn_protocol() == Some(HTTP_2);
        let stream = TokioIo::new(stream);
        if two {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            return Self::Two(sender);
        }
        let (sender, connection) = http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Self::One(sender)
    }

    pub(super) async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let answer = match self {
            Self::One(sender) => {
                *request.uri_mut() = request.uri().path().parse().unwrap();
                sender.ready().await.unwrap();
                sender.send_request(request).await.unwrap()
            }
            Self::Two(sender) => {
                request.headers_mut().remove("host");
                sender.ready().await.unwrap();
                sender.send_request(request).await.unwrap()
            }
        };
        let (head, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: head.status, version: head.version, headers: head.headers, text }
    }
}

pub(super) fn request(method: &str, path: &str, body: &str) -> Request<Body> {
    let builder = Request::builder().method(method).uri(format!("https://localhost{path}"));
    let builder = builder.header("host", "localhost").header("content-type", "application/json");
    builder.body(Body::from(body.to_owned())).unwrap()
}
