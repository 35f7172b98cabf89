//! The chain of segments, and the idempotency records kept along it.

use crate::format::index::{Growing, IndexError, Sealed, read_known};
use crate::format::reindex::index_segment;
use crate::format::segment::{Header, Scan};
use crate::reading::archived::open_segment;
use crate::reading::segments::Segment;
use crate::recovery::replay::progress::{LastSegment, Replay};
use onhand_app::KnownEffect;
use onhand_disk::lines::Lines;
use onhand_disk::{OpenError, read_all};
use onhand_domain::Sequence;
use onhand_planted::{Bug, planted};
use std::sync::Arc;

impl Replay<'_> {
    /// The headers of all segments, which must form a chain from the first one on.
    pub(super) fn headers(&self, firsts: &[Sequence]) -> Result<Vec<Header>, OpenError> {
        let mut headers: Vec<Header> = Vec::with_capacity(firsts.len());
        for first in firsts {
            let opened = open_segment(&*self.options.disk, &self.options.layout, *first);
            let mut lines = Lines::few(opened.map_err(self.unread(*first))?);
            let line = lines.next_line().map_err(self.unread(*first))?.unwrap_or_default();
            let (header, _) = Scan::begin(line, self.last_time)
                .map_err(|damage| self.corrupt(*first, 0, *first, &damage.reason))?;
            let expected = headers.len() as u64 + 1;
            let reason = if header.node != self.node.node {
                Some(format!("it belongs to node {}, this directory to {}", header.node, self.node.node))
            } else if header.first_sequence != *first {
                Some(format!("it says it begins with {}, its name says {first}", header.first_sequence))
            } else if header.segment != expected {
                Some(format!("it is segment {} where segment {expected} belongs", header.segment))
            } else {
                None
            };
            if let Some(reason) = reason {
                return Err(self.corrupt(*first, 0, *first, &reason));
            }
            headers.push(header);
        }
        Ok(headers)
    }

    /// The idempotency records that have not expired, oldest first.
    pub(super) fn known(
        &self,
        sealed: &mut [Segment],
        last: &LastSegment,
    ) -> Result<Vec<KnownEffect>, OpenError> {
        if planted(Bug::ForgetIdempotency) {
            return Ok(Vec::new());
        }
        let kept_since = self.last_time.plus_milliseconds(-self.options.idempotency_ttl_ms);
        let mut parts = vec![last.index.known()];
        for segment in sealed.iter_mut().rev() {
            if let Some(growing) = &segment.growing {
                parts.push(growing.known());
                continue;
            }
            let path = self.options.layout.index(segment.first);
            let index = match Sealed::open_checked(&*self.options.disk, &path, segment.sealed) {
                Ok(index) => index,
                Err(IndexError::Io(error)) => return Err(OpenError::at(&path)(error)),
                Err(IndexError::Damaged) => {
                    let growing = Arc::new(self.index_again(segment)?);
                    parts.push(growing.known());
                    segment.growing = Some(growing);
                    continue;
                }
            };
            if index.last_time().map_err(OpenError::at(&path))? <= kept_since {
                break;
            }
            parts.push(read_known(&index).map_err(OpenError::at(&path))?);
        }
        parts.reverse();
        Ok(parts.into_iter().flatten().filter(|effect| effect.at > kept_since).collect())
    }

    fn index_again(&self, segment: &Segment) -> Result<Growing, OpenError> {
        let file = open_segment(&*self.options.disk, &self.options.layout, segment.first);
        let file = file.map_err(self.unread(segment.first))?;
        let bytes = read_all(&*file).map_err(self.unread(segment.first))?;
        index_segment(&bytes, segment.sealed)
            .map_err(|damage| self.corrupt(segment.first, damage.offset, damage.sequence, &damage.reason))
    }
}
