//! Reads a file of identity, and checks all that can be checked without a node.

use super::fault::IdentityFileFault as Fault;
use crate::password;
use crate::record::bytes_of;
use http::Uri;
use onhand_app::identity::{Declared, DeclaredCentral, DeclaredPerson, DeclaredToken};
use onhand_app::ports::{KeptPerson, KeptToken};
use onhand_domain::Timestamp;
use onhand_domain::identity::{Grant, Permission, TokenId, TokenKind};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Range;
use toml::Spanned;
use toml::value::Datetime;

const LOGIN_CHARACTERS_MAX: usize = 64;
const NAME_CHARACTERS_MAX: usize = 128;
const EMAIL_CHARACTERS_MAX: usize = 254;
const TOKEN_NAME_CHARACTERS_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    people: Vec<RawPerson>,
    #[serde(default)]
    tokens: Vec<RawToken>,
    central: Option<RawCentral>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCentral {
    url: Spanned<String>,
    grants: Spanned<Vec<Grant>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPerson {
    login: Spanned<String>,
    name: Option<Spanned<String>>,
    email: Option<Spanned<String>>,
    password_hash: Option<Spanned<String>>,
    /// Refused by name, because it is what people try first.
    password: Option<Spanned<IgnoredAny>>,
    grants: Spanned<Vec<Grant>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawToken {
    id: Spanned<TokenId>,
    name: Spanned<String>,
    kind: TokenKind,
    sha256: Spanned<String>,
    grants: Spanned<Vec<Grant>>,
    expires: Option<Spanned<Datetime>>,
}

/// The text of a file, for the places of faults.
struct Text<'a>(&'a str);

/// Reads a file.
///
/// # Errors
/// The first fault in it.
pub fn parse(text: &str) -> Result<Declared, Fault> {
    let RawFile { people, tokens, central } =
        toml::from_str(text).map_err(|error| Fault::of_toml(text, &error))?;
    let text = Text(text);
    let mut logins = BTreeSet::new();
    for person in &people {
        let names = [Some(&person.login), person.email.as_ref()];
        let names: Vec<_> =
            names.into_iter().flatten().map(|name| (name.get_ref().to_lowercase(), name.span())).collect();
        if let Some((_, place)) = names.iter().find(|(name, _)| logins.contains(name)) {
            let reason = "stands in the file before; each login and e-mail address is one person's";
            return Err(text.fault(place, reason));
        }
        logins.extend(names.into_iter().map(|(name, _)| name));
    }
    let mut ids = BTreeSet::new();
    for id in tokens.iter().map(|token| &token.id) {
        if !ids.insert(id.get_ref()) {
            return Err(text.fault(&id.span(), "stands in the file before; each token has an id of its own"));
        }
    }
    let people = people.into_iter().map(|person| text.person(person)).collect::<Result<_, _>>()?;
    let tokens = tokens.into_iter().map(|token| text.token(token)).collect::<Result<_, _>>()?;
    let central = central.map(|central| text.central(central)).transpose()?;
    Ok(Declared { people, tokens, central })
}

impl Text<'_> {
    fn fault(&self, place: &Range<usize>, reason: impl Into<String>) -> Fault {
        Fault::at(self.0, place, reason)
    }

    fn person(&self, person: RawPerson) -> Result<DeclaredPerson, Fault> {
        if let Some(password) = person.password {
            let reason = "a password has no place here; write password_hash, as `onhand user new` prints it";
            return Err(self.fault(&password.span(), reason));
        }
        let login = self.login(person.login);
        let name = person.name.map(|name| self.words(name, "a name", NAME_CHARACTERS_MAX)).transpose();
        let email = person.email.map(|email| self.email(email)).transpose();
        let (login, name, email) = (login?, name?, email?);
        let Some(hash) = person.password_hash else {
            let reason = "needs password_hash, as `onhand user new` prints it";
            return Err(self.fault(&person.grants.span(), reason));
        };
        if !password::is_verifier(hash.get_ref()) {
            let reason = "must be an argon2id hash in the PHC format ($argon2id$v=19$m=...), as `onhand user new` prints it";
            return Err(self.fault(&hash.span(), reason));
        }
        let kept = KeptPerson {
            login,
            name,
            email,
            password: Some(hash.into_inner()),
            created_at: Timestamp::EPOCH,
        };
        Ok(DeclaredPerson { kept, grants: self.grants(person.grants)? })
    }

    fn token(&self, token: RawToken) -> Result<DeclaredToken, Fault> {
        let name = self.words(token.name, "a name", TOKEN_NAME_CHARACTERS_MAX)?;
        let sha256 = bytes_of(token.sha256.get_ref()).ok_or_else(|| {
            let reason = "must be the SHA-256 of the token's text in 64 hexadecimal digits, as `onhand token new` prints it";
            self.fault(&token.sha256.span(), reason)
        })?;
        let expires = token.expires.map(|at| {
            let read = Timestamp::parse(&at.get_ref().to_string());
            read.map_err(|_| {
                self.fault(&at.span(), "must be a time with its offset, such as 2027-11-30T00:00:00Z")
            })
        });
        Ok(DeclaredToken {
            token_id: token.id.into_inner(),
            kind: token.kind,
            kept: KeptToken { name, sha256 },
            grants: self.grants(token.grants)?,
            expires_at: expires.transpose()?,
        })
    }

    /// An attacker between the node and central could send keys of their own, so the address is https, or on this machine.
    fn central(&self, central: RawCentral) -> Result<DeclaredCentral, Fault> {
        let RawCentral { url, grants } = central;
        if !is_private_address(url.get_ref()) {
            let reason = "must be the address of central: https://HOST or https://HOST:PORT, or http:// on this machine";
            return Err(self.fault(&url.span(), reason));
        }
        let span = grants.span();
        let ceiling = self.grants(grants)?;
        if ceiling.iter().any(|grant| grant.permissions().has(Permission::IdentityManage)) {
            let reason = "must not give identity:manage (the role admin has it): people of central would make administrators here";
            return Err(self.fault(&span, reason));
        }
        Ok(DeclaredCentral { url: url.into_inner().trim_end_matches('/').to_owned(), ceiling })
    }

    fn grants(&self, grants: Spanned<Vec<Grant>>) -> Result<Vec<Grant>, Fault> {
        if grants.get_ref().is_empty() {
            let reason = "must have a grant, such as { role = \"viewer\" }; `onhand token create --help` names the roles";
            return Err(self.fault(&grants.span(), reason));
        }
        Ok(grants.into_inner())
    }

    /// As over HTTP: an e-mail address, or no spaces, and no colon, which ends a login in Basic.
    fn login(&self, login: Spanned<String>) -> Result<String, Fault> {
        if login.get_ref().contains('@') {
            return self.email(login);
        }
        let span = login.span();
        let login = self.words(login, "a login", LOGIN_CHARACTERS_MAX)?;
        if login.contains(|character: char| character.is_whitespace() || character == ':') {
            return Err(self.fault(&span, "a login has no spaces and no colon"));
        }
        Ok(login)
    }

    fn email(&self, email: Spanned<String>) -> Result<String, Fault> {
        let span = email.span();
        let address = self.words(email, "an e-mail address", EMAIL_CHARACTERS_MAX)?;
        let has_both =
            address.rsplit_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
        let plain = !address.contains(|character: char| character.is_whitespace() || character == ':');
        if has_both && plain { Ok(address) } else { Err(self.fault(&span, "must be an e-mail address")) }
    }

    fn words(&self, words: Spanned<String>, what: &str, characters_max: usize) -> Result<String, Fault> {
        let span = words.span();
        let words = words.into_inner();
        let fits = (1..=characters_max).contains(&words.chars().count());
        if fits && words.trim() == words && !words.chars().any(char::is_control) {
            return Ok(words);
        }
        let reason = format!(
            "{what} has 1 to {characters_max} characters, no control character, and no space around it"
        );
        Err(self.fault(&span, reason))
    }
}

/// True for an address without a user, a path or a query, which nobody on the way to it can change.
fn is_private_address(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let on_this_machine =
        || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_private = match uri.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => on_this_machine(),
        _ => false,
    };
    let is_complete = uri.authority().is_some_and(|authority| {
        authority.as_str() == authority.host() || authority.port_u16().is_some_and(|port| port > 0)
    });
    let has_user = uri.authority().is_none_or(|authority| authority.as_str().contains('@'));
    is_private
        && is_complete
        && !has_user
        && uri.path() == "/"
        && uri.query().is_none()
        && !text.contains('#')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::hash_with;

    /// A file with a person, in which one line takes the place of the member of its name, or stands beside the others.
    fn person(line: &str) -> String {
        let hash = hash_with("correct horse battery", [7; 16]);
        let members = [
            "login = \"ada\"".to_owned(),
            format!("password_hash = \"{hash}\""),
            "grants = [{ role = \"admin\" }]".to_owned(),
        ];
        with_line("people", &members, line)
    }

    fn token(line: &str) -> String {
        let members = [
            "id = \"0123456789ab\"".to_owned(),
            "name = \"till-3\"".to_owned(),
            "kind = \"till\"".to_owned(),
            format!("sha256 = \"{}\"", "ab".repeat(32)),
            "grants = [{ role = \"till\", stores = [\"BERLIN\"] }]".to_owned(),
        ];
        with_line("tokens", &members, line)
    }

    fn with_line(table: &str, members: &[String], line: &str) -> String {
        let name = line.split(' ').next().unwrap();
        let others = members.iter().filter(|member| !member.starts_with(&format!("{name} ="))).cloned();
        let lines: Vec<String> =
            [format!("[[{table}]]"), line.to_owned()].into_iter().chain(others).collect();
        lines.join("\n") + "\n"
    }

    fn central(line: &str) -> String {
        let members = [
            "url = \"https://central.example.com\"".to_owned(),
            "grants = [{ role = \"manager\", stores = [\"BERLIN\"] }]".to_owned(),
        ];
        with_line("central", &members, line).replace("[[central]]", "[central]")
    }

    #[test]
    fn central_is_reached_in_a_way_that_nobody_can_change() {
        for (url, good) in [
            ("https://central.example.com", true),
            ("https://central.example.com:8443/", true),
            ("http://127.0.0.1:3000", true),
            ("http://[::1]:3000", true),
            ("http://localhost", true),
            ("http://central.example.com", false),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("https://ada:pw@central.example.com", false),
            ("http://localhost@central.example.com", false),
            ("https://central.example.com:65536", false),
            ("https://central.example.com:0", false),
            ("https://central.example.com/api", false),
            ("https://central.example.com?x", false),
            ("https://central.example.com#x", false),
            ("ftp://central.example.com", false),
            ("central.example.com", false),
            ("https://", false),
            ("", false),
        ] {
            let read = parse(&central(&format!("url = \"{url}\"")));
            assert_eq!(read.is_ok(), good, "{url}");
            let declared = read.ok().and_then(|declared| declared.central);
            assert!(declared.is_none_or(|central| !central.url.ends_with('/')), "{url}");
        }
    }

    #[test]
    fn a_fault_says_where_and_what_to_write() {
        for (text, place, wanted) in [
            (person("password = \"hunter2hunter2\""), (2, 12), "a password has no place here"),
            (person("password_hash = \"hunter2hunter2\""), (2, 17), "argon2id hash in the PHC format"),
            (person("password_hash = 7"), (2, 17), "must be a string"),
            (person("login = \"\""), (2, 9), "a login has 1 to 64 characters"),
            (person("login = \" ada\""), (2, 9), "no space around it"),
            (person("login = \"a\\u0000\""), (2, 9), "no control character"),
            (person("login = \"a:b\""), (2, 9), "no spaces and no colon"),
            (person("email = \"ada\""), (2, 9), "must be an e-mail address"),
            (person("# nothing") + &person("login = \"ADA\""), (7, 9), "stands in the file before"),
            (person("grants = []"), (2, 10), "must have a grant"),
            (person("grants = [{ role = \"owner\" }]"), (2, 20), "unknown variant"),
            (person("grants = [{ role = \"till\" }]"), (2, 10), "name at least one in stores"),
            (person("nick = \"a\""), (2, 1), "unknown field `nick`"),
            (person("# nothing") + &person("# nothing"), (8, 9), "stands in the file before"),
            (
                "[[people]]\nlogin = \"ada\"\ngrants = [{ role = \"admin\" }]\n".to_owned(),
                (3, 10),
                "needs password_hash",
            ),
            (token("id = \"ab\""), (2, 6), "the id of a token: 12 characters"),
            (token("kind = \"robot\""), (2, 8), "unknown variant `robot`"),
            (token("sha256 = \"hunter2\""), (2, 10), "64 hexadecimal digits"),
            (token("expires = 2027-11-30"), (2, 11), "a time with its offset"),
            (token("expires = 2027-11-30T00:00:00"), (2, 11), "a time with its offset"),
            (token("# nothing") + &token("# nothing"), (10, 6), "each token has an id of its own"),
            (central("grants = []"), (2, 10), "must have a grant"),
            (central("grants = [{ role = \"admin\" }]"), (2, 10), "must not give identity:manage"),
            (central("grants = [{ permission = \"*\" }]"), (2, 10), "must not give identity:manage"),
            (central("url = \"http://hunter2\""), (2, 7), "must be the address of central"),
            (central("token = \"hunter2\""), (2, 1), "unknown field `token`"),
            ("people = 5\n".to_owned(), (1, 10), "must be a sequence"),
            ("[[people]\n".to_owned(), (1, 10), ""),
            ("[[persons]]\n".to_owned(), (1, 3), "unknown field `persons`"),
        ] {
            let Err(fault) = parse(&text) else { panic!("it is taken: {text}") };
            let told = fault.to_string();
            assert!(told.contains(wanted) && !told.contains("hunter2"), "{text}: {told}");
            assert_eq!((fault.line, fault.column), place, "{text}: {told}");
        }
    }

    #[test]
    fn what_may_be_left_out_may_be() {
        for text in [String::new(), person("# nothing"), token("expires = 2027-11-30T01:00:00+01:00")] {
            assert!(parse(&text).is_ok(), "{text}");
        }
    }
}
