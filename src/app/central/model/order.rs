//! A sorted list of row numbers; the owner compares the rows.
//!
//! A million numbers take 4 to 8 MB, and an insertion moves at most [`BLOCK`] others.

use std::cmp::Ordering;

/// Most rows in a block.
const BLOCK: usize = 512;

/// Row numbers in order, in blocks that are never empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    blocks: Vec<Vec<u32>>,
}

impl Order {
    /// Inserts a row; `compare` orders a present row relative to it.
    pub(crate) fn insert(&mut self, row: u32, compare: impl Fn(u32) -> Ordering) {
        let is_before = |other: u32| compare(other) == Ordering::Less;
        let place = self.block_of(is_before);
        let Some(block) = self.blocks.get_mut(place) else {
            // A row behind all others usually comes from a sorted input, so the last block is filled instead of split.
            match self.blocks.last_mut().filter(|last| last.len() < BLOCK) {
                Some(last) => last.push(row),
                None => self.blocks.push(vec![row]),
            }
            return;
        };
        if block.len() >= BLOCK {
            let half = block.split_off(BLOCK / 2);
            self.blocks.insert(place + 1, half);
            return self.insert(row, compare);
        }
        let at = block.partition_point(|other| is_before(*other));
        block.insert(at, row);
    }

    /// The rows from the first one for which `is_before` is false.
    pub(crate) fn from<'a>(&'a self, is_before: &dyn Fn(u32) -> bool) -> impl Iterator<Item = u32> + use<'a> {
        let place = self.block_of(is_before);
        let mut blocks = self.blocks.get(place..).unwrap_or_default().iter();
        let first = blocks.next().map(Vec::as_slice).unwrap_or_default();
        let at = first.partition_point(|row| is_before(*row));
        first.get(at..).unwrap_or_default().iter().chain(blocks.flatten()).copied()
    }

    /// The first block whose last row is not before.
    fn block_of(&self, is_before: impl Fn(u32) -> bool) -> usize {
        self.blocks.partition_point(|block| block.last().is_some_and(|last| is_before(*last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_order_however_they_came() {
        for seed in 0..50 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut values: Vec<u32> = (0..random.u32(..3_000)).map(|value| 2 * value).collect();
            match seed % 3 {
                0 => random.shuffle(&mut values),
                1 => values.reverse(),
                _ => {}
            }
            let mut order = Order::default();
            for (row, value) in (0..).zip(&values) {
                order.insert(row, |other| values[other as usize].cmp(value));
            }
            let mut sorted = values.clone();
            sorted.sort_unstable();
            for least in [0, random.u32(..6_000), 6_001] {
                let rows = order.from(&|row| values[row as usize] < least);
                let found: Vec<u32> = rows.map(|row| values[row as usize]).collect();
                let behind: Vec<u32> = sorted.iter().copied().filter(|value| *value >= least).collect();
                assert_eq!(found, behind, "seed {seed} from {least}");
            }
        }
    }
}
