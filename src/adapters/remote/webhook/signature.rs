//! The signature of Standard Webhooks, version 1: base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use onhand_config::WebhookSecret;
use sha2::Sha256;

/// The value of the header `webhook-signature`: one signature for each secret; `timestamp` in seconds since 1970.
pub(super) fn signatures(secrets: &[WebhookSecret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signed: Vec<String> =
        secrets.iter().map(|secret| signature(secret.key(), id, timestamp, body)).collect();
    signed.join(" ")
}

fn signature(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_is_signed_as_published() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", br#"{"test": 2432232314}"#);
        let signed = signature(&secret, id, 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        for other in [
            signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJel", 1_614_265_330, body),
            signature(&secret, id, 1_614_265_331, body),
            signature(&secret, id, 1_614_265_330, br#"{"test": 2432232315}"#),
            signature(&secret[1..], id, 1_614_265_330, body),
        ] {
            assert_ne!(other, signed);
        }
    }
}
