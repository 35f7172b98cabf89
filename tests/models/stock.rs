//! What is written: changes of levels, and sets of changes, which stand for states.

/// A level. Each has a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Level {
    Tea,
    Milk,
}

impl Level {
    pub(crate) const ALL: [Self; 2] = [Self::Tea, Self::Milk];
}

/// What callers ask for, at any process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Change {
    /// Of tea, with an idempotency key: the caller sends it again, to any process, until it is known to have happened.
    KeyedTea,
    /// Of tea, sent once.
    Tea,
    /// Of milk, sent once.
    Milk,
}

impl Change {
    const ALL: [Self; 3] = [Self::KeyedTea, Self::Tea, Self::Milk];

    pub(crate) fn level(self) -> Level {
        match self {
            Self::KeyedTea | Self::Tea => Level::Tea,
            Self::Milk => Level::Milk,
        }
    }

    pub(crate) fn has_key(self) -> bool {
        self == Self::KeyedTea
    }
}

/// The changes that have made a level what it is, or all levels. The version of a level is how many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Changes(u8);

impl Changes {
    pub(crate) fn has(self, change: Change) -> bool {
        self.0 & 1 << change as u8 != 0
    }

    pub(crate) fn with(self, change: Change) -> Self {
        Self(self.0 | 1 << change as u8)
    }

    pub(crate) fn without(self, change: Change) -> Self {
        Self(self.0 & !(1 << change as u8))
    }

    /// With the changes of these entries.
    pub(crate) fn with_all(self, entries: &[Entry]) -> Self {
        entries.iter().fold(self, |changes, entry| changes.with(entry.change))
    }

    pub(crate) fn all(self, holds: impl Fn(Change) -> bool) -> bool {
        Change::ALL.into_iter().all(|change| !self.has(change) || holds(change))
    }

    /// Those of one level.
    pub(crate) fn of(self, level: Level) -> Self {
        match level {
            Level::Tea => self.without(Change::Milk),
            Level::Milk => self.without(Change::KeyedTea).without(Change::Tea),
        }
    }

    pub(crate) fn version(self) -> u32 {
        self.0.count_ones()
    }

    /// The same, but one level is that now.
    pub(crate) fn moved_to(self, level: Level, state: Self) -> Self {
        Self(self.0 & !self.of(level).0 | state.0)
    }

    /// What logs add up to: an entry is new, or it is known.
    pub(crate) fn taking_in(self, entries: &[Entry]) -> Self {
        entries.iter().fold(self, |known, entry| {
            let is_new = entry.after.version() > known.of(entry.level()).version();
            if is_new { known.moved_to(entry.level(), entry.after) } else { known }
        })
    }
}

/// What stands in a log. It carries the whole level, as the `TAKE` in front of a change does: each log adds up by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) change: Change,
    /// Its level after it.
    pub(crate) after: Changes,
}

impl Entry {
    pub(crate) fn level(self) -> Level {
        self.change.level()
    }
}
