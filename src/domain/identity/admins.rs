//! Administrators: the evidence that somebody can manage identity after a change of it.

use crate::Timestamp;
use crate::identity::ids::{PrincipalId, PrincipalKind, TokenId};

/// The longest time that a token lives on beside the one that replaces it, in milliseconds.
pub const GRACE_MS_MAX: i64 = 7 * 86_400_000;

/// The enabled principals that are admin everywhere. The evidence of every change of a principal or token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Admins(pub Vec<Admin>);

/// One administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// The id of the principal.
    pub principal_id: PrincipalId,
    /// Its kind.
    pub kind: PrincipalKind,
    /// Its tokens that are not revoked, each with the time from which on it is expired.
    pub tokens: Vec<(TokenId, Timestamp)>,
}

impl Admins {
    /// The administrators beside one principal.
    pub fn beside<'a>(&'a self, id: &'a PrincipalId) -> impl Iterator<Item = &'a Admin> {
        self.0.iter().filter(move |admin| admin.principal_id != *id)
    }

    /// True when an administrator can log in without a token: by another one, or with a password, as the persons of that list can.
    ///
    /// A token that expires within the longest grace of a rotation is on its way out. It stands in for another such token only.
    pub fn can_do_without(&self, id: &TokenId, with_password: &[PrincipalId], now: Timestamp) -> bool {
        let later = now.plus_milliseconds(GRACE_MS_MAX);
        let tokens = || self.0.iter().flat_map(|admin| &admin.tokens);
        let Some((_, expires_at)) = tokens().find(|(of_admin, _)| of_admin == id) else { return true };
        let until = if *expires_at > later { later } else { now };
        *expires_at <= now
            || self.0.iter().any(|admin| with_password.contains(&admin.principal_id))
            || tokens().any(|(other, expires_at)| other != id && *expires_at > until)
    }
}

impl Admin {
    /// True when it can log in: with a token that is good, or as a person. Whether a person has a password is not in the log.
    pub fn can_log_in(&self, now: Timestamp) -> bool {
        self.kind == PrincipalKind::Person || self.tokens.iter().any(|(_, expires_at)| now < *expires_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admin(number: u64, kind: PrincipalKind, tokens: &[(u64, i64)]) -> Admin {
        let token = |(id, at): &(u64, i64)| (TokenId::of_bits(*id), Timestamp::from_milliseconds(*at));
        Admin {
            principal_id: PrincipalId::of_bits(kind, number),
            kind,
            tokens: tokens.iter().map(token).collect(),
        }
    }

    #[test]
    fn the_last_token_of_an_administrator_is_missed() {
        use PrincipalKind::{Person, Service};
        const LATER: i64 = 1_000 + GRACE_MS_MAX;
        let ada = PrincipalId::of_bits(Person, 9);
        for (admins, with_password, spared) in [
            (vec![admin(1, Service, &[(1, LATER + 1)])], vec![], false),
            (vec![admin(1, Service, &[(1, 1_000)])], vec![], true),
            (vec![admin(1, Service, &[(2, LATER + 1)])], vec![], true),
            (vec![admin(1, Service, &[(1, LATER + 1), (2, LATER + 1)])], vec![], true),
            (vec![admin(1, Service, &[(1, LATER + 1)]), admin(2, Service, &[(2, LATER + 1)])], vec![], true),
            // The other one has been rotated: it ends soon.
            (vec![admin(1, Service, &[(1, LATER + 1), (2, LATER)])], vec![], false),
            (vec![admin(1, Service, &[(1, LATER), (2, 1_001)])], vec![], true),
            (vec![admin(1, Service, &[(1, LATER), (2, 1_000)])], vec![], false),
            (vec![admin(1, Service, &[(1, LATER)]), admin(9, Person, &[])], vec![], false),
            (vec![admin(1, Service, &[(1, LATER)]), admin(9, Person, &[])], vec![ada.clone()], true),
            // Ada was disabled meanwhile.
            (vec![admin(1, Service, &[(1, LATER)])], vec![ada], false),
        ] {
            let admins = Admins(admins);
            let now = Timestamp::from_milliseconds(1_000);
            let can = admins.can_do_without(&TokenId::of_bits(1), &with_password, now);
            assert_eq!(can, spared, "{admins:?} {with_password:?}");
        }
    }
}
