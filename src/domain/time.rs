//! Points in time: UTC, to the millisecond. The domain has no clock: the time is an argument.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
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
    /// Later than every valid time.
    pub const NEVER: Self = Self(i64::MAX);

    /// The epoch, 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The time that many milliseconds after the epoch; times outside the years 0000 to 9999 become the nearest
    /// inside.
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

    /// Parses an RFC 3339 time; fractions below a millisecond are cut off.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        if let Some(time) = parse_as_written(text.as_bytes()) {
            return Ok(time);
        }
        let parsed: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        let milliseconds = parsed.as_millisecond();
        if RANGE_MILLISECONDS.contains(&milliseconds) { Ok(Self(milliseconds)) } else { Err(TimestampError) }
    }
}

/// Parses the canonical form, which every line of the log has; none for another form.
fn parse_as_written(text: &[u8]) -> Option<Timestamp> {
    let &[
        y0,
        y1,
        y2,
        y3,
        b'-',
        o0,
        o1,
        b'-',
        d0,
        d1,
        b'T',
        h0,
        h1,
        b':',
        m0,
        m1,
        b':',
        s0,
        s1,
        b'.',
        t0,
        t1,
        t2,
        b'Z',
    ] = text
    else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits
            .iter()
            .try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(&[y0, y1, y2, y3])?, number(&[o0, o1])?, number(&[d0, d1])?);
    let (hour, minute, second) = (number(&[h0, h1])?, number(&[m0, m1])?, number(&[s0, s1])?);
    // Days from the 29th and leap seconds are left to the general parser.
    if !(1..=12).contains(&month) || !(1..=28).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days in the proleptic Gregorian calendar, with years that begin in March.
    let shifted = year - i64::from(month < 3);
    let days_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days_of_years =
        365 * shifted + shifted.div_euclid(4) - shifted.div_euclid(100) + shifted.div_euclid(400);
    let seconds = (days_of_years + days_of_year - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second;
    let milliseconds = seconds * 1_000 + number(&[t0, t1, t2])?;
    RANGE_MILLISECONDS.contains(&milliseconds).then_some(Timestamp(milliseconds))
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
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Timestamp;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a time as RFC 3339 text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
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
    fn both_ways_to_read_agree_on_every_day() {
        let step = 86_400_000 * 13 + 7_777_777;
        for milliseconds in RANGE_MILLISECONDS.step_by(step) {
            let text = Timestamp(milliseconds).to_string();
            let slow = text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
            assert_eq!(
                (slow, Timestamp::parse(&text)),
                (milliseconds, Ok(Timestamp(milliseconds))),
                "{text}"
            );
            if let Some(quick) = parse_as_written(text.as_bytes()) {
                assert_eq!(quick, Timestamp(milliseconds), "{text}");
            }
        }
        for day in ["2024-02-29", "2024-03-01", "2023-02-28", "1900-03-01", "2000-02-28", "2026-12-28"] {
            let text = format!("{day}T23:59:59.999Z");
            let slow = text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
            assert_eq!(Timestamp::parse(&text), Ok(Timestamp(slow)), "{text}");
        }
        for bad in ["2023-02-29T00:00:00.000Z", "2023-00-10T00:00:00.000Z", "2023-01-00T00:00:00.000Z"] {
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
