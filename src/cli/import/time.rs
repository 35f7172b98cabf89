//! Times of a CSV column: RFC 3339, or any layout that strftime can describe.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::Offset;
use serde::Serialize;

/// A layout that describes at least a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TimeFormat(String);

/// A moment that any usable layout can format and parse again.
const PROBE: i64 = 1_291_193_160;

impl TimeFormat {
    /// Checks a layout by formatting a moment with it and parsing the result.
    ///
    /// # Errors
    /// The fault of the layout.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let format = Self(text.to_owned());
        let probe = Timestamp::from_second(PROBE).expect("the probe lies in 2010");
        let mut written = String::new();
        BrokenDownTime::from(probe).format(text, &mut written).map_err(|error| error.to_string())?;
        match format.read(&written) {
            Ok(_) => Ok(format),
            Err(error) => Err(format!("it does not describe a date: {error}")),
        }
    }

    /// Reads a time; without an offset in the layout it is UTC, without a time of day it is midnight.
    pub(super) fn read(&self, text: &str) -> Result<Timestamp, jiff::Error> {
        let parts = BrokenDownTime::parse(&self.0, text)?;
        if parts.offset().is_some() || parts.timestamp().is_some() {
            return parts.to_timestamp();
        }
        Offset::UTC.to_timestamp(parts.to_datetime()?)
    }
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_utc_unless_they_say_otherwise() {
        let table = [
            ("%d/%m/%Y %H:%M", "01/12/2010 08:26", "2010-12-01T08:26:00Z"),
            ("%d/%m/%Y %H:%M", "1/12/2010 8:26", "2010-12-01T08:26:00Z"),
            ("%d.%m.%Y", "24.12.2010", "2010-12-24T00:00:00Z"),
            ("%Y-%m-%d %H:%M:%S %z", "2010-12-01 08:26:00 +0100", "2010-12-01T07:26:00Z"),
            ("%s", "1291193160", "2010-12-01T08:46:00Z"),
        ];
        for (format, text, expected) in table {
            let read = TimeFormat::parse(format).unwrap().read(text).unwrap();
            assert_eq!(read.to_string(), expected, "{format}");
        }
    }

    #[test]
    fn a_layout_without_a_date_is_refused() {
        for format in ["%H:%M", "%Q%", "", "yesterday", "%m/%d"] {
            assert!(TimeFormat::parse(format).is_err(), "{format:?}");
        }
    }

    #[test]
    fn a_time_that_does_not_fit_is_refused() {
        let format = TimeFormat::parse("%d/%m/%Y %H:%M").unwrap();
        for text in [
            "",
            "12/01/2010",
            "31/02/2010 08:00",
            "01/12/2010 25:00",
            "2010-12-01 08:26",
            "01/12/2010 08:26 ",
        ] {
            assert!(format.read(text).is_err(), "{text:?}");
        }
    }
}
