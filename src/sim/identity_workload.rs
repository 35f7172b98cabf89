//! Random changes of identity. There are few principals, and their tokens are often revoked: the last administrator is near.

use crate::oracle::{IdentityModel, IdentityRequest};
use onhand_sim_machine::random::Random;

/// Principals of a run at most; further requests are about these.
const PRINCIPALS_MAX: usize = 5;

/// The next change. Numbers of principals and tokens rise.
pub(crate) fn change(random: &mut Random, known: &IdentityModel) -> IdentityRequest {
    let next = |last: Option<&u32>| last.map_or(1, |last| last + 1);
    let token = next(known.tokens.keys().next_back());
    let principal = next(known.principals.keys().next_back());
    let any = random.percent(15);
    let wanted =
        known.tokens.keys().copied().filter(|token| any || known.is_good(*token)).collect::<Vec<_>>();
    let picked = wanted.get(random.below(wanted.len()));
    let owner = |token: &u32| Some((*token, known.tokens.get(token)?.details?.principal));
    let Some((old, of)) = picked.and_then(owner) else {
        return IdentityRequest::Issue { token, principal, admin: random.percent(80) };
    };
    match random.below(100) {
        0..=19 if known.principals.len() < PRINCIPALS_MAX => {
            IdentityRequest::Issue { token, principal, admin: random.percent(40) }
        }
        0..=29 => IdentityRequest::Replace { token, old, principal: of },
        30..=69 => IdentityRequest::Revoke { token: old, principal: of },
        70..=94 => {
            let (admin, disabled) = (random.percent(50), random.percent(20));
            IdentityRequest::Change { principal: of, admin, disabled }
        }
        _ => IdentityRequest::Mode(random.percent(50)),
    }
}
