//! The file `alerts-sent`: the sequence of this node's log up to which every alert was sent or given up.
//!
//! ```text
//! alerts-sent    <8 hex crc32c of the rest> {"sequence":1041}<LF>
//! ```
//! It is replaced by `durable_rename`, so it is whole whenever the machine stops; it may be behind the alerts sent,
//! never ahead.

use crate::log::term::{checked, with_checksum};
use onhand_app::ports::AlertPlace;
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, OpenMode, read_all, replace};
use onhand_domain::Sequence;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// [`AlertPlace`] in a file beside the log.
pub struct AlertsSent {
    disk: Arc<dyn Disk>,
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertsSentRecord {
    sequence: Sequence,
}

impl AlertsSent {
    /// The file in the node directory of that layout.
    pub fn new(disk: Arc<dyn Disk>, layout: &Layout) -> Self {
        Self { disk, path: layout.alerts_sent() }
    }
}

impl AlertPlace for AlertsSent {
    fn load(&self) -> io::Result<Option<Sequence>> {
        let bytes = match self.disk.open(&self.path, OpenMode::Read) {
            Ok(file) => read_all(&*file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let record = checked(&bytes).and_then(|json| serde_json::from_slice(json).ok());
        let Some(AlertsSentRecord { sequence }) = record else {
            let message = format!("{} is not what was written", self.path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        };
        Ok(Some(sequence))
    }

    fn save(&self, sequence: Sequence) -> io::Result<()> {
        replace(&*self.disk, &self.path, &with_checksum(&AlertsSentRecord { sequence })).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_disk::{create_dir_durably, write_all_at};
    use onhand_sim_machine::disk::{Crash, DiskOperation, Fault, Injection, SimDisk};
    use std::path::Path;

    #[test]
    fn it_is_whole_whatever_fails_and_whenever_the_power_goes() {
        let disk = SimDisk::new(1);
        let layout = Layout::new(Path::new("/data"));
        create_dir_durably(&disk, layout.root()).unwrap();
        let place = AlertsSent::new(Arc::new(disk.clone()), &layout);
        assert_eq!(place.load().unwrap(), None);
        place.save(Sequence(7)).unwrap();
        disk.crash(Crash::PowerCut { seed: 3 });
        assert_eq!(place.load().unwrap(), Some(Sequence(7)));
        disk.inject(Injection::at(1, Fault::Eio).only(DiskOperation::SyncData));
        place.save(Sequence(8)).unwrap_err();
        disk.crash(Crash::PowerCut { seed: 4 });
        assert_eq!(place.load().unwrap(), Some(Sequence(7)));
        place.save(Sequence(9)).unwrap();
        disk.crash(Crash::PowerCut { seed: 5 });
        assert_eq!(place.load().unwrap(), Some(Sequence(9)));
        let file = disk.open(&layout.alerts_sent(), OpenMode::Write).unwrap();
        write_all_at(&*file, b"8", 21).unwrap();
        assert_eq!(place.load().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
