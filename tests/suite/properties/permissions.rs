//! Who may do what, compared with the table of roles.

use super::config;
use super::role_table::{At, Model, STORES, model};
use crate::node::qty;
use onhand_domain::catalogue::{ProductCommand, ProductVerb, Products, StoreCommand};
use onhand_domain::identity::{Access, Denied, Grant, Mode, ModeCommand, Permission, PermissionSet};
use onhand_domain::imports::{ImportRow, ImportRows};
use onhand_domain::low_stock::ThresholdCommand;
use onhand_domain::stock::{AdjustKind, Batch, Commit, Operation, Reserve, StockCommand, Verb};
use onhand_domain::{Command, Expected, ImportId, ReservationId, Sku, StoreId};
use proptest::prelude::*;
use serde_json::json;

/// A movement, and the permission it needs.
fn movement() -> impl Strategy<Value = (StockCommand, &'static str)> {
    let by = |kind| Verb::AdjustBy { kind, quantity: qty(1), reason: None, reference: None };
    let id = || ReservationId::new("r").unwrap();
    let verbs = vec![
        (Verb::Adjust { delta: qty(1), reason: None, reference: None }, "stock:adjust"),
        (by(AdjustKind::StockIn), "stock:receive"),
        (by(AdjustKind::Sale), "stock:sell"),
        (by(AdjustKind::Return), "stock:sell"),
        (by(AdjustKind::Removal), "stock:remove"),
        (by(AdjustKind::Opening), "stock:adjust"),
        (
            Verb::Reserve(Reserve { qty: qty(1), reservation_id: id(), ttl_seconds: None, reference: None }),
            "stock:reserve",
        ),
        (Verb::Release { reservation_id: id(), qty: None }, "stock:reserve"),
        (Verb::Commit(Commit { reservation_id: id(), qty: None, close_remainder: false }), "stock:reserve"),
        (Verb::Count { counted: qty(1), as_of: None, reason: None }, "stock:count"),
    ];
    (prop::sample::select(verbs), prop::sample::select(&STORES[..])).prop_map(|((verb, needs), store)| {
        let (store_id, sku) = (StoreId::new(store).unwrap(), Sku::new("TEA").unwrap());
        (StockCommand { store_id, sku, expected: Expected::Any, verb }, needs)
    })
}

/// What a command needs, part by part: permission, store (everywhere without), and the index in a list of the body.
type Needs = Vec<(&'static str, Option<String>, Option<(&'static str, usize)>)>;

fn batch() -> impl Strategy<Value = (Command, Needs)> {
    (prop::collection::vec(movement(), 1..5), any::<bool>()).prop_map(|(movements, atomic)| {
        let needs = movements.iter().enumerate();
        let needs = needs.map(|(at, (command, needs))| {
            (*needs, Some(command.store_id.to_string()), Some(("operations", at)))
        });
        let needs = needs.collect();
        let operation = |(command, _)| Operation { command, idempotency: None, known: None };
        let operations = movements.into_iter().map(operation).collect();
        (Command::Batch(Batch { atomic, operations }), needs)
    })
}

fn import() -> impl Strategy<Value = (Command, Needs)> {
    (prop::collection::vec(prop::sample::select(&STORES[..]), 0..4), any::<bool>()).prop_map(
        |(stores, is_own)| {
            let row = |(row, store): (u64, &&str)| ImportRow {
                row,
                store_id: StoreId::new(store).unwrap(),
                sku: Sku::new("TEA").unwrap(),
                kind: AdjustKind::Sale,
                quantity: qty(1),
                reference: None,
                occurred_at: None,
                opening_stock: None,
            };
            let in_store =
                |(at, store): (usize, &&str)| ("import:run", Some((*store).to_owned()), Some(("rows", at)));
            let needs = if is_own {
                stores.iter().enumerate().map(in_store).collect()
            } else {
                vec![("import:run", None, None)]
            };
            let rows = (1..).zip(&stores).map(row).collect();
            let import_id = ImportId::new("i").unwrap();
            let step = ImportRows { import_id, after_row: 0, through_row: 9, last: true, rows, is_own };
            (Command::Import(step), needs)
        },
    )
}

fn command() -> impl Strategy<Value = (Command, Needs)> {
    let one = movement()
        .prop_map(|(command, needs)| {
            let store = command.store_id.to_string();
            (Command::Stock(command), vec![(needs, Some(store), None)])
        })
        .boxed();
    let in_store = (prop::sample::select(&STORES[..]), any::<bool>()).prop_map(|(store, described)| {
        let (store_id, sku) = (StoreId::new(store).unwrap(), Sku::new("TEA").unwrap());
        let expected = Expected::Any;
        let place = Some(store.to_owned());
        if described {
            let store =
                serde_json::from_value(json!({"name": "A store", "kind": "shop", "active": true})).unwrap();
            let command = StoreCommand { store_id, expected, create: true, store: Box::new(store) };
            return (Command::Store(command), vec![("stores:write", place, None)]);
        }
        let command = ThresholdCommand { store_id, sku, expected, low_stock_threshold: None };
        (Command::Threshold(command), vec![("stock:threshold", place, None)])
    });
    let everywhere = prop::sample::select(vec![
        (
            Command::Product(ProductCommand {
                sku: Sku::new("TEA").unwrap(),
                expected: Expected::Any,
                verb: ProductVerb::Remove,
            }),
            "catalogue:write",
        ),
        (Command::Products(Products { update: true, products: Vec::new() }), "catalogue:write"),
        (Command::Mode(ModeCommand { expected: Expected::Any, mode: Mode::Judging }), "identity:manage"),
    ]);
    let everywhere = everywhere.prop_map(|(command, needs)| (command, vec![(needs, None, None)]));
    prop_oneof![3 => one, 3 => batch(), 3 => import(), 1 => in_store.boxed(), 2 => everywhere.boxed()]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn access_is_that_of_the_table(model in model(), at in prop::sample::select(Permission::ALL)) {
        let (access, name) = (model.access(), at.as_str());
        prop_assert_eq!(access.permit(at).is_ok(), model.may(name, At::Everywhere));
        prop_assert_eq!(access.may_own(at) || access.permit(at).is_ok(), model.may(name, At::Own));
        let in_any = Model::places().into_iter().filter(|place| *place != At::Own).any(|place| model.may(name, place));
        prop_assert_eq!(access.may_somewhere(at), in_any);
        for store in STORES.into_iter().chain(["NOWHERE"]) {
            let id = StoreId::new(store).unwrap();
            let may = model.may(name, At::Store(store));
            prop_assert_eq!((access.may_in(at, &id), access.scope(at).covers(&id)), (may, may), "{}", store);
        }
    }

    #[test]
    fn a_command_is_permitted_when_each_of_its_parts_is(model in model(), (command, needs) in command()) {
        let may = |(needs, store, _): &&(&'static str, Option<String>, Option<(&'static str, usize)>)| {
            model.may(needs, store.as_deref().map_or(At::Everywhere, At::Store))
        };
        // A step without rows needs the permission in any store at least.
        let nowhere = needs.is_empty() && !Model::places().into_iter().any(|at| at != At::Own && model.may("import:run", at));
        let denied = needs.iter().find(|part| !may(part));
        let wanted = match denied {
            Some((needs, store, part)) => Err(Denied {
                needs: Permission::of_name(needs).unwrap(),
                store_id: store.as_deref().map(|store| StoreId::new(store).unwrap()),
                part: *part,
            }),
            None if nowhere => Err(Denied { needs: Permission::ImportRun, store_id: None, part: None }),
            None => Ok(()),
        };
        let decided = command.permit(&model.access());
        // A principal that may run imports nowhere is refused as a whole, not at the first row.
        let whole = matches!(command, Command::Import(_)) && decided.is_err();
        prop_assert_eq!(decided.is_ok(), wanted.is_ok());
        prop_assert!(whole || decided == wanted, "{:?} {:?}", decided, wanted);
    }

    #[test]
    fn nobody_grants_more_than_they_have(granter in model(), granted in model()) {
        // The mode is no part of what is granted.
        let (granter, granted) = (Model { judging: false, ..granter }, Model { judging: false, ..granted });
        let covered = Permission::ALL.iter().all(|permission| {
            let name = permission.as_str();
            Model::places().into_iter().all(|place| !granted.may(name, place) || granter.may(name, place))
        });
        let access = |model: &Model| {
            let grants: Vec<Grant> = serde_json::from_value(json!(model.grants)).unwrap();
            Access::of(&grants, PermissionSet::NONE)
        };
        prop_assert_eq!(access(&granter).includes(&access(&granted)), covered);
    }
}
