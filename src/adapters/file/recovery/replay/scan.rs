//! The scan of one segment: read line by line, and applied.

use crate::format::decode::{decode, decode_entry};
use crate::format::index::{Growing, Written};
use crate::format::segment::{Damage, Header, Scan, ScanPlace};
use crate::recovery::replay::ahead::{DecodedLine, with_lines_decoded};
use crate::recovery::replay::progress::Replay;
use onhand_app::known_effects;
use onhand_disk::{DiskFile, OpenError, read_all_into};
use onhand_domain::{Sequence, Timestamp};
use std::mem;
use std::sync::Arc;

/// The result of scanning a segment.
pub(super) struct Scanned {
    /// Its index, unless it has one already.
    pub(super) index: Option<Arc<Growing>>,
    /// The end of the good part.
    pub(super) place: ScanPlace,
    pub(super) behind: Option<Behind>,
}

/// The bytes behind the good part.
pub(super) enum Behind {
    /// Entries beyond the end of the log.
    Beyond(Vec<u8>),
    /// Bytes with a wrong checksum or content.
    Damaged { damage: Damage, later_batch: Option<Sequence>, rest: Vec<u8> },
}

impl Replay<'_> {
    /// Reads a segment to its end or to the first damage, and applies the events after the snapshot. It needs no
    /// index when it is `indexed`.
    pub(super) fn scan(
        &mut self,
        header: &Header,
        file: &dyn DiskFile,
        indexed: bool,
    ) -> Result<Scanned, OpenError> {
        let first = header.first_sequence;
        let mut bytes = mem::take(&mut self.room);
        read_all_into(file, &mut bytes).map_err(self.unread(first))?;
        let earliest = Timestamp::from_milliseconds(i64::MIN);
        let (_, mut scan) = Scan::begin(&bytes, earliest)
            .map_err(|damage| self.corrupt(first, damage.offset, first, &damage.reason))?;
        let index = (!indexed).then(Growing::default);
        let how = if indexed { decode_entry } else { decode };
        let behind = with_lines_decoded(scan.rest(), how, |decode| {
            self.add_up(first, &mut scan, decode, index.as_ref())
        })?;
        self.last_time = self.last_time.max(scan.last_time());
        let place = scan.place();
        self.room = bytes;
        Ok(Scanned { index: index.map(Arc::new), place, behind })
    }

    /// Applies line by line; returns the bytes behind the good ones.
    fn add_up(
        &mut self,
        first: Sequence,
        scan: &mut Scan<'_>,
        decode: &mut dyn FnMut(&[u8]) -> DecodedLine,
        index: Option<&Growing>,
    ) -> Result<Option<Behind>, OpenError> {
        loop {
            let offset = scan.end().length;
            let before = scan.clone();
            match scan.next_line_by(&mut *decode) {
                Ok(None) => return Ok(None),
                Ok(Some(line)) if line.entry.last() > self.upto => {
                    *scan = before;
                    return Ok(Some(Behind::Beyond(scan.rest().to_vec())));
                }
                Ok(Some(line)) => {
                    if line.entry.last() > self.fold.sequence {
                        let added = self.fold.add(&line.entry);
                        added.map_err(|error| {
                            self.corrupt(first, offset, line.entry.sequence, &error.to_string())
                        })?;
                    }
                    if let Some(index) = index {
                        let known = known_effects(&line.entry).collect();
                        index.add(std::iter::once(Written::new(line.mark, 0, line.spans, known)));
                    }
                }
                Err(damage) => {
                    let rest = scan.rest().to_vec();
                    return Ok(Some(Behind::Damaged { damage, later_batch: scan.later_batch(), rest }));
                }
            }
        }
    }
}
