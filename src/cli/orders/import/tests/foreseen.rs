//! What a dry run foresees: the orders before it in the file take theirs first.

use crate::orders::import::options::Partial;
use crate::orders::import::outcome::{OrderOutcome, ShortSku};
use crate::orders::import::plan::Foreseen;
use crate::orders::import::wire::AskedShown;
use onhand_domain::Sku;

fn told(foreseen: &mut Foreseen, asked: &[(&str, i64, i64)]) -> String {
    let asked: Vec<AskedShown> = asked
        .iter()
        .map(|(sku, qty, available)| AskedShown {
            sku: Sku::new(sku).unwrap(),
            qty: *qty,
            available: *available,
        })
        .collect();
    match foreseen.add(&asked) {
        OrderOutcome::Fine => "fine".to_owned(),
        OrderOutcome::Short { refused: Some(reason), .. } => reason.detail,
        OrderOutcome::Short { skus, refused: None } => {
            let skus = skus.iter().map(|ShortSku { sku, asked, left }| format!("{sku} {left} of {asked}"));
            skus.collect::<Vec<_>>().join(", ")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_order_gets_what_those_before_it_leave() {
    let orders: [&[(&str, i64, i64)]; 4] =
        [&[("TEA", 6, 10)], &[("CUP", 1, 3), ("TEA", 6, 10)], &[("TEA", 4, 10)], &[("TEA", 1, 10)]];
    for (partial, expected) in [
        (
            Partial::Refuse,
            ["fine", "of TEA 6 are asked and 4 there", "fine", "of TEA 1 are asked and 0 there"],
        ),
        (
            Partial::CancelRest,
            ["fine", "TEA 4 of 6", "of TEA 4 are asked and 0 there", "of TEA 1 are asked and 0 there"],
        ),
        (Partial::Backorder, ["fine", "TEA 4 of 6", "TEA 0 of 4", "TEA 0 of 1"]),
    ] {
        let mut foreseen = Foreseen::new(partial);
        let answers = orders.map(|order| told(&mut foreseen, order));
        assert_eq!(answers, expected, "{partial:?}");
    }
}
