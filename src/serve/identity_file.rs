//! The file of `IDENTITY_FILE`: applied before the first request is answered, and again at every SIGHUP.

use crate::serve::tls::{hangups, warn_of_readers};
use onhand_app::identity::{Applied, ApplyError, CentralLogins, Declared, apply, release};
use onhand_app::ports::Vault;
use onhand_app::{Ledger, blocking};
use onhand_runtime::exit::{Exit, Failure, OrExit};
use onhand_vault::identity_file::parse;
use std::convert::Infallible;
use std::fs::File;
use std::future::pending;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::signal::unix::Signal;

/// More than ten thousand entries.
const BYTES_MAX: u64 = 8 << 20;

/// What a file is applied to.
pub(super) struct Identity {
    pub(super) ledger: Arc<Ledger>,
    pub(super) vault: Arc<dyn Vault>,
    pub(super) central: Arc<CentralLogins>,
}

/// The file, and the signal to read it again.
pub(super) struct IdentityFile {
    path: PathBuf,
    hangups: Signal,
}

impl IdentityFile {
    /// From now on SIGHUP does not end the process any more.
    ///
    /// # Errors
    /// [`Exit::Internal`] when the system does not let it.
    pub(super) fn open(path: PathBuf) -> Result<Self, Failure> {
        Ok(Self { path, hangups: hangups()? })
    }

    /// Applies the file at every signal. One that is no good changes nothing.
    pub(super) async fn follow(mut self, identity: Identity) -> Infallible {
        while self.hangups.recv().await.is_some() {
            if let Err(failure) = applied(&self.path, &identity).await {
                tracing::error!(%failure, "the file of identity was not applied; all that it declares stays as it is");
            }
        }
        // The runtime is about to end.
        pending().await
    }
}

/// Applies the file, or gives free what an earlier one has declared, where none is set any more.
///
/// # Errors
/// [`Exit::Settings`] when the file is no good, with the place in it; [`Exit::Io`] when its content cannot be kept.
pub(super) async fn begin(file: Option<&IdentityFile>, identity: &Identity) -> Result<(), Failure> {
    if let Some(file) = file {
        return applied(&file.path, identity).await;
    }
    let released = release(&identity.vault)
        .await
        .or_exit(Exit::Io, || "cannot read what a file of identity has declared")?;
    if released > 0 {
        tracing::warn!(
            released,
            "IDENTITY_FILE is not set any more: what it declared stays, and can be changed here"
        );
    }
    Ok(())
}

async fn applied(path: &Path, identity: &Identity) -> Result<(), Failure> {
    let Identity { ledger, vault, central } = identity;
    let name = path.display().to_string();
    let no_good = |reason: &dyn std::fmt::Display| {
        Failure::new(
            Exit::Settings,
            format!("IDENTITY_FILE (--identity-file) cannot be used: {name}: {reason}"),
        )
    };
    let file = path.to_path_buf();
    let declared = blocking(move || read(&file)).await.map_err(|reason| no_good(&reason))?;
    match apply(ledger, vault, &name, &declared).await {
        Ok(Applied { named, changed, removed }) => {
            central.declare(declared.central).await;
            tracing::info!(named, changed, removed, "the file of identity is applied");
            Ok(())
        }
        Err(error @ (ApplyError::NoAdministrator | ApplyError::LoginTaken(_) | ApplyError::OtherKind(_))) => {
            Err(no_good(&error))
        }
        Err(error) => Err(error).or_exit(Exit::Io, || format!("cannot apply {name}")),
    }
}

/// The content of the file, or what is wrong with it.
fn read(path: &Path) -> Result<Declared, String> {
    let text = text_in(path).map_err(|error| error.to_string())?;
    let declared = parse(&text).map_err(|fault| fault.to_string())?;
    warn_of_readers(path, "the hashes of passwords and tokens");
    Ok(declared)
}

fn text_in(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {BYTES_MAX} bytes"),
        ));
    }
    Ok(text)
}
