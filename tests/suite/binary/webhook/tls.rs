//! A receiver behind TLS: accepted only when the authorities of the system vouch for its certificate.
//!
//! `authority.pem`, `certificate.pem` (of `localhost`, until 2120) and `key.pem` were made for this test with `openssl req`
//! and `openssl ca`; the key of the authority was thrown away.

use super::super::api::Api;
use super::super::process::{Node, PROGRAM};
use super::receiver::{Receiver, SECRET};
use super::{adjust, ids, in_the_log, stop, watch};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;

/// Accepts connections with TLS on a free port, until the task is aborted.
async fn listen(receiver: &Receiver) -> u16 {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = receiver.router();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (acceptor, service) = (acceptor.clone(), TowerToHyperService::new(router.clone()));
            tokio::spawn(async move {
                // A client that rejects the certificate disconnects.
                let Ok(stream) = acceptor.accept(socket).await else { return };
                let _ =
                    Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    port
}

async fn start(data_dir: &Path, port: u16, authorities: Option<&str>) -> Node {
    let mut program = Command::new(PROGRAM);
    if let Some(file) = authorities {
        program.env("SSL_CERT_FILE", file);
    }
    program.env("ALERT_WEBHOOK_URL", format!("https://localhost:{port}/hook"));
    // While the receiver changes from one secret to the next.
    program.env("ALERT_WEBHOOK_SECRET", format!("whsec_{} {SECRET}", "A".repeat(32)));
    program.env("ALERT_WEBHOOK_ALLOW_PRIVATE", "true");
    let data_dir = data_dir.to_owned();
    spawn_blocking(move || Node::start_as(program, &data_dir, &[])).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_behind_tls_needs_a_trusted_certificate() {
    let receiver = Receiver::new();
    let port = listen(&receiver).await;
    let directory = TempDir::new().unwrap();
    let node = start(directory.path(), port, None).await;
    let api = Api::of(&node);
    watch(&api).await;
    for delta in [10, -10] {
        adjust(&api, "A", delta).await;
    }
    while !node.process.said("stderr").contains("an alert was not sent") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let told = node.process.said("stderr");
    assert!(told.contains("certificate") && !told.contains("/hook"), "{told}");
    stop(node).await;
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/binary/webhook/authority.pem");
    let node = start(directory.path(), port, Some(authority)).await;
    let taken = receiver.taken(1).await;
    assert_eq!(ids(&taken), in_the_log(&Api::of(&node)).await);
    stop(node).await;
}
