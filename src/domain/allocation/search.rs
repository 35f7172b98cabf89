//! The smallest set of stores that has all pieces.

use serde::Serialize;

/// Sets of up to so many stores are examined one by one.
pub const EXACT_SHIPMENTS_MAX: usize = 4;
/// Sets have only the best stores. One store that has everything is found among all of them.
pub const EXACT_SITES_MAX: usize = 16;

/// How the stores were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Search {
    /// No smaller set of stores has these pieces.
    Exact,
    /// Store by store, the one with the most of what was missing first; a smaller set may exist.
    Greedy,
}

/// The set that was found.
pub(super) struct Chosen {
    /// Positions in the order of the stores, ascending.
    pub(super) stores: Vec<usize>,
    pub(super) search: Search,
}

/// The smallest set of stores that gives `target`, of those of one size the one with the best stores. `offers` has by store the pieces of
/// each SKU that it gives, the best store first; all of them together give the target.
pub(super) fn smallest_set(offers: &[&[i64]], target: &[i64]) -> Chosen {
    let exact = |stores| Chosen { stores, search: Search::Exact };
    if target.iter().all(|pieces| *pieces == 0) {
        return exact(Vec::new());
    }
    if let Some(one) = offers.iter().position(|gives| gives_all(gives, target)) {
        return exact(vec![one]);
    }
    let best = offers.get(..EXACT_SITES_MAX).unwrap_or(offers);
    let sets = Sets::of(best, target.len());
    for size in 2..=EXACT_SHIPMENTS_MAX.min(best.len()) {
        let mut stores = Vec::with_capacity(size);
        if sets.extend(&mut stores, 0, size, target) {
            return exact(stores);
        }
    }
    Chosen { stores: greedy(offers, target), search: Search::Greedy }
}

fn gives_all(gives: &[i64], target: &[i64]) -> bool {
    target.iter().zip(gives).all(|(wanted, gives)| gives >= wanted)
}

/// The pieces that are missing after a store has given its own.
fn less(target: &[i64], gives: &[i64]) -> Vec<i64> {
    target.iter().zip(gives).map(|(wanted, gives)| (wanted - gives).max(0)).collect()
}

/// Looks at sets in the order of their stores.
struct Sets<'a> {
    best: &'a [&'a [i64]],
    /// By position, what the stores from there on give together.
    from_here: Vec<Vec<i64>>,
}

impl<'a> Sets<'a> {
    fn of(best: &'a [&'a [i64]], skus: usize) -> Self {
        let mut from_here = vec![vec![0; skus]];
        for gives in best.iter().rev() {
            let after = from_here.last().map(Vec::as_slice).unwrap_or_default();
            from_here.push((0..skus).map(|sku| at(after, sku).saturating_add(at(gives, sku))).collect());
        }
        from_here.reverse();
        Self { best, from_here }
    }

    /// Adds `more` stores from the position `from` on, so that they give the target; false when none do.
    fn extend(&self, stores: &mut Vec<usize>, from: usize, more: usize, target: &[i64]) -> bool {
        for (position, gives) in self.best.iter().enumerate().skip(from) {
            let rest = self.from_here.get(position).map(Vec::as_slice).unwrap_or_default();
            if !gives_all(rest, target) {
                return false;
            }
            stores.push(position);
            let found = if more == 1 {
                gives_all(gives, target)
            } else {
                self.extend(stores, position + 1, more - 1, &less(target, gives))
            };
            if found {
                return true;
            }
            stores.pop();
        }
        false
    }
}

/// The store with the most of what is missing comes next, until nothing is; a store that the later ones make needless goes again.
fn greedy(offers: &[&[i64]], target: &[i64]) -> Vec<usize> {
    let mut stores: Vec<usize> = Vec::new();
    let mut missing = target.to_vec();
    while missing.iter().any(|pieces| *pieces > 0) {
        let helps = |gives: &[i64]| {
            missing.iter().zip(gives).map(|(missing, gives)| *missing.min(gives)).sum::<i64>()
        };
        let next = offers.iter().enumerate().filter(|(position, _)| !stores.contains(position));
        // The first of those that help most.
        let best = next
            .map(|(position, gives)| (helps(gives), position))
            .max_by_key(|(helps, position)| (*helps, usize::MAX - position));
        let Some((pieces, position)) = best.filter(|(pieces, _)| *pieces > 0) else { break };
        debug_assert!(pieces > 0);
        stores.push(position);
        missing = less(&missing, offers.get(position).copied().unwrap_or_default());
    }
    stores.sort_unstable();
    for position in stores.clone().into_iter().rev() {
        let others = stores.iter().filter(|store| **store != position).filter_map(|store| offers.get(*store));
        if others
            .fold(target.to_vec(), |missing, gives| less(&missing, gives))
            .iter()
            .all(|pieces| *pieces == 0)
        {
            stores.retain(|store| *store != position);
        }
    }
    stores
}

/// The pieces of a SKU in a list by SKU.
pub(super) fn at(gives: &[i64], sku: usize) -> i64 {
    gives.get(sku).copied().unwrap_or_default()
}
