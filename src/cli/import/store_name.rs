//! Converts the names of stores to store ids, and rejects files in which different names would become one id unasked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use super::table::CsvRecord;
use onhand_domain::StoreId;
use onhand_runtime::exit::{Exit, Failure};

/// Different store names that are compared for collisions, at most.
const NAMES_MAX: usize = 100_000;
/// Collisions and notes listed, at most.
const TOLD_MAX: usize = 5;

/// The store id of a name: by `--store-name`, else derived from the name itself.
pub(super) fn store_id(name: &str, meant: &BTreeMap<String, StoreId>) -> Option<StoreId> {
    meant.get(name.trim()).cloned().or_else(|| store_id_of(name))
}

/// Derives a store id from a name.
///
/// A valid id is kept letter by letter, as over HTTP. Otherwise each character that an id cannot contain becomes `-`:
/// `United Kingdom` is `United-Kingdom`. None if nothing distinctive is left, or the result is too long.
fn store_id_of(name: &str) -> Option<StoreId> {
    let name = name.trim();
    if let Ok(id) = StoreId::new(name) {
        return Some(id);
    }
    let kept = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let id: String = name.chars().map(|letter| if kept(letter) { letter } else { '-' }).collect();
    let telling = id.bytes().any(|byte| byte.is_ascii_alphanumeric());
    if telling { StoreId::new(&id).ok() } else { None }
}

/// Reads `--store-name NAME=STORE`. A name can contain a `=`, an id cannot.
pub(super) fn meant(text: &str) -> Result<(String, StoreId), String> {
    let (name, id) = text.rsplit_once('=').ok_or("NAME=STORE, such as 'MÜNCHEN=MUENCHEN'")?;
    let name = name.trim();
    if name.is_empty() {
        return Err("the name in front of = is missing".to_owned());
    }
    let id = StoreId::new(id.trim()).map_err(|error| format!("the store id behind = {error}"))?;
    Ok((name.to_owned(), id))
}

/// The store names of a file, checked for collisions.
#[derive(Debug, Default)]
pub(super) struct StoreNames {
    /// The names that map to each id.
    of: HashMap<StoreId, Vec<SeenName>>,
    count: usize,
    collisions: BTreeSet<String>,
}

#[derive(Debug)]
struct SeenName {
    name: String,
    /// True when the id was derived from the name: the name is no id itself, and `--store-name` does not map it.
    made: bool,
    row: u64,
    line: u64,
}

impl StoreNames {
    /// Records the name of a row and the id that it maps to.
    ///
    /// # Errors
    /// [`Exit::Data`] when there are more names than any chain has stores.
    pub(super) fn add(
        &mut self,
        name: &str,
        id: &StoreId,
        record: &CsvRecord<'_>,
        meant: &BTreeMap<String, StoreId>,
    ) -> Result<(), Failure> {
        let known = self.of.entry(id.clone()).or_default();
        if known.iter().any(|seen| seen.name == name) {
            return Ok(());
        }
        self.count += 1;
        if self.count > NAMES_MAX {
            let message = format!(
                "more than {NAMES_MAX} different names of stores: is it the right --store-column? Nothing was sent"
            );
            return Err(Failure::new(Exit::Data, message));
        }
        let made = name != id.as_str() && !meant.contains_key(name);
        let now = SeenName { name: name.to_owned(), made, row: record.row, line: record.line };
        if let Some(first) = known.iter().find(|first| first.made || now.made) {
            self.collisions.insert(format!(
                "{} and {} would both be store {id}",
                first.describe(),
                now.describe()
            ));
        }
        known.push(now);
        Ok(())
    }

    /// Notes about the names for the user.
    ///
    /// # Errors
    /// [`Exit::Data`] when different names would become one store without `--store-name`.
    pub(super) fn judge(self, meant: &BTreeMap<String, StoreId>) -> Result<Vec<String>, Failure> {
        if !self.collisions.is_empty() {
            return Err(self.refusal());
        }
        let mut notes = self.cases();
        let names: BTreeSet<&str> = self.of.values().flatten().map(|seen| seen.name.as_str()).collect();
        let unused = meant.keys().filter(|name| !names.contains(name.as_str()));
        notes
            .extend(unused.map(|name| {
                format!("no row that would be sent has the store name {name:?} of --store-name")
            }));
        notes.truncate(TOLD_MAX);
        Ok(notes)
    }

    fn refusal(&self) -> Failure {
        let mut text = String::from("different names would become one store; nothing was sent");
        for collision in self.collisions.iter().take(TOLD_MAX) {
            let _ = write!(text, "\n  {collision}");
        }
        if self.collisions.len() > TOLD_MAX {
            let _ = write!(text, "\n  ... and {} more", self.collisions.len() - TOLD_MAX);
        }
        text.push_str(
            "\nsay which store a name means, once for each of them, the same one if they are the same: \
             --store-name 'NAME=STORE'",
        );
        Failure::new(Exit::Data, text)
    }

    /// Stores that differ only in the case of their letters.
    fn cases(&self) -> Vec<String> {
        let mut ids: Vec<&str> = self.of.keys().map(StoreId::as_str).collect();
        ids.sort_unstable_by(|one, other| {
            one.to_ascii_lowercase().cmp(&other.to_ascii_lowercase()).then_with(|| one.cmp(other))
        });
        let pairs = ids.iter().zip(ids.iter().skip(1)).filter(|(one, next)| one.eq_ignore_ascii_case(next));
        pairs
            .map(|(one, next)| {
                format!("{one} and {next} are two stores; --store-name '{one}={next}' makes them one")
            })
            .collect()
    }
}

impl SeenName {
    fn describe(&self) -> String {
        format!("{:?} (row {}, line {})", self.name, self.row, self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_stores_become_ids() {
        let long = "x".repeat(65);
        let table = [
            ("United Kingdom", Some("United-Kingdom")),
            (" EIRE ", Some("EIRE")),
            ("Berlin", Some("Berlin")),
            ("shop_1.a", Some("shop_1.a")),
            ("Curaçao", Some("Cura-ao")),
            ("straße", Some("stra-e")),
            ("St. Gallen", Some("St.-Gallen")),
            ("--", Some("--")),
            ("- -", None),
            ("", None),
            ("  ", None),
            ("東京", None),
            (long.as_str(), None),
        ];
        for (name, id) in table {
            assert_eq!(store_id(name, &BTreeMap::new()).as_ref().map(StoreId::as_str), id, "{name:?}");
        }
        let meant = BTreeMap::from([meant(" 東京 = TOKYO").unwrap(), meant("Berlin=B-1").unwrap()]);
        assert_eq!(store_id("東京", &meant).unwrap().as_str(), "TOKYO");
        assert_eq!(store_id(" Berlin ", &meant).unwrap().as_str(), "B-1");
    }

    #[test]
    fn the_store_name_option_has_one_form() {
        let equals = meant("a=b=C").unwrap();
        assert_eq!((equals.0.as_str(), equals.1.as_str()), ("a=b", "C"));
        for (text, word) in
            [("MÜNCHEN", "NAME=STORE"), ("=M", "missing"), ("MÜNCHEN=", "empty"), ("M=MÜNCHEN", "may hold")]
        {
            let error = meant(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
