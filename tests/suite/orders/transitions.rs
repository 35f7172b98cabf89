//! Every step in every status, as two tables: the events with what they move, or the refusal.
//!
//! The tables are compared with the state machine of the design line by line when they change.

use super::shown::outcome;
use super::{Desk, line, on, part, pieces_of, place, placed, planned, receive, reserve, shipment_id};
use onhand_domain::Command;
use onhand_domain::orders::{Carrier, OrderStep, PartStep, Partial, Planned, Refused};
use std::fmt::Write as _;

/// One order `o` of three A and two B over two stores that have plenty; in both, another customer holds one A.
fn stocked() -> Desk {
    let all = [receive("BERLIN", "A", 9), receive("BERLIN", "B", 9), receive("PARIS", "A", 9)];
    let others =
        [receive("PARIS", "B", 9), reserve("BERLIN", "A", "till", 1), reserve("PARIS", "A", "till", 1)];
    all.iter().chain(&others).fold(Desk::default(), Desk::given)
}

fn two_lines(waiting: [i64; 2], plan: Vec<Planned>) -> Command {
    let lines = vec![line(1, "A", 3, waiting[0]), line(2, "B", 2, waiting[1])];
    place("o", placed(lines, Partial::Backorder), plan)
}

fn held() -> Desk {
    let plan = vec![planned("BERLIN", &[(1, "A", 3)]), planned("PARIS", &[(2, "B", 2)])];
    stocked().given(&two_lines([0, 0], plan))
}

fn some_waiting() -> Desk {
    stocked().given(&two_lines([1, 2], vec![planned("BERLIN", &[(1, "A", 2)])]))
}

fn all_waiting() -> Desk {
    stocked().given(&two_lines([3, 2], Vec::new()))
}

fn confirm() -> Command {
    on("o", OrderStep::Confirm(Vec::new()))
}

fn ship() -> OrderStep {
    OrderStep::Ship(Carrier::default())
}

fn first(step: PartStep) -> Command {
    part("o", 1, "BERLIN", step)
}

fn ship_part(pieces: Option<i64>) -> PartStep {
    let lines = pieces.map(|pieces| pieces_of(1, "A", pieces)).into_iter().collect();
    PartStep::Ship { lines, carrier: Carrier::default() }
}

fn refuse(refused: Refused, planned: Vec<Planned>) -> PartStep {
    PartStep::Refuse { refused, reason: None, planned }
}

fn give_up(pieces: Option<i64>) -> Command {
    if let Some(pieces) = pieces {
        return first(refuse(Refused::Busy, vec![planned("PARIS", &[(1, "A", pieces)])]));
    }
    first(PartStep::Cancel { reason: None })
}

/// Every status, with every state that the first shipment can have in it.
fn standings() -> Vec<(&'static str, Desk)> {
    let hold = || on("o", OrderStep::Hold { hold: true, reason: None });
    let cancel = || on("o", OrderStep::Cancel { reason: None });
    let deliver = || first(PartStep::Deliver);
    let shipped = || held().given(&on("o", ship()));
    let partly = || held().given(&first(ship_part(Some(1))));
    vec![
        ("no order", stocked()),
        ("PLACED, all held", held()),
        ("PLACED, some waiting", some_waiting()),
        ("PLACED, all waiting", all_waiting()),
        ("PLACED, all held, instructed", held().given(&first(PartStep::Instruct))),
        ("PLACED, all held, on hold", held().given(&hold())),
        ("PLACED, some waiting, on hold", some_waiting().given(&hold())),
        ("PLACED, the first shipment cancelled", held().given(&give_up(None))),
        ("PLACED, the first shipment refused, another in its place", held().given(&give_up(Some(3)))),
        ("CONFIRMED, all held", held().given(&confirm())),
        ("CONFIRMED, some waiting", some_waiting().given(&confirm())),
        ("CONFIRMED, all waiting", all_waiting().given(&confirm())),
        ("CONFIRMED, the first shipment shipped, the second held", held().given(&first(ship_part(None)))),
        (
            "CONFIRMED, the first shipment shipped, the rest waiting",
            some_waiting().given(&first(ship_part(None))),
        ),
        (
            "CONFIRMED, the first shipment delivered, the second held",
            held().given(&first(ship_part(None))).given(&deliver()),
        ),
        ("CONFIRMED, a piece of the first shipment shipped", partly()),
        ("CONFIRMED, a piece of the first shipment delivered", partly().given(&deliver())),
        (
            "CONFIRMED, a piece of the first shipment shipped, its rest cancelled",
            partly().given(&give_up(None)),
        ),
        (
            "CONFIRMED, the first shipment shipped, on hold",
            held().given(&first(ship_part(None))).given(&hold()),
        ),
        ("SHIPPED", shipped()),
        ("SHIPPED, the first shipment delivered", shipped().given(&deliver())),
        ("DELIVERED", shipped().given(&on("o", OrderStep::Deliver))),
        ("CANCELLED", held().given(&cancel())),
        ("CANCELLED, all was waiting", all_waiting().given(&cancel())),
    ]
}

/// What waits, at Paris; where nothing waits, a piece too many.
fn what_waits(desk: &Desk) -> Vec<Planned> {
    let lines = desk.order("o").lines;
    let waiting = lines.iter().filter(|line| line.pieces.waiting.get() > 0);
    let waiting: Vec<_> =
        waiting.map(|line| (line.line, line.sku.as_str(), line.pieces.waiting.get())).collect();
    vec![planned("PARIS", if waiting.is_empty() { &[(1, "A", 1)] } else { &waiting })]
}

fn table(steps: impl Fn(&Desk) -> Vec<(&'static str, Command)>) -> String {
    let mut text = String::new();
    for (standing, desk) in standings() {
        writeln!(text, "\n{standing}").unwrap();
        for (name, step) in steps(&desk) {
            let mut after = desk.clone();
            let decided = after.ask(&step);
            assert!(decided.is_ok() || after.states == desk.states, "{standing}, {name}");
            writeln!(text, "    {name:<21}{}", outcome(&decided, &after, "o")).unwrap();
        }
    }
    text
}

#[test]
fn every_step_of_a_whole_order_follows_its_status() {
    let steps = |desk: &Desk| {
        let (confirming, allotting) =
            (OrderStep::Confirm(what_waits(desk)), OrderStep::Allot(what_waits(desk)));
        let cancel = OrderStep::Cancel { reason: Some("changed my mind".into()) };
        vec![
            ("confirm", confirm()),
            ("confirm what waits", on("o", confirming)),
            ("allot what waits", on("o", allotting)),
            ("allot nothing", on("o", OrderStep::Allot(Vec::new()))),
            ("cancel", on("o", cancel)),
            ("ship", on("o", ship())),
            ("deliver", on("o", OrderStep::Deliver)),
            ("hold", on("o", OrderStep::Hold { hold: true, reason: None })),
            ("release the hold", on("o", OrderStep::Hold { hold: false, reason: None })),
        ]
    };
    insta::assert_snapshot!(table(steps));
}

#[test]
fn every_step_of_a_shipment_follows_its_state() {
    let steps = |_: &Desk| {
        let carrier = Carrier { carrier: Some("DHL".into()), tracking: Some("00340".into()) };
        let by_carrier = PartStep::Ship { lines: Vec::new(), carrier };
        let paris = |pieces| vec![planned("PARIS", &[(1, "A", pieces)])];
        vec![
            ("instruct", first(PartStep::Instruct)),
            ("ship", first(by_carrier)),
            ("ship a piece", first(ship_part(Some(1)))),
            ("ship 3 pieces", first(ship_part(Some(3)))),
            ("deliver", first(PartStep::Deliver)),
            ("refuse: busy", first(refuse(Refused::Busy, Vec::new()))),
            ("refuse: closed", first(refuse(Refused::Closed, Vec::new()))),
            ("refuse: short", first(refuse(Refused::Short, Vec::new()))),
            ("refuse: damaged", first(refuse(Refused::Damaged, Vec::new()))),
            ("refuse: not-in-stock", first(refuse(Refused::NotInStock, Vec::new()))),
            ("Paris sends 2", first(refuse(Refused::Busy, paris(2)))),
            ("Paris sends 4", first(refuse(Refused::Busy, paris(4)))),
            ("cancel", first(PartStep::Cancel { reason: Some("late".into()) })),
            ("ship, from Paris", part("o", 1, "PARIS", ship_part(None))),
        ]
    };
    insta::assert_snapshot!(table(steps));
}

#[test]
fn a_table_has_every_status_and_every_state_of_a_shipment() {
    let mut seen: Vec<String> = Vec::new();
    for (standing, desk) in standings().into_iter().skip(1) {
        let status = serde_json::to_value(desk.order("o").status()).unwrap();
        assert!(standing.starts_with(status.as_str().unwrap()), "{standing}: {status}");
        let shipment = desk.shipment(&shipment_id("o", 1));
        seen.push(status.as_str().unwrap().to_owned());
        if shipment.version > 0 {
            seen.push(shipment.state().as_str().to_owned());
        }
    }
    seen.sort();
    seen.dedup();
    let statuses = ["CANCELLED", "CONFIRMED", "DELIVERED", "PLACED", "SHIPPED"];
    let states = ["cancelled", "delivered", "held", "instructed", "refused", "shipped"];
    assert_eq!(seen, [&statuses[..], &states[..]].concat());
}
