//! The file that declares people and tokens.

use onhand_vault::identity_file::{parse, person_entry, token_entry};

/// A fault lies in the text, and what is taken is printed as entries that are taken again.
pub(super) fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let declared = match parse(text) {
        Err(fault) => {
            assert!((1..=text.lines().count() + 1).contains(&fault.line), "{fault}");
            return assert!(!fault.reason.is_empty());
        }
        Ok(declared) => declared,
    };
    let mut again = String::new();
    for person in &declared.people {
        let hash = person.kept.password.as_deref().expect("everybody has a password");
        let (name, email) = (person.kept.name.as_deref(), person.kept.email.as_deref());
        again += &person_entry(&person.kept.login, name, email, hash, &person.grants);
    }
    for token in &declared.tokens {
        let (name, sha256) = (&token.kept.name, &token.kept.sha256);
        again += &token_entry(&token.token_id, name, token.kind, sha256, &token.grants, token.expires_at);
    }
    let same = parse(&again).unwrap_or_else(|fault| panic!("{fault}\n{again}"));
    assert_eq!((same.people.len(), same.tokens.len()), (declared.people.len(), declared.tokens.len()));
    assert!(
        same.people
            .iter()
            .zip(&declared.people)
            .all(|(one, other)| one.kept == other.kept && one.grants == other.grants)
    );
    assert!(same.tokens.iter().zip(&declared.tokens).all(|(one, other)| one.token_id == other.token_id
        && one.kept == other.kept
        && one.grants == other.grants
        && one.expires_at == other.expires_at));
}
