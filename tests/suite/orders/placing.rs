//! Refusals of a placing and of plans, and the bounds of an order.

use super::shown::outcome;
use super::{Desk, expecting, line, on, part, place, placed, planned, receive, reserve, shipment_id, sku_of};
use crate::node::qty;
use onhand_domain::limits::INTEGER_MAX;
use onhand_domain::orders::{
    Line, OrderMember, OrderPolicy, OrderStep, PartStep, Partial, Pieces, Placed, StockPolicy,
};
use onhand_domain::{Command, Expected, Fact, Rejection};

pub(super) fn stocked() -> Desk {
    [receive("BERLIN", "A", 5), receive("BERLIN", "B", 5), receive("PARIS", "A", 5)]
        .iter()
        .fold(Desk::default(), Desk::given)
}

pub(super) fn refused(desk: &mut Desk, command: &Command) -> Rejection {
    let before = desk.states.clone();
    let rejection = desk.ask(command).unwrap_err();
    assert_eq!(desk.states, before, "{rejection}");
    rejection
}

/// A member, and a change of it.
type Change = (OrderMember, fn(&mut Placed));

/// Three A at Berlin.
pub(super) fn three() -> Command {
    place("o", placed(vec![line(1, "A", 3, 0)], Partial::Refuse), vec![planned("BERLIN", &[(1, "A", 3)])])
}

#[test]
fn the_same_order_once_more_changes_nothing_and_another_is_told_what_differs() {
    let mut desk = stocked().given(&three());
    let before = desk.states.clone();
    let same = || placed(vec![line(1, "A", 3, 0)], Partial::Refuse);
    let waiting = placed(vec![line(1, "A", 3, 3)], Partial::Refuse);
    let elsewhere = place("o", same(), vec![planned("PARIS", &[(1, "A", 3)])]);
    for again in [three(), elsewhere, place("o", waiting, Vec::new())] {
        assert_eq!(desk.ask(&again), Ok(Vec::new()), "what was planned and found is not compared");
    }
    assert_eq!(desk.states, before);
    let changes: [Change; 12] = [
        (OrderMember::ChannelId, |placed| placed.details.channel_id = Some("web".into())),
        (OrderMember::ExternalId, |placed| placed.details.external_id = Some("1".into())),
        (OrderMember::CustomerId, |placed| {
            placed.details.customer_id = onhand_domain::CustomerId::new("c-1").ok();
        }),
        (OrderMember::Personal, |placed| placed.details.personal = Some("sealed".into())),
        (OrderMember::Currency, |placed| placed.details.currency = Some("EUR".into())),
        (OrderMember::Policy, |placed| placed.details.policy.partial = Partial::Backorder),
        (OrderMember::Policy, |placed| placed.details.policy.stock = StockPolicy::None),
        (OrderMember::Policy, |placed| placed.details.policy.auto_confirm = true),
        (OrderMember::Lines, |placed| placed.lines[0].qty = qty(2)),
        (OrderMember::Lines, |placed| placed.lines[0].sku = sku_of("B")),
        (OrderMember::Lines, |placed| placed.lines[0].unit_price = None),
        (OrderMember::Lines, |placed| placed.lines.push(line(2, "A", 1, 1))),
    ];
    for (member, change) in changes {
        let mut other = same();
        change(&mut other);
        let told = refused(&mut desk, &place("o", other, Vec::new()));
        assert_eq!(told, Rejection::OrderExists { current_version: 1, differs: vec![member] });
    }
    let mut two = same();
    (two.lines[0].qty, two.details.currency) = (qty(2), Some("EUR".into()));
    let told = refused(&mut desk, &place("o", two, Vec::new()));
    let differs = vec![OrderMember::Currency, OrderMember::Lines];
    assert_eq!(told, Rejection::OrderExists { current_version: 1, differs });
}

#[test]
fn sealed_personal_data_is_compared_by_being_there() {
    let sealed = |text: &str| {
        let mut sealed = placed(vec![line(1, "A", 3, 3)], Partial::Backorder);
        sealed.details.personal = Some(text.into());
        place("o", sealed, Vec::new())
    };
    let mut desk = stocked().given(&sealed("one"));
    assert_eq!(desk.ask(&sealed("sealed anew")), Ok(Vec::new()));
}

#[test]
fn a_plan_that_stores_do_not_have_is_stale() {
    let stale = |store: &str, sku: &str, available| Rejection::PlanStale {
        store_id: super::store_id(store),
        sku: sku_of(sku),
        available: qty(available),
    };
    let asked = |lines: Vec<Line>, plan| place("o", placed(lines, Partial::Backorder), plan);
    let two = || vec![line(1, "A", 3, 0), line(2, "A", 3, 0)];
    let rows = [
        (
            "a piece too many",
            asked(vec![line(1, "A", 6, 0)], vec![planned("BERLIN", &[(1, "A", 6)])]),
            stale("BERLIN", "A", 5),
        ),
        (
            "a store without a level",
            asked(vec![line(1, "A", 1, 0)], vec![planned("ROME", &[(1, "A", 1)])]),
            stale("ROME", "A", 0),
        ),
        (
            "one SKU on two lines",
            asked(two(), vec![planned("BERLIN", &[(1, "A", 3), (2, "A", 3)])]),
            stale("BERLIN", "A", 5),
        ),
        (
            "one store twice",
            asked(two(), vec![planned("BERLIN", &[(1, "A", 3)]), planned("BERLIN", &[(2, "A", 3)])]),
            stale("BERLIN", "A", 2),
        ),
        (
            "the second store",
            asked(
                vec![line(1, "A", 9, 0)],
                vec![planned("BERLIN", &[(1, "A", 3)]), planned("PARIS", &[(1, "A", 6)])],
            ),
            stale("PARIS", "A", 5),
        ),
        (
            "the second SKU",
            asked(
                vec![line(1, "A", 1, 0), line(2, "B", 6, 0)],
                vec![planned("BERLIN", &[(1, "A", 1), (2, "B", 6)])],
            ),
            stale("BERLIN", "B", 5),
        ),
    ];
    for (story, command, rejection) in rows {
        assert_eq!(refused(&mut stocked(), &command), rejection, "{story}");
    }
    let mut promised = stocked().given(&reserve("BERLIN", "A", "till", 3));
    assert_eq!(refused(&mut promised, &three()), stale("BERLIN", "A", 2), "others hold the rest");
    let mut waiting =
        stocked().given(&place("o", placed(vec![line(1, "A", 9, 9)], Partial::Backorder), Vec::new()));
    let allot = on("o", OrderStep::Allot(vec![planned("BERLIN", &[(1, "A", 6)])]));
    assert_eq!(refused(&mut waiting, &allot), stale("BERLIN", "A", 5), "as it is allotted");
}

#[test]
fn what_stores_hold_and_what_waits_is_what_was_ordered() {
    let asked = |lines: Vec<Line>, plan| place("o", placed(lines, Partial::Backorder), plan);
    let berlin = |pieces| vec![planned("BERLIN", &[(1, "A", pieces)])];
    let cancelled = Line { pieces: Pieces { cancelled: qty(1), ..Pieces::default() }, ..line(1, "A", 3, 0) };
    for (story, command) in [
        ("a piece is nowhere", asked(vec![line(1, "A", 3, 0)], berlin(2))),
        ("a piece waits that a store holds", asked(vec![line(1, "A", 3, 1)], berlin(3))),
        ("a piece is cancelled that a store holds", asked(vec![cancelled], berlin(3))),
        ("a whole line is nowhere", asked(vec![line(1, "A", 3, 0), line(2, "B", 1, 0)], berlin(3))),
    ] {
        let rejection = refused(&mut stocked(), &command);
        assert_eq!(rejection.code(), "not-allotted", "{story}");
    }
}

#[test]
fn lines_that_cannot_be_are_refused_as_out_of_range() {
    let many = (1..=201).map(|number| line(number, "A", 1, 1)).collect();
    for lines in [
        Vec::new(),
        many,
        vec![line(2, "A", 1, 1)],
        vec![line(1, "A", 0, 0)],
        vec![line(1, "A", 1, 2)],
        vec![line(1, "A", INTEGER_MAX, INTEGER_MAX), line(2, "A", 1, 1)],
    ] {
        let command = place("o", placed(lines, Partial::Backorder), Vec::new());
        assert_eq!(refused(&mut stocked(), &command), Rejection::OutOfRange);
    }
}

#[test]
fn an_order_has_fifty_shipments_under_way_and_999_ever() {
    let rich = || Desk::default().given(&receive("BERLIN", "A", 2_000));
    let one = || planned("BERLIN", &[(1, "A", 1)]);
    let asked = |count: usize| {
        let pieces = i64::try_from(count).unwrap();
        place("o", placed(vec![line(1, "A", pieces, 0)], Partial::Backorder), vec![one(); count])
    };
    assert_eq!(refused(&mut rich(), &asked(51)), Rejection::TooManyShipments);
    let full = rich().given(&asked(50));
    assert_eq!(full.order("o").open_shipments.len(), 50);
    let mut waiting =
        rich().given(&place("o", placed(vec![line(1, "A", 51, 51)], Partial::Backorder), Vec::new()));
    let allot = |count| on("o", OrderStep::Allot(vec![one(); count]));
    waiting.ask(&allot(50)).unwrap();
    assert_eq!(refused(&mut waiting, &allot(1)), Rejection::TooManyShipments);
    for number in 1..=949 {
        waiting.ask(&part("o", number, "BERLIN", PartStep::Cancel { reason: None })).unwrap();
        waiting.ask(&allot(1)).unwrap();
    }
    waiting.ask(&part("o", 950, "BERLIN", PartStep::Cancel { reason: None })).unwrap();
    assert_eq!(waiting.order("o").shipments.len(), 999);
    assert_eq!(refused(&mut waiting, &allot(1)), Rejection::TooManyShipments, "999 is the last number");
}

#[test]
fn a_step_on_another_version_is_refused() {
    let mut desk = stocked().given(&three());
    let conflict = Rejection::VersionConflict { current_version: 1 };
    for expected in [Expected::Version(0), Expected::Version(2)] {
        for step in [
            OrderStep::Confirm(Vec::new()),
            OrderStep::Allot(Vec::new()),
            OrderStep::Cancel { reason: None },
            OrderStep::Ship(onhand_domain::orders::Carrier::default()),
            OrderStep::Deliver,
            OrderStep::Hold { hold: true, reason: None },
            OrderStep::Part { number: 1, store_id: super::store_id("BERLIN"), step: PartStep::Instruct },
        ] {
            assert_eq!(refused(&mut desk, &expecting("o", expected, step)), conflict);
        }
    }
    let confirm = expecting("o", Expected::Version(1), OrderStep::Confirm(Vec::new()));
    desk.ask(&confirm).unwrap();
    assert_eq!(
        refused(&mut desk, &confirm),
        Rejection::VersionConflict { current_version: 2 },
        "it comes first"
    );
    let instruct =
        OrderStep::Part { number: 1, store_id: super::store_id("BERLIN"), step: PartStep::Instruct };
    desk.ask(&expecting("o", Expected::Version(1), instruct)).unwrap();
    assert_eq!(desk.shipment(&shipment_id("o", 1)).version, 2, "a shipment counts its own events");
}

#[test]
fn the_time_of_a_placing_is_that_of_the_decision() {
    let mut desk = stocked();
    let now = desk.now();
    let events = desk.ask(&three()).unwrap();
    let Some(Fact::Order(fact)) = events.last().map(|event| &event.fact) else { panic!("{events:?}") };
    assert_eq!((fact.placed.as_ref().unwrap().placed_at, desk.order("o").placed_at), (now, now));
}

#[test]
fn an_order_that_is_confirmed_by_itself_is_confirmed_in_the_same_entry() {
    let mut auto = placed(vec![line(1, "A", 3, 0)], Partial::Refuse);
    auto.details.policy = OrderPolicy { auto_confirm: true, ..OrderPolicy::default() };
    let mut desk = stocked();
    let decided = desk.ask(&place("o", auto, vec![planned("BERLIN", &[(1, "A", 3)])]));
    let told = outcome(&decided, &desk, "o");
    let owed = "RESERVE BERLIN/A 3 o.s1, o.s1@BERLIN held 1:A 3, ORDER placed opens s1@BERLIN, ORDER confirmed => CONFIRMED";
    assert_eq!(told, owed);
}
