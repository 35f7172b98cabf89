//! Paging: `limit`, an opaque `cursor`, and the answer `{items, nextCursor}` with `Link: rel="next"`.

use crate::adapters::http::limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};
use crate::adapters::http::request::query::Query;
use crate::adapters::http::response::code::Code;
use crate::adapters::http::response::problem::Problem;
use axum::Json;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::LINK;
use http::{HeaderValue, Uri};
use serde::Serialize;
use std::fmt::Display;

/// The names of the parameters every list takes.
pub(crate) const LIMIT: &str = "limit";
/// See [`LIMIT`].
pub(crate) const CURSOR: &str = "cursor";
/// The parameters every list takes.
pub(crate) const PARAMETERS: &[&str] = &[LIMIT, CURSOR];
/// The place to begin at, of a list that says it openly; a cursor goes on from another one.
pub(crate) const AFTER: &str = "after";

/// What part of a list is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// At most so many items.
    pub limit: usize,
    /// The mark of the last item the caller has; nothing means the beginning.
    pub after: Option<String>,
}

impl Page {
    /// Reads `limit` and `cursor`. `list` names the list, so that the cursor of one is refused by another.
    pub(crate) fn of(query: &Query<'_>, list: &str) -> Result<Self, Problem> {
        Self::with_at_least(1, query, list)
    }

    /// The same for a list whose page says something without any item, so that `limit=0` makes sense.
    pub(crate) fn with_none(query: &Query<'_>, list: &str) -> Result<Self, Problem> {
        Self::with_at_least(0, query, list)
    }

    fn with_at_least(least: usize, query: &Query<'_>, list: &str) -> Result<Self, Problem> {
        let limit = query.read(LIMIT, |text| match text.parse() {
            Ok(limit) if (least..=PAGE_ITEMS_MAX).contains(&limit) => Ok(limit),
            _ => Err(format!("must be a number from {least} to {PAGE_ITEMS_MAX}")),
        })?;
        let after = query.get(CURSOR).map(|cursor| open(cursor, list)).transpose()?;
        Ok(Self { limit: limit.unwrap_or(PAGE_ITEMS_DEFAULT), after })
    }

    /// Reads the mark as whatever the list counts by.
    pub(crate) fn after_as<T>(&self, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        self.after
            .as_deref()
            .map(|mark| read(mark).ok_or_else(|| Problem::plain(Code::InvalidCursor)))
            .transpose()
    }
}

/// One page of answers; `more_after` is the mark of its last item when more follow.
pub(crate) fn answer<T: Serialize>(
    items: &[T],
    more_after: Option<&dyn Display>,
    list: &str,
    uri: &Uri,
) -> Response {
    #[derive(Serialize)]
    struct Nothing {}
    answer_with(items, more_after, list, uri, &Nothing {})
}

/// The same, and what the list says as a whole: the members of `about`.
pub(crate) fn answer_with<T: Serialize, A: Serialize>(
    items: &[T],
    more_after: Option<&dyn Display>,
    list: &str,
    uri: &Uri,
    about: &A,
) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a, T, A> {
        items: &'a [T],
        next_cursor: Option<&'a str>,
        #[serde(flatten)]
        about: &'a A,
    }
    let cursor = more_after.map(|mark| seal(mark, list));
    let mut response = Json(Body { items, next_cursor: cursor.as_deref(), about }).into_response();
    if let Some(link) = cursor.and_then(|cursor| next_link(uri, &cursor)) {
        response.headers_mut().insert(LINK, link);
    }
    response
}

fn seal(mark: &dyn Display, list: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{mark}"))
}

fn open(cursor: &str, list: &str) -> Result<String, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let mark = text.and_then(|text| text.strip_prefix(list)?.strip_prefix(':').map(str::to_owned));
    mark.ok_or_else(|| Problem::plain(Code::InvalidCursor))
}

/// The same address with the next cursor in place of the one it has.
fn next_link(uri: &Uri, cursor: &str) -> Option<HeaderValue> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    query.extend_pairs(given.filter(|(name, _)| name != CURSOR && name != AFTER));
    query.append_pair(CURSOR, cursor);
    HeaderValue::try_from(format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_1_to_1000() {
        for (query, limit) in [
            ("", Some(100)),
            ("limit=1", Some(1)),
            ("limit=1000", Some(1000)),
            ("limit=0", None),
            ("limit=1001", None),
            ("limit=-1", None),
            ("limit=ten", None),
            ("limit=", None),
            ("limit=1.0", None),
        ] {
            let page = Page::of(&Query::of(Some(query)), "levels");
            assert_eq!(page.ok().map(|page| page.limit), limit, "{query}");
        }
    }

    #[test]
    fn a_cursor_is_good_only_for_its_own_list() {
        let sealed = seal(&"BANK CHARGES", "levels");
        assert_eq!(open(&sealed, "levels").unwrap(), "BANK CHARGES");
        for (cursor, list) in [
            (sealed.as_str(), "history"),
            ("", "levels"),
            ("%%%", "levels"),
            ("bGV2ZWxz", "levels"),
            ("_w", "levels"),
        ] {
            assert_eq!(open(cursor, list).unwrap_err().code(), Code::InvalidCursor, "{cursor}");
        }
        let page = Page { limit: 1, after: Some("x".into()) };
        assert_eq!(page.after_as(|text| text.parse::<u64>().ok()).unwrap_err().code(), Code::InvalidCursor);
    }

    #[test]
    fn the_next_page_keeps_the_other_parameters() {
        let uri =
            Uri::from_static("/stores/S1/inventory/BANK%20CHARGES/history?type=ADJUST&cursor=old&limit=5");
        assert_eq!(
            next_link(&uri, "new").unwrap(),
            "</stores/S1/inventory/BANK%20CHARGES/history?type=ADJUST&limit=5&cursor=new>; rel=\"next\""
        );
        let response = answer(&[1], Some(&7), "history", &uri);
        assert!(response.headers().contains_key(LINK));
        assert!(!answer::<u8>(&[], None, "history", &uri).headers().contains_key(LINK));
    }
}
