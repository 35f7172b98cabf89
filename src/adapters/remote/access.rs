//! What this node shows to the nodes it follows, and whom it believes: the files of `SYNC_TOKEN_FILE` and `SYNC_CA_FILE`.
//!
//! ```text
//! # the token for every source
//! ohn_0123456789ab_czAIcfRMFo58lJ3ix1DmDCybuP9TABfFomcjTpy02440ePaiK
//! # or for one, which has issued it, by its address
//! http://paris:3000 ohn_0123456789ab_czAIcfRMFo58lJ3ix1DmDCybuP9TABfFomcjTpy02440ePaiK
//! ```
//! Each node issues tokens of its own. A token is sent to the source of its line and to no other; one without an address is sent
//! to every source that has no line.
//!
//! The file is read for each request, which is once a second for each source: a token that was replaced counts from the next
//! request on.

use onhand_app::blocking;
use onhand_config::SourceSettings;
use reqwest::Certificate;
use reqwest::header::HeaderValue;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Longest file of tokens: a thousand sources.
const TOKEN_FILE_BYTES_MAX: u64 = 128 << 10;

/// The access of this node to others.
#[derive(Debug, Clone, Default)]
pub struct NodeAccess {
    token_file: Option<PathBuf>,
    authorities: Option<Vec<Certificate>>,
}

impl NodeAccess {
    /// Reads the files of the settings.
    ///
    /// # Errors
    /// A text for a person: the setting, its file, and what is wrong with it. Nothing of what is in a file of tokens.
    pub fn read(settings: &SourceSettings) -> Result<Self, String> {
        let SourceSettings { token_file, ca_file, .. } = settings;
        if let Some(path) = token_file {
            tokens(path)?;
        }
        let authorities = ca_file.as_deref().map(authorities).transpose()?;
        Ok(Self { token_file: token_file.clone(), authorities })
    }

    pub(crate) fn has_tokens(&self) -> bool {
        self.token_file.is_some()
    }

    /// The authorities that vouch for sources, in place of those of the system.
    pub(crate) fn authorities(&self) -> Option<Vec<Certificate>> {
        self.authorities.clone()
    }

    /// The value of `Authorization` for the source at `base`, as the file has it now.
    ///
    /// # Errors
    /// A text for a person, as of [`NodeAccess::read`].
    pub(crate) async fn authorization(&self, base: &str) -> Result<Option<HeaderValue>, String> {
        let Some(path) = self.token_file.clone() else { return Ok(None) };
        let base = base.to_owned();
        blocking(move || Ok(Tokens::for_source(tokens(&path)?, &base))).await
    }
}

/// The tokens of a file, each as the value of `Authorization`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tokens {
    /// The token for sources without a line of their own.
    others: Option<HeaderValue>,
    /// The addresses with a line of their own.
    of: Vec<(String, HeaderValue)>,
}

impl Tokens {
    fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let mut words = line.split_whitespace();
            let (first, second, third) = (words.next(), words.next(), words.next());
            let Some(first) = first.filter(|word| !word.starts_with('#')) else { continue };
            let (address, token) = match second {
                Some(token) => (Some(first.trim_end_matches('/')), token),
                None => (None, first),
            };
            let value = HeaderValue::try_from(format!("Bearer {token}"));
            let (None, Ok(mut value)) = (third, value) else {
                return Err(format!("line {number} must be a token, or an address and a token"));
            };
            value.set_sensitive(true);
            let twice = match address {
                Some(address) if tokens.of.iter().any(|(known, _)| known == address) => true,
                Some(address) => {
                    tokens.of.push((address.to_owned(), value));
                    false
                }
                None => tokens.others.replace(value).is_some(),
            };
            if twice {
                return Err(format!("line {number} is the second one for the same sources; remove one"));
            }
        }
        let is_empty = tokens.others.is_none() && tokens.of.is_empty();
        if is_empty { Err("there is no token in it".to_owned()) } else { Ok(tokens) }
    }

    fn for_source(self, base: &str) -> Option<HeaderValue> {
        let own = self.of.into_iter().find(|(address, _)| address == base);
        own.map(|(_, value)| value).or(self.others)
    }
}

fn tokens(path: &Path) -> Result<Tokens, String> {
    let told = |reason: &dyn Display| {
        format!("SYNC_TOKEN_FILE (--sync-token-file) cannot be used: {}: {reason}", path.display())
    };
    let mut text = String::new();
    let read =
        File::open(path).and_then(|file| file.take(TOKEN_FILE_BYTES_MAX + 1).read_to_string(&mut text));
    let length = read.map_err(|error| told(&error))?;
    if length as u64 > TOKEN_FILE_BYTES_MAX {
        return Err(told(&format!("it is longer than {TOKEN_FILE_BYTES_MAX} bytes")));
    }
    Tokens::parse(&text).map_err(|reason| told(&reason))
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, String> {
    let told = |reason: &dyn Display| {
        format!("SYNC_CA_FILE (--sync-ca-file) cannot be used: {}: {reason}", path.display())
    };
    let pem = std::fs::read(path).map_err(|error| told(&error))?;
    let mut authorities = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| told(&error))?;
        authorities.push(Certificate::from_der(&certificate).map_err(|error| told(&error))?);
        // reqwest looks into it only when the client is built, and then does not say in which file it was.
        RootCertStore::empty().add(certificate).map_err(|error| told(&error))?;
    }
    if authorities.is_empty() {
        return Err(told(&"there is no certificate in PEM form"));
    }
    Ok(authorities)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, base: &str) -> Option<String> {
        let value = Tokens::parse(text).unwrap().for_source(base)?;
        assert!(value.is_sensitive());
        Some(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_token_goes_to_the_source_it_is_for() {
        let both = "# of both\n\nhttp://paris:3000/ ohn_paris\n  http://rome ohn_rome  \r\n";
        for (text, base, token) in [
            ("ohn_all\n", "http://paris:3000", Some("Bearer ohn_all")),
            (both, "http://paris:3000", Some("Bearer ohn_paris")),
            (both, "http://rome", Some("Bearer ohn_rome")),
            (both, "http://rome:3000", None),
            (both, "http://paris", None),
            (&format!("{both}ohn_all"), "http://paris", Some("Bearer ohn_all")),
            (&format!("{both}ohn_all"), "http://rome", Some("Bearer ohn_rome")),
        ] {
            assert_eq!(shown(text, base).as_deref(), token, "{base}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_and_nothing_of_it_shown() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let long = "# x\n".repeat(40_000);
        for (text, reason) in [
            (&b""[..], "no token"),
            (b"# ohn_secret\n", "no token"),
            (b"\n\nhttp://paris ohn_secret more", "line 3"),
            (b"ohn_secret\nohn_secret", "line 2 is the second"),
            (b"http://a ohn_secret\nhttp://a/ ohn_secret", "line 2 is the second"),
            (b"ohn_secret\x00", "line 1"),
            (b"ohn_secret\xff", "UTF-8"),
            (long.as_bytes(), "longer than"),
        ] {
            std::fs::write(&path, text).unwrap();
            let fault = tokens(&path).unwrap_err();
            assert!(
                fault.contains("SYNC_TOKEN_FILE (--sync-token-file)") && fault.contains(reason),
                "{fault}"
            );
            assert!(!fault.contains("secret"), "{fault}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(tokens(&path).unwrap_err().contains("No such file"));
        assert!(authorities(&path).unwrap_err().contains("SYNC_CA_FILE (--sync-ca-file)"));
    }
}
