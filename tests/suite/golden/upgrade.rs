//! A directory of an earlier format becomes one of this format.

use super::{SETTINGS, adjust, golden, now};
use crate::node::World;
use onhand_app::Meta;
use onhand_app::ports::Moment;
use onhand_disk::layout::Layout;
use onhand_domain::{Command, Sequence, Sku, StoreId};
use onhand_file::audit::audit;
use onhand_sim_machine::disk::{Crash, Fault, Injection};
use std::path::Path;

/// The start that upgrades a directory can be interrupted at every operation.
#[tokio::test]
async fn a_directory_of_format_1_goes_on_in_this_one() {
    for nth in 1.. {
        let world = World { disk: golden(1), ..World::new(SETTINGS) };
        let disk = &world.disk;
        disk.inject(Injection::at(disk.operations() + nth, Fault::Crash));
        let opened = world.try_open();
        let crashed = disk.is_stopped();
        assert!(opened.is_ok() || crashed, "only the crash may stop it");
        drop(opened);
        disk.clear_faults();
        disk.crash(Crash::PowerCut { seed: nth });
        let node = world.open();
        node.execute(Command::Stock(adjust("22423", 1)), &Meta::default()).await.unwrap();
        let found = audit(disk, &Layout::new(Path::new("/data"))).unwrap();
        assert_eq!(found.findings.len(), 0, "operation {nth}");
        let text = |file| String::from_utf8(now(disk, file).unwrap()).unwrap();
        assert!(text("node.json").contains("\"format\": 2"), "an earlier program refuses it");
        let segment = text("log/00000000000000000018.jsonl");
        let both =
            [r#""after":{"onHand""#, r#""after":{"level":{"onHand""#].map(|form| segment.contains(form));
        assert_eq!(both, [true, true], "the segment goes on");
        if !crashed {
            assert!(nth > 20, "a start makes more than {nth} calls");
            return;
        }
    }
}

/// An index of an earlier form is derived like any other: it is built again, with the same contents.
#[tokio::test]
async fn an_index_of_an_earlier_format_is_made_again() {
    let world = World { disk: golden(1), ..World::new(SETTINGS) };
    let path = Layout::new(Path::new("/data")).index(Sequence(1));
    drop(world.open());
    let made = world.disk.file(&path).unwrap();
    world.disk.put(&path, &[b"ONHIDX03", &made[8..]].concat());
    let node = world.open();
    assert_eq!(world.disk.file(&path), Some(made));
    let (store, sku) = (StoreId::new("LONDON-1").unwrap(), Sku::new("BANK CHARGES").unwrap());
    let then = node.drive(node.ledger.level_as_of(&store, &sku, Moment::Sequence(Sequence(3)))).await;
    assert_eq!(then.unwrap().unwrap().numbers.version, 3);
}
