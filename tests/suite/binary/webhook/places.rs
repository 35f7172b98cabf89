//! Receivers that are not allowed, and invalid settings.

use super::super::api::Api;
use super::super::process::{Node, PROGRAM, run};
use super::receiver::SECRET;
use super::{adjust, stop, watch};
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

/// The program with these settings in its environment.
fn with(settings: &[(&str, &str)]) -> Command {
    let mut program = Command::new(PROGRAM);
    program.envs(settings.iter().copied());
    program
}

#[test]
fn an_address_that_is_not_public_stops_the_start() {
    let directory = TempDir::new().unwrap();
    for host in [
        "127.0.0.1:9",
        "10.0.0.7",
        "169.254.169.254",
        "[::1]:9",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
    ] {
        let url = format!("https://{host}/hook");
        let program = with(&[("ALERT_WEBHOOK_URL", &url), ("ALERT_WEBHOOK_SECRET", SECRET)]);
        let ended = Node::try_start_as(program, directory.path(), &[]).expect_err(host);
        assert_eq!(ended.code, Some(78), "{host}: {}", ended.stderr);
        assert!(ended.stderr.contains("ALERT_WEBHOOK_ALLOW_PRIVATE"), "{host}: {}", ended.stderr);
    }
    let plain = [("ALERT_WEBHOOK_URL", "http://1.1.1.1/"), ("ALERT_WEBHOOK_SECRET", SECRET)];
    let program = with(&[&plain[..], &[("ALERT_WEBHOOK_ALLOW_PRIVATE", "true")]].concat());
    let ended = Node::try_start_as(program, directory.path(), &[]).unwrap_err();
    assert!(ended.code == Some(78) && ended.stderr.contains("takes https"), "{}", ended.stderr);
}

/// A host name is judged by its address, in each attempt; nothing is sent before.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_name_with_a_private_address_is_not_called() {
    let directory = TempDir::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("https://localhost:{}/hook", listener.local_addr().unwrap().port());
    let program = with(&[
        ("ALERT_WEBHOOK_URL", &url),
        ("ALERT_WEBHOOK_SECRET", SECRET),
        ("RETRY_BASE_MS", "5"),
        ("LOG_LEVEL", "debug"),
    ]);
    let data_dir = directory.path().to_owned();
    let node = spawn_blocking(move || Node::start_as(program, &data_dir, &[])).await.unwrap();
    let api = Api::of(&node);
    watch(&api).await;
    for delta in [10, -10] {
        adjust(&api, "A", delta).await;
    }
    while !node.process.said("stderr").contains("an alert was not sent again") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let told = node.process.said("stderr");
    assert!(told.contains("localhost leads to"), "{told}");
    assert!(told.contains("ALERT_WEBHOOK_ALLOW_PRIVATE=true"), "{told}");
    assert!(!told.contains("/hook") && !told.contains("MfKQ9"), "{told}");
    let called = listener.accept().unwrap_err();
    assert_eq!(called.kind(), std::io::ErrorKind::WouldBlock);
    stop(node).await;
}

#[test]
fn bad_settings_are_named_and_secrets_are_not_shown() {
    let directory = TempDir::new().unwrap();
    let program = with(&[
        ("ALERT_WEBHOOK_URL", "https://till:sesame@hub.example/"),
        ("ALERT_WEBHOOK_SECRET", "whsec_c2VzYW1l"),
        ("ALERT_WEBHOOK_ALLOW_PRIVATE", "perhaps"),
        ("PORT", "many"),
    ]);
    let mut program = program;
    program.args(["serve", "--data-dir"]).arg(directory.path().join("never-made"));
    let ended = run(program);
    assert_eq!(ended.code, Some(78), "{}", ended.stderr);
    for name in ["ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET", "ALERT_WEBHOOK_ALLOW_PRIVATE", "PORT"] {
        assert!(ended.stderr.contains(&format!("{name} (--")), "{name}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("sesame") && !ended.stderr.contains("c2VzYW1l"), "{}", ended.stderr);
    assert!(!directory.path().join("never-made").exists());
    let mut alone = with(&[("ALERT_WEBHOOK_URL", "https://hub.example/")]);
    alone.args(["serve", "--data-dir"]).arg(directory.path().join("never-made"));
    let ended = run(alone);
    assert!(ended.code == Some(78) && ended.stderr.contains("it is needed"), "{}", ended.stderr);
    let mut help =
        with(&[("ALERT_WEBHOOK_URL", "https://hub.example/t0ken"), ("ALERT_WEBHOOK_SECRET", SECRET)]);
    help.args(["serve", "--help"]);
    let ended = run(help);
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.contains("ALERT_WEBHOOK_SECRET"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("MfKQ9") && !ended.stdout.contains("t0ken"), "{}", ended.stdout);
}
