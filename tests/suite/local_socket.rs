//! The socket `admin.sock` in the data directory: who may come that way, and when it is there.

use crate::binary::process::{Node, verify};
use crate::binary::skipped;
use rustix::process::{Signal, geteuid};
use std::fs::{self, Permissions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;

const ADJUST: &str = "POST /stores/S/inventory/A/adjust HTTP/1.1\r\nhost: stock.example\r\nconnection: close\r\n\
                      content-type: application/json\r\ncontent-length: 11\r\n";
const BODY: &str = "{\"delta\":5}";

fn socket(directory: &Path) -> PathBuf {
    directory.join("admin.sock")
}

/// A GET that closes its connection.
fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: stock.example\r\nconnection: close\r\n\r\n")
}

fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// Sends a request over the socket and reads until it is closed.
fn exchange(path: &Path, request: &str) -> String {
    let mut stream = connect(path);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The same over TCP.
fn exchange_over_tcp(node: &Node, request: &str) -> String {
    let mut stream = TcpStream::connect(node.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[track_caller]
fn is_for_its_owner(path: &Path) {
    let metadata = fs::symlink_metadata(path).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!((metadata.permissions().mode() & 0o777, metadata.uid()), (0o600, geteuid().as_raw()));
}

#[test]
fn a_request_over_it_is_answered_by_whatever_name() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let socket = socket(directory.path());
    is_for_its_owner(&socket);
    for path in ["/livez", "/readyz", "/metrics", "/docs", "/stores"] {
        let answer = exchange(&socket, &get(path));
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    let elsewhere = exchange_over_tcp(&node, &get("/livez"));
    assert!(elsewhere.starts_with("HTTP/1.1 421"), "no other name over TCP: {elsewhere}");
    let answer = exchange(&socket, &format!("{ADJUST}\r\n{BODY}"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let level = "/stores/S/inventory/A";
    let over_tcp = exchange_over_tcp(&node, &get(level).replace("stock.example", "localhost"));
    assert!(over_tcp.contains("\"onHand\":5"), "{over_tcp}");
    // A proxy may stand for anybody, wherever it sends to.
    let forwarded = get("/livez").replace("\r\n\r\n", "\r\nx-forwarded-for: 10.0.0.7\r\n\r\n");
    assert!(exchange(&socket, &forwarded).starts_with("HTTP/1.1 421"));
    // HTTP/1.0 has no host at all.
    assert!(exchange(&socket, "GET /livez HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200"));
    assert!(
        exchange(&socket, "GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").contains("404")
    );
    node.stop();
    verify(directory.path());
}

/// A node that others reach answers nothing until there is an administrator, who is made over the socket; whoever owns the data
/// directory is let in there afterwards, too, but nobody in whose place a proxy speaks.
#[test]
fn the_first_administrator_is_made_over_it() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--host", "0.0.0.0"]);
    let socket = socket(directory.path());
    let get_over_tcp = |path: &str, more: &str| {
        exchange_over_tcp(&node, &get(path).replace("\r\n\r\n", &format!("\r\n{more}\r\n")))
    };
    assert!(get_over_tcp("/livez", "").starts_with("HTTP/1.1 200"), "by any name");
    for path in ["/stores", "/metrics", "/auth/me"] {
        assert!(get_over_tcp(path, "").contains("\"code\":\"setup-required\""), "{path}");
    }
    let body = r#"{"kind":"service","name":"admin","grants":[{"role":"admin"}]}"#;
    let head = format!(
        "POST /tokens HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    assert!(exchange_over_tcp(&node, &format!("{head}\r\n{body}")).contains("setup-required"));
    let made = exchange(&socket, &format!("{head}\r\n{body}"));
    let token = made.split("\"token\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let authorization = format!("authorization: Bearer {token}\r\n");
    assert!(get_over_tcp("/stores", &authorization).starts_with("HTTP/1.1 200"));
    assert!(get_over_tcp("/stores", "").contains("\"code\":\"unauthorized\""));
    // It was lost: the owner makes another one.
    assert!(exchange(&socket, &format!("{head}\r\n{body}")).starts_with("HTTP/1.1 201"));
    let forwarded = format!("{head}x-forwarded-for: 10.0.0.7\r\n\r\n{body}");
    assert!(exchange(&socket, &forwarded).starts_with("HTTP/1.1 421"));
    node.stop();
    verify(directory.path());
}

/// The lines of the runbook, in a directory with a node of its own.
#[test]
fn curl_does_it_as_the_runbook_says() {
    if Command::new("curl").arg("--version").output().is_err() {
        return skipped("curl over the local socket", "there is no curl");
    }
    let runbook = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("run.md")).unwrap();
    let lines: Vec<&str> = runbook.lines().filter(|line| line.contains("curl -s --unix-socket")).collect();
    assert!(lines.len() >= 2, "{lines:?}");
    let directory = TempDir::new().unwrap();
    let node = Node::start(&directory.path().join("data"), &[]);
    for line in lines {
        let line = line.trim().replacen("curl -s", "curl -sf", 1);
        let output = Command::new("sh").args(["-c", &line]).current_dir(directory.path()).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "{line}: {output:?}");
    }
    node.stop();
}

#[test]
fn a_stop_removes_it_and_answers_what_is_under_way() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let socket = socket(directory.path());
    let idle = connect(&socket);
    let mut slow = connect(&socket);
    slow.write_all(format!("{ADJUST}expect: 100-continue\r\n\r\n").as_bytes()).unwrap();
    let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    slow.read_exact(&mut go_on).unwrap();
    node.process.signal(Signal::TERM);
    while UnixStream::connect(&socket).is_ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
    slow.write_all(BODY.as_bytes()).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let ended = node.process.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(fs::symlink_metadata(&socket).is_err(), "it is removed");
    drop(idle);
    verify(directory.path());
}

#[test]
fn what_a_killed_process_has_left_is_replaced() {
    let directory = TempDir::new().unwrap();
    let socket = socket(directory.path());
    Node::start(directory.path(), &[]).process.kill();
    is_for_its_owner(&socket);
    let refused = UnixStream::connect(&socket).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    for wrong in ["a socket for all", "a file", "nothing"] {
        match wrong {
            "a socket for all" => fs::set_permissions(&socket, Permissions::from_mode(0o666)).unwrap(),
            "a file" => fs::write(&socket, "no socket").unwrap(),
            _ => {}
        }
        let node = Node::start(directory.path(), &[]);
        is_for_its_owner(&socket);
        assert!(exchange(&socket, &get("/livez")).starts_with("HTTP/1.1 200"), "{wrong}");
        node.stop();
        assert!(fs::symlink_metadata(&socket).is_err(), "it is removed");
    }
}

/// A `curl` that runs as that user.
fn curl_as(user: u32, socket: &Path) -> std::io::Result<Output> {
    let mut command = Command::new("curl");
    command.args(["-s", "--unix-socket"]).arg(socket).arg("http://localhost/livez");
    command.uid(user).gid(user).current_dir("/").output()
}

#[test]
fn another_user_is_not_answered_even_where_the_mode_lets_him() {
    const NOBODY: u32 = 65_534;
    const STORY: &str = "another user on the local socket";
    if !geteuid().is_root() {
        return skipped(STORY, "only root can become another user");
    }
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    let node = Node::start(&data, &[]);
    let socket = socket(&data);
    for path in [directory.path(), &data] {
        fs::set_permissions(path, Permissions::from_mode(0o711)).unwrap();
    }
    let Ok(kept_out) = curl_as(NOBODY, &socket) else {
        return skipped(STORY, "there is no curl");
    };
    assert_eq!(kept_out.status.code(), Some(7), "it may not connect: {kept_out:?}");
    fs::set_permissions(&socket, Permissions::from_mode(0o666)).unwrap();
    let sent_away = curl_as(NOBODY, &socket).unwrap();
    assert!(!sent_away.status.success() && sent_away.stdout.is_empty(), "{sent_away:?}");
    let said = node.process.said("stderr");
    assert!(said.contains("another user came over the local socket") && said.contains("65534"), "{said}");
    assert!(curl_as(0, &socket).unwrap().status.success());
    node.stop();
}

#[test]
fn root_may_come_to_the_node_of_somebody_else() {
    if !geteuid().is_root() {
        return skipped("root on the local socket of another user", "this is not root");
    }
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    fs::create_dir(&data).unwrap();
    // The owner of the directory counts, not whoever runs the process.
    std::os::unix::fs::chown(&data, Some(65_534), Some(65_534)).unwrap();
    let node = Node::start(&data, &[]);
    assert!(exchange(&socket(&data), &get("/livez")).starts_with("HTTP/1.1 200"));
    node.stop();
}

#[test]
fn a_path_that_is_too_long_for_a_socket_is_no_failure() {
    let directory = TempDir::new().unwrap();
    let deep = directory.path().join("d".repeat(120));
    let node = Node::start(&deep, &[]);
    let said = node.process.said("stderr");
    assert!(said.contains("there is no local socket") && said.contains("SUN_LEN"), "{said}");
    assert!(fs::symlink_metadata(socket(&deep)).is_err());
    let answer = exchange_over_tcp(&node, &get("/livez").replace("stock.example", "localhost"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    node.stop();
}

#[test]
fn each_process_of_a_shared_directory_has_its_own() {
    let directory = TempDir::new().unwrap();
    let nodes = [1, 2].map(|_| Node::start(directory.path(), &["--locks-enabled"]));
    let sockets = ["nodes/1", "nodes/2"].map(|own| socket(&directory.path().join(own)));
    for path in &sockets {
        is_for_its_owner(path);
        assert!(exchange(path, &get("/readyz")).starts_with("HTTP/1.1 200"));
    }
    assert!(exchange(&sockets[0], &format!("{ADJUST}\r\n{BODY}")).starts_with("HTTP/1.1 200"));
    assert!(exchange(&sockets[1], &get("/stores/S/inventory/A")).contains("\"onHand\":5"));
    assert!(fs::symlink_metadata(socket(directory.path())).is_err());
    let [first, second] = nodes;
    first.stop();
    assert!(fs::symlink_metadata(&sockets[0]).is_err());
    assert!(exchange(&sockets[1], &get("/readyz")).starts_with("HTTP/1.1 200"));
    second.stop();
}

#[test]
fn it_counts_as_a_client_of_its_own() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--rate-limit-rps", "1", "--rate-limit-burst", "3"]);
    let over_tcp = get("/stores").replace("stock.example", "localhost");
    while !exchange_over_tcp(&node, &over_tcp).starts_with("HTTP/1.1 429") {}
    let socket = socket(directory.path());
    let answer = exchange(&socket, &get("/stores"));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"client\";r=2;"), "{answer}");
    while !exchange(&socket, &get("/stores")).starts_with("HTTP/1.1 429") {}
    node.stop();
}
