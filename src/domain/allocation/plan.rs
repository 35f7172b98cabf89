//! The plan: what is asked for, which store sends what, and why.

use super::rules::{Rank, Rules};
use super::search::{Chosen, Search, at, smallest_set};
use super::site::{LeftOut, Site};
use crate::limits::INTEGER_MAX;
use crate::{Quantity, Sku, StoreId};
use serde::Serialize;

/// What is asked for: every SKU once, in order, each with at least one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand(Vec<(Sku, Quantity)>);

/// Why lines are no demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DemandError {
    /// There is none.
    #[error("must have at least one line")]
    NoLines,
    /// The line at this index asks for no pieces.
    #[error("must be at least 1")]
    NoPieces(usize),
    /// The lines of one SKU ask for too many pieces together; the index is that of the last one.
    #[error("the lines of this SKU ask for more than 9007199254740991 pieces together")]
    TooMany(usize),
}

/// A plan, with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What each chosen store sends, in the order of the stores.
    pub parts: Vec<Part>,
    /// What was asked for, and what is there, by SKU.
    pub asked: Vec<Asked>,
    /// True when everything is there.
    pub complete: bool,
    /// How the stores were found.
    pub search: Search,
    /// Every considered store: those in order first, then those that were left out, by id.
    pub stores: Vec<PlanSite>,
}

/// What one store sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// The store.
    pub store_id: StoreId,
    /// Its pieces.
    pub lines: Vec<Picked>,
}

/// Pieces of one SKU from one store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Picked {
    /// The SKU.
    pub sku: Sku,
    /// The number of pieces, at least 1.
    pub qty: Quantity,
}

/// One SKU of the demand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The SKU.
    pub sku: Sku,
    /// The pieces that are asked for.
    pub qty: Quantity,
    /// The pieces that all stores in the order may give together.
    pub available: Quantity,
    /// The pieces that are missing.
    pub short: Quantity,
}

/// One store, as the plan considers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanSite {
    /// The store.
    pub store_id: StoreId,
    /// True when it sends something.
    pub chosen: bool,
    /// Why it was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    /// By rule, the number that it was ranked by: the lowest first. Empty when it was left out.
    pub ranks: Vec<i64>,
    /// Its levels, by SKU; none where it has nothing to give.
    pub levels: Vec<SiteSku>,
}

/// One SKU in one store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SiteSku {
    /// The SKU.
    pub sku: Sku,
    /// The pieces that the store may give: sellable, less what it keeps back.
    pub available: Quantity,
    /// The pieces that it lacks to send all that is asked for.
    pub missing: Quantity,
    /// The version of the level that the plan rests on; 0 when there is none.
    pub version: u64,
}

/// A store in the order, with the pieces it may give.
struct Ranked<'a> {
    site: &'a Site,
    gives: Vec<i64>,
    ranks: Vec<i64>,
}

impl Demand {
    /// The demand of some lines; lines of one SKU are added up.
    ///
    /// # Errors
    /// [`DemandError`].
    pub fn new(lines: impl IntoIterator<Item = (Sku, Quantity)>) -> Result<Self, DemandError> {
        let mut demand: Vec<(Sku, Quantity)> = Vec::new();
        for (index, (sku, qty)) in lines.into_iter().enumerate() {
            if qty <= Quantity::ZERO {
                return Err(DemandError::NoPieces(index));
            }
            match demand.binary_search_by(|(known, _)| known.cmp(&sku)) {
                Ok(at) => {
                    if let Some((_, sum)) = demand.get_mut(at) {
                        *sum = sum.checked_add(qty).ok_or(DemandError::TooMany(index))?;
                    }
                }
                Err(at) => demand.insert(at, (sku, qty)),
            }
        }
        if demand.is_empty() { Err(DemandError::NoLines) } else { Ok(Self(demand)) }
    }

    /// The SKUs, in order.
    pub fn skus(&self) -> impl ExactSizeIterator<Item = &Sku> {
        self.0.iter().map(|(sku, _)| sku)
    }
}

impl Plan {
    /// Works out a plan. Each site has a level for every SKU of the demand, in its order.
    pub fn of(demand: &Demand, sites: &[Site], rules: &Rules) -> Self {
        let wanted: Vec<i64> = demand.0.iter().map(|(_, qty)| qty.get()).collect();
        let mut order = Vec::new();
        let mut left_out = Vec::new();
        for site in sites {
            let gives = gives(site, rules);
            if let Some(why) = reason(site, &gives, rules) {
                left_out.push((site, gives, why));
            } else {
                let ranks = rules.ranks.iter().map(|rank| number(*rank, site, &gives, &wanted, rules));
                order.push(Ranked { site, ranks: ranks.collect(), gives });
            }
        }
        order.sort_by(|one, other| {
            (&one.ranks, &one.site.store_id).cmp(&(&other.ranks, &other.site.store_id))
        });
        left_out.sort_by(|(one, ..), (other, ..)| one.store_id.cmp(&other.store_id));

        let offers: Vec<&[i64]> = order.iter().map(|ranked| &*ranked.gives).collect();
        let available: Vec<i64> =
            (0..wanted.len()).map(|sku| sum(offers.iter().map(|gives| at(gives, sku)))).collect();
        // What all stores have together is what the set must have.
        let target: Vec<i64> =
            wanted.iter().zip(&available).map(|(asked, there)| *asked.min(there)).collect();
        let Chosen { stores, search } = smallest_set(&offers, &target);
        let picked = picked(&offers, &stores, &target);
        let parts = stores.iter().zip(&picked).filter_map(|(store, pieces)| {
            let lines = demand.0.iter().zip(pieces).filter(|(_, pieces)| **pieces > 0);
            let lines: Vec<Picked> =
                lines.map(|((sku, _), pieces)| Picked { sku: sku.clone(), qty: quantity(*pieces) }).collect();
            let ranked = order.get(*store).filter(|_| !lines.is_empty())?;
            Some(Part { store_id: ranked.site.store_id.clone(), lines })
        });
        let parts: Vec<Part> = parts.collect();
        let asked: Vec<Asked> = demand
            .0
            .iter()
            .zip(available.iter().zip(&target))
            .map(|((sku, qty), (available, target))| Asked {
                sku: sku.clone(),
                qty: *qty,
                available: quantity(*available),
                short: quantity(qty.get() - target),
            })
            .collect();
        let shown = |site: &Site, gives: &[i64], ranks: Vec<i64>, left_out| PlanSite {
            store_id: site.store_id.clone(),
            chosen: parts.iter().any(|part| part.store_id == site.store_id),
            left_out,
            ranks,
            levels: if left_out == Some(LeftOut::NothingToGive) {
                Vec::new()
            } else {
                site_skus(demand, site, gives)
            },
        };
        let in_order =
            order.iter().map(|ranked| shown(ranked.site, &ranked.gives, ranked.ranks.clone(), None));
        let out = left_out.iter().map(|(site, gives, why)| shown(site, gives, Vec::new(), Some(*why)));
        let stores = in_order.chain(out).collect();
        let complete = asked.iter().all(|asked| asked.short == Quantity::ZERO);
        Self { parts, asked, complete, search, stores }
    }
}

fn sum(pieces: impl Iterator<Item = i64>) -> i64 {
    pieces.fold(0, i64::saturating_add)
}

/// The pieces of each SKU that a store may give.
fn gives(site: &Site, rules: &Rules) -> Vec<i64> {
    let kept = rules.keeps_back(&site.store_id).get();
    site.levels.iter().map(|level| (level.qty.get() - kept).max(0)).collect()
}

fn reason(site: &Site, gives: &[i64], rules: &Rules) -> Option<LeftOut> {
    if site.closed {
        Some(LeftOut::Closed)
    } else if rules.excludes(&site.store_id) {
        Some(LeftOut::Excluded)
    } else if gives.iter().all(|pieces| *pieces == 0) {
        Some(LeftOut::NothingToGive)
    } else {
        None
    }
}

/// The number that a rule gives a store: the lowest comes first.
fn number(rank: Rank, site: &Site, gives: &[i64], wanted: &[i64], rules: &Rules) -> i64 {
    let pairs = || gives.iter().zip(wanted);
    let number = match rank {
        Rank::Complete => i64::from(pairs().any(|(gives, wanted)| gives < wanted)),
        Rank::Priority => rules.priority(&site.store_id),
        Rank::MostPieces => -sum(pairs().map(|(gives, wanted)| *gives.min(wanted))),
        Rank::MostLeftOver => -pairs().map(|(gives, wanted)| gives - wanted).min().unwrap_or_default(),
    };
    within(number)
}

/// What each chosen store gives of each SKU.
fn picked(offers: &[&[i64]], stores: &[usize], target: &[i64]) -> Vec<Vec<i64>> {
    let mut picked = vec![vec![0; target.len()]; stores.len()];
    for (sku, wanted) in target.iter().enumerate() {
        let has = |store: &usize| offers.get(*store).map_or(0, |gives| at(gives, sku));
        // The first that has enough, else by their order.
        let whole = stores.iter().position(|store| has(store) >= *wanted);
        let mut left = *wanted;
        for (place, store) in
            stores.iter().enumerate().filter(|(place, _)| whole.is_none_or(|whole| whole == *place))
        {
            let pieces = has(store).min(left);
            left -= pieces;
            if let Some(slot) = picked.get_mut(place).and_then(|slots: &mut Vec<i64>| slots.get_mut(sku)) {
                *slot = pieces;
            }
        }
    }
    picked
}

fn site_skus(demand: &Demand, site: &Site, gives: &[i64]) -> Vec<SiteSku> {
    let levels = demand.0.iter().zip(site.levels.iter().zip(gives));
    let shown = levels.map(|((sku, qty), (level, gives))| SiteSku {
        sku: sku.clone(),
        available: quantity(*gives),
        missing: quantity((qty.get() - gives).max(0)),
        version: level.version,
    });
    shown.collect()
}

/// A sum over many stores may be beyond what a number of the API can say.
fn quantity(pieces: i64) -> Quantity {
    Quantity::new(within(pieces)).unwrap_or_default()
}

fn within(number: i64) -> i64 {
    number.clamp(-INTEGER_MAX, INTEGER_MAX)
}
