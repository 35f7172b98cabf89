//! A master record: the details of one thing, replaced as a whole.

use crate::{Expected, Misfit, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

/// A removal of something that is not in the catalogue, or details without a version.
pub const NOT_IN_CATALOGUE: Misfit =
    Misfit("the event takes something out of the catalogue that is not in it");

/// The present details of one thing. Invariant: version 0 has no details.
#[derive(Debug, Clone, PartialEq)]
pub struct Master<T> {
    /// The details; none at version 0, and nothing after a removal from the catalogue.
    pub details: Option<T>,
    /// Increases by 1 with every event, also across a removal.
    pub version: u64,
    /// The time of the last event.
    pub updated_at: Timestamp,
}

/// A master record after an event. The details are those of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MasterAfter {
    /// See [`Master::version`].
    pub version: u64,
}

impl<T> Default for Master<T> {
    fn default() -> Self {
        Self { details: None, version: 0, updated_at: Timestamp::EPOCH }
    }
}

impl<T: Clone> Master<T> {
    /// Replaces the details, or removes them; returns the record before.
    pub(crate) fn apply(&mut self, details: Option<&T>, at: Timestamp) -> Result<Self, Misfit> {
        if details.is_none() && self.details.is_none() {
            return Err(NOT_IN_CATALOGUE);
        }
        let version = self.version + 1;
        Ok(std::mem::replace(self, Self { details: details.cloned(), version, updated_at: at }))
    }

    /// The version, as an event records it.
    pub const fn after(&self) -> MasterAfter {
        MasterAfter { version: self.version }
    }

    /// Checks the condition of a command. A record without details counts as version 0, whatever version it has.
    pub(crate) fn check(&self, expected: Expected) -> Result<(), Rejection> {
        let current_version = if self.details.is_some() { self.version } else { 0 };
        expected.check(current_version)
    }
}

impl MasterAfter {
    /// The record before an event; none at version 0.
    pub fn before(self) -> Option<Self> {
        Some(Self { version: self.version.checked_sub(1)? })
    }
}

/// The part of [`Kind`](crate::Kind) that is the same for every kind of master record: its fact, its event, and the
/// details in the fact.
macro_rules! master_kind {
    ($fact:ty, $event:ident, $details:expr) => {
        fn event(_: &$fact) -> EventKind {
            EventKind::$event
        }

        fn read<'de, D: Deserializer<'de>>(_: EventKind, payload: D) -> Result<$fact, D::Error> {
            Deserialize::deserialize(payload)
        }

        fn apply(master: &mut Self::State, fact: &$fact, at: Timestamp) -> Result<Self::State, Misfit> {
            let details: fn(&$fact) -> Option<&_> = $details;
            master.apply(details(fact), at).map(Into::into)
        }

        fn undo(master: &mut Self::State, before: Self::State) {
            *master = before;
        }

        fn after(master: &Self::State) -> MasterAfter {
            master.after()
        }

        fn before(_: &$fact, after: MasterAfter) -> Option<MasterAfter> {
            after.before()
        }

        fn version_of(after: &MasterAfter) -> u64 {
            after.version
        }

        fn version(master: &Self::State) -> u64 {
            master.version
        }

        fn set_updated_at(master: &mut Self::State, at: Timestamp) {
            master.updated_at = at;
        }
    };
}

pub(crate) use master_kind;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_goes_on_over_a_time_out_of_the_catalogue() {
        let mut master = Master::default();
        assert_eq!(master.apply(None, Timestamp::EPOCH), Err(NOT_IN_CATALOGUE), "it was never in it");
        let before = master.apply(Some(&"tea"), Timestamp::EPOCH).unwrap();
        assert_eq!(before, Master::default());
        master.apply(None, Timestamp::EPOCH).unwrap();
        assert_eq!((master.details, master.version), (None, 2));
        assert_eq!(master.apply(None, Timestamp::EPOCH), Err(NOT_IN_CATALOGUE));
        master.apply(Some(&"more tea"), Timestamp::EPOCH).unwrap();
        assert_eq!(master.after(), MasterAfter { version: 3 });
        assert_eq!(master.after().before(), Some(MasterAfter { version: 2 }));
        assert_eq!(MasterAfter { version: 0 }.before(), None);
    }

    #[test]
    fn what_is_out_of_the_catalogue_does_not_exist() {
        let gone = Master::<&str> { details: None, version: 2, updated_at: Timestamp::EPOCH };
        let there = Master { details: Some("tea"), ..gone };
        for (expected, met_gone, met_there) in [
            (Expected::Any, true, true),
            (Expected::Exists, false, true),
            (Expected::Version(0), true, false),
            (Expected::Version(2), false, true),
            (Expected::Version(1), false, false),
        ] {
            assert_eq!(gone.check(expected).is_ok(), met_gone, "{expected:?}");
            assert_eq!(there.check(expected).is_ok(), met_there, "{expected:?}");
        }
        let current = |master: &Master<&str>| master.check(Expected::Version(1)).unwrap_err();
        assert_eq!(current(&there), Rejection::VersionConflict { current_version: 2 });
        assert_eq!(current(&gone), Rejection::VersionConflict { current_version: 0 });
    }
}
