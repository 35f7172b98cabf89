//! Points in time: UTC, to the millisecond. The domain never asks for the time, it is told.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z; written as RFC 3339 with three decimals and `Z`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is no RFC 3339 time, or lies outside the years 0000 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a time like 2026-11-20T16:00:00.000Z (RFC 3339)")]
pub struct TimestampError;

/// 0000-01-01T00:00:00.000Z and 9999-12-30T22:00:00.000Z, the range that is written with four digits of year.
const RANGE_MILLISECONDS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_207_200_000;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The time so many milliseconds after the epoch; times beyond the years 0000 to 9999 become the nearest within.
    pub fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds.clamp(*RANGE_MILLISECONDS.start(), *RANGE_MILLISECONDS.end()))
    }

    /// Milliseconds since the epoch.
    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// The time `seconds` later; the end of the range when that is beyond it.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_milliseconds(seconds.saturating_mul(1000))
    }

    /// The time `milliseconds` later; the end of the range when that is beyond it.
    #[must_use]
    pub fn plus_milliseconds(self, milliseconds: i64) -> Self {
        Self::from_milliseconds(self.0.saturating_add(milliseconds))
    }

    /// Reads an RFC 3339 time; what is finer than a millisecond is cut off.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        let milliseconds = parsed.as_millisecond();
        if RANGE_MILLISECONDS.contains(&milliseconds) { Ok(Self(milliseconds)) } else { Err(TimestampError) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(formatter, "{time:.3}"),
            Err(_) => unreachable!("a Timestamp is kept within the years 0000 to 9999"),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_with_three_decimals_and_read_back() {
        for (milliseconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_190_400_123, "2026-11-20T16:00:00.123Z"),
            (1_795_190_400_100, "2026-11-20T16:00:00.100Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            let time = Timestamp::from_milliseconds(milliseconds);
            assert_eq!(time.to_string(), text);
            assert_eq!(Timestamp::parse(text), Ok(time));
        }
        assert_eq!(
            Timestamp::parse("2026-11-20T17:00:00+01:00").unwrap().to_string(),
            "2026-11-20T16:00:00.000Z"
        );
        for bad in ["", "2026-11-20", "14:05", "2026-13-01T00:00:00Z", "+012026-01-01T00:00:00Z"] {
            assert_eq!(Timestamp::parse(bad), Err(TimestampError), "{bad}");
        }
    }

    #[test]
    fn the_ends_of_the_range_can_be_written() {
        for end in [i64::MIN, i64::MAX] {
            let text = Timestamp::from_milliseconds(end).to_string();
            assert_eq!(Timestamp::parse(&text).unwrap(), Timestamp::from_milliseconds(end), "{text}");
        }
        assert_eq!(Timestamp::EPOCH.plus_seconds(i64::MAX), Timestamp::from_milliseconds(i64::MAX));
    }
}
