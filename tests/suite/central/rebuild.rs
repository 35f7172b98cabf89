//! `onhand rebuild --central`: the model from nothing.

use super::{central_file, fold, newest, onhand, serve, text, trade};
use std::fs;
use tempfile::TempDir;

#[tokio::test]
async fn central_is_built_from_the_logs_alone_and_never_knows_less_than_before() {
    let scratch = TempDir::new().unwrap();
    let (hub, paris) = (scratch.path().join("HUB"), scratch.path().join("PARIS"));
    let mut random = fastrand::Rng::with_seed(23);
    let central = serve(&hub, None, &["--source", text(&paris)]);
    let store = serve(&paris, None, &["--sync", "off"]);
    assert!(trade(store.url(), "PARIS", 50, &mut random).await);
    assert!(trade(central.url(), "HUB", 50, &mut random).await);
    central.stop(super::PATIENCE).unwrap();
    let mut expected = fold(&hub);
    expected.extend(fold(&paris));
    assert_eq!(central_file(&hub), expected);

    let rebuild = ["rebuild", "--central", "--data-dir", text(&hub)];
    let with_paris: Vec<&str> = rebuild.iter().chain(&["--source", text(&paris)]).copied().collect();
    let said = onhand(&rebuild);
    assert!(said.starts_with("exit code 2") && said.contains("nothing was changed"), "{said}");
    let said = onhand(&with_paris);
    assert!(said.starts_with("exit code 0") && said.contains("0 levels were wrong"), "{said}");

    // A wrong but complete model is detected.
    let path = newest(&hub);
    let file = fs::read_to_string(&path).unwrap();
    let (_, body) = file.split_once(",\"central\":").unwrap();
    let body = body.strip_suffix("}\n").unwrap().replacen("\"reserved\":0", "\"reserved\":1", 1);
    let sum = crc32c::crc32c(body.as_bytes());
    fs::write(&path, format!("{{\"crc\":\"{sum:08x}\",\"central\":{body}}}\n")).unwrap();
    let said = onhand(&with_paris);
    assert!(said.starts_with("exit code 0") && said.contains("1 levels were wrong"), "{said}");
    assert_eq!(central_file(&hub), expected);

    fs::remove_dir_all(hub.join("central")).unwrap();
    let said = onhand(&with_paris);
    assert!(said.starts_with("exit code 0") && said.contains("there was no central model before"), "{said}");
    assert_eq!(central_file(&hub), expected);

    let gone = onhand(&["rebuild", "--central", "--data-dir", text(&hub), "--source", "http://127.0.0.1:1"]);
    assert!(gone.starts_with("exit code 69"), "{gone}");
    assert_eq!(central_file(&hub), expected);
}
