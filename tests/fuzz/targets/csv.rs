//! A CSV file, as `onhand import --dry-run` reads it.

use clap::Parser;
use onhand::Cli;
use std::ffi::OsString;
use std::path::PathBuf;

/// The first byte chooses the options, the rest is the file.
pub(super) fn import(bytes: &[u8]) {
    let Some((first, content)) = bytes.split_first() else { return };
    let directory = tempfile::tempdir().expect("the machine gives a directory");
    let file = directory.path().join("a.csv");
    std::fs::write(&file, content).expect("the machine takes a file");
    let report = directory.path().join("refused.csv");
    if first & 0b1000_0000 != 0 {
        return products(*first, file, report);
    }
    let mut arguments: Vec<OsString> =
        ["onhand", "import", "--dry-run", "--sku-column", "sku", "--quantity-column", "qty"]
            .map(OsString::from)
            .to_vec();
    let mut add = |words: &[&str]| arguments.extend(words.iter().map(OsString::from));
    add(if first & 1 == 0 { &["--store-column", "store"] } else { &["--store", "BERLIN"] });
    add(if first & 0b10 == 0 { &[] } else { &["--delimiter", ";"] });
    add(if first & 0b100 == 0 { &[] } else { &["--time-column", "time"] });
    add(if first & 0b1100 == 0b1100 { &["--time-format", "%d/%m/%Y %H:%M"] } else { &[] });
    add(if first & 0b1_0000 == 0 { &[] } else { &["--kind", "stock-in", "--reference-column", "ref"] });
    arguments.extend([OsString::from("--report"), report.into_os_string(), file.into_os_string()]);
    let cli = Cli::try_parse_from(arguments).expect("the options are right");
    // Refused or not, it comes to an end.
    let _ = cli.run(Vec::new());
}

/// The same as a file of products.
fn products(first: u8, file: PathBuf, report: PathBuf) {
    let mut arguments: Vec<OsString> =
        ["onhand", "import", "products", "--dry-run", "--currency", "GBP"].map(OsString::from).to_vec();
    let mut add = |words: &[&str]| arguments.extend(words.iter().map(OsString::from));
    add(if first & 1 == 0 { &[] } else { &["--delimiter", ";"] });
    add(if first & 0b10 == 0 { &[] } else { &["--minor-price-column", "price"] });
    arguments.extend([OsString::from("--report"), report.into_os_string(), file.into_os_string()]);
    let cli = Cli::try_parse_from(arguments).expect("the options are right");
    let _ = cli.run(Vec::new());
}
