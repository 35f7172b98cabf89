//! The keys that sign tokens, and the tokens that they sign: JWT with Ed25519 (RFC 7519, RFC 8037), and nothing else.
//!
//! The newest key whose time has come signs. Its successor is made [`LIFE_DAYS`] after it and published [`AHEAD_DAYS`] before it
//! signs, so that a verifier that fetches the public keys once a day knows it in time. Keys that sign no longer stay published for
//! as long as a token of theirs may be good, and are then removed.

use crate::error::Remedy;
use crate::files::Files;
use crate::record::{Bytes32, KeyRecord, KeysRecord};
use crate::signature::PROVIDER;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::CryptoProvider;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use onhand_app::ports::{Claims, PublicKey};
use onhand_domain::Timestamp;
use onhand_domain::identity::TokenId;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::Deserialize;
use std::io;

/// How long a key signs.
const LIFE_DAYS: i64 = 30;
/// How long a key is published before it signs.
const AHEAD_DAYS: i64 = 1;
/// How long a key stays published after its successor signs: the longest life of a token.
const PUBLISHED_DAYS: i64 = 401;
const DAY_MS: i64 = 86_400_000;
/// No token of ours is longer: one for another node has the grants of its person in it.
const TEXT_MAX: usize = 4_096;

/// The part of a vault that signs.
pub(crate) struct Keys<'a> {
    pub(crate) files: &'a Files,
}

/// The header of a signed token; a member that is not listed is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenHeader {
    #[serde(rename = "typ")]
    _typ: String,
    #[serde(rename = "alg")]
    _alg: String,
    kid: TokenId,
}

impl Keys<'_> {
    /// Signs claims with the present key; one is made when there is none.
    pub(crate) fn sign(
        &self,
        claims: &Claims,
        now: Timestamp,
        random: &dyn Fn() -> [u8; 32],
    ) -> io::Result<String> {
        let signing = |keys: &[KeyRecord]| keys.iter().rev().find(|key| key.signs_from <= now).cloned();
        let key = match signing(&self.read()?) {
            Some(key) => key,
            None => self.add(now, now, random)?,
        };
        let header = Header { kid: Some(key.key_id.to_string()), ..Header::new(Algorithm::EdDSA) };
        // It is there already after the first time.
        let _ = CryptoProvider::install_default(&PROVIDER);
        let text = jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&key.seed.0))
            .map_err(io::Error::other)?;
        if text.len() > TEXT_MAX {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("a token has at most {TEXT_MAX} bytes"),
            ));
        }
        Ok(text)
    }

    /// The claims of a token that one of the keys has signed, whatever they say; nothing for any other text.
    pub(crate) fn claims_in(&self, text: &str) -> io::Result<Option<Claims>> {
        let Some(key_id) = key_id_in(text) else { return Ok(None) };
        let keys = self.read()?;
        let Some(key) = keys.iter().find(|key| key.key_id == key_id) else { return Ok(None) };
        Ok(verified(text, &public(&key.seed)))
    }

    /// The public keys, the newest last.
    pub(crate) fn published(&self) -> io::Result<Vec<PublicKey>> {
        let shown = |key: &KeyRecord| PublicKey {
            key_id: key.key_id.to_string(),
            x: URL_SAFE_NO_PAD.encode(public(&key.seed)),
        };
        Ok(self.read()?.iter().map(shown).collect())
    }

    /// Makes another key that signs from now on. What the keys before it have signed is good for nothing when `revokes`.
    pub(crate) fn rotate(
        &self,
        revokes: bool,
        now: Timestamp,
        random: &dyn Fn() -> [u8; 32],
    ) -> io::Result<String> {
        if revokes {
            let _held = self.files.hold()?;
            self.files.remove(&self.files.keys())?;
        }
        if let Some(key_id) = self.advance(now)? {
            return Ok(key_id.to_string());
        }
        Ok(self.add(now, now, random)?.key_id.to_string())
    }

    /// Lets the next key sign now, where there is one that waits for its day.
    fn advance(&self, now: Timestamp) -> io::Result<Option<TokenId>> {
        let _held = self.files.hold()?;
        let mut keys = self.read()?;
        let Some(next) = keys.last_mut().filter(|next| next.signs_from > now) else { return Ok(None) };
        next.signs_from = now;
        let key_id = next.key_id.clone();
        self.files.put(&self.files.keys(), &KeysRecord { keys })?;
        Ok(Some(key_id))
    }

    /// Makes the next key when it is time, and removes the keys of which no token can be good.
    pub(crate) fn upkeep(&self, now: Timestamp, random: &dyn Fn() -> [u8; 32]) -> io::Result<()> {
        let keys = self.read()?;
        let Some(newest) = keys.last() else { return Ok(()) };
        let made = newest.signs_from.plus_milliseconds((LIFE_DAYS - AHEAD_DAYS) * DAY_MS);
        if now >= made {
            self.add(now, now.plus_milliseconds(AHEAD_DAYS * DAY_MS), random)?;
        }
        Ok(())
    }

    /// Adds a key, unless another process has added one that is as new.
    fn add(
        &self,
        now: Timestamp,
        signs_from: Timestamp,
        random: &dyn Fn() -> [u8; 32],
    ) -> io::Result<KeyRecord> {
        let _held = self.files.hold()?;
        let mut keys = self.read()?;
        if let Some(newest) = keys.last().filter(|newest| newest.signs_from >= signs_from) {
            return Ok(newest.clone());
        }
        let key_id = TokenId::of_random(&random());
        let key = KeyRecord { key_id, seed: Bytes32(random()), signs_from };
        keys.push(key.clone());
        let successors: Vec<Timestamp> = keys.iter().skip(1).map(|key| key.signs_from).collect();
        let mut successors = successors.into_iter();
        keys.retain(|_| {
            let until = successors.next().map(|next| next.plus_milliseconds(PUBLISHED_DAYS * DAY_MS));
            until.is_none_or(|until| now < until)
        });
        self.files.put(&self.files.keys(), &KeysRecord { keys })?;
        Ok(key)
    }

    fn read(&self) -> io::Result<Vec<KeyRecord>> {
        let record = self.files.read::<KeysRecord>(&self.files.keys(), Remedy::NewKeys)?;
        Ok(record.map(|record| record.keys).unwrap_or_default())
    }
}

/// The key that the header of a token names, where the header is one of ours.
fn key_id_in(text: &str) -> Option<TokenId> {
    let (header, _) = text.split_once('.').filter(|_| text.len() <= TEXT_MAX)?;
    let header: TokenHeader = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    Some(header.kid)
}

/// The claims of a token that one of these public keys has signed.
pub(crate) fn claims_by(keys: &[PublicKey], text: &str) -> Option<Claims> {
    let key_id = key_id_in(text)?;
    let key = keys.iter().find(|key| key.key_id == key_id.as_str())?;
    verified(text, &URL_SAFE_NO_PAD.decode(&key.x).ok()?)
}

/// The claims of a token, if the private key of `public` has signed it. The times are compared with the clock of the node, and the
/// audience with all else, by who knows them.
fn verified(text: &str, public: &[u8]) -> Option<Claims> {
    let _ = CryptoProvider::install_default(&PROVIDER);
    let mut validation = Validation::new(Algorithm::EdDSA);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let token = jsonwebtoken::decode::<Claims>(text, &DecodingKey::from_ed_der(public), &validation);
    token.ok().map(|token| token.claims)
}

fn public(seed: &Bytes32) -> [u8; 32] {
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed.0).expect("32 bytes are a seed");
    pair.public_key().as_ref().try_into().expect("a public key has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{files_with, opened, person_id};
    use crate::vault::FileVault;
    use hmac::{Hmac, Mac};
    use onhand_app::ports::Vault;
    use onhand_sim_machine::disk::SimDisk;
    use sha2::Sha256;

    fn at(days: i64) -> Timestamp {
        Timestamp::EPOCH.plus_milliseconds((20_000 + days) * DAY_MS)
    }

    fn claims() -> Claims {
        let (iss, aud) = ("urn:uuid:0".to_owned(), "onhand".to_owned());
        let (sub, sid) = (person_id(1), Some(TokenId::of_bits(1)));
        Claims { iss, aud, sub, sid, jti: None, iat: 1, exp: 2, grants: Vec::new() }
    }

    fn encode(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    fn kid(token: &str) -> String {
        key_id_in(token).unwrap().to_string()
    }

    #[test]
    fn what_is_signed_is_read_back_also_by_another_process() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        assert!(vault.public_keys().unwrap().is_empty());
        let token = vault.sign(&claims(), at(0)).unwrap();
        assert_eq!(opened(&disk).claims_in(&token).unwrap(), Some(claims()));
        assert_eq!(vault.public_keys().unwrap().len(), 1);
        assert_eq!(vault.sign(&claims(), at(0)).unwrap(), token, "Ed25519 has no randomness");
    }

    #[test]
    fn what_was_not_signed_as_it_is_is_refused() {
        let vault = opened(&SimDisk::new(1));
        let token = vault.sign(&claims(), at(0)).unwrap();
        let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
            panic!("{token}")
        };
        let kid = kid(&token);
        let public = URL_SAFE_NO_PAD.decode(&vault.public_keys().unwrap()[0].x).unwrap();
        let hmac_signed = |header: &str| {
            let message = format!("{}.{payload}", encode(header));
            let mut mac = Hmac::<Sha256>::new_from_slice(&public).unwrap();
            mac.update(message.as_bytes());
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
        };
        let with_header = |header: &str| format!("{}.{payload}.{signature}", encode(header));
        let body = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        let with_body = |body: &str| format!("{header}.{}.{signature}", encode(body));
        let wrong = [
            (
                "the public key as a secret",
                hmac_signed(&format!(r#"{{"typ":"JWT","alg":"HS256","kid":"{kid}"}}"#)),
            ),
            ("no algorithm", with_header(&format!(r#"{{"typ":"JWT","alg":"none","kid":"{kid}"}}"#))),
            ("no algorithm and no signature", format!("{}.{payload}.", encode(r#"{"alg":"none"}"#))),
            ("another algorithm", with_header(&format!(r#"{{"typ":"JWT","alg":"ES256","kid":"{kid}"}}"#))),
            ("a path as a key", with_header(r#"{"typ":"JWT","alg":"EdDSA","kid":"../../dev/null"}"#)),
            ("a statement as a key", with_header(r#"{"typ":"JWT","alg":"EdDSA","kid":"' OR 1=1--"}"#)),
            ("an unknown key", with_header(r#"{"typ":"JWT","alg":"EdDSA","kid":"0123456789ab"}"#)),
            ("no key", with_header(r#"{"typ":"JWT","alg":"EdDSA"}"#)),
            (
                "two keys",
                with_header(&format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{kid}","kid":"{kid}"}}"#)),
            ),
            (
                "its own key",
                with_header(&format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{kid}","jwk":{{}}}}"#)),
            ),
            (
                "a condition",
                with_header(&format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{kid}","crit":["exp"]}}"#)),
            ),
            ("a later end", with_body(&body.replace(r#""exp":2"#, r#""exp":9"#))),
            ("two ends", with_body(&body.replace(r#""exp":2"#, r#""exp":9,"exp":2"#))),
            ("another person", with_body(&body.replace(person_id(1).as_str(), person_id(2).as_str()))),
            ("no signature", format!("{header}.{payload}.")),
            ("half a signature", format!("{header}.{payload}.{}", &signature[..43])),
            ("a fourth part", format!("{token}.{signature}")),
            ("padding", format!("{token}=")),
            ("a space", format!("{token} ")),
            ("much", format!("{header}.{}.{signature}", encode(&body.replace("onhand", &"x".repeat(4_000))))),
            ("nothing", String::new()),
            ("dots", "..".to_owned()),
        ];
        for (what, text) in &wrong {
            assert_eq!(vault.claims_in(text).unwrap(), None, "{what}");
        }
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(bytes).unwrap();
            // The last character of a part has bits that belong to no byte; they must be zero.
            assert_eq!(vault.claims_in(&text).unwrap(), None, "character {at}");
        }
        assert_eq!(vault.claims_in(&token).unwrap(), Some(claims()));
    }

    #[test]
    fn what_central_has_signed_is_verified_with_its_public_keys_alone() {
        let (central, shop) = (opened(&SimDisk::new(1)), opened(&SimDisk::new(2)));
        // Vaults of tests draw the same random bytes.
        shop.random();
        let grants = vec![serde_json::json!({"role": "manager", "stores": ["BERLIN"]})];
        let claims = Claims { grants, ..claims() };
        let token = central.sign(&claims, at(0)).unwrap();
        let own = shop.sign(&claims, at(0)).unwrap();
        let keys = central.public_keys().unwrap();
        assert_eq!(shop.claims_in(&token).unwrap(), None, "it is none of the shop's own");
        assert_eq!(shop.claims_by(&keys, &token), Some(claims));
        assert_eq!(shop.claims_by(&keys, &own), None, "another key");
        assert_eq!(shop.claims_by(&[], &token), None);
        let renamed = vec![PublicKey { key_id: kid(&token), ..shop.public_keys().unwrap().remove(0) }];
        assert_eq!(shop.claims_by(&renamed, &token), None, "another key under its name");
        for x in ["", "AAAA", "not base64", &"A".repeat(43)] {
            let keys = vec![PublicKey { key_id: kid(&token), x: x.to_owned() }];
            assert_eq!(shop.claims_by(&keys, &token), None, "{x:?}");
        }
    }

    #[test]
    fn a_token_that_no_verifier_would_read_is_not_signed() {
        let vault = opened(&SimDisk::new(1));
        let grants = |count| vec![serde_json::json!({"role": "manager"}); count];
        let sign = |count| vault.sign(&Claims { grants: grants(count), ..claims() }, at(0));
        assert!(vault.claims_in(&sign(100).unwrap()).unwrap().is_some());
        assert!(sign(1_000).is_err());
    }

    #[test]
    fn keys_follow_one_another_and_are_published_before_and_after() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        let first = vault.sign(&claims(), at(0)).unwrap();
        let count = |vault: &FileVault| vault.public_keys().unwrap().len();
        let signing = |day| kid(&vault.sign(&claims(), at(day)).unwrap());
        vault.upkeep(at(28)).unwrap();
        assert_eq!(count(&vault), 1);
        vault.upkeep(at(29)).unwrap();
        opened(&disk).upkeep(at(29)).unwrap();
        assert_eq!(count(&vault), 2);
        assert_eq!(signing(29), kid(&first));
        assert_ne!(signing(30), kid(&first));
        for day in 30..900 {
            vault.upkeep(at(day)).unwrap();
        }
        assert!((14..=17).contains(&count(&vault)), "{} keys", count(&vault));
        assert_eq!(vault.claims_in(&first).unwrap(), None);
    }

    #[test]
    fn a_rotation_keeps_what_was_signed_unless_it_revokes() {
        let vault = opened(&SimDisk::new(1));
        let first = vault.sign(&claims(), at(0)).unwrap();
        let second_kid = vault.rotate_keys(false, at(1)).unwrap();
        let second = vault.sign(&claims(), at(1)).unwrap();
        assert_eq!(kid(&second), second_kid);
        assert!(vault.claims_in(&first).unwrap().is_some());
        vault.rotate_keys(true, at(2)).unwrap();
        let third = vault.sign(&claims(), at(2)).unwrap();
        assert_eq!(vault.public_keys().unwrap().len(), 1);
        for (token, good) in [(&first, false), (&second, false), (&third, true)] {
            assert_eq!(vault.claims_in(token).unwrap().is_some(), good);
        }
    }

    #[test]
    fn a_rotation_does_not_wait_for_the_day_of_the_next_key() {
        let vault = opened(&SimDisk::new(1));
        let first = vault.sign(&claims(), at(0)).unwrap();
        vault.upkeep(at(29)).unwrap();
        assert_eq!(kid(&vault.sign(&claims(), at(29)).unwrap()), kid(&first));
        let next = vault.rotate_keys(false, at(29)).unwrap();
        assert_ne!(next, kid(&first));
        assert_eq!(kid(&vault.sign(&claims(), at(29)).unwrap()), next);
        assert_eq!(vault.public_keys().unwrap().len(), 2);
    }

    #[test]
    fn damaged_keys_are_told() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        let token = vault.sign(&claims(), at(0)).unwrap();
        disk.corrupt(&files_with(&disk, "keys.json")[0], 40, b'#').unwrap();
        let told = vault.claims_in(&token).unwrap_err().to_string();
        assert!(told.contains("keys.json") && told.contains("logs in again"), "{told}");
        assert!(vault.sign(&claims(), at(0)).is_err());
    }
}
