//! The bytes of adjustments with a kind, which were added to format 1 later: `tests/golden/format-*-tills`.

use super::{FORMAT, FORMATS, are_golden, whole};
use crate::node::{World, level, qty, stock};
use crate::rules;
use onhand_app::Meta;
use onhand_domain::stock::{AdjustKind, MovementKind, Verb};
use onhand_domain::{Command, Expected, Fact};
use onhand_sim::node::SimSettings;
use onhand_sim_machine::disk::SimDisk;
use std::fs;
use std::path::{Path, PathBuf};

const FILE: &str = "log/00000000000000000001.jsonl";

fn directory(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/format-{format}-tills"))
}

fn by(kind: AdjustKind, pieces: i64, reason: Option<&str>) -> Command {
    let verb = Verb::AdjustBy {
        kind,
        quantity: qty(pieces),
        reason: reason.map(Into::into),
        reference: Some("till-3/4711".into()),
    };
    Command::Stock(stock("TEA", Expected::Any, verb))
}

#[tokio::test]
async fn today_writes_and_reads_the_bytes_of_tills() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    node.execute(by(AdjustKind::StockIn, 10, None), &whole("k-1", "stock-in LONDON/TEA")).await.unwrap();
    node.execute(by(AdjustKind::Sale, 2, None), &Meta::default()).await.unwrap();
    node.execute(by(AdjustKind::Removal, 1, Some("broken")), &Meta::default()).await.unwrap();
    are_golden(&world.disk, &[FILE, "node.json"], &directory(FORMAT));

    for format in FORMATS {
        let disk = SimDisk::new(1);
        for file in [FILE, "node.json"] {
            disk.put(Path::new("/data").join(file), &fs::read(directory(format).join(file)).unwrap());
        }
        let entries = rules::entries(&disk);
        rules::check(&entries);
        let kinds: Vec<MovementKind> = entries
            .iter()
            .flat_map(|entry| &entry.events)
            .map(|event| match &event.fact {
                Fact::Level(fact) => MovementKind::of(fact),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(kinds, [MovementKind::StockIn, MovementKind::Sale, MovementKind::Removal]);
        let world = World { disk, ..World::new(SimSettings::default()) };
        let node = world.open();
        let again = node
            .execute(by(AdjustKind::StockIn, 10, None), &whole("k-1", "stock-in LONDON/TEA"))
            .await
            .unwrap();
        assert!(again.replayed);
        assert_eq!(level(&node, "TEA").await, Some((7, 7, 0, 3)));
    }
}
