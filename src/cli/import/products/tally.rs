//! The details that the rows of a file give for each SKU, counted: the value of most rows wins.

use std::collections::HashMap;

use super::row::{DetailValue, ProductRow};
use onhand_domain::Sku;
use onhand_domain::catalogue::ProductMember;

/// SKUs of one file, at most: all of them are held in memory.
pub(super) const SKUS_MAX: usize = 1_000_000;
/// Different values of one detail of one SKU that are counted; later ones are ignored.
const VALUES_MAX: usize = 100;

/// A value of one detail, and the rows that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DetailCandidate {
    pub(super) value: DetailValue,
    /// Number of rows with this value.
    pub(super) rows: u64,
    /// Number of the first row with this value.
    pub(super) first: u64,
}

/// The counted values of one SKU.
#[derive(Debug)]
pub(super) struct TalliedProduct {
    pub(super) sku: Sku,
    /// The first row of this SKU.
    pub(super) first: u64,
    /// In the order of [`ProductMember::ALL`], and then of the rows.
    candidates: [Vec<DetailCandidate>; ProductMember::ALL.len()],
}

/// All SKUs of a file, in the order of their first rows.
#[derive(Debug, Default)]
pub(super) struct ProductTally {
    places: HashMap<Sku, usize>,
    pub(super) products: Vec<TalliedProduct>,
}

impl ProductTally {
    /// Counts the values of a row; false when there would be too many SKUs.
    pub(super) fn add(&mut self, row: u64, said: ProductRow) -> bool {
        let next = self.products.len();
        let place = *self.places.entry(said.sku.clone()).or_insert(next);
        if place == SKUS_MAX {
            return false;
        }
        if place == next {
            self.products.push(TalliedProduct { sku: said.sku, first: row, candidates: Default::default() });
        }
        let product = self.products.get_mut(place).expect("a place is that of a product");
        for (candidates, value) in product.candidates.iter_mut().zip(said.values) {
            let Some(value) = value else { continue };
            if let Some(known) = candidates.iter_mut().find(|candidate| candidate.value == value) {
                known.rows += 1;
            } else if candidates.len() < VALUES_MAX {
                candidates.push(DetailCandidate { value, rows: 1, first: row });
            }
        }
        true
    }

    /// The values of a SKU, and its position among all.
    pub(super) fn find(&self, sku: &Sku) -> Option<(usize, &TalliedProduct)> {
        let place = *self.places.get(sku)?;
        Some((place, self.products.get(place)?))
    }
}

impl TalliedProduct {
    /// The value of each detail, in the order of [`ProductMember::ALL`]: that of most rows; of equally frequent ones
    /// the first.
    pub(super) fn values(&self) -> impl Iterator<Item = Option<&DetailCandidate>> {
        let most = |candidates: &'_ [DetailCandidate]| candidates.iter().map(|one| one.rows).max();
        self.candidates.iter().map(move |all| all.iter().find(|one| Some(one.rows) == most(all)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product_row(sku: &str, name: &str, active: Option<bool>) -> ProductRow {
        let name = Some(DetailValue::Text(name.into()));
        let values = [name, None, None, None, None, active.map(DetailValue::Flag)];
        ProductRow { sku: Sku::new(sku).unwrap(), values }
    }

    #[test]
    fn the_value_of_most_rows_wins_and_of_equals_the_first() {
        let mut tally = ProductTally::default();
        for (row, sku, name, active) in [
            (1, "A", "damaged", None),
            (2, "B", "Black tea", Some(true)),
            (4, "A", "Green tea", Some(false)),
            (5, "B", "Black tea, 250 g", None),
            (6, "A", "Green tea", None),
        ] {
            assert!(tally.add(row, product_row(sku, name, active)));
        }
        let counted = |sku| {
            let (place, product) = tally.find(&Sku::new(sku).unwrap()).unwrap();
            let values =
                product.values().map(|one| one.map(|one| (one.value.to_string(), one.rows, one.first)));
            (place, product.first, values.flatten().collect::<Vec<_>>())
        };
        assert_eq!(counted("A"), (0, 1, vec![("\"Green tea\"".into(), 2, 4), ("false".into(), 1, 4)]));
        assert_eq!(counted("B"), (1, 2, vec![("\"Black tea\"".into(), 1, 2), ("true".into(), 1, 2)]));
        assert!(tally.find(&Sku::new("C").unwrap()).is_none());
    }

    #[test]
    fn a_sku_with_a_new_name_in_each_row_stays_small() {
        let mut tally = ProductTally::default();
        for row in 0..10_000_u64 {
            assert!(tally.add(row, product_row("A", &format!("name {row}"), None)));
        }
        assert_eq!(tally.products[0].candidates[0].len(), VALUES_MAX);
    }
}
