//! Query parameters: unknown and repeated ones are refused.

use crate::response::problem::{Location, Problem, Violation};
use std::borrow::Cow;

/// In place of names: a page in a browser reads them, and knows which there are.
pub(crate) const ANY: &[&str] = &["*"];

/// The parameters of one request, decoded.
#[derive(Debug)]
pub(crate) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Decodes a query string. Bytes that are not UTF-8 become U+FFFD, which no parameter allows.
    pub(crate) fn of(query: Option<&'a str>) -> Self {
        Self(query.map(|text| form_urlencoded::parse(text.as_bytes()).collect()).unwrap_or_default())
    }

    /// Refuses names that are not in `known` and names that come twice: a misspelt filter must not pass as no filter.
    pub(crate) fn check(&self, known: &[&str]) -> Result<(), Problem> {
        if known == ANY {
            return Ok(());
        }
        let mut errors = Vec::new();
        for (index, (name, _)) in self.0.iter().enumerate() {
            let repeated = self.0.iter().take(index).any(|(earlier, _)| earlier == name);
            let detail = if !known.contains(&name.as_ref()) {
                unknown(known)
            } else if repeated {
                "was sent more than once".to_owned()
            } else {
                continue;
            };
            errors.push(Violation {
                location: Location::Parameter(name.chars().take(64).collect::<String>().into()),
                detail,
            });
        }
        if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
    }

    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// Reads a parameter with `read`, whose error describes the allowed values.
    pub(crate) fn read<T, E: std::fmt::Display>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        self.get(name).map(read).transpose().map_err(|error| Problem::parameter(name, error.to_string()))
    }
}

fn unknown(known: &[&str]) -> String {
    if known.is_empty() {
        "is unknown; this route takes no query parameters".to_owned()
    } else {
        format!("is unknown; this route takes {}", known.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_repeated_names_are_refused() {
        let known = ["limit", "cursor"];
        for (query, faults) in [
            (None, 0),
            (Some(""), 0),
            (Some("limit=5&cursor=x"), 0),
            (Some("Limit=5"), 1),
            (Some("limit=5&limit=5"), 1),
            (Some("a=1&b=2"), 2),
            (Some("limit"), 0),
            (Some("%ff=1"), 1),
        ] {
            let found =
                Query::of(query).check(&known).err().map_or(0, |problem| problem.facts().errors.len());
            assert_eq!(found, faults, "{query:?}");
        }
    }

    #[test]
    fn values_are_decoded() {
        let query = Query::of(Some("sku=BANK+CHARGES&asOf=2026-11-20T16%3A00%3A00Z"));
        assert_eq!(query.get("sku"), Some("BANK CHARGES"));
        assert_eq!(query.get("asOf"), Some("2026-11-20T16:00:00Z"));
        assert_eq!(query.get("other"), None);
        assert!(query.read("sku", str::parse::<u64>).is_err());
    }
}
