//! Permissions: what may be done, as `resource:verb`, and sets of them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

macro_rules! permissions {
    ($($(#[$doc:meta])* $variant:ident $name:literal;)*) => {
        /// What a principal may be allowed to do. The text form is `resource:verb`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Permission {
            $($(#[$doc])* $variant,)*
        }

        impl Permission {
            /// Every permission, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The text form.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

permissions! {
    /// Levels, movements and history of stock.
    StockRead "stock:read";
    /// Adjustments without a kind, and in either direction.
    StockAdjust "stock:adjust";
    /// Goods received.
    StockReceive "stock:receive";
    /// Sales and returns.
    StockSell "stock:sell";
    /// Removals by hand.
    StockRemove "stock:remove";
    /// Reservations: made, released, committed.
    StockReserve "stock:reserve";
    /// Counts, which set what is on hand.
    StockCount "stock:count";
    /// Low-stock thresholds.
    StockThreshold "stock:threshold";
    /// Products.
    CatalogueRead "catalogue:read";
    /// Changes of products.
    CatalogueWrite "catalogue:write";
    /// Stores.
    StoresRead "stores:read";
    /// Changes of stores.
    StoresWrite "stores:write";
    /// Bulk imports.
    ImportRun "import:run";
    /// The feed of events.
    EventsRead "events:read";
    /// The central model.
    CentralRead "central:read";
    /// A pass of the sync worker.
    SyncRun "sync:run";
    /// Dead letters.
    LettersRead "letters:read";
    /// Redriving and discarding dead letters.
    LettersManage "letters:manage";
    /// Orders.
    OrdersRead "orders:read";
    /// New orders.
    OrdersPlace "orders:place";
    /// Changes of orders.
    OrdersManage "orders:manage";
    /// Shipping of orders.
    OrdersShip "orders:ship";
    /// Sales channels.
    ChannelsManage "channels:manage";
    /// Registration of a warehouse's node.
    WarehousesRegister "warehouses:register";
    /// Changes of warehouses.
    WarehousesManage "warehouses:manage";
    /// Confirmation of shipments.
    ShipmentsConfirm "shipments:confirm";
    /// Messages in an exercise.
    ChatSend "chat:send";
    /// The state of an exercise.
    ExerciseRead "exercise:read";
    /// Events that a team brings into an exercise.
    ExerciseInject "exercise:inject";
    /// Running an exercise.
    ExerciseRun "exercise:run";
    /// The audit trail.
    AuditRead "audit:read";
    /// Principals, grants and tokens.
    IdentityRead "identity:read";
    /// Changes of principals, grants and tokens.
    IdentityManage "identity:manage";
    /// Metrics, and the details of health.
    OpsRead "ops:read";
    /// Backups.
    BackupRun "backup:run";
}

impl Permission {
    /// The permission with this text form.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.as_str() == name)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct PermissionSet(u64);

const _: () = assert!(Permission::ALL.len() < 64, "a set has a bit for each permission");

impl PermissionSet {
    /// No permission.
    pub const NONE: Self = Self(0);
    /// Every permission.
    pub const ALL: Self = Self((1 << Permission::ALL.len()) - 1);

    /// The set of some permissions.
    pub const fn of(permissions: &[Permission]) -> Self {
        let (mut bits, mut rest) = (0, permissions);
        while let [first, others @ ..] = rest {
            bits |= 1 << *first as u8;
            rest = others;
        }
        Self(bits)
    }

    /// True when the permission is in the set.
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// What is in either set.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this set and not in the other one.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// True when nothing is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The permissions in the set, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.has(*permission))
    }

    /// The set that a text names: a permission, `*`, or a scope of the game-day contract such as `write:inventory`.
    pub fn of_name(name: &str) -> Option<Self> {
        use Permission as P;
        let several: &[Permission] = match name {
            "*" | "admin:all" => return Some(Self::ALL),
            "read:inventory" => &[P::StockRead],
            "read:events" => &[P::EventsRead],
            "write:chat" => &[P::ChatSend],
            "write:events" => &[P::ExerciseInject],
            "write:inventory" => &[P::StockAdjust, P::StockReceive],
            _ => return P::of_name(name).map(|permission| Self::of(&[permission])),
        };
        Some(Self::of(several))
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter().map(Permission::as_str)).finish()
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::of_name(&name)
            .ok_or_else(|| serde::de::Error::custom(format_args!("there is no permission {name:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_a_name_of_its_own() {
        for permission in Permission::ALL {
            assert_eq!(Permission::of_name(permission.as_str()), Some(*permission));
            assert_eq!(PermissionSet::of_name(permission.as_str()), Some(PermissionSet::of(&[*permission])));
        }
        assert_eq!(Permission::of_name("stock:steal"), None);
        assert_eq!(PermissionSet::ALL.iter().count(), Permission::ALL.len());
    }

    #[test]
    fn scopes_of_the_game_day_contract_are_aliases() {
        let set = PermissionSet::of_name("write:inventory").unwrap();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Permission::StockAdjust, Permission::StockReceive]);
        assert_eq!(PermissionSet::of_name("admin:all"), Some(PermissionSet::ALL));
        assert_eq!(PermissionSet::of_name("write:everything"), None);
    }

    #[test]
    fn sets_are_added_and_taken_apart() {
        let read = PermissionSet::of(&[Permission::StockRead]);
        let both = read.or(PermissionSet::of(&[Permission::StockSell]));
        assert!(both.has(Permission::StockSell) && !read.has(Permission::StockSell));
        assert_eq!(both.without(read).iter().collect::<Vec<_>>(), [Permission::StockSell]);
        assert!(read.without(both).is_empty());
        assert_eq!((both.and(read), read.and(PermissionSet::NONE)), (read, PermissionSet::NONE));
    }
}
