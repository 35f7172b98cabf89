//! TLS 1.2 and 1.3 on the listener, and the certificate that new connections are shown.
//!
//! A certificate is replaced while the server runs: connections that begin afterwards are shown the new one, those that are open
//! keep theirs, with their keys, until they end.

use parking_lot::RwLock;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{Error, ServerConfig};
use std::fmt;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

const HTTP_2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// A certificate with its key, ready for handshakes.
#[derive(Debug, Clone)]
pub struct Certificate {
    served: Arc<ServerConfig>,
    /// Connections in the reserve speak HTTP/1.1 only.
    reserve: Arc<ServerConfig>,
}

/// Why a certificate and a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateFault {
    /// What is wrong with the certificate or the chain behind it.
    Certificate(String),
    /// What is wrong with the key.
    Key(String),
    /// Each is good, but they do not belong together.
    Mismatch,
}

/// The certificate that the listener shows now.
#[derive(Debug)]
pub struct Tls(RwLock<Certificate>);

impl Certificate {
    /// Reads a chain of certificates, that of the server first, and the private key of that one.
    ///
    /// # Errors
    /// The first fault that is found.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateFault> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|error| CertificateFault::Certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(CertificateFault::Certificate("there is no certificate in PEM form".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => {
                CertificateFault::Key("there is no private key in PEM form that is not encrypted".to_owned())
            }
            error => CertificateFault::Key(error.to_string()),
        })?;
        let mut served = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .expect("the provider has ciphers of both versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(CertificateFault::of)?;
        served.alpn_protocols = vec![HTTP_1_1.to_vec()];
        let reserve = Arc::new(served.clone());
        served.alpn_protocols.insert(0, HTTP_2.to_vec());
        Ok(Self { served: Arc::new(served), reserve })
    }
}

impl CertificateFault {
    fn of(error: Error) -> Self {
        match error {
            Error::InconsistentKeys(_) => Self::Mismatch,
            // rustls would speak of the certificate of a peer.
            Error::InvalidCertificate(reason) => Self::Certificate(format!("no valid certificate: {reason}")),
            error => Self::Key(error.to_string()),
        }
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(reason) | Self::Key(reason) => f.write_str(reason),
            Self::Mismatch => f.write_str("the key is not that of the certificate"),
        }
    }
}

impl Tls {
    /// A listener that shows this certificate.
    pub fn new(certificate: Certificate) -> Self {
        Self(RwLock::new(certificate))
    }

    /// Shows another certificate from the next connection on.
    pub fn replace(&self, certificate: Certificate) {
        *self.0.write() = certificate;
    }

    /// For a connection that is served.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.0.read().served).into()
    }

    /// For a connection in the reserve.
    pub(crate) fn reserve_acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.0.read().reserve).into()
    }
}
