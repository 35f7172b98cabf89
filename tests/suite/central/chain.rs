//! A chain: three stores, each a node with its own log, and one central node that follows them over HTTP.

use super::{Levels, central, fold, get, onhand, port, serve, trade, until_central_is};
use onhand_cli::ChildServer;
use rustix::process::{Pid, Signal, kill_process};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const STORES: [&str; 3] = ["BERLIN", "PARIS", "ROME"];

#[tokio::test]
async fn a_killed_store_delays_no_other_and_central_ends_as_the_sum_of_the_logs() {
    let scratch = TempDir::new().unwrap();
    let directory = |name: &str| scratch.path().join(name);
    let mut nodes: Vec<Option<ChildServer>> =
        STORES.iter().map(|store| Some(serve(&directory(store), None, &[]))).collect();
    let urls: Vec<String> = nodes.iter().flatten().map(|node| node.url().to_owned()).collect();
    let sources: Vec<&str> = urls.iter().flat_map(|url| ["--source", url]).collect();
    let hub = serve(&directory("HUB"), None, &sources);
    let mut random = fastrand::Rng::with_seed(3);
    let mut acknowledged = 0;
    for round in 0..30 {
        if round == 10 {
            nodes[1].take().unwrap().kill().unwrap();
        }
        if round == 20 {
            let paris = port_of(&urls[1]);
            nodes[1] = Some(serve(&directory(STORES[1]), Some(paris), &[]));
        }
        for (store, url) in STORES.iter().zip(&urls) {
            acknowledged += u32::from(trade(url, store, 12, &mut random).await);
        }
        if round == 15 {
            assert_only_paris_is_missing(hub.url(), &urls).await;
        }
    }
    assert_eq!(acknowledged, 80, "Paris was away for ten rounds");
    let expected: Levels = STORES.iter().flat_map(|store| fold(&directory(store))).collect();
    assert!(expected.len() > 15, "{expected:?}");
    until_central_is(hub.url(), &expected).await;

    // Killed, central resumes from its file; stopped cleanly, it has saved everything.
    let address = port(&hub);
    hub.kill().unwrap();
    assert!(trade(&urls[2], STORES[2], 12, &mut random).await);
    let hub = serve(&directory("HUB"), Some(address), &sources);
    let expected: Levels = STORES.iter().flat_map(|store| fold(&directory(store))).collect();
    until_central_is(hub.url(), &expected).await;
    let said = onhand(&["sync", "--server", hub.url()]);
    assert!(said.starts_with("exit code 0") && said.contains("missing       0 events"), "{said}");
    assert!(hub.stop(super::PATIENCE).unwrap().success());
    assert_eq!(super::central_file(&directory("HUB")), expected);
}

/// One source is paused (SIGSTOP), one is gone: the third is followed, the central node sells, and both return.
#[tokio::test]
async fn a_source_that_stands_still_costs_the_others_nothing() {
    let scratch = TempDir::new().unwrap();
    let directory = |name: &str| scratch.path().join(name);
    let mut nodes: Vec<Option<ChildServer>> =
        STORES.iter().map(|store| Some(serve(&directory(store), None, &[]))).collect();
    let urls: Vec<String> = nodes.iter().flatten().map(|node| node.url().to_owned()).collect();
    let sources: Vec<&str> = urls.iter().flat_map(|url| ["--source", url]).collect();
    let hub = serve(&directory("HUB"), None, &sources);
    let mut random = fastrand::Rng::with_seed(5);
    for (store, url) in STORES.iter().zip(&urls) {
        assert!(trade(url, store, 12, &mut random).await);
    }
    let of_all =
        || -> Levels { STORES.iter().chain(&["HUB"]).flat_map(|store| fold(&directory(store))).collect() };
    until_central_is(hub.url(), &of_all()).await;

    let berlin = Pid::from_raw(i32::try_from(nodes[0].as_ref().unwrap().id()).unwrap()).unwrap();
    kill_process(berlin, Signal::STOP).unwrap();
    nodes[1].take().unwrap().kill().unwrap();
    let breaker = async || {
        let ready = get(&format!("{}/readyz", hub.url())).await;
        assert_eq!(ready["ready"], true, "selling goes on");
        ready["breakers"][format!("source {}", urls[1])].clone()
    };
    while breaker().await == "closed" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..5 {
        assert!(trade(&urls[2], STORES[2], 12, &mut random).await);
        assert!(trade(hub.url(), "HUB", 12, &mut random).await);
        until_central_is(hub.url(), &of_all()).await;
    }

    kill_process(berlin, Signal::CONT).unwrap();
    nodes[1] = Some(serve(&directory(STORES[1]), Some(port_of(&urls[1])), &[]));
    for (store, url) in STORES.iter().zip(&urls) {
        assert!(trade(url, store, 12, &mut random).await);
    }
    until_central_is(hub.url(), &of_all()).await;
    assert_eq!(breaker().await, "closed");
}

#[test]
fn the_script_that_shows_it_runs() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chain.sh");
    let run = Command::new(script).env("ONHAND", super::program()).env("ROUNDS", "12").output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.ends_with("central is the sum of the three logs\n"), "{run:?}");
}

/// The sales of the others while Paris was paused can be waited for, and Paris's old stock is still shown.
async fn assert_only_paris_is_missing(hub: &str, urls: &[String]) {
    for (url, store) in [(&urls[0], STORES[0]), (&urls[2], STORES[2])] {
        let end = get(&format!("{url}/events?limit=0")).await;
        let at_least = format!("{}:{}", end["node"].as_str().unwrap(), end["end"]);
        let page = get(&format!("{hub}/central/stores/{store}/inventory?atLeast={at_least}")).await;
        assert!(page["items"].as_array().unwrap().len() > 3, "{page}");
    }
    assert!(central(hub).await.keys().any(|(store, _)| store == STORES[1]));
    let said = onhand(&["sync", "--server", hub]);
    assert!(said.starts_with("exit code 69") && said.contains(&format!("this time: {}", urls[1])), "{said}");
}

fn port_of(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().parse().unwrap()
}
