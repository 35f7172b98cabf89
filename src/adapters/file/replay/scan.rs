//! One segment: read line by line, and added up.

use super::Replay;
use super::ahead::{Decoded, with_lines_decoded};
use crate::adapters::file::disk::{DiskFile, read_all};
use crate::adapters::file::index::{Growing, Written};
use crate::adapters::file::recovery::OpenError;
use crate::adapters::file::segment::{Damage, Header, Scan, ScanPlace};
use crate::app::known_effects;
use crate::domain::{Sequence, Timestamp};
use std::sync::Arc;

/// A segment that was read.
pub(super) struct Scanned {
    pub(super) index: Arc<Growing>,
    /// The end of what is good.
    pub(super) place: ScanPlace,
    pub(super) behind: Option<Behind>,
}

/// What stands behind the part that is good.
pub(super) enum Behind {
    /// Entries beyond the end.
    Beyond(Vec<u8>),
    /// What is not what was written.
    Damaged { damage: Damage, later_batch: Option<Sequence>, rest: Vec<u8> },
}

impl Replay<'_> {
    /// Reads a segment to its end or to the first damage, and adds up what the snapshot does not have.
    pub(super) fn scan(&mut self, header: &Header, file: &dyn DiskFile) -> Result<Scanned, OpenError> {
        let first = header.first_sequence;
        let bytes = read_all(file).map_err(OpenError::at(&self.options.layout.segment(first)))?;
        let earliest = Timestamp::from_milliseconds(i64::MIN);
        let (_, mut scan) = Scan::begin(&bytes, earliest)
            .map_err(|damage| self.corrupt(first, damage.offset, first, &damage.reason))?;
        let index = Growing::default();
        let behind = with_lines_decoded(scan.rest(), |decode| self.add_up(first, &mut scan, decode, &index))?;
        self.last_time = self.last_time.max(scan.last_time());
        Ok(Scanned { index: Arc::new(index), place: scan.place(), behind })
    }

    /// Adds up line by line; answers what stands behind the good ones.
    fn add_up(
        &mut self,
        first: Sequence,
        scan: &mut Scan<'_>,
        decode: &mut dyn FnMut(&[u8]) -> Decoded,
        index: &Growing,
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
                    let known = known_effects(&line.entry).collect();
                    index.add(std::iter::once(Written::new(line.mark, 0, line.spans, known)));
                }
                Err(damage) => {
                    let rest = scan.rest().to_vec();
                    return Ok(Some(Behind::Damaged { damage, later_batch: scan.later_batch(), rest }));
                }
            }
        }
    }
}
