//! Which passwords are taken, and what is kept of them: argon2id, in the PHC string format.
//!
//! A hash takes 19 MiB and some 30 ms of one core on purpose (the first of the settings that OWASP advises), so whoever calls
//! has a bound on how many are made at once, and refuses beyond it.

use crate::frequent::is_frequent;
use crate::random;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use onhand_app::ports::PasswordMatch;
use std::hint::black_box;

/// A password has at least so many characters.
pub const CHARACTERS_MIN: usize = 12;
/// A password has at most so many characters.
pub const CHARACTERS_MAX: usize = 256;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

/// The most that a hash made elsewhere may cost: KiB times passes, and lanes. One that costs more would be a way to stop a node.
const WORK_MAX: u64 = 1 << 20;
const LANES_MAX: u32 = 16;

/// What nobody's password fits, at the price of any other.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlzIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A few characters over and over again are no password, up to so many.
const REPEATED_MAX: usize = 4;

/// Why a password is not taken, as a sentence that says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// It has too few characters.
    #[error(
        "use at least {CHARACTERS_MIN} characters: a few words that do not belong together are easy to remember"
    )]
    TooShort,
    /// It has too many characters.
    #[error("use at most {CHARACTERS_MAX} characters")]
    TooLong,
    /// It is the login or e-mail address.
    #[error("use something else than the login or the e-mail address, which others know")]
    IsLogin,
    /// Many people use it.
    #[error("use another one: this is among the passwords that are tried first")]
    Frequent,
    /// It is a pattern.
    #[error(
        "use another one: a few characters over and over again, or characters in a row, are guessed at once"
    )]
    Pattern,
}

/// Says whether a new password may be used by somebody with these logins and e-mail addresses. There are no rules on which
/// characters to use: they make passwords worse (NIST SP 800-63B).
///
/// # Errors
/// [`PasswordFault`].
pub fn check(password: &str, logins: &[&str]) -> Result<(), PasswordFault> {
    let characters: Vec<char> = password.to_lowercase().chars().collect();
    let lower: String = characters.iter().collect();
    match password.chars().count() {
        ..CHARACTERS_MIN => Err(PasswordFault::TooShort),
        count if count > CHARACTERS_MAX => Err(PasswordFault::TooLong),
        _ if logins.iter().any(|login| login.to_lowercase() == lower) => Err(PasswordFault::IsLogin),
        _ if is_pattern(&characters) => Err(PasswordFault::Pattern),
        _ if is_frequent(&lower) => Err(PasswordFault::Frequent),
        _ => Ok(()),
    }
}

/// A password as it is kept, with a salt of the machine's random bytes.
pub fn hash(password: &str) -> String {
    let salt = *random::bytes().first_chunk().expect("32 bytes begin with 16");
    hash_with(password, salt)
}

/// A password as it is kept, with a salt that is used for nothing else.
pub fn hash_with(password: &str, salt: [u8; 16]) -> String {
    let salt = SaltString::encode_b64(&salt).expect("16 bytes are a salt");
    let hash = current().hash_password(password.as_bytes(), &salt);
    hash.expect("a password is shorter than 4 GiB, and the setting is valid").to_string()
}

/// Compares a password with what is kept of one. A verifier that cannot be read, or would cost too much, fits nothing.
pub fn verify(password: &str, phc: &str) -> PasswordMatch {
    let read = PasswordHash::new(phc).ok().and_then(|hash| Some((cost_of(&hash)?, hash)));
    let Some((is_weaker, hash)) = read else {
        tracing::error!("what is kept of a password cannot be used: it has to be set anew");
        return verify_unknown(password);
    };
    let ok = current().verify_password(password.as_bytes(), &hash).is_ok();
    PasswordMatch { ok, needs_rehash: ok && is_weaker }
}

/// Does the same work for a login that nobody has, or a person without a password, so that the time tells nothing. The answer
/// is no.
pub fn verify_unknown(password: &str) -> PasswordMatch {
    let nobody = PasswordHash::new(NOBODY).expect("it is written above");
    let _ = black_box(current().verify_password(password.as_bytes(), &nobody));
    PasswordMatch { ok: false, needs_rehash: false }
}

/// True when a verifier was made by argon2id, and costs no more than a node spends on a login.
pub fn is_verifier(phc: &str) -> bool {
    let read = PasswordHash::new(phc).ok();
    let is_argon2id = |hash: &PasswordHash<'_>| {
        Algorithm::try_from(hash.algorithm) == Ok(Algorithm::Argon2id) && hash.hash.is_some()
    };
    read.is_some_and(|hash| is_argon2id(&hash) && cost_of(&hash).is_some())
}

fn current() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES)).expect("the setting is valid");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Whether a hash was made with less than what is usual now; nothing when it may not be tried.
fn cost_of(hash: &PasswordHash<'_>) -> Option<bool> {
    let params = Params::try_from(hash).ok()?;
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    if work > WORK_MAX || params.p_cost() > LANES_MAX {
        return None;
    }
    let is_current = Algorithm::try_from(hash.algorithm).ok()? == Algorithm::Argon2id
        && hash.version == Some(Version::V0x13.into())
        && params.m_cost() >= MEMORY_KIB
        && params.t_cost() >= PASSES
        && hash.hash?.len() >= OUTPUT_BYTES;
    Some(!is_current)
}

/// A few characters over and over again, or each the one after (or before) the last: `aaaaaaaaaaaa`, `abcabcabcabc`,
/// `abcdefghijkl`, `210987654321`.
fn is_pattern(characters: &[char]) -> bool {
    let repeats = |length: usize| characters.iter().zip(characters.iter().skip(length)).all(|(a, b)| a == b);
    let follows =
        |a: char, b: char| (a, b) == ('9', '0') || u32::from(a).checked_add(1) == Some(u32::from(b));
    let pairs = || characters.iter().zip(characters.iter().skip(1));
    (1..=REPEATED_MAX).any(repeats)
        || pairs().all(|(a, b)| follows(*a, *b))
        || pairs().all(|(a, b)| follows(*b, *a))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "correct horse stapled";

    #[test]
    fn what_is_refused_says_what_to_do() {
        use PasswordFault::{Frequent, IsLogin, Pattern, TooLong, TooShort};
        let long = "ab c".repeat(64) + "x";
        let longest = "many words ".repeat(23) + "end";
        assert_eq!(longest.chars().count(), 256);
        let rows = [
            ("", Err(TooShort)),
            ("elevenchars", Err(TooShort)),
            ("ÄÖÜäöüÄÖÜäö", Err(TooShort)),
            ("äöüß lang 12", Ok(())),
            (GOOD, Ok(())),
            (&longest, Ok(())),
            (&long, Err(TooLong)),
            ("Ada.Lovelace", Err(IsLogin)),
            ("ada@example.COM", Err(IsLogin)),
            ("aaaaaaaaaaaa", Err(Pattern)),
            ("AAAAaaaaAAAAaaaa", Err(Pattern)),
            ("abcabcabcabcab", Err(Pattern)),
            ("12341234123412", Err(Pattern)),
            ("123456789012", Err(Pattern)),
            ("210987654321", Err(Pattern)),
            ("abcdefghijklm", Err(Pattern)),
            ("zyxwvutsrqpon", Err(Pattern)),
            ("Password1234", Err(Frequent)),
            ("PASSWORDPASSWORD", Err(Frequent)),
            ("qwertyuiop123", Err(Frequent)),
        ];
        for (password, wanted) in rows {
            assert_eq!(check(password, &["ada.lovelace", "ada@example.com"]), wanted, "{password}");
        }
        for fault in [TooShort, TooLong, IsLogin, Frequent, Pattern] {
            assert!(fault.to_string().starts_with("use "), "{fault}");
        }
    }

    #[test]
    fn a_password_fits_its_hash_and_no_other_does() {
        let kept = hash(GOOD);
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_eq!(verify(GOOD, &kept), PasswordMatch { ok: true, needs_rehash: false });
        assert_eq!(verify("correct horse staple", &kept), PasswordMatch { ok: false, needs_rehash: false });
        assert_ne!(hash(GOOD), kept, "each has a salt of its own");
        assert_eq!(hash_with(GOOD, [7; 16]), hash_with(GOOD, [7; 16]));
    }

    #[test]
    fn a_hash_that_was_cheaper_is_made_anew() {
        use Algorithm::{Argon2i, Argon2id};
        use Version::{V0x10, V0x13};
        let phc = |algorithm, version, memory, passes, output| {
            let params = Params::new(memory, passes, 1, Some(output)).unwrap();
            let salt = SaltString::encode_b64(&[7; 16]).unwrap();
            Argon2::new(algorithm, version, params).hash_password(GOOD.as_bytes(), &salt).unwrap().to_string()
        };
        let rows = [
            (phc(Argon2id, V0x13, 19456, 2, 32), false),
            (phc(Argon2id, V0x13, 20000, 3, 32), false),
            (phc(Argon2id, V0x13, 1024, 2, 32), true),
            (phc(Argon2id, V0x13, 19456, 1, 32), true),
            (phc(Argon2id, V0x13, 19456, 2, 16), true),
            (phc(Argon2id, V0x10, 19456, 2, 32), true),
            (phc(Argon2i, V0x13, 19456, 2, 32), true),
        ];
        for (kept, needs_rehash) in rows {
            assert_eq!(verify(GOOD, &kept), PasswordMatch { ok: true, needs_rehash }, "{kept}");
            assert_eq!(
                verify("something else", &kept),
                PasswordMatch { ok: false, needs_rehash: false },
                "{kept}"
            );
        }
    }

    #[test]
    fn a_verifier_that_is_none_or_costs_too_much_fits_nothing() {
        let dear = NOBODY.replace("m=19456", "m=4194304");
        let wide = NOBODY.replace("p=1", "p=200");
        let scrypt =
            "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E";
        for kept in ["", "correct horse stapled", "$argon2id$v=19$m=19456,t=2,p=1", scrypt, &dear, &wide] {
            assert!(!verify(GOOD, kept).ok, "{kept}");
        }
    }

    #[test]
    fn an_unknown_login_costs_what_a_known_one_costs() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(cost_of(&nobody), Some(false));
        let made = hash_with(GOOD, [7; 16]);
        let known = PasswordHash::new(&made).unwrap();
        assert_eq!(Params::try_from(&nobody), Params::try_from(&known));
        assert_eq!((nobody.algorithm, nobody.version), (known.algorithm, known.version));
        assert_eq!(nobody.hash.unwrap().len(), known.hash.unwrap().len());
        assert_eq!(verify_unknown(GOOD), PasswordMatch { ok: false, needs_rehash: false });
    }
}
