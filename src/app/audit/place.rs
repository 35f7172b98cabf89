//! The place of a reader in every log and every chain of the trail.

use crate::ports::TrailPlace;
use std::collections::BTreeMap;
use std::fmt;

/// Sources that a place names at most: logs and chains of the processes that ever shared the data directory.
const SOURCES_MAX: usize = 1_000;
/// What stands between logs and chains.
const BETWEEN: char = '~';

/// Up to where a reader has read: by log the sequence, by chain the number of the entry. Written `0:1041~0:17`; of several, with
/// commas: `1:1041,2:77~1:17`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditPlace {
    /// By log.
    pub(crate) logs: BTreeMap<u16, u64>,
    /// By chain.
    pub(crate) chains: TrailPlace,
}

impl AuditPlace {
    /// Reads the written form.
    pub fn parse(text: &str) -> Option<Self> {
        let (logs, chains) = text.split_once(BETWEEN)?;
        Some(Self { logs: parts(logs)?, chains: parts(chains)? })
    }
}

fn parts(text: &str) -> Option<BTreeMap<u16, u64>> {
    if text.is_empty() {
        return Some(BTreeMap::new());
    }
    let part = |part: &str| {
        let (source, reached) = part.split_once(':')?;
        Some((source.parse().ok()?, reached.parse().ok()?))
    };
    let read: BTreeMap<u16, u64> = text.split(',').take(SOURCES_MAX + 1).map(part).collect::<Option<_>>()?;
    (read.len() <= SOURCES_MAX).then_some(read)
}

impl fmt::Display for AuditPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let write = |formatter: &mut fmt::Formatter<'_>, places: &BTreeMap<u16, u64>| {
            for (at, (source, reached)) in places.iter().enumerate() {
                let comma = if at == 0 { "" } else { "," };
                write!(formatter, "{comma}{source}:{reached}")?;
            }
            Ok(())
        };
        write(formatter, &self.logs)?;
        write!(formatter, "{BETWEEN}")?;
        write(formatter, &self.chains)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for text in ["~", "0:1041~", "~0:17", "0:1041~0:17", "1:1041,2:77~1:5,2:0"] {
            assert_eq!(AuditPlace::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "0:1", "x~", "0~", "0:x~", "0:1~~", "70000:1~", "0:1,~", "0:-1~"] {
            assert_eq!(AuditPlace::parse(wrong), None, "{wrong}");
        }
    }
}
