//! The bytes of one line: an entry, sealed with a checksum and chained to the line before.

use onhand_app::ports::AuditEntry;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// `{"crc":"` and what follows the checksum.
const FRONT: &str = "{\"crc\":\"";
const BEHIND: &str = "\",";
const CRC_DIGITS: usize = 8;
/// The largest number of an entry; the names of files have room for those that follow.
const NUMBER_MAX: u64 = 900_000_000_000;

/// The SHA-256 of a line; all zeros in front of the first one. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct LineHash([u8; 32]);

/// What stands in a line behind its checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The hash of the line before.
    pub prev: LineHash,
    /// The number of the entry in its chain, from 1.
    pub n: u64,
    /// The number up to which entries were durable when the line was written.
    pub synced: u64,
    /// The entry.
    pub entry: AuditEntry,
}

impl LineHash {
    /// The hash of a line with its line feed.
    pub fn of(line: &[u8]) -> Self {
        Self(Sha256::digest(line).into())
    }
}

impl Line {
    /// The line with its checksum and its line feed.
    ///
    /// # Panics
    /// Never: a plain struct always serialises into memory.
    pub fn encode(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("a plain struct always serialises into memory");
        let rest = json.strip_prefix(b"{").unwrap_or(&json);
        let mut line = format!("{FRONT}{:08x}{BEHIND}", crc32c::crc32c(rest)).into_bytes();
        line.extend_from_slice(rest);
        line.push(b'\n');
        line
    }

    /// Reads a line with its line feed.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn decode(line: &[u8]) -> Result<Self, &'static str> {
        let line = line.strip_suffix(b"\n").ok_or("the line has no end")?;
        let sealed = line.strip_prefix(FRONT.as_bytes()).and_then(|line| line.split_at_checked(CRC_DIGITS));
        let (digits, rest) = sealed.ok_or("the line has no checksum")?;
        let rest = rest.strip_prefix(BEHIND.as_bytes()).ok_or("the line has no checksum")?;
        if format!("{:08x}", crc32c::crc32c(rest)).as_bytes() != digits {
            return Err("the checksum does not fit the line");
        }
        let json = [b"{", rest].concat();
        let read: Result<Self, _> = serde_json::from_slice(&json);
        let read = read.map_err(|_| "the line is no entry of this version of onhand")?;
        if (1..=NUMBER_MAX).contains(&read.n) { Ok(read) } else { Err("the number of the entry is none") }
    }
}

impl std::fmt::Display for LineHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl std::fmt::Debug for LineHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{self}")
    }
}

impl Serialize for LineHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LineHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom("not 64 hexadecimal digits");
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_app::ports::AuditKind;
    use onhand_domain::Timestamp;

    fn line() -> Line {
        let mut entry = AuditEntry::new(Timestamp::from_milliseconds(1_796_030_000_123), AuditKind::Refused);
        entry.actor = Some("s_0123456789ab".into());
        entry.address = Some("2001:db8::7".parse().unwrap());
        entry.route = Some("/stores/{storeId}".into());
        entry.status = Some(403);
        entry.count = 7;
        Line { prev: LineHash::of(b"x"), n: 17, synced: 16, entry }
    }

    #[test]
    fn a_line_is_read_back_and_no_byte_of_it_can_change() {
        let bytes = line().encode();
        assert_eq!(Line::decode(&bytes), Ok(line()));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Line::decode(&changed).is_err(), "byte {at}");
            assert!(Line::decode(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_documentation() {
        let text = String::from_utf8(line().encode()).unwrap();
        let (_, rest) = text.split_once("\",").unwrap();
        assert_eq!(
            rest,
            "\"prev\":\"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\",\"n\":17,\"synced\":16,\
             \"entry\":{\"time\":\"2026-11-30T09:13:20.123Z\",\"kind\":\"refused\",\"actor\":\"s_0123456789ab\",\
             \"address\":\"2001:db8::7\",\"route\":\"/stores/{storeId}\",\"status\":403,\"count\":7}}\n"
        );
    }
}
