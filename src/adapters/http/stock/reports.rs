//! `GET /stock/current`, `GET /stock/movements`: stock and movements of all stores, as pages of JSON or all of it as CSV.

use crate::edge::gates::Gate;
use crate::node::Node;
use crate::request::accept;
use crate::request::caller::Caller;
use crate::request::query::Query;
use crate::resource::list::{CURSOR, LIMIT, ListPage, level_mark, read_level_mark};
use crate::response::problem::Problem;
use crate::response::vary::by_accept;
use crate::stock::csv_table::{self, CSV, CsvTable, ROWS, row};
use crate::stock::level_body::{AnyMovementBody, NamedLevelBody, movement_row};
use crate::stock::sellable::SellableBody;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use onhand_app::stock::{LevelView, MovementFilter, MovementPlace};
use onhand_domain::identity::{Permission, StoreScope};
use onhand_domain::stock::MovementKind;
use onhand_domain::{Sku, StoreId, Timestamp};
use onhand_planted::{Bug, planted};
use smol_str::SmolStr;
use std::sync::Arc;

/// The parameters of `/stock/current`.
pub(crate) const CURRENT: &[&str] = &[LIMIT, CURSOR, "storeId", "sku"];
/// The parameters of `/stock/movements`.
pub(crate) const MOVEMENTS: &[&str] = &[LIMIT, CURSOR, "storeId", "sku", "kind", "from", "to"];

/// Handler of `GET /stock/current`.
pub(crate) async fn current(
    State(node): State<Arc<Node>>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let store_id = query.read("storeId", StoreId::new)?;
    let scope = caller.stock_scope(store_id.as_ref())?;
    let sees_all = scope.is_some();
    let scope = scope.unwrap_or_default();
    let mut levels = LevelsTable { store_id, scope, sku: query.read("sku", Sku::new)?, after: None };
    if wants_csv(&headers) {
        csv_table::check(&query)?;
        if planted(Bug::ForgetScopeOfCsv) {
            levels.scope = StoreScope::default();
        }
        return Ok(by_accept(if sees_all {
            csv_table::response(node, caller, "stock", levels).await?
        } else {
            csv_table::response(node, caller, "stock", SellableTable(levels)).await?
        }));
    }
    let page = ListPage::of("current", &query, &uri)?.within(&levels.scope);
    levels.after = page.after(read_level_mark)?;
    let (views, names, more) = levels.next(&node, page.limit).await?;
    let (pairs, next) = (views.iter().zip(&names), views.last().filter(|_| more));
    let next = next.map(|level| level_mark(&level.store_id, &level.sku));
    Ok(by_accept(if sees_all {
        let thresholds = node.ledger.thresholds_of(&views).await?;
        page.answer(&pairs.zip(&thresholds).map(NamedLevelBody::of).collect::<Vec<_>>(), next)
    } else {
        page.answer(&pairs.map(SellableBody::named).collect::<Vec<_>>(), next)
    }))
}

/// Handler of `GET /stock/movements`.
pub(crate) async fn movements(
    State(node): State<Arc<Node>>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let filter = filter(&query, &caller)?;
    if wants_csv(&headers) {
        csv_table::check(&query)?;
        let movements = MovementsTable { filter, place: MovementPlace::default() };
        return Ok(by_accept(csv_table::response(node, caller, "movements", movements).await?));
    }
    let page = ListPage::of("movements", &query, &uri)?.within(&filter.scope);
    let place = page.after(MovementPlace::parse)?.unwrap_or_default();
    let _turn = node.gates.work(Gate::Reads).await?;
    let piece = node.ledger.all_movements(&filter, &place, page.limit).await?;
    let items: Vec<AnyMovementBody> = piece.views.iter().filter_map(AnyMovementBody::of).collect();
    Ok(by_accept(page.answer(&items, piece.more.then_some(&piece.place))))
}

/// Reads the filter of movements, within the stores of the caller.
pub(crate) fn filter(query: &Query<'_>, caller: &Caller) -> Result<MovementFilter, Problem> {
    let store_id = query.read("storeId", StoreId::new)?;
    let filter = MovementFilter {
        scope: caller.scope(Permission::StockRead, store_id.as_ref())?,
        store_id,
        sku: query.read("sku", Sku::new)?,
        kind: query.read("kind", movement_kind)?,
        since: query.read("from", Timestamp::parse)?,
        until: query.read("to", Timestamp::parse)?,
    };
    if filter.since.zip(filter.until).is_some_and(|(since, until)| since > until) {
        return Err(Problem::parameter("to", "must not be before from"));
    }
    Ok(filter)
}

fn movement_kind(text: &str) -> Result<MovementKind, String> {
    let known = || MovementKind::ALL.map(MovementKind::as_str).join(", ");
    MovementKind::parse(text).ok_or_else(|| format!("must be one of {}", known()))
}

/// True when `Accept` requests CSV.
pub(crate) fn wants_csv(headers: &HeaderMap) -> bool {
    accept::first_of(headers, &["application/json", CSV]) == Some(CSV)
}

/// The levels of one store or of all, and the position of the reader.
struct LevelsTable {
    store_id: Option<StoreId>,
    scope: StoreScope,
    sku: Option<Sku>,
    after: Option<(StoreId, Sku)>,
}

impl LevelsTable {
    /// At most `limit` levels with the names of their products, and whether more follow.
    async fn next(
        &mut self,
        node: &Node,
        limit: usize,
    ) -> Result<(Vec<LevelView>, Vec<Option<SmolStr>>, bool), Problem> {
        let mut views = match (&self.store_id, &self.sku) {
            (None, sku) if !self.scope.is_everywhere() => {
                let stores = self.scope.stores().unwrap_or_default();
                node.ledger.levels_within(stores, sku.as_ref(), self.after.as_ref(), limit + 1).await?
            }
            (Some(store_id), Some(sku)) => node.ledger.level(store_id, sku).await?.into_iter().collect(),
            (Some(store_id), None) => {
                let after = self.after.as_ref().map(|(_, sku)| sku);
                node.ledger.levels(store_id, after, limit + 1).await?
            }
            (None, sku) => node.ledger.all_levels(sku.as_ref(), self.after.as_ref(), limit + 1).await?,
        };
        let more = views.len() > limit;
        views.truncate(limit);
        let skus: Vec<&Sku> = views.iter().map(|level| &level.sku).collect();
        let names = node.ledger.product_names(&skus).await?;
        if let Some(last) = views.last() {
            self.after = Some((last.store_id.clone(), last.sku.clone()));
        }
        Ok((views, names, more))
    }
}

impl CsvTable for LevelsTable {
    const COLUMNS: &'static [&'static str] =
        &["storeId", "sku", "name", "qty", "onHand", "reserved", "version", "updatedAt", "lowStockThreshold"];

    async fn write(&mut self, node: &Node, out: &mut csv::Writer<Vec<u8>>) -> Result<bool, Problem> {
        let (views, names, more) = self.next(node, ROWS).await?;
        let thresholds = node.ledger.thresholds_of(&views).await?;
        for ((level, name), threshold) in views.iter().zip(&names).zip(&thresholds) {
            let numbers = level.numbers;
            row(
                out,
                [
                    level.store_id.as_str(),
                    level.sku.as_str(),
                    name.as_deref().unwrap_or_default(),
                    &numbers.qty().to_string(),
                    &numbers.on_hand.to_string(),
                    &numbers.reserved.to_string(),
                    &numbers.version.to_string(),
                    &level.updated_at.to_string(),
                    &threshold.as_ref().map(ToString::to_string).unwrap_or_default(),
                ],
            );
        }
        Ok(more)
    }
}

/// The same levels by their sellable pieces alone.
struct SellableTable(LevelsTable);

impl CsvTable for SellableTable {
    const COLUMNS: &'static [&'static str] = &["storeId", "sku", "name", "qty"];

    async fn write(&mut self, node: &Node, out: &mut csv::Writer<Vec<u8>>) -> Result<bool, Problem> {
        let (views, names, more) = self.0.next(node, ROWS).await?;
        for (level, name) in views.iter().zip(&names) {
            let (store_id, sku) = (level.store_id.as_str(), level.sku.as_str());
            row(out, [store_id, sku, name.as_deref().unwrap_or_default(), &level.numbers.qty().to_string()]);
        }
        Ok(more)
    }
}

/// Movements, and the position of the reader.
struct MovementsTable {
    filter: MovementFilter,
    place: MovementPlace,
}

impl CsvTable for MovementsTable {
    const COLUMNS: &'static [&'static str] = &[
        "sequence",
        "ts",
        "storeId",
        "sku",
        "kind",
        "onHand",
        "reserved",
        "qtyAfter",
        "onHandAfter",
        "reservedAfter",
        "version",
        "reservationId",
        "reason",
        "reference",
        "occurredAt",
        "actor",
        "requestId",
    ];

    async fn write(&mut self, node: &Node, out: &mut csv::Writer<Vec<u8>>) -> Result<bool, Problem> {
        let piece = node.ledger.all_movements(&self.filter, &self.place, ROWS).await?;
        for view in &piece.views {
            if let Some(fields) = movement_row(view) {
                row(out, fields);
            }
        }
        self.place = piece.place;
        Ok(piece.more)
    }
}
