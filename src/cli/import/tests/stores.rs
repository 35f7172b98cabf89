//! The mapping of store names in a file to store ids.

use super::options;
use crate::import::survey::Survey;
use onhand_runtime::exit::Exit;
use tempfile::TempDir;

/// Different names are different stores, unless `--store-name` maps them to one.
#[test]
fn stores_that_would_fall_together_are_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("rows.csv");
    let take = |names: &[&str], more: &[&str]| {
        let rows = names.iter().map(|name| format!("\"{name}\",s,1\n")).collect::<Vec<_>>().concat();
        std::fs::write(&path, format!("shop,sku,qty\n{rows}")).unwrap();
        let args = options(&path, more);
        args.reading().and_then(|reading| Survey::take(args.file.clone(), reading))
    };
    for (names, more, pairs) in [
        (
            &["MÜNCHEN", "Bonn", "MÄNCHEN"][..],
            &[][..],
            &[("\"MÜNCHEN\" (row 1, line 2)", "\"MÄNCHEN\" (row 3, line 4)")][..],
        ),
        (&["A B", "A-B"], &[], &[("\"A B\"", "\"A-B\"")]),
        (&["A-B", "A B"], &[], &[("\"A-B\"", "\"A B\"")]),
        (&["A B", "A/B", "C D", "C+D"], &[], &[("\"A B\"", "\"A/B\""), ("\"C D\"", "\"C+D\"")]),
        (&["MÜNCHEN", "MÄNCHEN"], &["--store-name", "MÜNCHEN=M-NCHEN"], &[("\"MÜNCHEN\"", "\"MÄNCHEN\"")]),
    ] {
        let failure = take(names, more).unwrap_err();
        assert_eq!(failure.exit, Exit::Data);
        let told = failure.to_string();
        for (one, other) in pairs {
            assert!(told.contains(one) && told.contains(other), "{told}");
        }
        assert!(told.contains("rows.csv") && told.contains("--store-name"), "{told}");
    }
    for (names, more) in [
        (&["MÜNCHEN", "MÜNCHEN", " MÜNCHEN "][..], &[][..]),
        (&["MÜNCHEN", "MÄNCHEN"], &["--store-name", "MÜNCHEN=MUENCHEN"]),
        (&["MÜNCHEN", "MÄNCHEN"], &["--store-name", "MÜNCHEN=X", "--store-name", "MÄNCHEN=X"]),
        (&["A B", "A-B"], &["--store-name", "A B=A-B"]),
    ] {
        assert_eq!(take(names, more).unwrap().store_notes, Vec::<String>::new(), "{names:?}");
    }
    let notes =
        take(&["Bonn", "BONN", "bonn", "Rome"], &["--store-name", "Paris=PARIS"]).unwrap().store_notes;
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(notes[0].contains("BONN and Bonn are two stores") && notes[2].contains("\"Paris\""), "{notes:?}");
    let failure = take(&["A"], &["--store-name", "A=B", "--store-name", "A=C"]).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
}
