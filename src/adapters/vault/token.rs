//! The text of a token: `oh` + letter of the kind + `_` + 12 characters of the public id + `_` + 43 characters of the secret +
//! 6 characters of a checksum.
//!
//! ```text
//! oht_0123456789ab_czAIcfRMFo58lJ3ix1DmDCybuP9TABfFomcjTpy02440ePaiK
//! ```
//! The secret is base64url of 32 bytes without padding. The checksum is CRC-32C of everything in front of it, in base 62 with
//! the digits `0-9A-Za-z`, the highest first, filled with `0`: it tells a typo from a token that was revoked, and lets scanners
//! for secrets be sure. The prefix shows what it is to whoever finds it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onhand_domain::identity::{TokenId, TokenKind};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

const ID_LENGTH: usize = 12;
const SECRET_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
/// `oht_` and the `_` behind the id.
const FRAME_LENGTH: usize = 5;
const LENGTH: usize = FRAME_LENGTH + ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH;

const KINDS: [TokenKind; 4] = [TokenKind::Service, TokenKind::Till, TokenKind::Team, TokenKind::Node];
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Makes and reads the text of tokens.
#[derive(Debug, Clone, Copy)]
pub struct TokenText;

/// A text that has the form of a token. Whether there is such a token is for the vault and the log to say.
#[derive(Clone)]
pub struct PresentedToken<'a> {
    text: &'a str,
    kind: TokenKind,
    id: TokenId,
}

/// Why a text is no token, without looking for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// It has another form.
    #[error("this is not a token of onhand: one begins with ohs_, oht_, ohm_ or ohn_ and has 66 characters")]
    NotAToken,
    /// It has the form of a token, and a character of it is wrong.
    #[error("a character of this token is wrong: copy it again, as a whole")]
    Checksum,
}

impl TokenText {
    /// The text of a token. It is shown once; what is kept is [`TokenText::sha256`] of it.
    pub fn issue(kind: TokenKind, id: &TokenId, secret: [u8; 32]) -> String {
        issue(kind.letter(), id, secret)
    }

    /// Reads a text. Nothing is allocated, as this is done at every request.
    ///
    /// # Errors
    /// [`TokenFault`].
    pub fn parse(text: &str) -> Result<PresentedToken<'_>, TokenFault> {
        let (letter, id, sealed, claimed) = parts(text).ok_or(TokenFault::NotAToken)?;
        let kind = KINDS.into_iter().find(|kind| kind.letter() == letter).ok_or(TokenFault::NotAToken)?;
        if checksum(sealed) != claimed.as_bytes() {
            return Err(TokenFault::Checksum);
        }
        Ok(PresentedToken { text, kind, id })
    }

    /// The verifier of a token's text: its SHA-256. A secret of 256 random bits needs no slow hash.
    pub fn sha256(text: &str) -> [u8; 32] {
        Sha256::digest(text).into()
    }
}

impl PresentedToken<'_> {
    /// The public id.
    pub const fn id(&self) -> &TokenId {
        &self.id
    }

    /// The kind that its letter shows.
    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The verifier of this text.
    pub fn sha256(&self) -> [u8; 32] {
        TokenText::sha256(self.text)
    }

    /// True when this is the token with that verifier. Takes the same time wherever they differ.
    pub fn fits(&self, verifier: &[u8; 32]) -> bool {
        self.sha256().ct_eq(verifier).into()
    }
}

/// Without the secret.
impl fmt::Debug for PresentedToken<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PresentedToken")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The text of a secret of the kind that the letter shows: of a token, or of a session.
pub(crate) fn issue(letter: char, id: &TokenId, secret: [u8; 32]) -> String {
    let mut text = format!("oh{letter}_{id}_{}", URL_SAFE_NO_PAD.encode(secret));
    text.extend(checksum(&text).into_iter().map(char::from));
    text
}

/// The letter and the public id in the text of a secret; nothing when it is none, or has a character wrong.
pub(crate) fn letter_and_id(text: &str) -> Option<(char, TokenId)> {
    let (letter, id, sealed, claimed) = parts(text)?;
    (checksum(sealed) == claimed.as_bytes()).then_some((letter, id))
}

/// The secret in the text of a token, without a look at its checksum.
pub(crate) fn secret_in(text: &str) -> Option<[u8; 32]> {
    let secret = text.get(FRAME_LENGTH + ID_LENGTH..LENGTH - CHECKSUM_LENGTH)?;
    URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()
}

/// The letter of the kind, the id, what the checksum is of, and the checksum.
fn parts(text: &str) -> Option<(char, TokenId, &str, &str)> {
    if text.len() != LENGTH || !text.is_ascii() {
        return None;
    }
    let (sealed, claimed) = text.split_at_checked(LENGTH - CHECKSUM_LENGTH)?;
    let rest = sealed.strip_prefix("oh")?;
    let letter = rest.chars().next()?;
    let (id, rest) = rest.get(1..)?.strip_prefix('_')?.split_at_checked(ID_LENGTH)?;
    let secret = rest.strip_prefix('_')?;
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let has_form =
        secret.bytes().all(is_base64url) && claimed.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !has_form {
        return None;
    }
    Some((letter, TokenId::new(id).ok()?, sealed, claimed))
}

fn checksum(sealed: &str) -> [u8; CHECKSUM_LENGTH] {
    let mut rest = crc32c::crc32c(sealed.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = usize::try_from(rest % 62).ok().and_then(|value| DIGITS.get(value)).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id() -> TokenId {
        TokenId::new("0123456789ab").unwrap()
    }

    fn any_token() -> impl Strategy<Value = (TokenKind, TokenId, [u8; 32])> {
        let kind = proptest::sample::select(KINDS.to_vec());
        (kind, any::<u64>().prop_map(TokenId::of_bits), any::<[u8; 32]>())
    }

    #[test]
    fn the_text_stays_what_it_is() {
        let described = "oht_0123456789ab_czAIcfRMFo58lJ3ix1DmDCybuP9TABfFomcjTpy02440ePaiK";
        assert!(TokenText::parse(described).is_ok_and(|token| *token.id() == id()));
        let text = TokenText::issue(TokenKind::Till, &id(), [0; 32]);
        assert_eq!(text, "oht_0123456789ab_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0rgeiI");
        let letters = KINDS.map(|kind| TokenText::issue(kind, &id(), [1; 32]).chars().nth(2).unwrap());
        assert_eq!(letters, ['s', 't', 'm', 'n']);
    }

    #[test]
    fn a_checksum_is_a_number_in_base_62() {
        let value = |digits: [u8; CHECKSUM_LENGTH]| {
            let place = |digit: u8| DIGITS.iter().position(|known| *known == digit).unwrap() as u64;
            digits.into_iter().fold(0, |number, digit| 62 * number + place(digit))
        };
        for text in ["", "a", "oht_", "123456789"] {
            assert_eq!(value(checksum(text)), u64::from(crc32c::crc32c(text.as_bytes())), "{text}");
        }
    }

    #[test]
    fn what_has_another_form_is_no_token() {
        let text = TokenText::issue(TokenKind::Till, &id(), [7; 32]);
        let longer = format!("{text}0");
        let other_kind = text.replace("oht_", "ohx_");
        let other_id = text.replace("0123456789ab", "0123456789AB");
        let wide = text.replace("0123456789ab", "0123456789ü");
        let wrong = ["", "oht_", "Bearer", &text[1..], &text[..65], &longer, &other_kind, &other_id, &wide];
        for wrong in wrong {
            assert_eq!(TokenText::parse(wrong).unwrap_err(), TokenFault::NotAToken, "{wrong}");
        }
        assert_eq!(TokenText::parse(&text.replace("oht_", "ohs_")).unwrap_err(), TokenFault::Checksum);
    }

    #[test]
    fn nothing_that_is_printed_has_the_secret() {
        let text = TokenText::issue(TokenKind::Node, &id(), [7; 32]);
        let shown = format!("{:?}", TokenText::parse(&text).unwrap());
        assert_eq!(shown, "PresentedToken { kind: Node, id: 0123456789ab, .. }");
    }

    proptest! {
        #[test]
        fn what_was_issued_is_read_back((kind, id, secret) in any_token(), other in any::<[u8; 32]>()) {
            let text = TokenText::issue(kind, &id, secret);
            prop_assert_eq!(text.len(), LENGTH);
            let presented = TokenText::parse(&text).unwrap();
            prop_assert_eq!((presented.kind(), presented.id()), (kind, &id));
            prop_assert_eq!(presented.sha256(), TokenText::sha256(&text));
            prop_assert!(presented.fits(&TokenText::sha256(&text)));
            prop_assert!(!presented.fits(&other));
            prop_assert_eq!(TokenText::sha256(&TokenText::issue(kind, &id, other)) == presented.sha256(), other == secret);
        }
    }

    proptest! {
        // Each case tries some 8,000 texts.
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn any_other_character_anywhere_is_refused((kind, id, secret) in any_token()) {
            let text = TokenText::issue(kind, &id, secret);
            for at in 0..text.len() {
                for other in (0..128).map(char::from).chain(['é', 'ß']) {
                    if !text[at..].starts_with(other) {
                        let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                        prop_assert!(TokenText::parse(&changed).is_err(), "{}", changed);
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn neighbours_that_were_swapped_are_refused((kind, id, secret) in any_token()) {
            let text = TokenText::issue(kind, &id, secret);
            for at in 1..text.len() {
                let mut bytes = text.clone().into_bytes();
                bytes.swap(at - 1, at);
                let swapped = String::from_utf8(bytes).unwrap();
                prop_assert!(swapped == text || TokenText::parse(&swapped).is_err(), "{}", swapped);
            }
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,80}") {
            let _ = TokenText::parse(&text);
        }
    }
}
