//! Events that cannot be: each is refused, and the state is as before. A log that has one contradicts itself.

mod after;
mod order;
mod shipment;

use super::{Desk, line, place, placed, planned, receive};
use onhand_domain::orders::Partial;
use onhand_domain::{Fact, State, Timestamp};

/// Three A, of which one waits, and two B, from two stores: `o.s1` at Berlin and `o.s2` at Paris.
fn placed_order() -> Desk {
    let lines = vec![line(1, "A", 3, 1), line(2, "B", 2, 0)];
    let plan = vec![planned("BERLIN", &[(1, "A", 2)]), planned("PARIS", &[(2, "B", 2)])];
    let placing = place("o", placed(lines, Partial::Backorder), plan);
    Desk::default().given(&receive("BERLIN", "A", 9)).given(&receive("PARIS", "B", 9)).given(&placing)
}

/// Applies each fact to the state: it is refused, for a reason that tells of it, and the state is as before.
#[track_caller]
fn are_refused(state: &State, facts: Vec<(&str, Fact, &str)>) {
    for (story, fact, why) in facts {
        let mut after = state.clone();
        let refused = after.apply(&fact, Timestamp::from_milliseconds(1));
        match refused {
            Err(misfit) => assert!(misfit.to_string().contains(why), "{story}: {misfit}"),
            Ok(_) => panic!("{story}: it was applied"),
        }
        assert_eq!(&after, state, "{story}");
    }
}

/// Applies a fact that can be.
#[track_caller]
fn applied(mut state: State, fact: &Fact) -> State {
    state.apply(fact, Timestamp::from_milliseconds(1)).unwrap();
    state
}
