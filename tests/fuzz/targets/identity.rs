//! The text of a token, and grants as JSON.

use onhand_domain::identity::{Access, Grant, Permission, PermissionSet};
use onhand_vault::token::TokenText;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The first byte says whether the checksum is put right first; the rest is the text.
pub(super) fn token(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let mut text = String::from_utf8_lossy(rest).into_owned();
    if first & 1 == 1 {
        let mut left = crc32c::crc32c(text.as_bytes());
        let mut digits = [0; 6];
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[left as usize % 62];
            left /= 62;
        }
        text.extend(digits.map(char::from));
    }
    let Ok(presented) = TokenText::parse(&text) else { return };
    let (kind, id) = (presented.kind(), presented.id());
    let front = format!("oh{}_{id}_", kind.letter());
    assert!(text.len() == 66 && text.starts_with(&front), "{text}");
    assert!(presented.fits(&TokenText::sha256(&text)) && !presented.fits(&[0; 32]));
    let secret = &text[front.len()..60];
    assert!(!format!("{presented:?}").contains(secret), "the secret is not shown");
    // The text is all that is hashed: no other text of the token has the same verifier.
    assert!(!presented.fits(&TokenText::sha256(&text.to_uppercase())) || text == text.to_uppercase());
}

/// A list of grants, as a request or the log has it.
pub(super) fn grants(bytes: &[u8]) {
    let Ok(grants) = serde_json::from_slice::<Vec<Grant>>(bytes) else { return };
    let written = serde_json::to_vec(&grants).expect("grants become JSON");
    assert_eq!(serde_json::from_slice::<Vec<Grant>>(&written).expect("they are read back"), grants);
    let access = Access::of(&grants, PermissionSet::NONE);
    assert!(access.includes(&access) && Access::FULL.includes(&access));
    assert!(access.includes(&Access::default()));
    for grant in &grants {
        assert!(!grant.permissions().is_empty(), "a grant gives something: {grant:?}");
        if let Some(stores) = grant.stores() {
            assert!(!stores.is_empty() && stores.is_sorted_by(|left, right| left < right), "{grant:?}");
            assert!(grant.team().is_none() && !grant.is_own() && !grant.is_admin(), "{grant:?}");
        }
        if grant.is_admin() {
            assert!(access.includes(&Access::FULL), "{grant:?}");
        }
        assert!(access.includes(&Access::of(std::slice::from_ref(grant), PermissionSet::NONE)), "{grant:?}");
    }
    for permission in Permission::ALL {
        let anywhere = access.may_somewhere(*permission) || access.may_own(*permission);
        assert_eq!(access.anywhere().has(*permission), anywhere, "{permission}");
        assert!(access.permit(*permission).is_err() || access.scope(*permission).is_everywhere());
    }
}
