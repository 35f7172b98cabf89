//! An importer against a small node in memory.

mod node;
mod stores;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, FromArgMatches};
use tempfile::TempDir;

use super::options::ImportArgs;
use super::report;
use super::report_file::Refusals;
use super::send::{Sent, send};
use super::survey::Survey;
use super::wire::Progress;
use crate::terminal::client::NodeClient;
use node::{FakeFault, SharedNode};
use onhand_runtime::exit::Exit;

/// The node, its client, and a file to import.
struct Scene {
    node: SharedNode,
    client: NodeClient,
    directory: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let node = SharedNode::default();
        let routes = node::routes(node.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = NodeClient::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { node, client, directory: TempDir::new().unwrap() }
    }

    fn file(&self, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory.path().join("rows.csv");
        std::fs::File::create(&path).unwrap().write_all(text.as_ref()).unwrap();
        path
    }

    fn trouble(&self, table: &[(u64, FakeFault)]) {
        self.node.lock().unwrap().troubles = table.iter().copied().collect();
    }

    fn stock(&self) -> BTreeMap<(String, String), i64> {
        self.node.lock().unwrap().levels.clone()
    }

    async fn collect(&self, survey: &Survey) -> (Refusals, String) {
        let path = self.directory.path().join("report.csv");
        let refusals = report::collect(Some(&self.client), survey, Some(&path)).await.unwrap();
        (refusals, std::fs::read_to_string(path).unwrap())
    }
}

fn options(path: &std::path::Path, more: &[&str]) -> ImportArgs {
    let command =
        ImportArgs::augment_args(clap::Command::new("import")).mut_args(|argument| argument.env(None));
    let base = ["import", path.to_str().unwrap(), "--store-column", "shop", "--sku-column", "sku"];
    let arguments = base.iter().chain(&["--quantity-column", "qty"]).chain(more);
    ImportArgs::from_arg_matches(&command.try_get_matches_from(arguments).unwrap()).unwrap()
}

fn survey(path: &std::path::Path, more: &[&str]) -> Survey {
    let args = options(path, more);
    Survey::take(args.file.clone(), args.reading().unwrap()).unwrap()
}

/// 3,500 sales of one piece over 7 SKUs; each SKU has 400 pieces, so 100 of 500 are refused.
fn busy_days() -> String {
    let rows = (0..3500).map(|row| format!("Berlin,S{},1\n", row % 7));
    std::iter::once("shop,sku,qty\n".to_owned()).chain(rows).collect()
}

fn assert_sold_out(scene: &Scene) {
    let stock = scene.stock();
    assert_eq!(stock.len(), 7);
    assert!(stock.values().all(|pieces| *pieces == 0), "{stock:?}");
}

const SOLD_OUT: Progress = Progress { rows_done: 3500, applied: 2800, refused: 700, finished: true };

#[tokio::test]
async fn every_row_is_applied_or_refused_and_a_second_run_changes_nothing() {
    let scene = Scene::new().await;
    let survey = survey(&scene.file(busy_days()), &["--opening-stock", "400"]);
    let sent = send(&scene.client, &survey, |_| ()).await.unwrap();
    assert_eq!(sent, Sent::Now { from: 0, progress: SOLD_OUT });
    assert_sold_out(&scene);
    let (_, report) = scene.collect(&survey).await;

    let again = send(&scene.client, &survey, |_| ()).await.unwrap();
    assert_eq!(again, Sent::Before(SOLD_OUT));
    assert_eq!(scene.node.lock().unwrap().posts, 4);
    let (refusals, same_report) = scene.collect(&survey).await;
    assert_eq!(report, same_report);
    assert_eq!((refusals.total, refusals.first.len()), (700, 10));
    assert_eq!(refusals.by_code["insufficient-stock"], 700);
    assert_eq!(report.lines().count(), 701);
}

#[tokio::test]
async fn lost_answers_and_busy_times_apply_nothing_twice() {
    for table in [
        vec![(1, FakeFault::Busy), (3, FakeFault::Busy)],
        vec![(1, FakeFault::AnswerLost)],
        vec![(4, FakeFault::AnswerLost)],
        vec![(2, FakeFault::AnswerLost), (4, FakeFault::Busy), (5, FakeFault::AnswerLost)],
    ] {
        let scene = Scene::new().await;
        scene.trouble(&table);
        let survey = survey(&scene.file(busy_days()), &["--opening-stock", "400"]);
        let sent = send(&scene.client, &survey, |_| ()).await.unwrap();
        assert_eq!(sent.progress(), SOLD_OUT);
        assert_sold_out(&scene);
    }
}

#[tokio::test]
async fn a_killed_import_goes_on_where_the_node_is() {
    for killed_in in 1..=4 {
        let scene = Scene::new().await;
        scene.trouble(&[(killed_in, FakeFault::Hangs)]);
        let survey = survey(&scene.file(busy_days()), &["--opening-stock", "400"]);
        let hangs = async {
            while scene.node.lock().unwrap().posts < killed_in {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            sent = send(&scene.client, &survey, |_| ()) => panic!("it must hang: {sent:?}"),
            () = hangs => {}
        }

        let sent = send(&scene.client, &survey, |_| ()).await.unwrap();
        assert_eq!(sent.progress(), SOLD_OUT);
        assert_eq!(matches!(sent, Sent::Before(_)), killed_in == 4);
        assert_sold_out(&scene);
        assert_eq!(scene.collect(&survey).await.0.total, 700);
    }
}

#[tokio::test]
async fn two_importers_of_one_file_share_the_work() {
    let scene = Scene::new().await;
    let survey = survey(&scene.file(busy_days()), &["--opening-stock", "400"]);
    let (one, other) =
        tokio::join!(send(&scene.client, &survey, |_| ()), send(&scene.client, &survey, |_| ()));
    assert_eq!((one.unwrap().progress(), other.unwrap().progress()), (SOLD_OUT, SOLD_OUT));
    assert_sold_out(&scene);
}

#[tokio::test]
async fn rows_refused_here_and_there_are_one_report() {
    let scene = Scene::new().await;
    let text = b"\xef\xbb\xbfshop,sku,note,qty\n\
        United Kingdom,A,\"two\nlines\",3\n\
        United Kingdom,\xa3,,1\n\
        United Kingdom,A,,9\n\
        United Kingdom,A,,x\n\
        ,A,,1\n\
        United Kingdom,A b,\xa3,-2\n\
        United Kingdom,A,,0,\n";
    let survey = survey(&scene.file(text), &["--opening-stock", "5"]);
    assert_eq!((survey.rows, survey.refused), (7, 4));
    let sent = send(&scene.client, &survey, |_| ()).await.unwrap();
    assert_eq!((sent.progress().applied, sent.progress().refused), (2, 1));
    let expected = "row,line,code,detail,store,sku,quantity,time,reference\n\
        2,4,not-utf-8,\"field 2 is not UTF-8; convert the file, for example with iconv\",United Kingdom,\u{fffd},1,,\n\
        3,5,insufficient-stock,the level had only 2 left at that point,United Kingdom,A,9,,\n\
        4,6,invalid-quantity,\"\"\"x\"\" is no whole number\",United Kingdom,A,x,,\n\
        5,7,invalid-store,the store is blank,,A,1,,\n\
        7,9,wrong-field-count,\"it has 5 fields, the header has 4\",United Kingdom,A,0,,\n";
    assert_eq!(scene.collect(&survey).await.1, expected);
    assert_eq!(scene.stock()[&("United-Kingdom".to_owned(), "A b".to_owned())], 7);
}

#[tokio::test]
async fn a_file_that_changes_meanwhile_is_not_finished() {
    let scene = Scene::new().await;
    let path = scene.file(busy_days());
    let survey = survey(&path, &["--opening-stock", "400"]);
    std::fs::write(&path, busy_days().replacen("S6,1", "S6,2", 1)).unwrap();
    let failure = send(&scene.client, &survey, |_| ()).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Data);
    assert!(!scene.node.lock().unwrap().imports.values().any(|import| import.finished));
}

#[tokio::test]
async fn an_unreachable_node_is_reported() {
    let scene = Scene::new().await;
    let survey = survey(&scene.file(busy_days()), &[]);
    let nobody = NodeClient::new("http://127.0.0.1:1").unwrap();
    let failure = send(&nobody, &survey, |_| ()).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Unavailable);
    assert!(failure.to_string().contains("onhand serve"), "{failure}");
}

#[test]
fn a_file_that_is_no_such_csv_is_refused_before_anything_is_sent() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("rows.csv");
    let endless = format!("shop,sku,qty\nA,\"B,1\n{}", "C,D,1\n".repeat(300_000));
    let table: &[(&[u8], &str)] = &[
        (b"", "no header line"),
        (b"\n\n", "no header line"),
        (b"shop;sku;qty\na;b;1\n", "--delimiter"),
        (b"store,sku,amount\n", "--quantity-column \"qty\" is no column"),
        (b"shop,sku,qty,sku\n", "more than once"),
        (b"sh\xf6p,sku,qty\n", "not UTF-8"),
        (b"\xff\xfes\0h\0o\0p\0", "not UTF-8"),
        (endless.as_bytes(), "never closed"),
        (b"shop,sku,\"qty\nA,B,1\n", "never closed"),
        (b"shop,sku,qty\nA,B,1\nA,\"B,1\nA,C,1\nA,D,1\n", "row 2, from line 3 on, opens a quote"),
        (b"shop,sku,qty\nA,B,\"", "never closed"),
    ];
    for (text, said) in table {
        std::fs::write(&path, text).unwrap();
        let args = options(&path, &[]);
        let failure = Survey::take(args.file.clone(), args.reading().unwrap()).unwrap_err();
        assert_eq!(failure.exit, Exit::Data);
        assert!(failure.to_string().contains(said), "{failure}");
    }
    for missing in [directory.path().join("nothing.csv"), directory.path().to_owned()] {
        let args = options(&missing, &[]);
        let failure = Survey::take(args.file.clone(), args.reading().unwrap()).unwrap_err();
        assert_eq!(failure.exit, Exit::NoInput, "{failure}");
    }
}

#[test]
fn the_fingerprint_is_of_the_file_and_its_meaning() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("rows.csv");
    std::fs::write(&path, "shop,sku,qty\nA,B,1\n").unwrap();
    let plain = survey(&path, &[]);
    // A change of this value would make imports that are finished in people's logs new ones.
    assert_eq!(plain.import_id(), "1a2435d2305cc786792de5afe911312c");
    for same in [&["--server", "http://elsewhere:1"][..], &["--report", "r.csv"], &["--dry-run"]] {
        assert_eq!(survey(&path, same).import_id(), plain.import_id());
    }
    let said = ["--store-name", "A=C"];
    for other in [&["--opening-stock", "1"][..], &["--kind", "stock-in"], &["--exact-stores"], &said] {
        assert_ne!(survey(&path, other).import_id(), plain.import_id());
    }
    std::fs::write(&path, "shop,sku,qty\nA,B,2\n").unwrap();
    assert_ne!(survey(&path, &[]).import_id(), plain.import_id());
}
