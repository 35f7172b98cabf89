//! `IDENTITY_FILE`: applied at every start and SIGHUP, and read-only elsewhere.

use super::super::api::{Api, Reply};
use super::super::process::{Node, Process, onhand, verify};
use super::on;
use super::place::{APPLIED, NOT_APPLIED, New, Place, bytes, person, status, token};
use http::Method;
use onhand_app::ports::Vault;
use onhand_disk::RealDisk;
use onhand_vault::FileVault;
use serde_json::json;
use std::fs;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn it_is_applied_at_each_start_and_writes_nothing_twice() {
    let (desk, till) = (
        token("desk", &["--admin"]),
        token("till-3", &["--kind", "till", "--role", "till", "--store", "BERLIN"]),
    );
    let ada = person("ada", &["--admin"]);
    // The administrators need not come first.
    let place = Place::new(&[&till.entry, &ada, &desk.entry]);
    let node = place.start();
    let api = Api::of(&node);
    api.get("/stores").await.is(401, "unauthorized");
    assert_eq!((status(&api, &desk).await, status(&api, &till).await), (200, 200));
    let me = api.get_with("/auth/me", &[("authorization", &till.token)]).await;
    assert_eq!(me.json["grants"], json!([{"role": "till", "stores": ["BERLIN"]}]), "{}", me.text);
    node.stop();
    let vault = FileVault::open(Arc::new(RealDisk), place.data().join("identity")).unwrap();
    let id = vault.person_of("ADA").unwrap().unwrap();
    assert!(vault.person(&id).unwrap().unwrap().password.unwrap().starts_with("$argon2id$"));
    let before = bytes(&place.data());
    let node = place.start();
    place.reload(&node, &[&till.entry, &ada, &desk.entry], APPLIED).await;
    assert_eq!(status(&Api::of(&node), &till).await, 200);
    node.stop();
    assert!(bytes(&place.data()) == before, "nothing differs, so nothing is written");
    verify(&place.data());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_brings_what_is_new_and_takes_what_is_gone() {
    let (desk, till) =
        (token("desk", &["--admin"]), token("till-3", &["--role", "till", "--store", "BERLIN"]));
    let ada = person("ada", &["--role", "viewer"]);
    let place = Place::new(&[&desk.entry]);
    let node = place.start();
    let api = Api::of(&node);
    place.reload(&node, &[&desk.entry, &till.entry, &ada], APPLIED).await;
    assert_eq!(status(&api, &till).await, 200);
    let wider = till.entry.replace("\"BERLIN\"", "\"BERLIN\", \"PARIS\"");
    place.reload(&node, &[&desk.entry, &wider], APPLIED).await;
    let me = api.get_with("/auth/me", &[("authorization", &till.token)]).await;
    assert_eq!(me.json["grants"][0]["stores"], json!(["BERLIN", "PARIS"]), "{}", me.text);
    let explain = on(&place.data(), &["access", "explain", "ada", "GET", "/stock/current"]);
    assert!(
        explain.code == Some(1) && explain.stdout.starts_with("no: the principal is disabled"),
        "{}",
        explain.stdout
    );
    place.reload(&node, &[&desk.entry], APPLIED).await;
    assert_eq!(status(&api, &till).await, 401);
    // Back again, as when somebody restores the file of yesterday.
    place.reload(&node, &[&desk.entry, &till.entry, &ada], APPLIED).await;
    assert_eq!(status(&api, &till).await, 200);
    assert_eq!(on(&place.data(), &["access", "explain", "ada", "GET", "/stock/current"]).code, Some(0));
    let expired = till.entry.trim_end().to_owned() + "\nexpires = 2020-01-01T00:00:00Z\n";
    place.reload(&node, &[&desk.entry, &expired], APPLIED).await;
    assert_eq!(status(&api, &till).await, 401);
    node.stop();
    verify(&place.data());
}

/// The refusal of a change of what a file declares.
pub(crate) async fn declared_token_revoked() -> Reply {
    let desk = token("desk", &["--admin"]);
    let place = Place::new(&[&desk.entry]);
    let node = place.start();
    let (path, headers) = (format!("/tokens/{}", desk.id), [("authorization", desk.token.as_str())]);
    let refused = Api::of(&node).try_send(Method::DELETE, &path, &headers, Vec::new()).await.unwrap();
    refused.is(409, "managed-by-file").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_names_is_changed_by_it_alone() {
    let (desk, till) =
        (token("desk", &["--admin"]), token("till-3", &["--role", "till", "--store", "BERLIN"]));
    let place = Place::new(&[&desk.entry, &till.entry]);
    let node = place.start();
    let api = Api::of(&node);
    let file = place.file().display().to_string();
    let headers = [("authorization", desk.token.as_str()), ("content-type", "application/json")];
    let path = format!("/tokens/{}", till.id);
    for (method, path) in [
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/rotate")),
        (Method::DELETE, format!("/api{path}")),
    ] {
        let body = if method == Method::POST { b"{}".to_vec() } else { Vec::new() };
        let reply = api.try_send(method, &path, &headers, body).await.unwrap();
        reply.is(409, "managed-by-file");
        assert!(reply.text.contains(&file), "{}", reply.text);
    }
    // Who may not ask is not told.
    api.try_send(Method::DELETE, &path, &[], Vec::new()).await.unwrap().is(401, "unauthorized");
    let as_till = [("authorization", till.token.as_str())];
    api.try_send(Method::DELETE, &path, &as_till, Vec::new()).await.unwrap().is(403, "forbidden");
    // What it does not name is changed as ever.
    let other = api
        .post(
            "/tokens",
            &headers[..1],
            &json!({"kind": "service", "name": "x", "grants": [{"role": "viewer"}]}),
        )
        .await;
    let other = format!("/tokens/{}", other.json["tokenId"].as_str().unwrap());
    api.try_send(Method::DELETE, &other, &headers, Vec::new()).await.unwrap().is(200, "");
    assert_eq!(status(&api, &till).await, 200);
    node.stop();
    let refused = on(&place.data(), &["token", "revoke", &till.id]);
    assert_eq!(refused.code, Some(69), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("managed-by-file") && refused.stderr.contains(&file),
        "{}",
        refused.stderr
    );
    // Without the setting nothing is declared any more, and everything stays.
    let node = Node::start(&place.data(), &[]);
    assert!(node.process.said("stderr").contains("IDENTITY_FILE is not set any more"));
    let api = Api::of(&node);
    assert_eq!(status(&api, &till).await, 200);
    api.try_send(Method::DELETE, &path, &headers, Vec::new()).await.unwrap().is(200, "");
    node.stop();
    verify(&place.data());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_good_changes_nothing() {
    let (desk, till) =
        (token("desk", &["--admin"]), token("till-3", &["--role", "till", "--store", "BERLIN"]));
    let place = Place::new(&[&desk.entry, &till.entry]);
    let node = place.start();
    let api = Api::of(&node);
    let no_admin = "there would be no administrator";
    let clear = "[[people]]\nlogin = \"ada\"\npassword = \"correct horse battery\"\ngrants = [{ role = \"admin\" }]\n";
    let cases = [
        (vec![till.entry.as_str()], no_admin),
        (vec![], no_admin),
        (vec![clear, desk.entry.as_str()], "line 3, column 12: a password has no place here"),
        (vec!["[[tokens]"], "line 1, column 10"),
    ];
    for (entries, wanted) in &cases {
        place.reload(&node, entries, NOT_APPLIED).await;
        let said = node.process.said("stderr");
        assert!(said.contains(wanted) && !said.contains("horse"), "{said}");
        assert_eq!((status(&api, &desk).await, status(&api, &till).await), (200, 200), "{wanted}");
    }
    node.stop();
    for (entries, wanted) in &cases {
        place.write(entries);
        let ended = place.not_started();
        assert_eq!(ended.code, Some(78), "{}", ended.stderr);
        let file = place.file().display().to_string();
        assert!(ended.stderr.contains(wanted) && ended.stderr.contains(&file), "{}", ended.stderr);
        assert!(!ended.stderr.contains("horse"), "{}", ended.stderr);
    }
    fs::remove_file(place.file()).unwrap();
    assert_eq!(place.not_started().code, Some(78));
    place.write(&[&desk.entry, &till.entry]);
    let node = place.start();
    assert_eq!(status(&Api::of(&node), &till).await, 200);
    node.stop();
    verify(&place.data());
}

/// One administrates over HTTP, so the file may be without.
#[tokio::test(flavor = "multi_thread")]
async fn another_administrator_is_enough() {
    let (desk, till) =
        (token("desk", &["--admin"]), token("till-3", &["--role", "till", "--store", "BERLIN"]));
    let place = Place::new(&[&desk.entry]);
    let node = place.start();
    let api = Api::of(&node);
    let other = json!({"kind": "service", "name": "other", "grants": [{"role": "admin"}]});
    api.post("/tokens", &[("authorization", &desk.token)], &other).await.is(201, "");
    place.reload(&node, &[&till.entry], APPLIED).await;
    assert_eq!((status(&api, &desk).await, status(&api, &till).await), (401, 200));
    node.stop();
    verify(&place.data());
}

/// Each of them applies the same file at its start.
#[tokio::test(flavor = "multi_thread")]
async fn several_processes_apply_one_file_once() {
    let (desk, till) =
        (token("desk", &["--admin"]), token("till-3", &["--role", "till", "--store", "BERLIN"]));
    let ada = person("ada", &["--role", "viewer"]);
    let place = Place::new(&[&till.entry, &ada, &desk.entry]);
    let file = place.file();
    let options = ["--locks-enabled", "--identity-file", file.to_str().unwrap()];
    let start = || {
        let (data, options) = (place.data(), options.map(str::to_owned));
        std::thread::spawn(move || Node::start(&data, &options.each_ref().map(String::as_str)))
    };
    let nodes = [start(), start()].map(|starting| starting.join().unwrap());
    for node in &nodes {
        assert_eq!(status(&Api::of(node), &till).await, 200);
    }
    let tokens = Api::of(&nodes[0]).get_with("/tokens", &[("authorization", &desk.token)]).await;
    assert_eq!(tokens.json["items"].as_array().unwrap().len(), 2, "{}", tokens.text);
    for node in nodes {
        node.stop();
    }
    verify(&place.data());
}

/// The list of what the file has made comes first, so that nothing of a start that was killed is forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_killed_leaves_nothing_that_stays() {
    let desk = token("desk", &["--admin"]);
    let tills: Vec<New> =
        (0..40).map(|n| token(&format!("till-{n}"), &["--role", "till", "--store", "BERLIN"])).collect();
    let entries: Vec<&str> = [&desk].into_iter().chain(&tills).map(|new| new.entry.as_str()).collect();
    let place = Place::new(&entries);
    let vault = place.data().join("identity/tokens");
    for turn in [1, 5, 20] {
        let mut command = onhand(&["serve", "--port", "0", "--identity-file"]);
        command.arg(place.file()).arg("--data-dir").arg(place.data());
        let starting = Process::spawn(command);
        while fs::read_dir(&vault).map_or(0, Iterator::count) < turn {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        starting.kill();
        // Afterwards the file names one alone.
        place.write(&[&desk.entry]);
        let node = place.start();
        let api = Api::of(&node);
        for till in &tills {
            assert_eq!(status(&api, till).await, 401);
        }
        let listed = api.get_with("/tokens?limit=1000", &[("authorization", &desk.token)]).await;
        let items = listed.json["items"].as_array().unwrap();
        let good = items.iter().filter(|token| token["revoked"] == false).count();
        assert_eq!(good, 1, "{}", listed.text);
        node.stop();
        place.write(&entries);
    }
    verify(&place.data());
}
