//! Rebuilds the index of a segment from the segment.

use crate::format::index::{Growing, Written};
use crate::format::segment::{Damage, Scan};
use crate::format::segment_end::SegmentEnd;
use onhand_app::known_effects;
use onhand_domain::Timestamp;

/// The index of a segment, from its bytes, all of which are checked.
///
/// # Errors
/// The first damaged place; also when the segment does not end at `end`, as the next one records it.
pub(crate) fn index_segment(bytes: &[u8], end: Option<SegmentEnd>) -> Result<Growing, Damage> {
    let (header, mut scan) = Scan::begin(bytes, Timestamp::from_milliseconds(i64::MIN))?;
    let index = Growing::default();
    while let Some(line) = scan.next_line()? {
        let known = known_effects(&line.entry).collect();
        index.add(std::iter::once(Written::new(line.mark, 0, line.spans, known)));
    }
    if end.is_some_and(|end| end != scan.end()) {
        let reason = "it does not end where the next segment says".to_owned();
        return Err(Damage { offset: scan.end().length, sequence: header.first_sequence, reason });
    }
    Ok(index)
}
