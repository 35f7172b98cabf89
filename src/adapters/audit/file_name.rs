//! The names of the files of the trail: day, chain, number of the first entry.

use onhand_disk::Disk;
use onhand_domain::Timestamp;
use std::fmt;
use std::io;
use std::path::Path;

const SUFFIX: &str = ".jsonl";
const DAY_CHARACTERS: usize = "2026-11-30".len();
const NUMBER_DIGITS: usize = 12;
const DAY_MILLISECONDS: i64 = 86_400_000;

/// A day in UTC, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(i64);

/// The name of a file. Files are in the order of their chains, and within one of their entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileName {
    pub(crate) chain: u16,
    /// The number of its first entry.
    pub(crate) first: u64,
    pub(crate) day: Day,
}

impl Day {
    pub(crate) fn of(time: Timestamp) -> Self {
        Self(time.milliseconds().div_euclid(DAY_MILLISECONDS))
    }

    pub(crate) fn begin(self) -> Timestamp {
        Timestamp::from_milliseconds(self.0 * DAY_MILLISECONDS)
    }

    /// True when the other day is more than that many days later.
    pub(crate) fn is_older_than(self, days: u32, now: Self) -> bool {
        self.0 + i64::from(days) < now.0
    }
}

impl FileName {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (day, rest) = name.strip_suffix(SUFFIX)?.split_at_checked(DAY_CHARACTERS)?;
        let (chain, first) = rest.strip_prefix('-')?.split_once('-')?;
        let time = Timestamp::parse(&format!("{day}T00:00:00.000Z")).ok()?;
        let parsed = Self { chain: chain.parse().ok()?, first: first.parse().ok()?, day: Day::of(time) };
        // Only the one way to write it.
        (first.len() == NUMBER_DIGITS && parsed.first > 0 && parsed.to_string() == name).then_some(parsed)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.day.begin().to_string();
        let day = time.get(..DAY_CHARACTERS).unwrap_or_default();
        write!(formatter, "{day}-{}-{:0NUMBER_DIGITS$}{SUFFIX}", self.chain, self.first)
    }
}

/// The files of a trail, in order; none when there is no directory.
pub(crate) fn list(disk: &dyn Disk, directory: &Path) -> io::Result<Vec<FileName>> {
    let names = match disk.list(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        names => names?,
    };
    let mut names: Vec<FileName> = names.iter().filter_map(|name| FileName::parse(name)).collect();
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_in_the_order_of_their_entries() {
        let name = "2026-11-30-0-000000000017.jsonl";
        let parsed = FileName::parse(name).unwrap();
        assert_eq!((parsed.to_string().as_str(), parsed.chain, parsed.first), (name, 0, 17));
        for wrong in [
            "",
            "2026-11-30-0-17.jsonl",
            "2026-11-30-00-000000000017.jsonl",
            "2026-13-30-0-000000000017.jsonl",
            "2026-11-30-0-000000000000.jsonl",
            "2026-11-30-0-000000000017.jsonl.tmp",
            "ä026-11-30-0-000000000017.jsonl",
        ] {
            assert_eq!(FileName::parse(wrong), None, "{wrong}");
        }
        // A clock that went back does not change the order.
        let later = FileName::parse("2026-11-29-0-000000000018.jsonl").unwrap();
        assert!(parsed < later && later < FileName::parse("2026-01-01-1-000000000001.jsonl").unwrap());
    }

    #[test]
    fn a_day_is_old_when_more_days_have_passed() {
        let day = |text: &str| Day::of(Timestamp::parse(text).unwrap());
        let (first, later) = (day("2026-01-01T23:59:59.999Z"), day("2026-01-31T00:00:00.000Z"));
        assert!(first.is_older_than(29, later) && !first.is_older_than(30, later));
    }
}
