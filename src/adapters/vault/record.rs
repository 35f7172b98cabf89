//! The bytes of a file: one JSON object in a line, with a checksum in front, so that damage is told from absence.

use onhand_app::ports::{CentralKeys, KeptPerson, KeptSession, KeptToken, Managed, PublicKey, SessionUse};
use onhand_domain::Timestamp;
use onhand_domain::identity::{PrincipalId, TokenId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;

/// The format that is written, and the only one that is read.
pub(crate) const FORMAT: u64 = 1;

/// The format alone, whatever else a later version has put beside it.
#[derive(Deserialize)]
pub(crate) struct FormatOnly {
    pub(crate) format: u64,
}

/// `vault.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VaultRecord {
    pub(crate) format: u64,
    pub(crate) key: Bytes32,
}

/// `tokens/<tokenId>.json`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TokenRecord {
    pub(crate) token_id: TokenId,
    name: String,
    sha256: Bytes32,
}

/// `persons/<principalId>.json`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PersonRecord {
    pub(crate) principal_id: PrincipalId,
    login: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    created_at: Timestamp,
}

/// `sessions/<sessionId>.json`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SessionRecord {
    pub(crate) session_id: TokenId,
    pub(crate) principal_id: PrincipalId,
    #[serde(rename = "use")]
    pub(crate) usage: SessionUse,
    pub(crate) sha256: Bytes32,
    /// The refresh token before the present one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaced: Option<Replaced>,
    pub(crate) created_at: Timestamp,
    pub(crate) used_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// A refresh token that was replaced: `salt` makes its successor of it once more.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Replaced {
    pub(crate) sha256: Bytes32,
    pub(crate) salt: Bytes32,
    pub(crate) at: Timestamp,
}

/// `keys.json`: the newest last.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KeysRecord {
    pub(crate) keys: Vec<KeyRecord>,
}

/// One signing key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KeyRecord {
    pub(crate) key_id: TokenId,
    /// The private key of Ed25519 (RFC 8032).
    pub(crate) seed: Bytes32,
    /// It signs from then on, until another one does.
    pub(crate) signs_from: Timestamp,
}

/// `logins/<64 hex>`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LoginRecord {
    pub(crate) principal_id: PrincipalId,
}

/// A use is written down at most so often.
const USE_STEP_MS: i64 = 5 * 60_000;

impl SessionRecord {
    pub(crate) fn is_use_due(&self, now: Timestamp) -> bool {
        now >= self.used_at.plus_milliseconds(USE_STEP_MS)
    }

    pub(crate) fn session(&self) -> KeptSession {
        let Self { principal_id, usage, used_at, expires_at, .. } = self.clone();
        KeptSession { principal_id, usage, used_at, expires_at }
    }
}

/// `managed.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManagedRecord {
    file: String,
    persons: BTreeSet<PrincipalId>,
    tokens: BTreeSet<TokenId>,
}

/// `central-keys.json`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CentralKeysRecord {
    url: String,
    issuer: String,
    keys: Vec<PublicKeyRecord>,
    fetched_at: Timestamp,
}

/// One public key of central.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PublicKeyRecord {
    key_id: String,
    x: String,
}

impl CentralKeysRecord {
    pub(crate) fn new(kept: &CentralKeys) -> Self {
        let CentralKeys { url, issuer, keys, fetched_at } = kept.clone();
        let keys = keys.into_iter().map(|PublicKey { key_id, x }| PublicKeyRecord { key_id, x }).collect();
        Self { url, issuer, keys, fetched_at }
    }

    pub(crate) fn keys(self) -> CentralKeys {
        let Self { url, issuer, keys, fetched_at } = self;
        let keys = keys.into_iter().map(|PublicKeyRecord { key_id, x }| PublicKey { key_id, x }).collect();
        CentralKeys { url, issuer, keys, fetched_at }
    }
}

impl ManagedRecord {
    pub(crate) fn new(managed: &Managed) -> Self {
        let Managed { file, persons, tokens } = managed.clone();
        Self { file, persons, tokens }
    }

    pub(crate) fn managed(self) -> Managed {
        let Self { file, persons, tokens } = self;
        Managed { file, persons, tokens }
    }
}

impl TokenRecord {
    pub(crate) fn new(id: &TokenId, token: &KeptToken) -> Self {
        Self { token_id: id.clone(), name: token.name.clone(), sha256: Bytes32(token.sha256) }
    }

    pub(crate) fn token(self) -> KeptToken {
        KeptToken { name: self.name, sha256: self.sha256.0 }
    }
}

impl PersonRecord {
    pub(crate) fn new(id: &PrincipalId, person: &KeptPerson) -> Self {
        let KeptPerson { login, name, email, password, created_at } = person.clone();
        Self { principal_id: id.clone(), login, name, email, password, created_at }
    }

    pub(crate) fn person(self) -> KeptPerson {
        let Self { login, name, email, password, created_at, .. } = self;
        KeptPerson { login, name, email, password, created_at }
    }
}

/// 32 bytes as 64 hexadecimal digits.
#[derive(Clone)]
pub(crate) struct Bytes32(pub(crate) [u8; 32]);

impl Serialize for Bytes32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        bytes_of(&text).map(Self).ok_or_else(|| serde::de::Error::custom("not 64 hexadecimal digits"))
    }
}

/// Bytes as hexadecimal digits in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// `N` bytes of twice as many hexadecimal digits.
pub(crate) fn bytes_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * bytes.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// A record as the bytes of its file.
pub(crate) fn seal(record: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_vec(record).expect("a plain struct always serialises into memory");
    let rest = json.strip_prefix(b"{").unwrap_or(&json);
    let mut line = front(rest).into_bytes();
    line.extend_from_slice(rest);
    line.push(b'\n');
    line
}

/// The record in the bytes of a file, or what is wrong with them.
pub(crate) fn unseal<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    let sealed = line.strip_suffix(b"\n").ok_or("it is cut off")?;
    let (claimed, rest) = sealed.split_at_checked(front(b"").len()).ok_or("it is cut off")?;
    if claimed != front(rest).as_bytes() {
        return Err("its checksum does not fit its content".to_owned());
    }
    let json = [b"{", rest].concat();
    serde_json::from_slice(&json).map_err(|error| error.to_string())
}

fn front(rest: &[u8]) -> String {
    format!("{{\"crc\":\"{:08x}\",", crc32c::crc32c(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> KeptPerson {
        KeptPerson {
            login: "Ada".to_owned(),
            name: Some("Ada \"the first\"\n".to_owned()),
            email: None,
            created_at: Timestamp::EPOCH,
            password: None,
        }
    }

    #[test]
    fn the_bytes_are_those_described() {
        let id = PrincipalId::new("u_0123456789ab").unwrap();
        let line = String::from_utf8(seal(&PersonRecord::new(&id, &person()))).unwrap();
        let rest = r#""principalId":"u_0123456789ab","login":"Ada","name":"Ada \"the first\"\n","createdAt":"1970-01-01T00:00:00.000Z"}"#;
        assert_eq!(line, format!("{{\"crc\":\"{:08x}\",{rest}\n", crc32c::crc32c(rest.as_bytes())));
        serde_json::from_str::<serde_json::Value>(&line).unwrap();
        let read: PersonRecord = unseal(line.as_bytes()).unwrap();
        assert!(read.principal_id == id && read.person() == person());
    }

    #[test]
    fn whatever_byte_is_changed_or_missing_is_damage() {
        let record = VaultRecord { format: FORMAT, key: Bytes32([0xa7; 32]) };
        let line = seal(&record);
        assert!(unseal::<VaultRecord>(&line).is_ok_and(|read| read.key.0 == record.key.0));
        for at in 0..line.len() {
            assert!(unseal::<VaultRecord>(&line[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut changed = line.clone();
                changed[at] ^= 1 << bit;
                assert!(unseal::<VaultRecord>(&changed).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn thirty_two_bytes_are_sixty_four_digits() {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(250..).for_each(|(byte, n)| *byte = u8::try_from(n % 256).unwrap());
        assert_eq!(bytes_of(&hex(&bytes)), Some(bytes));
        assert!(hex(&bytes).starts_with("fafbfcfdfeff0001"), "{}", hex(&bytes));
        for wrong in
            ["", "0", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"+f".repeat(32), &"ü".repeat(32)]
        {
            assert_eq!(bytes_of::<32>(wrong), None, "{wrong}");
        }
    }
}
