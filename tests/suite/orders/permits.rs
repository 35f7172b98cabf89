//! Who may take which step: a store sees to its own shipments, and whoever places an order has no say in other stores.

use super::{line, on, part, place, placed, planned};
use onhand_domain::Command;
use onhand_domain::identity::{Access, Denied, Grant, Permission, PermissionSet};
use onhand_domain::orders::{Carrier, OrderStep, PartStep, Partial, Refused};

fn access(grants: &str) -> Access {
    let grants: Vec<Grant> = serde_json::from_str(grants).unwrap();
    Access::of(&grants, PermissionSet::NONE)
}

/// What is missing, and in which store.
fn told(command: &Command, access: &Access) -> String {
    match command.permit(access) {
        Ok(()) => "may".to_owned(),
        Err(Denied { needs, store_id, .. }) => {
            let place = store_id.map(|store_id| format!(" in {store_id}")).unwrap_or_default();
            format!("{}{place}", needs.as_str())
        }
    }
}

fn placing(stores: &[&str]) -> Command {
    let pieces = i64::try_from(stores.len().max(1)).unwrap();
    let plan = stores.iter().map(|store| planned(store, &[(1, "A", 1)])).collect();
    place("o", placed(vec![line(1, "A", pieces, 0)], Partial::Backorder), plan)
}

#[test]
fn each_step_needs_its_permission_in_the_stores_it_is_about() {
    let berlin =
        |permission: &str| access(&format!(r#"[{{"permission":"{permission}","stores":["BERLIN"]}}]"#));
    let everywhere = |permission: &str| access(&format!(r#"[{{"permission":"{permission}"}}]"#));
    let customer = access(r#"[{"role":"customer"}]"#);
    let ship = |store| part("o", 1, store, PartStep::Ship { lines: Vec::new(), carrier: Carrier::default() });
    let refuse = || {
        let planned = vec![planned("PARIS", &[(1, "A", 1)])];
        part("o", 1, "BERLIN", PartStep::Refuse { refused: Refused::Busy, reason: None, planned })
    };
    let rows = [
        ("nobody places", placing(&[]), Access::NONE, "orders:place"),
        ("a customer leaves the stores to the chain", placing(&[]), customer.clone(), "may"),
        ("the rules have found two for it", placing(&["BERLIN", "PARIS"]), customer.clone(), "may"),
        ("a shop places without a store", placing(&[]), berlin("orders:place"), "may"),
        ("in its own store", placing(&["BERLIN"]), berlin("orders:place"), "may"),
        ("in another one", placing(&["PARIS"]), berlin("orders:place"), "orders:place in PARIS"),
        ("in both", placing(&["BERLIN", "PARIS"]), berlin("orders:place"), "orders:place in PARIS"),
        ("anywhere", placing(&["BERLIN", "PARIS"]), everywhere("orders:place"), "may"),
        (
            "who manages does not place",
            placing(&["BERLIN"]),
            everywhere("orders:manage"),
            "orders:place in BERLIN",
        ),
        ("a store ships its own", ship("BERLIN"), berlin("orders:ship"), "may"),
        ("and no other's", ship("PARIS"), berlin("orders:ship"), "orders:ship in PARIS"),
        ("it refuses its own, wherever the pieces go", refuse(), berlin("orders:ship"), "may"),
        ("a customer ships nothing", ship("BERLIN"), customer.clone(), "orders:ship in BERLIN"),
        ("who manages does not ship", ship("BERLIN"), everywhere("orders:manage"), "orders:ship in BERLIN"),
    ];
    for (story, command, access, owed) in rows {
        assert_eq!(told(&command, &access), owed, "{story}");
    }
    for step in [
        OrderStep::Confirm(Vec::new()),
        OrderStep::Allot(vec![planned("BERLIN", &[(1, "A", 1)])]),
        OrderStep::Cancel { reason: None },
        OrderStep::Ship(Carrier::default()),
        OrderStep::Deliver,
        OrderStep::Hold { hold: true, reason: None },
    ] {
        let command = on("o", step);
        assert_eq!(told(&command, &everywhere("orders:manage")), "may");
        for access in
            [berlin("orders:manage"), everywhere("orders:place"), everywhere("orders:ship"), customer.clone()]
        {
            assert_eq!(told(&command, &access), Permission::OrdersManage.as_str(), "{command:?}");
        }
    }
}
