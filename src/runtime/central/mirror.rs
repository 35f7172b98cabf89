//! The central model of a process that is not the worker: loaded from the files that the worker of another process saves.

use onhand_app::central::CentralModel;
use onhand_disk::RealDisk;
use onhand_disk::layout::Layout;
use onhand_domain::Sequence;
use onhand_file::stores::central::{list, look};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::sleep;

/// Loads each newer file of `central/` into the model, until the process ends.
pub(super) async fn mirror(model: &Arc<CentralModel>, layout: &Layout, interval: Duration) {
    let mut shown = None;
    loop {
        let (model, layout) = (Arc::clone(model), layout.clone());
        let newer = tokio::task::spawn_blocking(move || show_newer(&model, &layout, shown)).await;
        match newer {
            Ok(Ok(version)) => shown = version,
            Ok(Err(error)) => tracing::warn!(%error, "the central file cannot be read; it is tried again"),
            // The runtime is shutting down.
            Err(_) => return,
        }
        sleep(interval).await;
    }
}

/// Loads the newest central file, unless it is loaded already, and returns the version that is loaded now. A redrive
/// saves under the same name again, so the name alone is not enough.
fn show_newer(
    model: &CentralModel,
    layout: &Layout,
    shown: Option<SavedVersion>,
) -> io::Result<Option<SavedVersion>> {
    let Some(newest) = list(&RealDisk, layout)?.first().copied() else { return Ok(shown) };
    let saved = match std::fs::metadata(layout.central_file(newest)) {
        Ok(metadata) => metadata.modified()?,
        // The file was removed meanwhile: there is a newer one.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(shown),
        Err(error) => return Err(error),
    };
    let version = (newest, saved);
    if Some(version) == shown {
        return Ok(shown);
    }
    let Some(central) = look(&RealDisk, layout)? else { return Ok(shown) };
    model.replace(central);
    Ok(Some(version))
}

/// A central file and the time it was written.
type SavedVersion = (Sequence, SystemTime);
