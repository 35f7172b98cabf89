//! The bytes of commands on many products, which were added to format 1 later: `tests/golden/format-*-products`.

use super::{FORMAT, FORMATS, are_golden, whole};
use crate::node::World;
use crate::rules;
use onhand_app::Meta;
use onhand_domain::catalogue::{Currency, Described, Price, ProductChange, ProductMember, Products};
use onhand_domain::{Command, Rejection, Sku, UnappliedWhy};
use onhand_sim::node::SimSettings;
use onhand_sim_machine::disk::{Crash, SimDisk};
use std::fs;
use std::path::{Path, PathBuf};

const FILE: &str = "log/00000000000000000001.jsonl";

fn directory(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/format-{format}-products"))
}

fn said(sku: &str, name: Option<&str>, amount_minor: Option<u64>) -> Described {
    let price = |amount_minor| Price { amount_minor, currency: Currency::new("GBP").unwrap() };
    let change = ProductChange {
        name: name.map(Into::into),
        unit_price: amount_minor.map(|amount| Some(price(amount))),
        ..ProductChange::default()
    };
    Described { sku: Sku::new(sku).unwrap(), change }
}

fn first() -> Command {
    let products =
        vec![said("A-1", Some("Tea"), Some(255)), said("BANK CHARGES", Some("Bank charges"), None)];
    Command::Products(Products { update: false, products })
}

/// One new product, one unchanged, and two that are rejected, each for its own reason.
fn second() -> Command {
    let products = vec![
        said("A-1", Some("Green tea"), Some(295)),
        said("BANK CHARGES", Some("Bank charges"), None),
        said("C-3", None, Some(100)),
        said("D-4", Some("Coffee"), None),
    ];
    Command::Products(Products { update: false, products })
}

#[tokio::test]
async fn today_writes_and_reads_the_bytes_of_many_products() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    node.execute(first(), &whole("k-1", "catalogue products")).await.unwrap();
    node.execute(second(), &whole("k-2", "catalogue products")).await.unwrap();
    are_golden(&world.disk, &[FILE, "node.json"], &directory(FORMAT));

    for format in FORMATS {
        let disk = SimDisk::new(1);
        for file in [FILE, "node.json"] {
            disk.put(Path::new("/data").join(file), &fs::read(directory(format).join(file)).unwrap());
        }
        let entries = rules::entries(&disk);
        rules::check(&entries);
        assert_eq!(entries.len(), 2);
        let why: Vec<_> = entries[1].unapplied.iter().map(|one| (one.op, one.why.clone())).collect();
        let members = vec![ProductMember::Name, ProductMember::UnitPrice];
        let differs = Rejection::ProductDiffers { current_version: 1, members };
        let unknown = Rejection::ProductNotFound { sku: Sku::new("C-3").unwrap() };
        assert_eq!(why, [(0, UnappliedWhy::Refused(differs)), (2, UnappliedWhy::Refused(unknown))]);
        let world = World { disk, ..World::new(SimSettings::default()) };
        let node = world.open();
        let again = node.execute(second(), &whole("k-2", "catalogue products")).await.unwrap();
        assert_eq!((again.replayed, again.sequence, again.unapplied.len()), (true, entries[1].sequence, 2));
        let anew = node.execute(first(), &Meta::default()).await.unwrap();
        assert_eq!((anew.events.len(), anew.unapplied.len()), (0, 0), "said already");
        drop(node);
        world.disk.crash(Crash::DropUnsynced);
        drop(world.open());
    }
}
