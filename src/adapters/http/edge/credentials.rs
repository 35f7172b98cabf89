//! The credential of a request: what its headers present.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The cookie of a session where browsers keep it to https.
pub(crate) const COOKIE_SECURE: &str = "__Host-onhand";
/// The cookie of a session over plain HTTP, on this machine.
pub(crate) const COOKIE_PLAIN: &str = "onhand";

/// Longer than any login with any password.
const BASIC_MAX: usize = 4_096;

/// What a request presents.
#[derive(PartialEq, Eq)]
pub(crate) enum Credential<'a> {
    /// A token of a service, till, team or node.
    Token(&'a str),
    /// A signed token.
    Signed(&'a str),
    /// A login and a password.
    Basic {
        /// The login.
        login: String,
        /// The password.
        password: String,
    },
    /// The cookie of a browser session.
    Cookie(&'a str),
}

impl<'a> Credential<'a> {
    /// The credential in the headers; `Err` when there is something that is none, `None` when there is nothing.
    ///
    /// A request with two credentials has none: which one counts would be a guess.
    pub(crate) fn of(headers: &'a HeaderMap, encrypted: bool) -> Result<Option<Self>, NoCredential> {
        match single(headers, &AUTHORIZATION)? {
            Some(value) => Self::authorization(value.to_str().map_err(|_| NoCredential)?).map(Some),
            None => cookie(headers, encrypted).map(|found| found.map(Self::Cookie)),
        }
    }

    fn authorization(text: &'a str) -> Result<Self, NoCredential> {
        let (scheme, value) = text.split_once(' ').ok_or(NoCredential)?;
        let value = value.trim_start();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Ok(if value.contains('.') { Self::Signed(value) } else { Self::Token(value) });
        }
        if scheme.eq_ignore_ascii_case("basic") {
            return basic(value).ok_or(NoCredential);
        }
        Err(NoCredential)
    }
}

/// The headers have something in the place of a credential that is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoCredential;

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, NoCredential> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(NoCredential),
    }
}

/// RFC 7617, in UTF-8.
fn basic(value: &str) -> Option<Credential<'static>> {
    if value.len() > BASIC_MAX {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (login, password) = decoded.split_once(':')?;
    if login.is_empty() || decoded.chars().any(char::is_control) {
        return None;
    }
    Some(Credential::Basic { login: login.to_owned(), password: password.to_owned() })
}

/// The value of the session's cookie. Another page of the host could set a second one of that name: then there is none.
fn cookie(headers: &HeaderMap, encrypted: bool) -> Result<Option<&str>, NoCredential> {
    let name = if encrypted { COOKIE_SECURE } else { COOKIE_PLAIN };
    let mut found = None;
    for value in headers.get_all(COOKIE) {
        let Ok(text) = value.to_str() else { continue };
        for (key, value) in text.split(';').filter_map(|part| part.trim().split_once('=')) {
            if key == name && found.replace(value).is_some() {
                return Err(NoCredential);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(HeaderName, &str)], encrypted: bool) -> Result<Option<String>, NoCredential> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.clone(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let shown = |credential: Credential<'_>| match credential {
            Credential::Token(text) => format!("token {text}"),
            Credential::Signed(text) => format!("signed {text}"),
            Credential::Basic { login, password } => format!("basic {login} {password}"),
            Credential::Cookie(text) => format!("cookie {text}"),
        };
        Credential::of(&headers, encrypted).map(|found| found.map(shown))
    }

    #[test]
    fn a_request_presents_one_credential_or_none() {
        let authorization = |text: &str| read(&[(AUTHORIZATION, text)], false);
        let is = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(read(&[], false), Ok(None));
        assert_eq!(authorization("Bearer oht_x"), is("token oht_x"));
        assert_eq!(authorization("bearer   oht_x"), is("token oht_x"));
        assert_eq!(authorization("Bearer a.b.c"), is("signed a.b.c"));
        assert_eq!(authorization("Basic YWRhOmNvcnJlY3Q6aG9yc2U="), is("basic ada correct:horse"));
        assert_eq!(authorization("basic w6RkYTpww6Rzcw=="), is("basic äda päss"));
        for wrong in [
            "Bearer",
            "",
            "Digest x",
            "oht_x",
            "Basic",
            "Basic !!!",
            "Basic YWRh",
            "Basic OnBhc3M=",
            "Basic YWRhOmEAYg==",
            "Basic /////w==",
            "Basic YWRhOmNvcnJlY3Q6aG9yc2U",
        ] {
            assert_eq!(authorization(wrong), Err(NoCredential), "{wrong}");
        }
        assert_eq!(authorization(&format!("Basic {}", "YWRh".repeat(2_000))), Err(NoCredential));
        assert_eq!(
            read(&[(AUTHORIZATION, "Bearer a"), (AUTHORIZATION, "Bearer b")], false),
            Err(NoCredential)
        );
        assert_eq!(authorization("Bearer \u{e9}"), Err(NoCredential), "not ASCII");
    }

    #[test]
    fn a_cookie_counts_under_the_name_of_its_transport_and_once() {
        let cookie = |text: &str, encrypted| read(&[(COOKIE, text)], encrypted);
        let is = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(cookie("a=b; onhand=x; c=d", false), is("cookie x"));
        assert_eq!(cookie("onhand=x", true), Ok(None));
        assert_eq!(cookie("__Host-onhand=x; onhand=y", true), is("cookie x"));
        assert_eq!(cookie("__Host-onhand=x", false), Ok(None));
        assert_eq!(cookie("onhand=x; onhand=y", false), Err(NoCredential));
        assert_eq!(read(&[(COOKIE, "onhand=x"), (COOKIE, "onhand=y")], false), Err(NoCredential));
        assert_eq!(
            read(&[(COOKIE, "onhand=x"), (AUTHORIZATION, "Bearer y")], false),
            is("token y"),
            "a program that says who it is, in a browser that is logged in"
        );
    }
}
