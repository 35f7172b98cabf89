//! The public keys that central signs with: `GET {base}/auth/keys`, a set of keys (RFC 7517) that names its issuer too.

use crate::access::NodeAccess;
use crate::{client_builder, error_chain, is_loopback};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onhand_app::ports::PublicKey;
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer, in bytes: some three hundred keys.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Longest name of an issuer, in bytes.
const ISSUER_BYTES_MAX: usize = 128;

/// What central tells of its keys.
#[derive(Debug, PartialEq, Eq)]
pub struct FetchedKeys {
    /// The issuer of the tokens that they sign.
    pub issuer: String,
    /// Those for Ed25519; at least one.
    pub keys: Vec<PublicKey>,
}

#[derive(Deserialize)]
struct KeySet {
    issuer: String,
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    crv: String,
    kid: String,
    x: String,
}

/// Fetches the keys of the node at `base`.
///
/// # Errors
/// A text for a person: what went wrong.
pub async fn fetch_keys(base: &str, access: &NodeAccess) -> Result<FetchedKeys, String> {
    let url = Url::parse(&format!("{base}/auth/keys")).map_err(|error| error.to_string())?;
    let builder = client_builder(is_loopback(&url));
    let builder = builder.connect_timeout(CONNECT_TIMEOUT).timeout(REQUEST_TIMEOUT);
    let builder = match access.authorities() {
        Some(authorities) => builder.tls_certs_only(authorities),
        None => builder,
    };
    let http = builder.build().map_err(error_chain)?;
    let mut answer = http.get(url).header("accept", "application/json").send().await.map_err(error_chain)?;
    if answer.status() != StatusCode::OK {
        return Err(format!("it answers {} when asked for its keys", answer.status()));
    }
    let mut body = Vec::new();
    while let Some(bytes) = answer.chunk().await.map_err(error_chain)? {
        if body.len() + bytes.len() > BODY_BYTES_MAX {
            return Err(format!("its answer is longer than {BODY_BYTES_MAX} bytes"));
        }
        body.extend_from_slice(&bytes);
    }
    read(&body)
}

fn read(body: &[u8]) -> Result<FetchedKeys, String> {
    let KeySet { issuer, keys } = serde_json::from_slice(body)
        .map_err(|error| format!("its answer is no set of keys with an issuer: {error}"))?;
    if issuer.is_empty() || issuer.len() > ISSUER_BYTES_MAX || issuer.chars().any(char::is_control) {
        return Err("its issuer is no name".to_owned());
    }
    // Keys of another kind are those of a later version.
    let keys = keys.into_iter().filter_map(|key| public(Key::deserialize(key).ok()?));
    let keys: Vec<PublicKey> = keys.collect();
    if keys.is_empty() {
        return Err("it has no key for Ed25519; it makes one when the first person logs in there".to_owned());
    }
    Ok(FetchedKeys { issuer, keys })
}

fn public(key: Key) -> Option<PublicKey> {
    let Key { kty, crv, kid, x } = key;
    let length = URL_SAFE_NO_PAD.decode(&x).ok()?.len();
    (kty == "OKP" && crv == "Ed25519" && length == 32).then_some(PublicKey { key_id: kid, x })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(members: &str) -> String {
        format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"0123456789ab"{members}}}"#)
    }

    fn set(keys: &[String]) -> String {
        format!(r#"{{"issuer":"urn:uuid:1","keys":[{}]}}"#, keys.join(","))
    }

    #[test]
    fn keys_that_are_understood_are_taken_and_the_others_left() {
        let x = "A".repeat(43);
        let good = key(&format!(r#","x":"{x}","use":"sig""#));
        let others =
            [r#"{"kty":"RSA","n":"AQAB"}"#.to_owned(), key(r#","x":"AAAA""#), "7".to_owned(), key("")];
        let mut all = others.to_vec();
        all.push(good);
        let fetched = read(set(&all).as_bytes()).unwrap();
        assert_eq!(fetched.issuer, "urn:uuid:1");
        assert_eq!(fetched.keys, [PublicKey { key_id: "0123456789ab".to_owned(), x }]);
        for (body, told) in [
            (set(&others), "no key for Ed25519"),
            (set(&[]), "no key for Ed25519"),
            (set(&all).replace("urn:uuid:1", ""), "no name"),
            (set(&all).replace("urn:uuid:1", &"x".repeat(200)), "no name"),
            (set(&all).replace(r#""issuer":"urn:uuid:1","#, ""), "missing field `issuer`"),
            ("<html>".to_owned(), "no set of keys"),
            (set(&all)[..40].to_owned(), "no set of keys"),
        ] {
            let fault = read(body.as_bytes()).unwrap_err();
            assert!(fault.contains(told), "{body}: {fault}");
        }
    }
}
