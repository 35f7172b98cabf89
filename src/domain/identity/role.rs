//! Roles: named sets of permissions, each with the scope it is granted within.

use crate::identity::permission::{Permission as P, PermissionSet};
use serde::{Deserialize, Serialize};

/// A named set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Reads everything but the audit trail and identity.
    Viewer,
    /// Runs the stores that are assigned to them.
    Manager,
    /// Runs catalogue, stores and orders of the chain.
    StoreAdmin,
    /// Works in a warehouse.
    WarehouseStaff,
    /// Buys, and sees their own orders.
    Customer,
    /// A till: sells.
    Till,
    /// A shop's own system: sells, receives and orders.
    Shop,
    /// Another node.
    Node,
    /// A team of an exercise.
    Team,
    /// Staff of an exercise.
    Staff,
    /// A judge of an exercise.
    Judge,
    /// A program that takes part in an exercise.
    Bot,
    /// Reads everything, and the audit trail.
    Auditor,
    /// Collects metrics.
    Metrics,
    /// Makes backups.
    Backup,
}

/// Which scopes a role can be granted within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleScope {
    /// Everywhere, or some stores where the grant names them.
    Anywhere,
    /// The stores that the grant names; it must name at least one.
    Stores,
    /// The team that the grant names; it must name one.
    Team,
    /// What belongs to the principal.
    Own,
}

const READS: PermissionSet = PermissionSet::of(&[
    P::StockRead,
    P::CatalogueRead,
    P::StoresRead,
    P::EventsRead,
    P::CentralRead,
    P::LettersRead,
    P::OrdersRead,
    P::ExerciseRead,
    P::OpsRead,
]);

const STOCK: PermissionSet = PermissionSet::of(&[
    P::StockRead,
    P::StockAdjust,
    P::StockReceive,
    P::StockSell,
    P::StockRemove,
    P::StockReserve,
    P::StockCount,
    P::StockThreshold,
]);

const EXERCISE: PermissionSet =
    PermissionSet::of(&[P::ExerciseRead, P::EventsRead, P::StockRead, P::ChatSend]);

impl Role {
    /// Every role.
    pub const ALL: [Self; 16] = [
        Self::Admin,
        Self::Viewer,
        Self::Manager,
        Self::StoreAdmin,
        Self::WarehouseStaff,
        Self::Customer,
        Self::Till,
        Self::Shop,
        Self::Node,
        Self::Team,
        Self::Staff,
        Self::Judge,
        Self::Bot,
        Self::Auditor,
        Self::Metrics,
        Self::Backup,
    ];

    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Viewer => "viewer",
            Self::Manager => "manager",
            Self::StoreAdmin => "store-admin",
            Self::WarehouseStaff => "warehouse-staff",
            Self::Customer => "customer",
            Self::Till => "till",
            Self::Shop => "shop",
            Self::Node => "node",
            Self::Team => "team",
            Self::Staff => "staff",
            Self::Judge => "judge",
            Self::Bot => "bot",
            Self::Auditor => "auditor",
            Self::Metrics => "metrics",
            Self::Backup => "backup",
        }
    }

    /// The role with this text form.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// What the role may do.
    pub const fn permissions(self) -> PermissionSet {
        match self {
            Self::Admin => PermissionSet::ALL,
            Self::Viewer => READS,
            Self::Manager => STOCK.or(READS).or(PermissionSet::of(&[P::ImportRun, P::OrdersManage])),
            Self::StoreAdmin => PermissionSet::of(&[
                P::CatalogueRead,
                P::CatalogueWrite,
                P::StoresRead,
                P::StoresWrite,
                P::StockRead,
                P::OrdersRead,
                P::OrdersPlace,
                P::OrdersManage,
                P::OrdersShip,
                P::WarehousesManage,
                P::CentralRead,
            ]),
            Self::WarehouseStaff => PermissionSet::of(&[
                P::StockRead,
                P::StockReceive,
                P::StockRemove,
                P::StockCount,
                P::StockAdjust,
                P::OrdersShip,
                P::ShipmentsConfirm,
            ]),
            Self::Customer => {
                PermissionSet::of(&[P::CatalogueRead, P::StockRead, P::OrdersPlace, P::OrdersRead])
            }
            Self::Till => PermissionSet::of(&[P::StockRead, P::StockSell, P::StockReserve, P::CatalogueRead]),
            Self::Shop => PermissionSet::of(&[
                P::StockRead,
                P::StockSell,
                P::StockReserve,
                P::StockReceive,
                P::CatalogueRead,
                P::OrdersPlace,
            ]),
            Self::Node => {
                PermissionSet::of(&[P::EventsRead, P::WarehousesRegister, P::ShipmentsConfirm, P::StockRead])
            }
            Self::Team | Self::Bot => EXERCISE.or(PermissionSet::of(&[P::ExerciseInject])),
            Self::Staff => EXERCISE.or(PermissionSet::of(&[P::ExerciseInject, P::ExerciseRun])),
            Self::Judge => EXERCISE.or(PermissionSet::of(&[P::ExerciseRun, P::AuditRead])),
            Self::Auditor => READS.or(PermissionSet::of(&[P::AuditRead])),
            Self::Metrics => PermissionSet::of(&[P::OpsRead]),
            Self::Backup => PermissionSet::of(&[P::BackupRun]),
        }
    }

    /// Which scopes the role can be granted within.
    pub const fn scope(self) -> RoleScope {
        match self {
            Self::Manager | Self::WarehouseStaff | Self::Till | Self::Shop => RoleScope::Stores,
            Self::Customer => RoleScope::Own,
            Self::Team => RoleScope::Team,
            _ => RoleScope::Anywhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_is_that_of_json() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
            assert_eq!(Role::of_name(role.as_str()), Some(role));
        }
    }

    #[test]
    fn only_admins_manage_identity_and_only_auditors_and_judges_read_the_audit_trail() {
        let who = |permission| -> Vec<&str> {
            Role::ALL
                .into_iter()
                .filter(|role| role.permissions().has(permission))
                .map(Role::as_str)
                .collect()
        };
        assert_eq!(who(P::IdentityManage), ["admin"]);
        assert_eq!(who(P::IdentityRead), ["admin"]);
        assert_eq!(who(P::AuditRead), ["admin", "judge", "auditor"]);
        assert_eq!(who(P::StockAdjust), ["admin", "manager", "warehouse-staff"]);
    }
}
