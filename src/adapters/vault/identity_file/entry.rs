//! Entries of a file of identity, as commands print them.

use crate::record::hex;
use onhand_domain::Timestamp;
use onhand_domain::identity::{Grant, TokenId, TokenKind};
use serde_json::Value;

/// The entry of a person.
pub fn person_entry(
    login: &str,
    name: Option<&str>,
    email: Option<&str>,
    password_hash: &str,
    grants: &[Grant],
) -> String {
    let members = [
        ("login", Some(quoted(login))),
        ("name", name.map(quoted)),
        ("email", email.map(quoted)),
        ("password_hash", Some(quoted(password_hash))),
        ("grants", Some(grants_in_toml(grants))),
    ];
    entry("people", members)
}

/// The entry of a token; `sha256` is that of its text.
pub fn token_entry(
    id: &TokenId,
    name: &str,
    kind: TokenKind,
    sha256: &[u8; 32],
    grants: &[Grant],
    expires: Option<Timestamp>,
) -> String {
    let kind = serde_json::to_value(kind).expect("a kind is a word");
    let members = [
        ("id", Some(quoted(id.as_str()))),
        ("name", Some(quoted(name))),
        ("kind", Some(value(&kind))),
        ("sha256", Some(quoted(&hex(sha256)))),
        ("grants", Some(grants_in_toml(grants))),
        ("expires", expires.map(|at| at.to_string())),
    ];
    entry("tokens", members)
}

fn entry<const N: usize>(table: &str, members: [(&str, Option<String>); N]) -> String {
    let lines = members.into_iter().filter_map(|(name, value)| Some(format!("{name} = {}\n", value?)));
    format!("[[{table}]]\n{}", lines.collect::<String>())
}

/// A string of JSON is one of TOML, as long as there is no control character in it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn grants_in_toml(grants: &[Grant]) -> String {
    let grants = serde_json::to_value(grants).expect("grants are plain values");
    value(&grants)
}

fn value(json: &Value) -> String {
    match json {
        Value::Array(items) => format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| format!("{name} = {}", value(member)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity_file::parse;
    use crate::password::hash_with;

    #[test]
    fn an_entry_is_read_back() {
        let grants: Vec<Grant> = serde_json::from_str(
            r#"[{"role":"till","stores":["BERLIN","PARIS"]},{"permission":"ops:read"},{"role":"team","team":"red"}]"#,
        )
        .unwrap();
        let hash = hash_with("correct horse battery", [7; 16]);
        let id = TokenId::of_bits(7);
        let expires = Timestamp::parse("2027-11-30T00:00:00Z").unwrap();
        let text = person_entry("ada", Some("Ada \"the\" \\ L. é"), Some("ada@example.com"), &hash, &grants)
            + &person_entry("bob", None, None, &hash, &grants)
            + &token_entry(&id, "till-3", TokenKind::Till, &[0xab; 32], &grants, Some(expires));
        let declared = parse(&text).unwrap_or_else(|fault| panic!("{fault}\n{text}"));
        let [ada, bob] = &declared.people[..] else { panic!("{text}") };
        assert_eq!(ada.kept.name.as_deref(), Some("Ada \"the\" \\ L. é"));
        assert_eq!((ada.kept.email.as_deref(), bob.kept.login.as_str()), (Some("ada@example.com"), "bob"));
        assert!(ada.kept.password.as_ref() == Some(&hash) && ada.grants == grants);
        let [token] = &declared.tokens[..] else { panic!("{text}") };
        assert_eq!((&token.token_id, token.kind, token.kept.sha256), (&id, TokenKind::Till, [0xab; 32]));
        assert_eq!((&token.grants, token.expires_at), (&grants, Some(expires)));
    }
}
