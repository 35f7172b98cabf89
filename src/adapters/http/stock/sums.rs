//! Movements summed up: `GET /stock/movements/sums`, by day, store, SKU and kind, or by some of these.

use crate::adapters::http::edge::gates::Gate;
use crate::adapters::http::node::Node;
use crate::adapters::http::request::query::Query;
use crate::adapters::http::response::problem::Problem;
use crate::adapters::http::response::vary::by_accept;
use crate::adapters::http::stock::csv_table::{self, Table, row};
use crate::adapters::http::stock::level_body::occurred_at;
use crate::adapters::http::stock::reports::{filter, wants_csv};
use crate::app::stock::{MovementFilter, MovementPlace, MovementView, place_of};
use crate::domain::stock::MovementKind;
use crate::domain::{Sku, StoreId};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The parameters.
pub(crate) const PARAMETERS: &[&str] = &["storeId", "sku", "kind", "from", "to", BY];
const BY: &str = "by";

/// Sums in one answer.
const SUMS_MAX: usize = 50_000;
/// Movements read in one piece.
const PIECE: usize = 10_000;
/// Of a time as it is written, the day.
const DAY_CHARACTERS: usize = "2026-11-28".len();

/// By what movements are told apart.
#[derive(Debug, PartialEq, Eq)]
struct By(Vec<Part>);

/// One of the things by which movements are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Day,
    Store,
    Sku,
    Kind,
}

/// What is summed up together.
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

/// What the movements of a group come to: how many they are, and by how much they changed the two numbers of their levels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sum {
    movements: u64,
    on_hand: i64,
    reserved: i64,
}

#[derive(Debug, Serialize)]
struct Item<'a> {
    #[serde(flatten)]
    group: &'a Group,
    #[serde(flatten)]
    sum: &'a Sum,
}

#[derive(Debug, Serialize)]
struct Body<'a> {
    items: Vec<Item<'a>>,
}

/// `GET /stock/movements/sums`
pub(crate) async fn sums(
    State(node): State<Arc<Node>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let by = query.read(BY, By::parse)?.unwrap_or(By(Part::ALL.to_vec()));
    let sums = summed(&node, filter(&query)?, &by).await?;
    if wants_csv(&headers) {
        return Ok(by_accept(csv_table::response(node, "movement-sums", Sums(sums)).await?));
    }
    let items = sums.iter().map(|(group, sum)| Item { group, sum }).collect();
    Ok(by_accept(Json(Body { items })))
}

/// Reads all movements that are asked for, piece by piece, so that a caller who goes away ends it.
async fn summed(node: &Node, filter: MovementFilter, by: &By) -> Result<BTreeMap<Group, Sum>, Problem> {
    let mut sums: BTreeMap<Group, Sum> = BTreeMap::new();
    let mut place = MovementPlace::default();
    loop {
        // One turn a piece: others read in between, however long the log is.
        let turn = node.gates.work(Gate::Reads).await?;
        let piece = node.ledger.all_movements(&filter, &place, PIECE).await?;
        drop(turn);
        for view in &piece.views {
            let Some((group, effect)) = by.group(view) else { continue };
            let sum = sums.entry(group).or_default();
            sum.movements += 1;
            // Far from the bounds: each number has at most 53 bits, and sums that long would take ages to read.
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

impl Part {
    const ALL: [Self; 4] = [Self::Day, Self::Store, Self::Sku, Self::Kind];
}

impl By {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        for name in text.split(',') {
            let part = match name {
                "day" => Part::Day,
                "store" => Part::Store,
                "sku" => Part::Sku,
                "kind" => Part::Kind,
                _ => return Err("must be some of day, store, sku and kind, with commas between them"),
            };
            if parts.contains(&part) {
                return Err("names one of day, store, sku and kind twice");
            }
            parts.push(part);
        }
        Ok(Self(parts))
    }

    fn has(&self, part: Part) -> bool {
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
            day: self.has(Part::Day).then(day),
            store_id: self.has(Part::Store).then(|| store_id.clone()),
            sku: self.has(Part::Sku).then(|| sku.clone()),
            kind: self.has(Part::Kind).then(|| MovementKind::of(fact)),
        };
        let effect = fact.effect();
        Some((group, (effect.on_hand.get(), effect.reserved.get())))
    }
}

/// The sums as CSV; what they are not told apart by is left empty.
struct Sums(BTreeMap<Group, Sum>);

impl Table for Sums {
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
    fn what_sums_are_told_apart_by_is_named_once_each() {
        use Part::{Day, Kind, Sku, Store};
        let by = |parts: &[Part]| Some(By(parts.to_vec()));
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
            assert_eq!(By::parse(text).ok(), read, "{text}");
        }
    }
}
