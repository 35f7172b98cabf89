//! HMAC-SHA-256.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The HMAC-SHA-256 of the parts, one behind the other without a mark in between.
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
