//! Plans: tables of small ones, and random ones against every set of stores.

use onhand_domain::allocation::{
    Demand, DemandError, LeftOut, Plan, Rank, Rules, Search, Site, SiteLevel, SiteRules,
};
use onhand_domain::{Quantity, Sku, StoreId};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn sku(name: &str) -> Sku {
    Sku::new(name).unwrap()
}

fn store(name: &str) -> StoreId {
    StoreId::new(name).unwrap()
}

fn pieces(number: i64) -> Quantity {
    Quantity::new(number).unwrap()
}

fn demand(wanted: &[i64]) -> Demand {
    let lines = (0..).zip(wanted).filter(|(_, qty)| **qty > 0);
    Demand::new(lines.map(|(number, qty): (u32, &i64)| (sku(&format!("S-{number:02}")), pieces(*qty))))
        .unwrap()
}

fn site(name: &str, has: &[i64]) -> Site {
    let levels = (1..).zip(has).map(|(version, qty)| SiteLevel { qty: pieces(*qty), version });
    Site { store_id: store(name), closed: false, levels: levels.collect() }
}

/// What each store sends, in one line: `A S-00:1 S-01:2; B S-00:1`.
fn parts(plan: &Plan) -> String {
    let part = |part: &onhand_domain::allocation::Part| {
        let lines = part.lines.iter().map(|line| format!(" {}:{}", line.sku, line.qty));
        format!("{}{}", part.store_id, lines.collect::<String>())
    };
    plan.parts.iter().map(part).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_lines_of_a_sku_are_added_up() {
    let lines =
        |lines: &[(&str, i64)]| Demand::new(lines.iter().map(|(name, qty)| (sku(name), pieces(*qty))));
    let both = lines(&[("B", 2), ("A", 1), ("B", 3)]).unwrap();
    assert_eq!(both, lines(&[("A", 1), ("B", 5)]).unwrap());
    assert_eq!(lines(&[]), Err(DemandError::NoLines));
    assert_eq!(lines(&[("A", 1), ("B", 0)]), Err(DemandError::NoPieces(1)));
    assert_eq!(lines(&[("A", -1)]), Err(DemandError::NoPieces(0)));
    let most = 9_007_199_254_740_991;
    assert_eq!(lines(&[("A", most), ("B", 1), ("A", 1)]), Err(DemandError::TooMany(2)));
}

#[test]
fn one_store_that_has_everything_sends_it() {
    for (has, wanted) in [
        (vec![("A", [5, 0]), ("B", [5, 5])], "B S-00:1 S-01:1"),
        (vec![("A", [1, 1]), ("B", [5, 5])], "B S-00:1 S-01:1"),
        (vec![("B", [5, 5]), ("A", [5, 5])], "A S-00:1 S-01:1"),
        (vec![("A", [5, 0]), ("B", [0, 5])], "A S-00:1; B S-01:1"),
        (vec![("A", [5, 0]), ("B", [0, 0])], "A S-00:1"),
        (vec![("A", [0, 0])], ""),
        (vec![], ""),
    ] {
        let sites: Vec<Site> = has.iter().map(|(name, has)| site(name, has)).collect();
        let plan = Plan::of(&demand(&[1, 1]), &sites, &Rules::default());
        assert_eq!(parts(&plan), wanted, "{has:?}");
    }
}

#[test]
fn the_rules_decide_in_their_order_and_the_ids_in_the_end() {
    let sites = [site("A", &[3]), site("B", &[9]), site("C", &[5])];
    let rules = |ranks: &[Rank], priorities: &[(&str, u32)]| {
        let rules = |priority| SiteRules { priority: Some(priority), ..SiteRules::default() };
        let stores = priorities.iter().map(|(name, priority)| (store(name), rules(*priority)));
        Rules { ranks: ranks.to_vec(), stores: stores.collect(), ..Rules::default() }
    };
    for (rules, first) in [
        (rules(&[], &[]), "A"),
        (rules(&[Rank::MostLeftOver], &[]), "B"),
        (rules(&[Rank::Priority, Rank::MostLeftOver], &[("C", 1)]), "C"),
        (rules(&[Rank::Priority, Rank::MostLeftOver], &[("C", 2), ("A", 2)]), "C"),
        (rules(&[Rank::MostLeftOver, Rank::Priority], &[("C", 1)]), "B"),
        // All have the pieces that are asked for.
        (rules(&[Rank::MostPieces], &[]), "A"),
    ] {
        let plan = Plan::of(&demand(&[2]), &sites, &rules);
        assert_eq!(parts(&plan), format!("{first} S-00:2"), "{rules:?}");
        assert_eq!(plan.stores.iter().filter(|store| store.chosen).count(), 1);
    }
    let plan = Plan::of(&demand(&[4]), &sites, &rules(&[Rank::MostPieces], &[]));
    assert_eq!(parts(&plan), "B S-00:4");
}

#[test]
fn a_store_that_may_not_send_is_named_with_the_reason() {
    let mut sites = vec![site("A", &[9]), site("B", &[9]), site("C", &[2]), site("D", &[4])];
    sites[0].closed = true;
    let excluded = SiteRules { excluded: true, ..SiteRules::default() };
    let keeps_none = SiteRules { keeps_back: Some(Quantity::ZERO), ..SiteRules::default() };
    let stores = BTreeMap::from([(store("B"), excluded), (store("D"), keeps_none)]);
    let rules = Rules { keeps_back: pieces(2), stores, ..Rules::default() };
    let plan = Plan::of(&demand(&[5]), &sites, &rules);
    let left_out: Vec<_> =
        plan.stores.iter().map(|store| (store.store_id.as_str(), store.left_out)).collect();
    let out =
        [("A", Some(LeftOut::Closed)), ("B", Some(LeftOut::Excluded)), ("C", Some(LeftOut::NothingToGive))];
    assert_eq!(left_out, [&[("D", None)][..], &out].concat());
    assert_eq!((parts(&plan).as_str(), plan.complete), ("D S-00:4", false));
    assert_eq!((plan.asked[0].available, plan.asked[0].short), (pieces(4), pieces(1)));
    assert_eq!((plan.stores[0].levels[0].missing, plan.stores[0].levels[0].version), (pieces(1), 1));
}

/// The stores that are best by themselves need not be in the smallest set.
#[test]
fn a_small_set_is_found_where_store_by_store_takes_more() {
    let sites = [site("A", &[3, 3, 3, 0, 0]), site("B", &[3, 3, 0, 3, 0]), site("C", &[0, 0, 3, 0, 3])];
    let plan = Plan::of(
        &demand(&[3, 3, 3, 3, 3]),
        &sites,
        &Rules { ranks: vec![Rank::MostPieces], ..Rules::default() },
    );
    assert_eq!(parts(&plan), "B S-00:3 S-01:3 S-03:3; C S-02:3 S-04:3");
    assert_eq!(plan.search, Search::Exact);
    // Each of five stores has one SKU alone.
    let one =
        |at: usize| site(&format!("E-{at}"), &std::array::from_fn::<i64, 5, _>(|sku| i64::from(sku == at)));
    let plan = Plan::of(&demand(&[1; 5]), &[0, 1, 2, 3, 4].map(one), &Rules::default());
    assert_eq!((plan.parts.len(), plan.search, plan.complete), (5, Search::Greedy, true));
}

#[test]
fn numbers_at_their_largest_do_no_harm() {
    let most = 9_007_199_254_740_991;
    let sites: Vec<Site> = (0..1_100).map(|number| site(&format!("S-{number:04}"), &[most, 1])).collect();
    for ranks in [vec![Rank::MostPieces], vec![Rank::MostLeftOver], vec![Rank::Priority]] {
        let plan = Plan::of(&demand(&[most, 5]), &sites, &Rules { ranks, ..Rules::default() });
        assert!(plan.complete && plan.asked[0].available == pieces(most));
        let json = serde_json::to_string(&plan).unwrap();
        assert!(!json.contains("9223372036854775807"), "beyond what every reader of JSON holds");
    }
}

/// The smallest set of stores that has what all of them have together, by looking at every one; of one size the first.
fn smallest(sites: &[Vec<i64>], target: &[i64]) -> Vec<usize> {
    let mut found: Option<Vec<usize>> = None;
    for set in 0..1_u32 << sites.len() {
        let set: Vec<usize> = (0..sites.len()).filter(|at| set >> at & 1 == 1).collect();
        let has = |sku: usize| set.iter().map(|at| sites[*at][sku]).sum::<i64>();
        let better = found.as_ref().is_none_or(|found| (set.len(), &set) < (found.len(), found));
        if better && (0..target.len()).all(|sku| has(sku) >= target[sku]) {
            found = Some(set);
        }
    }
    found.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_plan_is_the_smallest_set_and_never_asks_for_more_than_is_there(
        wanted in prop::collection::vec(1_i64..6, 1..6),
        has in prop::collection::vec(prop::collection::vec(0_i64..5, 6), 0..7),
        kept in 0_i64..2,
    ) {
        let sites: Vec<Site> =
            (0..).zip(&has).map(|(at, has): (u32, _)| site(&format!("S-{at}"), &has[..wanted.len()])).collect();
        // Without ranks the order is that of the ids.
        let rules = Rules { ranks: Vec::new(), keeps_back: pieces(kept), ..Rules::default() };
        let plan = Plan::of(&demand(&wanted), &sites, &rules);
        let gives: Vec<Vec<i64>> =
            has.iter().map(|has| (0..wanted.len()).map(|sku| (has[sku] - kept).max(0)).collect()).collect();
        let target: Vec<i64> =
            (0..wanted.len()).map(|sku| wanted[sku].min(gives.iter().map(|gives| gives[sku]).sum())).collect();

        let mut sent = vec![0; wanted.len()];
        for part in &plan.parts {
            let at = has.iter().enumerate().position(|(at, _)| part.store_id == store(&format!("S-{at}"))).unwrap();
            prop_assert!(!part.lines.is_empty());
            for line in &part.lines {
                let number: usize = line.sku.as_str()[2..].parse().unwrap();
                prop_assert!(line.qty > Quantity::ZERO && line.qty.get() <= gives[at][number], "{plan:?}");
                sent[number] += line.qty.get();
            }
        }
        prop_assert_eq!(&sent, &target, "all that there is, and no more than is asked for");
        prop_assert_eq!(plan.complete, target == wanted);
        let best = smallest(&gives, &target);
        if best.len() <= 4 {
            let ids: Vec<_> = best.iter().map(|at| store(&format!("S-{at}"))).collect();
            let chosen: Vec<_> = plan.parts.iter().map(|part| part.store_id.clone()).collect();
            prop_assert_eq!(ids, chosen);
            prop_assert_eq!(plan.search, Search::Exact);
        } else {
            prop_assert!(plan.parts.len() >= best.len() && plan.search == Search::Greedy);
        }
        // Worked out again from the same numbers, in whatever order they come.
        let mut turned = sites;
        turned.reverse();
        prop_assert_eq!(Plan::of(&demand(&wanted), &turned, &rules), plan);
    }
}
