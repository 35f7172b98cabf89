//! The sessions that this process has ended, for answers that go on.

use onhand_domain::identity::TokenId;
use std::collections::HashSet;
use std::mem;

/// The ids of ended sessions. [`Vault::upkeep`](onhand_app::ports::Vault::upkeep) forgets those that were there at the upkeep before: no answer relies on a
/// session for that long without a look at its file.
#[derive(Default)]
pub(crate) struct Ended {
    recent: HashSet<TokenId>,
    before: HashSet<TokenId>,
}

impl Ended {
    pub(crate) fn insert(&mut self, id: TokenId) {
        self.recent.insert(id);
    }

    pub(crate) fn contains(&self, id: &TokenId) -> bool {
        self.recent.contains(id) || self.before.contains(id)
    }

    pub(crate) fn forget(&mut self) {
        self.before = mem::take(&mut self.recent);
    }
}
