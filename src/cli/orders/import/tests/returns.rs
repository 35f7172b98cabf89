//! Which orders the lines of a credit note are about.

use crate::orders::import::row::OrderedLine;
use crate::orders::import::shipped::{Age, ShippedOrders, TakenBack};
use crate::orders::import::wire::OrderShown;
use onhand_domain::{CustomerId, OrderId, Quantity, Sku, Timestamp};
use serde_json::{Value, json};
use std::collections::HashSet;

fn order(id: &str, version: u64, lines: &[(&str, i64)], returns: &Value) -> OrderShown {
    let lines: Vec<Value> = (1..)
        .zip(lines)
        .map(|(line, (sku, shipped))| {
            json!({"line": line, "sku": sku, "qty": shipped, "cancelled": 0, "waiting": 0, "open": 0, "shipped": shipped})
        })
        .collect();
    serde_json::from_value(json!({
        "orderId": id, "status": "SHIPPED", "lines": lines, "returns": returns, "version": version,
        "placedAt": "2026-12-01T00:00:00.000Z",
    }))
    .unwrap()
}

fn back(id: &str, state: &str, lines: &[(u16, i64)]) -> Value {
    let lines: Vec<Value> = lines.iter().map(|(line, qty)| json!({"line": line, "qty": qty})).collect();
    json!({"returnId": id, "state": state, "lines": lines})
}

fn customer() -> CustomerId {
    CustomerId::new("c-1").unwrap()
}

fn credited() -> HashSet<(CustomerId, Sku)> {
    ["TEA", "CUP"].map(|sku| (customer(), Sku::new(sku).unwrap())).into()
}

fn take(index: &ShippedOrders<'_>, id: &str, lines: &[(&str, i64)]) -> TakenBack {
    let lines: Vec<OrderedLine> = (1..)
        .zip(lines)
        .map(|(row, (sku, pieces))| OrderedLine {
            row,
            sku: Sku::new(sku).unwrap(),
            pieces: Quantity::new(-pieces).unwrap(),
            unit_price: None,
            name: None,
        })
        .collect();
    index.take_back(&OrderId::new(id).unwrap(), &customer(), &lines)
}

/// Order, line and pieces.
fn pieces(taken: &TakenBack) -> Vec<(&str, u16, i64)> {
    let orders = taken.orders.iter();
    orders
        .flat_map(|(id, taken)| taken.lines.iter().map(move |(line, qty)| (id.as_str(), *line, *qty)))
        .collect()
}

#[test]
fn the_newest_order_with_pieces_left_is_taken_first() {
    let credited = credited();
    let mut index = ShippedOrders::new(&credited);
    let customer = customer();
    let long_ago = Timestamp::parse("2026-11-01T00:00:00.000Z").unwrap();
    index.note(
        Some(&customer),
        Age::Here(9),
        &order("o-2", 1, &[("TEA", 5), ("CUP", 1), ("TEA", 2)], &json!([])),
    );
    index.note(Some(&customer), Age::Here(2), &order("o-1", 1, &[("CUP", 9), ("TEA", 4)], &json!([])));
    index.note(Some(&customer), Age::Before(long_ago), &order("o-9", 1, &[("TEA", 3)], &json!([])));
    let another = CustomerId::new("c-2").unwrap();
    index.note(Some(&another), Age::Here(10), &order("o-3", 1, &[("TEA", 50)], &json!([])));
    index.note(None, Age::Here(11), &order("o-4", 1, &[("TEA", 50)], &json!([])));
    for (lines, expected, missing) in [
        (vec![("TEA", 1)], vec![("o-2", 1, 1)], vec![]),
        (vec![("TEA", 6)], vec![("o-2", 1, 5), ("o-2", 3, 1)], vec![]),
        (vec![("TEA", 14)], vec![("o-1", 2, 4), ("o-2", 1, 5), ("o-2", 3, 2), ("o-9", 1, 3)], vec![]),
        (vec![("TEA", 15)], vec![], vec![(1, 14)]),
        (vec![("TEA", 15), ("TEA", 2)], vec![("o-2", 1, 2)], vec![(1, 14)]),
        (
            vec![("TEA", 3), ("TEA", 3), ("CUP", 2)],
            vec![("o-1", 1, 1), ("o-2", 1, 5), ("o-2", 2, 1), ("o-2", 3, 1)],
            vec![],
        ),
        (vec![("MUG", 1)], vec![], vec![(1, 0)]),
    ] {
        let taken = take(&index, "C-1", &lines);
        assert_eq!(pieces(&taken), expected, "{lines:?}");
        assert_eq!(taken.missing.into_iter().collect::<Vec<_>>(), missing, "{lines:?}");
    }
}

#[test]
fn pieces_in_returns_are_gone_unless_the_return_is_the_same_or_refused() {
    let credited = credited();
    let mut index = ShippedOrders::new(&credited);
    let returns = json!([
        back("C-1", "received", &[(1, 2)]),
        back("C-2", "requested", &[(1, 1)]),
        back("C-3", "refused", &[(1, 5)]),
    ]);
    index.note(Some(&customer()), Age::Here(1), &order("o-1", 4, &[("TEA", 5)], &returns));
    assert_eq!(take(&index, "C-4", &[("TEA", 3)]).missing[&1], 2);
    assert_eq!(pieces(&take(&index, "C-4", &[("TEA", 2)])), [("o-1", 1, 2)]);
    // Whenever it is asked, a credit note finds the pieces that it has found first.
    let again = take(&index, "C-1", &[("TEA", 2)]);
    assert_eq!(pieces(&again), [("o-1", 1, 2)]);
    let taken = again.orders.values().next().unwrap();
    assert_eq!((taken.known.as_ref().unwrap().state.as_str(), taken.is_known_alike()), ("received", true));
    let other = take(&index, "C-2", &[("TEA", 2)]);
    assert!(!other.orders.values().next().unwrap().is_known_alike());
    // What is older does not hide what is newer.
    index.noted_return(&order("o-1", 5, &[("TEA", 5)], &json!([back("C-1", "received", &[(1, 5)])])));
    index.noted_return(&order("o-1", 4, &[("TEA", 5)], &json!([])));
    assert_eq!(take(&index, "C-4", &[("TEA", 2)]).missing[&1], 0);
}
