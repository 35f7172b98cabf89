//! The bytes of the file of keys, line by line.

use crate::record::{Bytes32, FORMAT, FormatOnly, bytes_of, hex, seal, unseal};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most keys in a line.
pub(super) const LINE_KEYS: usize = 64;

/// Eight random bytes that name a key, or a file of keys; 16 hexadecimal digits in the file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Id([u8; 8]);

impl Id {
    pub(super) const fn new(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    pub(super) fn of_random(random: &[u8; 32]) -> Self {
        Self(*random.first_chunk().expect("32 bytes have 8 in front"))
    }

    pub(super) const fn bytes(self) -> [u8; 8] {
        self.0
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        bytes_of(&text).map(Self).ok_or_else(|| serde::de::Error::custom("not 16 hexadecimal digits"))
    }
}

/// A key and whose it is.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) subject: Box<str>,
    pub(super) key_id: Id,
    pub(super) key: Bytes32,
}

impl Entry {
    pub(super) const fn new(subject: Box<str>, key_id: Id, key: [u8; 32]) -> Self {
        Self { subject, key_id, key: Bytes32(key) }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderRecord {
    format: u64,
    file: Id,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineRecord {
    file: Id,
    at: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    keys: Vec<Entry>,
}

/// The first line of a file.
pub(super) fn header(file: Id) -> Vec<u8> {
    seal(&HeaderRecord { format: FORMAT, file })
}

/// What is wrong with the first line of a file.
pub(super) enum HeaderFault {
    /// It is not what was written.
    Damaged(String),
    /// A later version has written it, in this format.
    Newer(u64),
}

/// Which file begins with that line.
pub(super) fn file_of(line: &[u8]) -> Result<Id, HeaderFault> {
    let FormatOnly { format } = unseal(line).map_err(HeaderFault::Damaged)?;
    if format > FORMAT {
        return Err(HeaderFault::Newer(format));
    }
    let HeaderRecord { file, .. } = unseal(line).map_err(HeaderFault::Damaged)?;
    Ok(file)
}

/// The line with some keys that begins at byte `at`; without keys, a mark.
pub(super) fn line(file: Id, at: u64, keys: Vec<Entry>) -> Vec<u8> {
    seal(&LineRecord { file, at, keys })
}

/// The keys in the line at byte `at`, none of a mark; or what is wrong with it.
pub(super) fn keys_in(line: &[u8], file: Id, at: u64) -> Result<Vec<Entry>, String> {
    let record: LineRecord = unseal(line)?;
    if record.file != file {
        return Err("it is of another file".to_owned());
    }
    if record.at != at {
        return Err(format!("it begins at byte {at} and was written for byte {}", record.at));
    }
    Ok(record.keys)
}

/// The keys in a line that stands behind another one whose line feed is damaged, so that both look like one line at byte `at`.
pub(super) fn keys_hidden_in(lines: &[u8], file: Id, at: u64) -> Option<Vec<Entry>> {
    let front = b"{\"crc\":\"";
    let begin = lines.windows(front.len()).rposition(|part| part == front)?;
    keys_in(lines.get(begin..)?, file, at + begin as u64).ok()
}
