//! TLS: the files with the certificate and the key of the listener.

use std::path::PathBuf;

use clap::Args;

use crate::fault::Faults;
use crate::value_parser::path;

/// What is accepted as the path of a file.
pub(super) const FILE: &str = "the path of a file";

/// Settings of TLS, unread.
#[derive(Args, Clone, Debug)]
pub struct RawTls {
    /// File with the certificate of the listener in PEM, and behind it those that lead to its authority. With it, and
    /// --tls-key, connections are HTTPS. Both files are read again at a SIGHUP
    #[arg(long, env = "TLS_CERT", value_name = "FILE", value_parser = path())]
    pub tls_cert: Option<PathBuf>,

    /// File with the private key of that certificate in PEM, not encrypted
    #[arg(long, env = "TLS_KEY", value_name = "FILE", value_parser = path())]
    pub tls_key: Option<PathBuf>,
}

/// Settings of TLS. What is in the files is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// `TLS_CERT`: the certificate, and the chain behind it.
    pub certificate: PathBuf,
    /// `TLS_KEY`: its private key.
    pub key: PathBuf,
}

impl TlsSettings {
    /// None unless both files are named; one without the other is a fault.
    pub(super) fn read(raw: &RawTls, faults: &mut Faults) -> Option<Self> {
        let certificate = faults.path("TLS_CERT", raw.tls_cert.as_ref(), FILE);
        let key = faults.path("TLS_KEY", raw.tls_key.as_ref(), FILE);
        match (&raw.tls_cert, &raw.tls_key) {
            (Some(_), None) => faults.add("TLS_KEY", "", "the path of a file; it is needed with TLS_CERT"),
            (None, Some(_)) => faults.add("TLS_CERT", "", "the path of a file; it is needed with TLS_KEY"),
            (Some(_), Some(_)) | (None, None) => {}
        }
        Some(Self { certificate: certificate?, key: key? })
    }
}
