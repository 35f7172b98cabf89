//! The files of `TLS_CERT` and `TLS_KEY`: read at the start, and again at every SIGHUP.

use onhand_app::blocking;
use onhand_config::TlsSettings;
use onhand_http::server::{Certificate, CertificateFault, Tls};
use onhand_runtime::exit::{Exit, Failure, OrExit};
use std::convert::Infallible;
use std::fmt::Display;
use std::fs;
use std::future::pending;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The permission to read of everybody but the owner.
const READ_BY_OTHERS: u32 = 0o044;

/// The listener's certificate, and the files that it comes from.
pub(super) struct TlsFiles {
    settings: TlsSettings,
    /// The certificate that new connections are shown.
    pub(super) tls: Arc<Tls>,
}

impl TlsFiles {
    /// Reads both files for the first time.
    ///
    /// # Errors
    /// [`Exit::Settings`], with the file and what is wrong with it.
    pub(super) fn open(settings: &TlsSettings) -> Result<Self, Failure> {
        let certificate = read(settings).map_err(|fault| Failure::new(Exit::Settings, fault))?;
        Ok(Self { settings: settings.clone(), tls: Arc::new(Tls::new(certificate)) })
    }

    /// Reads them again at every signal. Files that are no good change nothing.
    pub(super) async fn follow(&self, mut hangups: Signal) -> Infallible {
        while hangups.recv().await.is_some() {
            let settings = self.settings.clone();
            match blocking(move || read(&settings)).await {
                Ok(certificate) => {
                    self.tls.replace(certificate);
                    tracing::info!("new connections are shown the certificate that was read again");
                }
                Err(fault) => {
                    tracing::error!(%fault, "the certificate was not replaced; the old one is still shown");
                }
            }
        }
        // The runtime is about to end.
        pending().await
    }
}

/// From now on SIGHUP does not end the process any more.
///
/// # Errors
/// [`Exit::Internal`] when the system does not let it.
pub(super) fn hangups() -> Result<Signal, Failure> {
    signal(SignalKind::hangup()).or_exit(Exit::Internal, || "cannot listen for SIGHUP")
}

/// The certificate in the files, or which of them is no good, and why.
fn read(settings: &TlsSettings) -> Result<Certificate, String> {
    let TlsSettings { certificate, key } = settings;
    let (of_certificate, of_key) = ("TLS_CERT (--tls-cert)", "TLS_KEY (--tls-key)");
    let told = |name: &str, path: &Path, reason: &dyn Display| {
        format!("{name} cannot be used: {}: {reason}", path.display())
    };
    let chain = fs::read(certificate).map_err(|error| told(of_certificate, certificate, &error))?;
    let secret = fs::read(key).map_err(|error| told(of_key, key, &error))?;
    let read = Certificate::from_pem(&chain, &secret).map_err(|fault| match &fault {
        CertificateFault::Certificate(_) => told(of_certificate, certificate, &fault),
        CertificateFault::Key(_) => told(of_key, key, &fault),
        CertificateFault::Mismatch => {
            format!("{} in {}", told(of_key, key, &fault), certificate.display())
        }
    })?;
    warn_of_readers(key, "the key of TLS");
    Ok(read)
}

/// Warns when others than its owner may read a file; `what` is in it.
pub(super) fn warn_of_readers(path: &Path, what: &str) {
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & READ_BY_OTHERS != 0 {
        let (file, mode) = (path.display(), format!("{:o}", mode & 0o777));
        tracing::warn!(%file, mode, "others than its owner may read {what}; chmod 600");
    }
}
