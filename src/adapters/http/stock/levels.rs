//! Reading stock: a level now or as of an earlier moment, the levels of a store, the history of a level.

use crate::edge::gates::Gate;
use crate::node::Node;
use crate::request::caller::Caller;
use crate::request::path::{LevelAt, StoreAt};
use crate::request::query::Query;
use crate::resource::list::{CURSOR, LIMIT, ListPage};
use crate::resource::read::shown;
use crate::response::code::Code;
use crate::response::problem::Problem;
use crate::stock::level_body::{LevelBody, MovementBody, NamedLevelBody};
use crate::stock::sellable::SellableBody;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Uri};
use onhand_app::ports::{Moment, MovementQuery};
use onhand_app::stock::MovementPlace;
use onhand_domain::identity::Permission;
use onhand_domain::{EventKind, Sequence, Sku, Timestamp};
use std::sync::Arc;

/// The parameters of the history.
pub(crate) const HISTORY: &[&str] = &[LIMIT, CURSOR, "type", "since", "until"];

/// Handler of `GET /stores/{storeId}/inventory/{sku}`.
pub(crate) async fn level(
    State(node): State<Arc<Node>>,
    caller: Caller,
    at: LevelAt,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let as_of = Query::of(uri.query()).read("asOf", moment)?;
    let sees_all = caller.stock_scope(Some(&at.store_id))?.is_some();
    if !sees_all && as_of.is_some() {
        // An earlier state tells what was sold since.
        caller.check(|access| access.permit_in(Permission::StockRead, &at.store_id))?;
    }
    let found = match as_of {
        None => node.ledger.level(&at.store_id, &at.sku).await?,
        Some(moment) => {
            let _turn = node.gates.work(Gate::Reads).await?;
            node.ledger.level_as_of(&at.store_id, &at.sku, moment).await?
        }
    };
    let level = found.ok_or_else(|| no_level(&at))?;
    if !sees_all {
        return Ok(Json(SellableBody::of(&level)).into_response());
    }
    Ok(shown(&headers, level.numbers.version, &LevelBody::of(&level)))
}

/// Handler of `GET /stores/{storeId}/inventory`.
pub(crate) async fn levels(
    State(node): State<Arc<Node>>,
    caller: Caller,
    StoreAt(store_id): StoreAt,
    uri: Uri,
) -> Result<Response, Problem> {
    let sees_all = caller.stock_scope(Some(&store_id))?.is_some();
    let page = ListPage::of("levels", &Query::of(uri.query()), &uri)?;
    let after = page.after(|mark| Sku::new(mark).ok())?;
    let levels = page.cut(node.ledger.levels(&store_id, after.as_ref(), page.rows_max()).await?);
    let skus: Vec<&Sku> = levels.rows.iter().map(|level| &level.sku).collect();
    let names = node.ledger.product_names(&skus).await?;
    let (pairs, next) = (levels.rows.iter().zip(&names), levels.next(|level| &level.sku));
    if !sees_all {
        return Ok(page.answer(&pairs.map(SellableBody::named).collect::<Vec<_>>(), next));
    }
    let thresholds = node.ledger.thresholds_of(&levels.rows).await?;
    Ok(page.answer(&pairs.zip(&thresholds).map(NamedLevelBody::of).collect::<Vec<_>>(), next))
}

/// Handler of `GET /stores/{storeId}/inventory/{sku}/history`.
pub(crate) async fn history(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    uri: Uri,
) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let page = ListPage::of("history", &query, &uri)?;
    let wanted = MovementQuery {
        after: Sequence::START,
        limit: page.rows_max(),
        kind: query.read("type", movement_kind)?,
        since: query.read("since", Timestamp::parse)?,
        until: query.read("until", Timestamp::parse)?,
    };
    let _turn = node.gates.work(Gate::Reads).await?;
    let mut position = page.after(MovementPlace::parse)?.unwrap_or_default();
    let movements = page.cut(node.ledger.movements(&at.store_id, &at.sku, &position, wanted).await?);
    if movements.rows.is_empty() && node.ledger.level(&at.store_id, &at.sku).await?.is_none() {
        return Err(no_level(&at));
    }
    let items: Vec<MovementBody> = movements.rows.iter().map(MovementBody::of).collect();
    for view in &movements.rows {
        position.pass(view);
    }
    Ok(page.answer(&items, movements.next(|_| position)))
}

fn no_level(at: &LevelAt) -> Problem {
    let detail = format!(
        "Store {} has no stock level for SKU {}; it comes to be with its first positive adjustment or count.",
        at.store_id, at.sku
    );
    Problem::new(Code::NotFound, detail)
}

pub(crate) fn moment(text: &str) -> Result<Moment, &'static str> {
    if let Ok(sequence) = text.parse() {
        return Ok(Moment::Sequence(Sequence(sequence)));
    }
    let wrong = "must be a sequence like 1041 or a time like 2026-11-20T16:00:00.000Z (RFC 3339)";
    Timestamp::parse(text).map(Moment::Time).map_err(|_| wrong)
}

fn movement_kind(text: &str) -> Result<EventKind, &'static str> {
    use EventKind::{Adjust, Commit, Count, Expire, Release, Reserve};
    let kind = EventKind::parse(text)
        .filter(|kind| matches!(kind, Adjust | Reserve | Release | Commit | Expire | Count));
    kind.ok_or("must be ADJUST, RESERVE, RELEASE, COMMIT, EXPIRE or COUNT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_of_is_a_sequence_or_a_time() {
        let time = Timestamp::parse("2026-11-20T16:00:00.000Z").unwrap();
        for (text, read) in [
            ("1041", Some(Moment::Sequence(Sequence(1041)))),
            ("0", Some(Moment::Sequence(Sequence(0)))),
            ("2026-11-20T16:00:00Z", Some(Moment::Time(time))),
            ("2026-11-20T17:00:00+01:00", Some(Moment::Time(time))),
            ("-1", None),
            ("1.0", None),
            ("now", None),
            ("", None),
            ("2026-11-20", None),
        ] {
            assert_eq!(moment(text).ok(), read, "{text}");
        }
    }

    #[test]
    fn history_is_filtered_by_the_kinds_of_movements() {
        for (text, kind) in [
            ("ADJUST", Some(EventKind::Adjust)),
            ("EXPIRE", Some(EventKind::Expire)),
            ("adjust", None),
            ("IMPORT", None),
            ("TAKE", None),
            ("CLOCK", None),
            ("PRODUCT", None),
            ("", None),
        ] {
            assert_eq!(movement_kind(text).ok(), kind, "{text}");
        }
    }
}
