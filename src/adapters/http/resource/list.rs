//! A list, page by page: `limit`, an opaque `cursor`, and the answer `{items, nextCursor}` with `Link: rel="next"`.

use crate::limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};
use crate::request::query::Query;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::Json;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::LINK;
use http::{HeaderValue, Uri};
use onhand_domain::identity::StoreScope;
use onhand_domain::{Sku, StoreId};
use serde::Serialize;
use std::fmt::Display;

/// How many items a page has at most.
pub(crate) const LIMIT: &str = "limit";
/// The position at which the page before ended.
pub(crate) const CURSOR: &str = "cursor";
/// The parameters that every list takes.
pub(crate) const PARAMETERS: &[&str] = &[LIMIT, CURSOR];
/// The position to begin at, of a list whose positions are public; the cursor of a next page takes its place.
pub(crate) const AFTER: &str = "after";

/// One page of a list, as requested.
#[derive(Debug)]
pub(crate) struct ListPage<'a> {
    /// Maximum number of items on the page.
    pub(crate) limit: usize,
    /// The mark of the last item of the page before; none means the beginning.
    mark: Option<String>,
    /// The name of the list, so that the cursor of one is refused by another.
    list: &'static str,
    /// The list is limited to a part of the stores, because the caller is.
    partial: bool,
    uri: &'a Uri,
}

/// Rows that were read for a page.
#[derive(Debug)]
pub(crate) struct PageRows<T> {
    /// The rows of the page.
    pub(crate) rows: Vec<T>,
    /// Whether others follow.
    pub(crate) more: bool,
}

impl<'a> ListPage<'a> {
    /// Reads `limit` and `cursor`.
    pub(crate) fn of(list: &'static str, query: &Query<'_>, uri: &'a Uri) -> Result<Self, Problem> {
        Self::with_at_least(1, list, query, uri)
    }

    /// The same for a list whose page has content without any item, so that `limit=0` makes sense.
    pub(crate) fn with_none(list: &'static str, query: &Query<'_>, uri: &'a Uri) -> Result<Self, Problem> {
        Self::with_at_least(0, list, query, uri)
    }

    fn with_at_least(
        least: usize,
        list: &'static str,
        query: &Query<'_>,
        uri: &'a Uri,
    ) -> Result<Self, Problem> {
        let limit = query.read(LIMIT, |text| match text.parse() {
            Ok(limit) if (least..=PAGE_ITEMS_MAX).contains(&limit) => Ok(limit),
            _ => Err(format!("must be a number from {least} to {PAGE_ITEMS_MAX}")),
        })?;
        let mark = query.get(CURSOR).map(|cursor| open(cursor, list)).transpose()?;
        Ok(Self { limit: limit.unwrap_or(PAGE_ITEMS_DEFAULT), mark, list, partial: false, uri })
    }

    /// Notes that the list is limited to a part of the stores, if it is.
    pub(crate) fn within(mut self, scope: &StoreScope) -> Self {
        self.partial = !scope.is_everywhere();
        self
    }

    /// The mark that the page begins behind, parsed by `read`.
    pub(crate) fn after<T>(&self, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let mark = self.mark.as_deref();
        mark.map(|mark| read(mark).ok_or_else(|| Problem::plain(Code::InvalidCursor))).transpose()
    }

    /// How many rows to read: one more than the page has items shows whether others follow.
    pub(crate) fn rows_max(&self) -> usize {
        self.limit + 1
    }

    /// The rows of the page, from those that were read.
    pub(crate) fn cut<T>(&self, mut rows: Vec<T>) -> PageRows<T> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        PageRows { rows, more }
    }

    /// The page; `next` is the mark of its last item when others follow.
    pub(crate) fn answer<T: Serialize>(&self, items: &[T], next: Option<impl Display>) -> Response {
        #[derive(Serialize)]
        struct Nothing {}
        self.answer_with(items, next, &Nothing {})
    }

    /// The same, with members about the list as a whole.
    pub(crate) fn answer_with<T: Serialize, A: Serialize>(
        &self,
        items: &[T],
        next: Option<impl Display>,
        about: &A,
    ) -> Response {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct PageBody<'a, T, A> {
            items: &'a [T],
            next_cursor: Option<&'a str>,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            partial: bool,
            #[serde(flatten)]
            about: &'a A,
        }
        let cursor = next.map(|mark| seal(&mark, self.list));
        let mut response =
            Json(PageBody { items, next_cursor: cursor.as_deref(), partial: self.partial, about })
                .into_response();
        if let Some(link) = cursor.and_then(|cursor| next_link(self.uri, &cursor)) {
            response.headers_mut().insert(LINK, link);
        }
        response
    }
}

impl<T> PageRows<T> {
    /// The mark of the next page, from the last row of this one; none when no others follow.
    pub(crate) fn next<'a, D>(&'a self, mark: impl FnOnce(&'a T) -> D) -> Option<D> {
        self.rows.last().filter(|_| self.more).map(mark)
    }
}

/// Refuses the parameters of a page where an answer is no page; `detail` describes the answer.
pub(crate) fn refuse_page(query: &Query<'_>, detail: &'static str) -> Result<(), Problem> {
    let sent = PARAMETERS.iter().find(|name| query.get(name).is_some());
    sent.map_or(Ok(()), |name| Err(Problem::parameter(*name, detail)))
}

/// The mark of a level in a list over all stores.
pub(crate) fn level_mark(store_id: &StoreId, sku: &Sku) -> String {
    format!("{store_id}/{sku}")
}

/// Reads the mark of a level. No store has a slash in its name.
pub(crate) fn read_level_mark(mark: &str) -> Option<(StoreId, Sku)> {
    let (store, sku) = mark.split_once('/')?;
    Some((StoreId::new(store).ok()?, Sku::new(sku).ok()?))
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
            let uri = Uri::from_static("/stores/S1/inventory");
            let page = ListPage::of("levels", &Query::of(Some(query)), &uri);
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
        let uri = Uri::from_static("/stores/S1/inventory");
        let page = ListPage { limit: 1, mark: Some("x".into()), list: "levels", partial: false, uri: &uri };
        assert_eq!(page.after(|text| text.parse::<u64>().ok()).unwrap_err().code(), Code::InvalidCursor);
    }

    #[test]
    fn the_next_page_keeps_the_other_parameters() {
        let uri =
            Uri::from_static("/stores/S1/inventory/BANK%20CHARGES/history?type=ADJUST&cursor=old&limit=5");
        assert_eq!(
            next_link(&uri, "new").unwrap(),
            "</stores/S1/inventory/BANK%20CHARGES/history?type=ADJUST&limit=5&cursor=new>; rel=\"next\""
        );
        let page = ListPage { limit: 2, mark: None, list: "history", partial: false, uri: &uri };
        for (rows, items, more) in [(vec![1, 2, 3], 2, true), (vec![1, 2], 2, false), (vec![], 0, false)] {
            let found = page.cut(rows);
            assert_eq!((found.rows.len(), found.next(|row| *row)), (items, more.then_some(2)));
            let answer = page.answer(&found.rows, found.next(|row| *row));
            assert_eq!(answer.headers().contains_key(LINK), more);
        }
    }
}
