//! A data directory with some of everything, made once: sealed segments, snapshots, holds, an import, a catalogue,
//! an alert, a leap.

use onhand_app::Meta;
use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_domain::catalogue::{Product, ProductCommand, ProductVerb, Store, StoreCommand, StoreKind};
use onhand_domain::imports::{ImportRow, ImportRows};
use onhand_domain::low_stock::ThresholdCommand;
use onhand_domain::stock::{AdjustKind, Commit, Reserve, StockCommand, Verb};
use onhand_domain::{
    Command, Expected, Idempotency, ImportId, Quantity, ReservationId, Sku, StoreId, Timestamp,
};
use onhand_file::recovery::{OpenError, OpenNode, OpenOptions, open};
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::{Crash, SimDisk};
use onhand_sim_machine::{SimClock, SimIds};
use std::path::Path;
use std::sync::{Arc, OnceLock};

const SETTINGS: SimSettings =
    SimSettings { segment_bytes: 1_500, idempotency_ttl_ms: 300_000, snapshot_every: 5, archive: false };

pub(super) fn layout() -> Layout {
    Layout::new(Path::new("/data"))
}

fn qty(pieces: i64) -> Quantity {
    Quantity::new(pieces).expect("small")
}

/// A product with a threshold, its store, and the store's own threshold.
fn catalogue() -> [Command; 3] {
    let place = || (StoreId::new("LONDON").expect("an id"), Sku::new("TEA").expect("an id"));
    let product = Product {
        name: "Green tea".into(),
        category: Some("tea".into()),
        unit_price: None,
        barcode: None,
        low_stock_threshold: Some(qty(100)),
        active: true,
    };
    let verb = ProductVerb::Create(Box::new(product));
    let store = Store {
        name: "London".into(),
        kind: StoreKind::Shop,
        address: None,
        time_zone: Some("Europe/London".into()),
        active: true,
    };
    let (expected, (store_id, sku)) = (Expected::Any, place());
    let low_stock_threshold = Some(qty(45));
    [
        Command::Product(ProductCommand { sku: place().1, expected, verb }),
        Command::Store(StoreCommand { store_id: place().0, expected, create: true, store: Box::new(store) }),
        Command::Threshold(ThresholdCommand { store_id, sku, expected, low_stock_threshold }),
    ]
}

fn commands() -> Vec<(Command, Meta)> {
    let stock = |sku: &str, verb| {
        let (store_id, sku) = (StoreId::new("LONDON").expect("an id"), Sku::new(sku).expect("an id"));
        Command::Stock(StockCommand { store_id, sku, expected: Expected::Any, verb })
    };
    let adjust =
        |pieces| Verb::Adjust { delta: qty(pieces), reason: Some("delivery".into()), reference: None };
    let id = |id: &str| ReservationId::new(id).expect("an id");
    let hold = |name: &str, ttl_seconds| {
        Verb::Reserve(Reserve { qty: qty(2), reservation_id: id(name), ttl_seconds, reference: None })
    };
    let keyed = |key: &str| Meta {
        request_id: Some("till-1".into()),
        idempotency: Some(Idempotency {
            key: key.into(),
            scope: "test".into(),
            fingerprint: onhand_app::fingerprint(key.as_bytes()),
        }),
        ..Meta::default()
    };
    let row = ImportRow {
        row: 1,
        store_id: StoreId::new("ROME").expect("an id"),
        sku: Sku::new("A 1").expect("an id"),
        kind: AdjustKind::Sale,
        quantity: qty(3),
        reference: Some("536365".into()),
        occurred_at: Some(Timestamp::EPOCH),
        opening_stock: Some(qty(10)),
    };
    let import = ImportRows {
        import_id: ImportId::new("f").expect("an id"),
        after_row: 0,
        through_row: 2,
        last: true,
        rows: vec![row],
        is_own: true,
    };
    let commit = Verb::Commit(Commit { reservation_id: id("r1"), qty: Some(qty(1)), close_remainder: true });
    let [product, described, threshold] = catalogue();
    vec![
        (stock("TEA", adjust(50)), keyed("k-1")),
        (stock("RICE", adjust(20)), keyed("k-2")),
        (stock("TEA", hold("r1", None)), keyed("k-3")),
        (stock("TEA", hold("r2", Some(30))), keyed("k-4")),
        (stock("TEA", commit), Meta::default()),
        (stock("TEA", Verb::Count { counted: qty(40), as_of: None, reason: None }), Meta::default()),
        (Command::Import(import), Meta::default()),
        (stock("RICE", hold("r3", Some(3_600))), keyed("k-5")),
        (stock("RICE", Verb::Release { reservation_id: id("r3"), qty: Some(qty(1)) }), keyed("k-6")),
        (stock("SALT", adjust(7)), keyed("k-7")),
        (stock("SALT", adjust(-7)), keyed("k-8")),
        (stock("TEA", adjust(1)), keyed("k-9")),
        (product, keyed("k-10")),
        (described, keyed("k-11")),
        (threshold, Meta::default()),
        (stock("TEA", adjust(-1)), keyed("k-12")),
        (stock("TEA", adjust(9)), keyed("k-13")),
    ]
}

/// Runs a future to its end on this thread.
pub(super) fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("the machine gives a runtime").block_on(work)
}

/// A copy of the directory.
pub(super) fn disk() -> SimDisk {
    static DISK: OnceLock<SimDisk> = OnceLock::new();
    DISK.get_or_init(|| wait(make())).fork()
}

async fn make() -> SimDisk {
    let (disk, clock, ids) = (SimDisk::new(1), Arc::new(SimClock::default()), Arc::new(SimIds::default()));
    clock.set(Timestamp::parse("2026-11-20T16:00:00Z").expect("a time"));
    let mut node = SimNode::open(&disk, &clock, &ids, SETTINGS).expect("the disk is well");
    for (place, (command, meta)) in commands().into_iter().enumerate() {
        node.execute(command, &meta).await.expect("it fits");
        clock.pass(11_000);
        if place < 9 {
            node.upkeep().expect("the disk is well");
        }
    }
    drop(node);
    disk.crash(Crash::ProcessKill);
    clock.jump(3_600_000);
    let node = SimNode::open(&disk, &clock, &ids, SETTINGS).expect("the disk is well");
    node.keep_time().await.expect("the disk is well");
    node.drive(node.ledger.expire_due()).await.expect("the disk is well");
    drop(node);
    disk.crash(Crash::PowerCut { seed: 1 });
    disk
}

/// Opens the directory, as a start does.
pub(super) fn start(disk: &SimDisk) -> Result<OpenNode, OpenError> {
    let options = OpenOptions {
        disk: Arc::new(disk.clone()) as Arc<dyn Disk>,
        layout: layout(),
        segment_bytes: SETTINGS.segment_bytes,
        ballast_bytes: 0,
        idempotency_ttl_ms: SETTINGS.idempotency_ttl_ms,
    };
    open(&options, &SimClock::default(), &SimIds::default())
}
