//! Access: the grants of a principal, resolved for the questions that a request asks.

use crate::StoreId;
use crate::identity::grant::{Grant, TeamId};
use crate::identity::permission::{Permission, PermissionSet};
use std::sync::Arc;

/// What is nobody's own: a grant of the caller's own things gives it as a whole.
const IMPERSONAL: PermissionSet = PermissionSet::of(&[Permission::CatalogueRead]);

/// The stores that a read is limited to; every store by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreScope(Option<Arc<[StoreId]>>);

/// A permission that a caller has not where it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The permission.
    pub needs: Permission,
    /// The store it is needed in; everywhere without.
    pub store_id: Option<StoreId>,
    /// The part of the command that needs it: the name of a list in the body, and an index in it.
    pub part: Option<(&'static str, usize)>,
}

/// The grants of a principal, resolved. Invariant: stores and teams are sorted and named once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    everywhere: PermissionSet,
    own: PermissionSet,
    stores: Vec<(StoreId, PermissionSet)>,
    teams: Vec<(TeamId, PermissionSet)>,
}

impl Access {
    /// May do everything: `local`, as long as nobody must log in, and the local socket.
    pub const FULL: Self = Self {
        everywhere: PermissionSet::ALL,
        own: PermissionSet::NONE,
        stores: Vec::new(),
        teams: Vec::new(),
    };

    /// May do nothing.
    pub const NONE: Self = Self {
        everywhere: PermissionSet::NONE,
        own: PermissionSet::NONE,
        stores: Vec::new(),
        teams: Vec::new(),
    };

    /// The access that grants give together, without what `mask` takes away.
    pub fn of(grants: &[Grant], mask: PermissionSet) -> Self {
        Self::masked(grants, |_| mask)
    }

    /// The access that grants give together, without what `mask` takes away from each of them.
    pub(super) fn masked(grants: &[Grant], mask: impl Fn(&Grant) -> PermissionSet) -> Self {
        let mut access = Self::default();
        for grant in grants {
            let permissions = grant.permissions().without(mask(grant));
            if permissions.is_empty() {
                continue;
            }
            if grant.is_own() {
                access.own = access.own.or(permissions.without(IMPERSONAL));
                access.everywhere = access.everywhere.or(permissions.and(IMPERSONAL));
            } else if let Some(stores) = grant.stores() {
                for store in stores {
                    add(&mut access.stores, store, permissions);
                }
            } else if let Some(team) = grant.team() {
                add(&mut access.teams, team, permissions);
            } else {
                access.everywhere = access.everywhere.or(permissions);
            }
        }
        access
    }

    /// True when the principal may do something somewhere: everywhere, in some stores, or with the things of a team.
    pub fn may_somewhere(&self, permission: Permission) -> bool {
        let limited = || self.stores.iter().chain(&self.teams).any(|(_, set)| set.has(permission));
        self.everywhere.has(permission) || limited()
    }

    /// True when the principal may do something with what is its own. What belongs to one caller and to the others too, such as
    /// stock, is shown to it in part.
    pub fn may_own(&self, permission: Permission) -> bool {
        self.own.has(permission)
    }

    /// Checks that the principal may do something in every store, or with what belongs to none.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn permit(&self, needs: Permission) -> Result<(), Denied> {
        if self.everywhere.has(needs) { Ok(()) } else { Err(Denied { needs, store_id: None, part: None }) }
    }

    /// Checks that the principal may do something in a store.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn permit_in(&self, needs: Permission, store: &StoreId) -> Result<(), Denied> {
        if self.may_in(needs, store) {
            Ok(())
        } else {
            Err(Denied { needs, store_id: Some(store.clone()), part: None })
        }
    }

    /// True when the principal may do something in a store.
    pub fn may_in(&self, permission: Permission, store: &StoreId) -> bool {
        self.everywhere.has(permission) || set_of(&self.stores, store).has(permission)
    }

    /// The stores that a permission is limited to, in order; nothing where it is not limited to stores.
    pub fn stores_with(&self, permission: Permission) -> impl Iterator<Item = &StoreId> {
        self.stores.iter().filter(move |(_, set)| set.has(permission)).map(|(store, _)| store)
    }

    /// The stores in which the principal may do something, to limit a read to them.
    pub fn scope(&self, permission: Permission) -> StoreScope {
        if self.everywhere.has(permission) {
            return StoreScope::default();
        }
        StoreScope(Some(self.stores_with(permission).cloned().collect()))
    }

    /// Everything that is granted anywhere.
    pub fn anywhere(&self) -> PermissionSet {
        let limited = self.stores.iter().chain(&self.teams).map(|(_, set)| *set);
        limited.fold(self.everywhere.or(self.own), PermissionSet::or)
    }

    /// What this access and another one both give.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let everywhere = self.everywhere.and(other.everywhere);
        let in_sets = |own: &[(StoreId, PermissionSet)], others: &[(StoreId, PermissionSet)]| {
            let mut both = Vec::new();
            for (name, _) in own.iter().chain(others) {
                let given = self.everywhere.or(set_of(own, name));
                let set = given.and(other.everywhere.or(set_of(others, name))).without(everywhere);
                if !set.is_empty() {
                    add(&mut both, name, set);
                }
            }
            both
        };
        let own = self.everywhere.or(self.own).and(other.everywhere.or(other.own)).without(everywhere);
        let (stores, teams) = (in_sets(&self.stores, &other.stores), in_sets(&self.teams, &other.teams));
        Self { everywhere, own, stores, teams }
    }

    /// True when this access includes another one: a caller with this one may grant the other.
    pub fn includes(&self, other: &Self) -> bool {
        let in_sets = |own: &[(StoreId, PermissionSet)], others: &[(StoreId, PermissionSet)]| {
            let left = |(name, set): &(StoreId, PermissionSet)| {
                set.without(self.everywhere).without(set_of(own, name)).is_empty()
            };
            others.iter().all(left)
        };
        other.everywhere.without(self.everywhere).is_empty()
            && other.own.without(self.everywhere).without(self.own).is_empty()
            && in_sets(&self.stores, &other.stores)
            && in_sets(&self.teams, &other.teams)
    }
}

impl StoreScope {
    /// True when it is every store.
    pub const fn is_everywhere(&self) -> bool {
        self.0.is_none()
    }

    /// True when a store is within it.
    pub fn covers(&self, store: &StoreId) -> bool {
        self.0.as_ref().is_none_or(|stores| stores.binary_search(store).is_ok())
    }

    /// The one store alone, as far as it is within.
    #[must_use]
    pub fn only(&self, store: &StoreId) -> Self {
        Self(Some(if self.covers(store) { [store.clone()].into() } else { [].into() }))
    }

    /// The stores, in order; nothing when it is every store.
    pub fn stores(&self) -> Option<&[StoreId]> {
        self.0.as_deref()
    }
}

fn add(sets: &mut Vec<(StoreId, PermissionSet)>, name: &StoreId, permissions: PermissionSet) {
    match sets.binary_search_by(|(known, _)| known.cmp(name)) {
        Ok(at) => {
            if let Some((_, set)) = sets.get_mut(at) {
                *set = set.or(permissions);
            }
        }
        Err(at) => sets.insert(at, (name.clone(), permissions)),
    }
}

fn set_of(sets: &[(StoreId, PermissionSet)], name: &StoreId) -> PermissionSet {
    let at = sets.binary_search_by(|(known, _)| known.cmp(name)).ok();
    at.and_then(|at| sets.get(at)).map_or(PermissionSet::NONE, |(_, set)| *set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::permission::Permission as P;

    fn access(json: &str) -> Access {
        let grants: Vec<Grant> = serde_json::from_str(json).unwrap();
        Access::of(&grants, PermissionSet::NONE)
    }

    fn store(name: &str) -> StoreId {
        StoreId::new(name).unwrap()
    }

    #[test]
    fn grants_add_up() {
        let access = access(
            r#"[{"role":"till","stores":["B","A"]},{"permission":"stock:count","stores":["B"]},
                {"permission":"ops:read"},{"role":"customer"},{"role":"team","team":"red"}]"#,
        );
        let (a, b, c) = (store("A"), store("B"), store("C"));
        assert!(access.may_in(P::StockSell, &a) && access.may_in(P::StockCount, &b));
        assert!(!access.may_in(P::StockCount, &a) && !access.may_in(P::StockSell, &c));
        assert!(access.scope(P::OpsRead).is_everywhere() && !access.may_somewhere(P::IdentityManage));
        assert!(access.scope(P::StockSell).covers(&b) && !access.scope(P::StockSell).covers(&c));
        assert!(access.may_own(P::OrdersPlace) && !access.may_somewhere(P::OrdersPlace));
        assert!(access.scope(P::OrdersPlace).stores() == Some(&[]));
        assert!(access.may_somewhere(P::ExerciseInject));
        assert_eq!(access.stores_with(P::StockSell).collect::<Vec<_>>(), [&a, &b]);
    }

    #[test]
    fn the_catalogue_belongs_to_nobody() {
        let customer = access(r#"[{"role":"customer"}]"#);
        assert!(customer.scope(P::CatalogueRead).is_everywhere() && !customer.may_own(P::CatalogueRead));
        assert!(customer.may_own(P::StockRead) && !customer.may_somewhere(P::StockRead));
        assert!(!customer.may_in(P::StockRead, &store("A")) && customer.permit(P::StockRead).is_err());
    }

    #[test]
    fn a_mask_takes_away_what_a_grant_gives() {
        let grants: Vec<Grant> = serde_json::from_str(r#"[{"role":"team","team":"red"}]"#).unwrap();
        let masked = Access::of(&grants, PermissionSet::of(&[P::ExerciseInject]));
        assert!(!masked.may_somewhere(P::ExerciseInject) && masked.may_somewhere(P::ChatSend));
    }

    /// Each of many accesses with each: a permission is in the common part where it is in both.
    #[test]
    fn the_common_part_of_two_has_what_both_have() {
        let all: Vec<Access> = [
            "[]",
            r#"[{"role":"admin"}]"#,
            r#"[{"role":"viewer"}]"#,
            r#"[{"role":"customer"}]"#,
            r#"[{"role":"customer"},{"role":"till","stores":["B"]}]"#,
            r#"[{"role":"manager","stores":["A","B"]}]"#,
            r#"[{"role":"till","stores":["B","C"]},{"permission":"stock:count","stores":["A"]}]"#,
            r#"[{"permission":"*","stores":["C"]},{"permission":"stock:read"}]"#,
            r#"[{"role":"team","team":"red"},{"role":"viewer","stores":["A"]}]"#,
        ]
        .map(access)
        .into();
        let stores = ["A", "B", "C", "D"].map(store);
        for one in &all {
            for other in &all {
                let both = one.and(other);
                assert_eq!(both, other.and(one));
                assert!(one.includes(&both) && other.includes(&both), "{one:?} and {other:?}: {both:?}");
                for permission in PermissionSet::ALL.iter() {
                    for store in &stores {
                        let wanted = one.may_in(permission, store) && other.may_in(permission, store);
                        assert_eq!(both.may_in(permission, store), wanted, "{permission} {store}");
                    }
                    let has = |access: &Access| access.permit(permission).is_ok();
                    assert_eq!(has(&both), has(one) && has(other), "{permission}");
                    let own = |access: &Access| access.may_own(permission) || has(access);
                    assert_eq!(own(&both), own(one) && own(other), "{permission}");
                }
            }
            assert_eq!(one.and(one), one.and(&Access::FULL));
        }
    }

    #[test]
    fn nobody_grants_what_they_have_not() {
        let manager = access(r#"[{"role":"manager","stores":["A","B"]}]"#);
        for (other, included) in [
            (r#"[{"role":"till","stores":["A"]}]"#, true),
            (r#"[{"role":"till","stores":["A","C"]}]"#, false),
            (r#"[{"role":"viewer"}]"#, false),
            (r#"[{"permission":"stock:read","stores":["B"]}]"#, true),
            (r#"[{"permission":"stock:read"}]"#, false),
            (r#"[{"role":"customer"}]"#, false),
            ("[]", true),
        ] {
            assert_eq!(manager.includes(&access(other)), included, "{other}");
            assert!(Access::FULL.includes(&access(other)), "{other}");
        }
    }
}
