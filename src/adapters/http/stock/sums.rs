//! `GET /stock/movements/sums`: movements summed by day, store, SKU and kind, or by some of these.

use crate::edge::gates::Gate;
use crate::node::Node;
use crate::request::caller::Caller;
use crate::request::query::Query;
use crate::response::code::Code;
use crate::response::problem::Problem;
use crate::response::vary::by_accept;
use crate::stock::csv_table::{self, CsvTable, row};
use crate::stock::level_body::occurred_at;
use crate::stock::reports::{filter, wants_csv};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use onhand_app::stock::{MovementFilter, MovementPlace, MovementView, place_of};
use onhand_domain::stock::MovementKind;
use onhand_domain::{Sku, StoreId};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The query parameters.
pub(crate) const PARAMETERS: &[&str] = &["storeId", "sku", "kind", "from", "to", BY];
const BY: &str = "by";

/// The most sums of one answer.
const SUMS_MAX: usize = 50_000;
/// Movements that are read at once.
const PIECE: usize = 10_000;
/// The length of the day in a written time.
const DAY_CHARACTERS: usize = "2026-11-28".len();

/// The dimensions by which movements are grouped.
#[derive(Debug, PartialEq, Eq)]
struct GroupBy(Vec<Dimension>);

/// One dimension of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Day,
    Store,
    Sku,
    Kind,
}

/// The key of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_id: Option<StoreId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<Sku>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<MovementKind>,
}

/// The sum of a group: the number of its movements, and by how much they changed the two numbers of their levels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sum {
    movements: u64,
    on_hand: i64,
    reserved: i64,
}

#[derive(Debug, Serialize)]
struct SumItem<'a> {
    #[serde(flatten)]
    group: &'a Group,
    #[serde(flatten)]
    sum: &'a Sum,
}

#[derive(Debug, Serialize)]
struct SumsBody<'a> {
    items: Vec<SumItem<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
}

/// Handler of `GET /stock/movements/sums`.
pub(crate) async fn sums(
    State(node): State<Arc<Node>>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let by = query.read(BY, GroupBy::parse)?.unwrap_or(GroupBy(Dimension::ALL.to_vec()));
    let filter = filter(&query, &caller)?;
    let partial = !filter.scope.is_everywhere();
    let sums = summed(&node, &caller, filter, &by).await?;
    if wants_csv(&headers) {
        return Ok(by_accept(csv_table::response(node, caller, "movement-sums", SumsTable(sums)).await?));
    }
    let items = sums.iter().map(|(group, sum)| SumItem { group, sum }).collect();
    Ok(by_accept(Json(SumsBody { items, partial })))
}

/// Reads all movements of the filter, piece by piece, so that it ends when the caller disconnects.
async fn summed(
    node: &Node,
    caller: &Caller,
    filter: MovementFilter,
    by: &GroupBy,
) -> Result<BTreeMap<Group, Sum>, Problem> {
    let mut sums: BTreeMap<Group, Sum> = BTreeMap::new();
    let mut place = MovementPlace::default();
    loop {
        // One turn for each piece: others read in between, however long the log is.
        let turn = node.gates.work(Gate::Reads).await?;
        let piece = node.ledger.all_movements(&filter, &place, PIECE).await?;
        drop(turn);
        if !node.goes_on(caller).await {
            return Err(Problem::plain(Code::Unauthorized));
        }
        for view in &piece.views {
            let Some((group, effect)) = by.group(view) else { continue };
            let sum = sums.entry(group).or_default();
            sum.movements += 1;
            // Saturation is out of reach: each number has at most 53 bits.
            sum.on_hand = sum.on_hand.saturating_add(effect.0);
            sum.reserved = sum.reserved.saturating_add(effect.1);
        }
        if sums.len() > SUMS_MAX {
            let detail =
                format!("would give more than {SUMS_MAX} sums; ask for fewer days, one store or fewer parts");
            return Err(Problem::parameter(BY, detail));
        }
        if !piece.more {
            return Ok(sums);
        }
        place = piece.place;
    }
}

impl Dimension {
    const ALL: [Self; 4] = [Self::Day, Self::Store, Self::Sku, Self::Kind];
}

impl GroupBy {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        for name in text.split(',') {
            let part = match name {
                "day" => Dimension::Day,
                "store" => Dimension::Store,
                "sku" => Dimension::Sku,
                "kind" => Dimension::Kind,
                _ => return Err("must be some of day, store, sku and kind, with commas between them"),
            };
            if parts.contains(&part) {
                return Err("names one of day, store, sku and kind twice");
            }
            parts.push(part);
        }
        Ok(Self(parts))
    }

    fn has(&self, part: Dimension) -> bool {
        self.0.contains(&part)
    }

    fn group(&self, view: &MovementView) -> Option<(Group, (i64, i64))> {
        let (store_id, sku, fact) = place_of(view)?;
        let day = || {
            let mut day = occurred_at(fact).unwrap_or(view.movement.at).to_string();
            day.truncate(DAY_CHARACTERS);
            day
        };
        let group = Group {
            day: self.has(Dimension::Day).then(day),
            store_id: self.has(Dimension::Store).then(|| store_id.clone()),
            sku: self.has(Dimension::Sku).then(|| sku.clone()),
            kind: self.has(Dimension::Kind).then(|| MovementKind::of(fact)),
        };
        let effect = fact.effect();
        Some((group, (effect.on_hand.get(), effect.reserved.get())))
    }
}

/// The sums as CSV; the columns of other dimensions are empty.
struct SumsTable(BTreeMap<Group, Sum>);

impl CsvTable for SumsTable {
    const COLUMNS: &'static [&'static str] =
        &["day", "storeId", "sku", "kind", "movements", "onHand", "reserved"];

    async fn write(&mut self, _node: &Node, out: &mut csv::Writer<Vec<u8>>) -> Result<bool, Problem> {
        for (group, sum) in &self.0 {
            row(
                out,
                [
                    group.day.as_deref().unwrap_or_default(),
                    group.store_id.as_ref().map(StoreId::as_str).unwrap_or_default(),
                    group.sku.as_ref().map(Sku::as_str).unwrap_or_default(),
                    group.kind.map(MovementKind::as_str).unwrap_or_default(),
                    &sum.movements.to_string(),
                    &sum.on_hand.to_string(),
                    &sum.reserved.to_string(),
                ],
            );
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dimension_of_sums_is_named_once() {
        use Dimension::{Day, Kind, Sku, Store};
        let by = |parts: &[Dimension]| Some(GroupBy(parts.to_vec()));
        for (text, read) in [
            ("day,store,sku,kind", by(&[Day, Store, Sku, Kind])),
            ("kind,day", by(&[Kind, Day])),
            ("sku", by(&[Sku])),
            ("", None),
            ("day,", None),
            ("day,day", None),
            ("Day", None),
            ("week", None),
        ] {
            assert_eq!(GroupBy::parse(text).ok(), read, "{text}");
        }
    }
}
