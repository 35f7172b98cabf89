//! The bytes of orders, shipments and the routing, which were added to format 2 later: `tests/golden/format-2-orders`.

use super::{FORMAT, are_golden, whole};
use crate::node::{World, qty};
use crate::orders::{line, on, order_id, part, pieces_of, place, placed, planned, receive, sku_of, store_id};
use crate::rules;
use onhand_app::Meta;
use onhand_domain::allocation::{Rank, Routing, RoutingCommand, Rules, SiteRules};
use onhand_domain::orders::{
    Carrier, Line, Looked, OrderDetails, OrderPolicy, OrderStatus, OrderStep, PartStep, Partial, Payment,
    PaymentKind, PaymentStatus, Pieces, Placed, Refused, Return, ReturnLine, ReturnState, ShipmentState,
    StockPolicy,
};
use onhand_domain::{Command, CustomerId, EventKind, Expected, Fact, PaymentId, ReturnId, Timestamp};
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::SimDisk;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const SETTINGS: SimSettings =
    SimSettings { segment_bytes: 1 << 20, snapshot_every: 40, idempotency_ttl_ms: 300_000, archive: false };
const SNAPSHOT: u64 = 45;
const FILES: [&str; 3] = ["node.json", "log/00000000000000000001.jsonl", "snapshots/node-45.json"];
/// The format in which they came.
const FIRST: u32 = 2;

fn directory(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/format-{format}-orders"))
}

fn routing() -> Command {
    let london = SiteRules { excluded: false, priority: Some(1), keeps_back: Some(qty(2)) };
    let ranks = vec![Rank::Priority, Rank::Complete];
    let rules = Rules { ranks, keeps_back: qty(1), stores: [(store_id("LONDON"), london)].into() };
    let routing = Box::new(Routing { rules, channels: [("web".into(), Rules::default())].into() });
    Command::Routing(RoutingCommand { expected: Expected::Any, routing })
}

/// With everything that can be told of an order.
fn full() -> Command {
    let details = OrderDetails {
        channel_id: Some("web".into()),
        external_id: Some("4711".into()),
        customer_id: Some(CustomerId::new("c-1").unwrap()),
        personal: Some("c2VhbGVk".into()),
        currency: Some("GBP".into()),
        policy: OrderPolicy { partial: Partial::Backorder, stock: StockPolicy::Hold, auto_confirm: false },
    };
    let (discount, tax) = (Some(qty(50)), Some(qty(190)));
    let name = Some("\"Green\" t\u{e9}a \u{1F375}".into());
    let tea = Line { name, discount, tax, unit_price: Some(qty(1_250)), ..line(1, "TEA 1", 6, 1) };
    let looked = vec![Looked { store_id: store_id("LONDON"), versions: vec![1, 0] }];
    let placed = Placed {
        details,
        routing: Some(1),
        rules: Some(Rules::default()),
        looked,
        ..placed(vec![tea, line(2, "CUPS", 2, 0)], Partial::Backorder)
    };
    let plan =
        vec![planned("LONDON", &[(1, "TEA 1", 4)]), planned("ROME", &[(1, "TEA 1", 1), (2, "CUPS", 2)])];
    place("web.4711", placed, plan)
}

/// Confirmed by itself; a piece of it is cancelled at once.
fn bare() -> Command {
    let pieces = Pieces { cancelled: qty(1), ..Pieces::default() };
    let tea = Line { unit_price: None, pieces, ..line(1, "TEA 1", 2, 0) };
    let mut placed = placed(vec![tea], Partial::CancelRest);
    placed.details.policy.auto_confirm = true;
    place("o-2", placed, vec![planned("ROME", &[(1, "TEA 1", 1)])])
}

fn pay(id: &str, kind: PaymentKind, amount: i64) -> Command {
    let payment_id = PaymentId::new(id).unwrap();
    let reference = (kind == PaymentKind::Captured).then(|| "psp/1".into());
    let (amount, at) = (qty(amount), Timestamp::EPOCH);
    on("web.4711", OrderStep::Pay(Payment { payment_id, kind, amount, reference, at }))
}

fn returned(id: &str, state: ReturnState, pieces: &[(i64, i64)]) -> Command {
    let line =
        |(pieces, sellable): &(i64, i64)| ReturnLine { line: 1, qty: qty(*pieces), sellable: qty(*sellable) };
    let step = Box::new(Return {
        return_id: ReturnId::new(id).unwrap(),
        state,
        lines: pieces.iter().map(line).collect(),
        store_id: (state == ReturnState::Received).then(|| store_id("ROME")),
        reason: (state == ReturnState::Requested).then(|| "too small".into()),
    });
    on("web.4711", OrderStep::Return { step, skus: vec![sku_of("TEA 1"), sku_of("CUPS")] })
}

/// Up to the snapshot: every change of a shipment, and payments.
fn first() -> Vec<Command> {
    let ship = PartStep::Ship {
        lines: vec![pieces_of(1, "TEA 1", 3)],
        carrier: Carrier { carrier: Some("DHL".into()), tracking: Some("00340".into()) },
    };
    let refuse = PartStep::Refuse {
        refused: Refused::NotInStock,
        reason: Some("the shelf is empty".into()),
        planned: vec![planned("LONDON", &[(1, "TEA 1", 1), (2, "CUPS", 1)])],
    };
    let short = PartStep::Refuse { refused: Refused::Short, reason: None, planned: Vec::new() };
    let hold = |hold, reason: Option<&str>| OrderStep::Hold { hold, reason: reason.map(Into::into) };
    let order = "web.4711";
    vec![
        receive("LONDON", "TEA 1", 9),
        receive("ROME", "TEA 1", 9),
        receive("ROME", "CUPS", 4),
        receive("LONDON", "CUPS", 4),
        routing(),
        full(),
        bare(),
        on(order, hold(true, Some("fraud?"))),
        on(order, hold(false, None)),
        on(order, OrderStep::Allot(vec![planned("LONDON", &[(1, "TEA 1", 1)])])),
        part(order, 1, "LONDON", PartStep::Instruct),
        part(order, 1, "LONDON", ship),
        part(order, 2, "ROME", refuse),
        part(order, 3, "LONDON", PartStep::Cancel { reason: Some("late".into()) }),
        part(order, 1, "LONDON", PartStep::Deliver),
        pay("p-1", PaymentKind::Authorised, 5_000),
        pay("p-2", PaymentKind::Voided, 1_000),
        part(order, 1, "LONDON", short),
    ]
}

/// Behind the snapshot.
fn then() -> Vec<Command> {
    let order = "web.4711";
    vec![
        on(order, OrderStep::Allot(vec![planned("LONDON", &[(1, "TEA 1", 2), (2, "CUPS", 1)])])),
        on(order, OrderStep::Ship(Carrier::default())),
        on(order, OrderStep::Deliver),
        on("o-2", OrderStep::Cancel { reason: Some("changed my mind".into()) }),
        pay("p-3", PaymentKind::Captured, 4_000),
        pay("p-4", PaymentKind::Refunded, 500),
        pay("p-5", PaymentKind::Failed, 1),
        pay("p-6", PaymentKind::Disputed, 100),
        pay("p-7", PaymentKind::Settled, 100),
        returned("r-1", ReturnState::Requested, &[(2, 0)]),
        returned("r-1", ReturnState::Approved, &[]),
        returned("r-1", ReturnState::Received, &[(2, 1)]),
        returned("r-1", ReturnState::Closed, &[]),
        returned("r-2", ReturnState::Requested, &[(1, 0)]),
        returned("r-2", ReturnState::Refused, &[]),
    ]
}

async fn write(world: &World) -> SimNode {
    let mut node = world.open();
    for (number, command) in first().into_iter().enumerate() {
        let meta = if number == 5 { whole("k-1", "place web.4711") } else { Meta::default() };
        node.execute(command, &meta).await.unwrap();
        world.clock.pass(1_001);
    }
    node.upkeep().unwrap();
    for command in then() {
        node.execute(command, &Meta::default()).await.unwrap();
        world.clock.pass(1_001);
    }
    node
}

fn on_disk(format: u32) -> SimDisk {
    let disk = SimDisk::new(1);
    for file in FILES {
        disk.put(Path::new("/data").join(file), &fs::read(directory(format).join(file)).unwrap());
    }
    disk
}

/// The kinds of its events, as today's program reads them, from the snapshot and from the log alone.
pub(super) async fn kinds(format: u32) -> Vec<EventKind> {
    if format < FIRST {
        return Vec::new();
    }
    let disk = on_disk(format);
    let entries = rules::entries(&disk);
    rules::check(&entries);
    for with_snapshot in [true, false] {
        let disk = disk.fork();
        if !with_snapshot {
            onhand_disk::Disk::remove(&disk, &Path::new("/data").join(FILES[2])).unwrap();
        }
        let node = World { disk, ..World::new(SETTINGS) }.open();
        assert_eq!(node.report.snapshot.0, if with_snapshot { SNAPSHOT } else { 0 });
        is_read(&node).await;
    }
    entries.iter().flat_map(|entry| &entry.events).map(|event| event.kind).collect()
}

async fn is_read(node: &SimNode) {
    let read = async |order| node.drive(node.ledger.order(&order_id(order))).await.unwrap().unwrap();
    let view = read("web.4711").await;
    let order = &view.order;
    assert_eq!(
        (order.status(), order.payment_status()),
        (OrderStatus::Delivered, PaymentStatus::PartRefunded)
    );
    assert_eq!((order.version, order.payments.len(), order.returns.len()), (26, 7, 2));
    assert_eq!(order.details.personal.as_deref(), Some("c2VhbGVk"));
    assert_eq!(order.amount(), Some(qty(6 * 1_250 - 50 + 190 + 2 * 100)));
    let pieces: Vec<_> =
        order.lines.iter().map(|line| (line.pieces.delivered, line.pieces.returned)).collect();
    assert_eq!(pieces, [(qty(6), qty(2)), (qty(2), qty(0))]);
    let states: Vec<_> = view.shipments.iter().map(|view| view.shipment.state()).collect();
    let delivered = ShipmentState::Delivered;
    assert_eq!(states, [delivered, ShipmentState::Refused, ShipmentState::Cancelled, delivered, delivered]);
    assert_eq!(view.shipments[0].shipment.tracking.as_deref(), Some("00340"));
    assert_eq!(read("o-2").await.order.status(), OrderStatus::Cancelled);
    let (routing, version) = node.drive(node.ledger.routing()).await.unwrap();
    assert_eq!((routing.rules.keeps_back, version), (qty(1), 1));
    let again = node.execute(full(), &whole("k-1", "place web.4711")).await.unwrap();
    assert!(again.replayed || again.events.is_empty(), "it is there");
}

#[tokio::test]
async fn today_writes_the_bytes_of_orders() {
    let world = World::new(SETTINGS);
    let _node = write(&world).await;
    are_golden(&world.disk, &FILES, &directory(FORMAT));
}

/// The words of an event in JSON, each with what it is about.
fn words(fact: &Fact) -> Vec<(&'static str, String)> {
    match fact {
        Fact::Order(fact) => {
            let payment = fact.payment.iter().map(|payment| ("payment", word(&payment.kind)));
            let returned = fact.returned.iter().map(|returned| ("return", word(&returned.state)));
            payment.chain(returned).chain([("order", word(&fact.change))]).collect()
        }
        Fact::Shipment(fact) => vec![("shipment", word(&fact.change))],
        _ => Vec::new(),
    }
}

fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

#[test]
fn the_bytes_of_orders_have_every_change() {
    let entries = rules::entries(&on_disk(FORMAT));
    let words = entries.iter().flat_map(|entry| &entry.events).flat_map(|event| words(&event.fact));
    let words: BTreeSet<(&str, String)> = words.collect();
    let of = |kind: &str| words.iter().filter(|(of, _)| *of == kind).count();
    assert_eq!([of("order"), of("shipment"), of("payment"), of("return")], [12, 6, 7, 5], "{words:?}");
}
