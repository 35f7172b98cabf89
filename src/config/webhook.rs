//! The webhook: the address of the receiver of low-stock alerts, and the secrets that sign its requests.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use clap::Args;
use clap::builder::TypedValueParser;
use http::Uri;

use crate::fault::Faults;
use crate::value_parser::text;

/// Minimum length of a secret in bytes, as Standard Webhooks defines it.
const SECRET_BYTES_MIN: usize = 24;
const SECRET_BYTES_MAX: usize = 64;
/// A placeholder for a value that must not be shown.
const HIDDEN: &str = "(not shown)";

/// Settings of the webhook, unread.
#[derive(Args, Clone, Debug)]
pub struct RawWebhook {
    /// Address to which low-stock alerts are sent, as signed webhooks (Standard Webhooks): https, or http where
    /// --alert-webhook-allow-private is given. One that is not taken is sent again: --retry-base-ms, --breaker-threshold
    /// and --breaker-cooldown-ms hold for it as for a source
    #[arg(long, env = "ALERT_WEBHOOK_URL", value_name = "URL", hide_env_values = true)]
    #[arg(allow_hyphen_values = true, value_parser = text().map(Hidden))]
    pub alert_webhook_url: Option<Hidden>,

    /// Secret with which they are signed: `whsec_` and the base64 of 24 to 64 bytes. Several with spaces between them: each
    /// signs, so that the receiver can change from one to the next. Better in the environment, as command lines are seen by
    /// everybody on the machine
    #[arg(long, env = "ALERT_WEBHOOK_SECRET", value_name = "SECRET", hide_env_values = true)]
    #[arg(allow_hyphen_values = true, value_parser = text().map(Hidden))]
    pub alert_webhook_secret: Option<Hidden>,

    /// Send them also to addresses that are not public: loopback, private and link-local ones
    #[arg(long, env = "ALERT_WEBHOOK_ALLOW_PRIVATE", value_name = "BOOLEAN", default_value = "false")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = text())]
    pub alert_webhook_allow_private: String,
}

/// Text that is not shown when the settings are.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(pub String);

/// Settings of the webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// `ALERT_WEBHOOK_URL`: the address of the receiver.
    pub url: String,
    /// `ALERT_WEBHOOK_SECRET`: the secrets, each of which signs every alert; never empty.
    pub secrets: Vec<WebhookSecret>,
    /// `ALERT_WEBHOOK_ALLOW_PRIVATE`: whether the receiver's address may be a private one.
    pub allow_private: bool,
}

/// The bytes of a secret; `Debug` hides them.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl WebhookSecret {
    /// Reads `whsec_` and base64; none when the text has another form, or the secret is too short or too long.
    pub fn parse(text: &str) -> Option<Self> {
        let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let bytes = GeneralPurpose::new(&STANDARD, lenient).decode(text.strip_prefix("whsec_")?).ok()?;
        (SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// The key of the signature.
    pub fn key(&self) -> &[u8] {
        &self.0
    }
}

impl WebhookSettings {
    /// None unless `ALERT_WEBHOOK_URL` is given; a bad value is always a fault.
    pub(super) fn read(raw: &RawWebhook, faults: &mut Faults) -> Option<Self> {
        const SECRET: &str = "ALERT_WEBHOOK_SECRET";
        let allow_private = faults.truth("ALERT_WEBHOOK_ALLOW_PRIVATE", &raw.alert_webhook_allow_private);
        let secrets = raw.alert_webhook_secret.as_ref().map(|Hidden(text)| {
            let secrets: Option<Vec<_>> = text.split_whitespace().map(WebhookSecret::parse).collect();
            let secrets = secrets.filter(|secrets| !secrets.is_empty());
            if secrets.is_none() {
                faults.add(
                    SECRET,
                    HIDDEN,
                    "whsec_ and the base64 of 24 to 64 bytes, or several with spaces between",
                );
            }
            secrets
        });
        let url = raw.alert_webhook_url.as_ref().map(|Hidden(text)| text.trim())?;
        if !is_target(url, allow_private) {
            faults.add(
                "ALERT_WEBHOOK_URL",
                // The address of a receiver is often enough to post to it.
                HIDDEN,
                "https://HOST/PATH, or http://HOST/PATH with --alert-webhook-allow-private for an address that is not \
                 public; without user and password",
            );
        }
        if secrets.is_none() {
            faults.add(
                SECRET,
                "",
                "whsec_ and the base64 of 24 to 64 bytes; it is needed with ALERT_WEBHOOK_URL",
            );
        }
        Some(Self { url: url.to_owned(), secrets: secrets??, allow_private })
    }
}

fn is_target(url: &str, allow_private: bool) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let schemed = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => allow_private,
        _ => false,
    };
    let alone = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    schemed && alone && uri.host().is_some_and(|host| !host.is_empty()) && !url.contains('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_of_24_to_64_bytes_with_or_without_padding() {
        let encoded = |bytes: usize| {
            let text = base64::engine::general_purpose::STANDARD.encode(vec![7; bytes]);
            [format!("whsec_{text}"), format!("whsec_{}", text.trim_end_matches('='))]
        };
        for (bytes, good) in [(0, false), (23, false), (24, true), (25, true), (64, true), (65, false)] {
            for text in encoded(bytes) {
                assert_eq!(WebhookSecret::parse(&text).is_some(), good, "{text}");
            }
        }
        let [good, _] = encoded(32);
        assert_eq!(WebhookSecret::parse(&good).unwrap().key(), [7; 32]);
        for bad in [good.trim_start_matches("whsec_"), "whsec_%%%", &good[..good.len() - 6]] {
            assert!(WebhookSecret::parse(bad).is_none_or(|read| read.key() != [7; 32]), "{bad}");
        }
        assert_eq!(
            format!("{:?} {:?}", WebhookSecret::parse(&good), Hidden(good)).matches("not shown").count(),
            2
        );
    }

    #[test]
    fn plain_http_takes_leave_and_nobody_logs_in_by_address() {
        for (url, public, private) in [
            ("https://hooks.example/onhand?a=b", true, true),
            ("https://hooks.example:8443", true, true),
            ("https://[2606:4700::1]/x", true, true),
            ("http://10.0.0.7/x", false, true),
            ("ftp://hooks.example", false, false),
            ("https://user:word@hooks.example/", false, false),
            ("https://hooks.example/#there", false, false),
            ("https:///x", false, false),
            ("hooks.example", false, false),
            ("/x", false, false),
            ("", false, false),
        ] {
            assert_eq!((is_target(url, false), is_target(url, true)), (public, private), "{url}");
        }
    }
}
