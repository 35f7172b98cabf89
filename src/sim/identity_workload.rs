//! Random changes of identity: principals and tokens that exist, mostly.

use crate::oracle::{IdentityModel, IdentityRequest};
use onhand_sim_machine::random::Random;

/// Principals of a run at most; further requests are about these.
const PRINCIPALS_MAX: usize = 12;

/// The next change. Numbers of principals and tokens rise.
pub(crate) fn change(random: &mut Random, known: &IdentityModel) -> IdentityRequest {
    let next = |last: Option<&u32>| last.map_or(1, |last| last + 1);
    let token = next(known.tokens.keys().next_back());
    let principal = next(known.principals.keys().next_back());
    let some = known.tokens.iter().nth(random.below(known.tokens.len()));
    let Some((old, of)) = some.and_then(|(number, said)| Some((*number, said.details?.principal))) else {
        return IdentityRequest::Issue { token, principal, admin: random.percent(80) };
    };
    match random.below(100) {
        0..=29 if known.principals.len() < PRINCIPALS_MAX => {
            IdentityRequest::Issue { token, principal, admin: random.percent(40) }
        }
        0..=49 => IdentityRequest::Replace { token, old, principal: of },
        50..=74 => IdentityRequest::Revoke { token: old, principal: of },
        75..=92 => {
            let (admin, disabled) = (random.percent(40), random.percent(30));
            IdentityRequest::Change { principal: of, admin, disabled }
        }
        _ => IdentityRequest::Mode(random.percent(50)),
    }
}
