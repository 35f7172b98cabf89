//! A fault of a setting, with a message that says how to correct it.

use std::fmt;
use std::path::PathBuf;

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    /// Name of the environment variable.
    pub name: &'static str,
    /// The value as given.
    pub value: String,
    /// The values that are accepted.
    pub allowed: String,
}

impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The one flag that may be repeated stands in the singular.
        let flag = match self.name {
            "SYNC_SOURCES" => "source".to_owned(),
            name => name.to_ascii_lowercase().replace('_', "-"),
        };
        write!(f, "{} (--{flag}) is {:?}; allowed: {}", self.name, self.value, self.allowed)
    }
}

/// All faults of one start, collected while the settings are read, so that one message has them all.
#[derive(Debug, Default)]
pub struct Faults(Vec<SettingFault>);

impl Faults {
    /// Adds a fault.
    pub fn add(&mut self, name: &'static str, value: &str, allowed: impl Into<String>) {
        self.0.push(SettingFault { name, value: value.to_owned(), allowed: allowed.into() });
    }

    /// Reads a whole number in `low..=high`, described as `what`; anything else is a fault and reads as `low`.
    pub fn whole(&mut self, name: &'static str, value: &str, low: u64, high: u64, what: &str) -> u64 {
        match value.trim().parse::<u64>() {
            Ok(n) if (low..=high).contains(&n) => n,
            _ => {
                self.add(name, value, format!("{what}, {low} to {high}"));
                low
            }
        }
    }

    /// Reads a number above 0 and up to 1; anything else is a fault and reads as 1.
    pub fn share(&mut self, name: &'static str, value: &str) -> f64 {
        match value.trim().parse::<f64>() {
            Ok(share) if share > 0.0 && share <= 1.0 => share,
            _ => {
                self.add(name, value, "a share above 0 and up to 1, such as 0.5");
                1.0
            }
        }
    }

    /// Reads a boolean; anything else is a fault and reads as false.
    pub fn truth(&mut self, name: &'static str, value: &str) -> bool {
        match value.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => true,
            "false" | "0" | "no" => false,
            _ => {
                self.add(name, value, "true or false");
                false
            }
        }
    }

    /// Reads a path; an empty one is a fault. What is there is not known yet.
    pub fn path(&mut self, name: &'static str, given: Option<&PathBuf>, allowed: &str) -> Option<PathBuf> {
        if given.is_some_and(|path| path.as_os_str().is_empty()) {
            self.add(name, "", allowed);
        }
        given.cloned()
    }

    /// Returns `read`, if there was no fault.
    ///
    /// # Errors
    /// Every fault, in the order of reading.
    pub fn finish<T>(self, read: T) -> Result<T, Vec<SettingFault>> {
        if self.0.is_empty() { Ok(read) } else { Err(self.0) }
    }
}
