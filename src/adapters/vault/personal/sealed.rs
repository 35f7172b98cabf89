//! Personal data as a sealed text: ChaCha20-Poly1305 (RFC 8439), with the name of the key in front.
//!
//! ```text
//! 1.<key id, 8 bytes>.<nonce, 12 bytes; ciphertext; tag, 16 bytes>      both in base64url without padding
//! ```
//! Authenticated beside the plain text: the version (1 byte), the length of the subject (1 byte), the subject, the place.
//!
//! A key seals few texts, so nonces are drawn by chance. The cipher has nothing to prepare for a key, which is new most times.

use super::known::NamedKey;
use super::lines::Id;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::io;

const VERSION: &str = "1";

/// A sealed text, taken apart.
pub(super) struct Sealed {
    key_id: Id,
    nonce: [u8; NONCE_LEN],
    /// Ciphertext and tag.
    bytes: Vec<u8>,
}

/// Seals `plain`; the nonce is the first of `random`.
pub(super) fn seal(key: &NamedKey, subject: &str, place: &str, plain: &[u8], random: &[u8; 32]) -> String {
    let nonce: [u8; NONCE_LEN] = *random.first_chunk().expect("32 bytes have a nonce in front");
    let mut bytes = plain.to_vec();
    cipher(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), context(subject, place), &mut bytes)
        .expect("personal data is far below 256 GiB");
    let body = [nonce.as_slice(), &bytes].concat();
    format!("{VERSION}.{}.{}", URL_SAFE_NO_PAD.encode(key.id.bytes()), URL_SAFE_NO_PAD.encode(body))
}

impl Sealed {
    pub(super) fn parse(text: &str) -> io::Result<Self> {
        let (version, rest) = text.split_once('.').ok_or_else(damaged)?;
        if version != VERSION {
            return Err(invalid(
                "a text with personal data has another version than this version of onhand reads: start the version that has \
                 written it, or a later one",
            ));
        }
        let (key_id, body) = rest.split_once('.').ok_or_else(damaged)?;
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| damaged());
        let key_id = decoded(key_id)?.try_into().map_err(|_| damaged())?;
        let body = decoded(body)?;
        let (nonce, bytes) = body.split_first_chunk().ok_or_else(damaged)?;
        Ok(Self { key_id: Id::new(key_id), nonce: *nonce, bytes: bytes.to_vec() })
    }

    pub(super) const fn key_id(&self) -> Id {
        self.key_id
    }

    pub(super) fn open(self, key: &NamedKey, subject: &str, place: &str) -> io::Result<Vec<u8>> {
        let mut bytes = self.bytes;
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let opened = cipher(key).open_in_place(nonce, context(subject, place), &mut bytes);
        let length = opened.map_err(|_| damaged())?.len();
        bytes.truncate(length);
        Ok(bytes)
    }
}

fn cipher(key: &NamedKey) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &key.key).expect("32 bytes are a key"))
}

/// What a text belongs to. The length in front: no other subject and place have the same bytes.
fn context(subject: &str, place: &str) -> Aad<Vec<u8>> {
    let length = u8::try_from(subject.len()).expect("the name of a subject is short");
    Aad::from([VERSION.as_bytes(), &[length], subject.as_bytes(), place.as_bytes()].concat())
}

fn damaged() -> io::Error {
    invalid("a text with personal data is damaged, or stands in another place than it was sealed for")
}

fn invalid(fault: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, fault)
}
