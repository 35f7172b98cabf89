//! Evidence: the data beside the states that a decision is based on.

use std::any::Any;

/// At most one value of each type. The capability whose decisions need a value defines its type, and finds it by that.
#[derive(Default)]
pub struct Evidence(Vec<Box<dyn Any + Send + Sync>>);

/// The evidence of a decision that needs none.
pub(super) static NO_EVIDENCE: Evidence = Evidence(Vec::new());

impl Evidence {
    /// Adds a value.
    pub fn add<T: Any + Send + Sync>(&mut self, value: T) {
        self.0.push(Box::new(value));
    }

    /// The value of that type.
    pub fn of<T: Any>(&self) -> Option<&T> {
        self.0.iter().find_map(|value| value.downcast_ref())
    }
}
