//! Interned values: each is stored once and referred to by a number.

use std::collections::HashMap;
use std::hash::Hash;

/// Values by number, and numbers by value. A value keeps its number permanently.
#[derive(Debug, Clone)]
pub(crate) struct Numbered<T> {
    values: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    /// The number of a value; assigns one when it has none.
    pub(crate) fn give(&mut self, value: &T) -> u32 {
        if let Some(number) = self.find(value) {
            return number;
        }
        let number = u32::try_from(self.values.len()).expect("fewer values than rows");
        self.values.push(value.clone());
        self.numbers.insert(value.clone(), number);
        number
    }

    /// The number of a value, if it has one.
    pub(crate) fn find(&self, value: &T) -> Option<u32> {
        self.numbers.get(value).copied()
    }

    /// The value of a number that was given.
    pub(crate) fn value(&self, number: u32) -> &T {
        self.values.get(number as usize).expect("a number that was given")
    }
}
