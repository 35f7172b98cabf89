//! Many products at once: each compared with the catalogue, independently and in order.

use super::NOON;
use onhand_domain::catalogue::{Currency, Described, Price, Product, ProductChange, ProductMember, Products};
use onhand_domain::master::Master;
use onhand_domain::{
    Command, Draft, Finished, Key, Rejection, Sku, State, Timestamp, Unapplied, UnappliedWhy, decide,
};
use uuid::Uuid;

fn sku(name: &str) -> Sku {
    Sku::new(name).unwrap()
}

fn said(name: &str, change: ProductChange) -> Described {
    Described { sku: sku(name), change }
}

fn named(name: &str) -> ProductChange {
    ProductChange { name: Some(name.into()), ..ProductChange::default() }
}

fn pounds(amount_minor: u64) -> Price {
    Price { amount_minor, currency: Currency::new("GBP").unwrap() }
}

fn tea() -> Product {
    Product {
        name: "Tea".into(),
        category: Some("tea".into()),
        unit_price: Some(pounds(255)),
        barcode: None,
        low_stock_threshold: None,
        active: true,
    }
}

/// Decides with a catalogue that has `A` at version 3, had `B` until version 2, and never had `C`.
fn ask(update: bool, products: Vec<Described>, foreign: Option<u64>) -> (Finished, Vec<State>) {
    let keys: Vec<Key> = ["A", "B", "C"].map(|name| Key::Product(sku(name))).to_vec();
    let master = |details, version| {
        State::Product(Box::new(Master { details, version, updated_at: Timestamp::EPOCH }))
    };
    let mut states = vec![master(Some(tea()), 3), master(None, 2), State::absent(&keys[2])];
    let mut count = 0;
    let mut new_id = || {
        count += 1;
        Uuid::from_u128(count)
    };
    let now = Timestamp::from_milliseconds(NOON);
    let mut draft = Draft::new(now, &keys, states.iter_mut().collect(), &mut new_id).taking(vec![foreign]);
    let command = Command::Products(Products { update, products });
    assert!(command.keys().iter().all(|key| keys.contains(key)));
    decide(&mut draft, &command).unwrap();
    (draft.finish(), states)
}

/// The operation and the version of each event.
fn events(finished: &Finished) -> Vec<(Option<u32>, u64)> {
    finished.events.iter().map(|event| (event.op, event.after.version())).collect()
}

fn refused(op: u32, rejection: Rejection) -> Unapplied {
    Unapplied { op, why: UnappliedWhy::Refused(rejection) }
}

fn details(state: &State) -> Option<&Product> {
    match state {
        State::Product(master) => master.details.as_ref(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn unchanged_details_make_no_event() {
    let whole = ProductChange {
        category: Some(Some("tea".into())),
        unit_price: Some(Some(pounds(255))),
        active: Some(true),
        ..named("Tea")
    };
    for update in [false, true] {
        for change in [named("Tea"), whole.clone(), ProductChange::default()] {
            let (finished, _) = ask(update, vec![said("A", change.clone())], Some(9));
            assert!(finished.events.is_empty() && finished.unapplied.is_empty(), "{change:?}");
        }
    }
}

#[test]
fn different_details_are_rejected_unless_update_is_set() {
    let change = || ProductChange { unit_price: Some(Some(pounds(295))), ..named("Green tea") };
    let (finished, states) = ask(false, vec![said("A", change())], None);
    let members = vec![ProductMember::Name, ProductMember::UnitPrice];
    let differs = Rejection::ProductDiffers { current_version: 3, members };
    assert_eq!((finished.events.len(), finished.unapplied), (0, vec![refused(0, differs)]));
    assert_eq!(details(&states[0]), Some(&tea()));
    let (finished, states) = ask(true, vec![said("A", change())], None);
    assert_eq!((events(&finished), finished.unapplied), (vec![(Some(0), 4)], vec![]));
    let now = Product { name: "Green tea".into(), unit_price: Some(pounds(295)), ..tea() };
    assert_eq!(details(&states[0]), Some(&now), "of what nothing is said, it says what it said");
}

#[test]
fn a_product_is_made_of_a_name_and_its_version_goes_on() {
    let nameless = ProductChange { active: Some(false), ..ProductChange::default() };
    let products = vec![
        said("C", nameless.clone()),
        said("C", ProductChange { active: Some(false), ..named("Coffee") }),
        said("B", named("Black tea")),
        said("C", named("Coffee, ground")),
        said("C", named("Coffee")),
    ];
    let (finished, states) = ask(false, products, None);
    assert_eq!(events(&finished), [(Some(1), 1), (Some(2), 3)]);
    let unknown = Rejection::ProductNotFound { sku: sku("C") };
    let differs = Rejection::ProductDiffers { current_version: 1, members: vec![ProductMember::Name] };
    assert_eq!(finished.unapplied, [refused(0, unknown), refused(3, differs)], "each sees those before it");
    let coffee = details(&states[2]).unwrap();
    assert_eq!((coffee.name.as_str(), coffee.active, &coffee.category), ("Coffee", false, &None));
    assert!(details(&states[1]).unwrap().active, "a new one is sold unless told");
}

#[test]
fn a_foreign_product_is_taken_over_only_when_it_is_changed() {
    let (finished, _) = ask(false, vec![said("A", named("Tea")), said("C", named("Coffee"))], Some(9));
    assert_eq!(events(&finished), [(Some(1), 1)]);
    let (finished, _) = ask(true, vec![said("A", named("Green tea"))], Some(9));
    assert_eq!(events(&finished), [(None, 3), (Some(0), 4)], "what was taken over stands in front");
}
