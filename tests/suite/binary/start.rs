//! Failed starts of a node: exit codes and messages, and no file touched that should not be.

use super::api::Api;
use super::process::{Ended, Node, PROGRAM, Process, onhand, run, verify};
use super::room::Room;
use super::skipped;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A start that must fail: with this code, and with each of these words in its output.
#[track_caller]
fn refuses(program: Command, data_dir: &Path, options: &[&str], code: i32, words: &[&str]) -> Ended {
    match Node::try_start_as(program, data_dir, options) {
        Ok(node) => panic!("it started on {}", node.url),
        Err(ended) => {
            assert_eq!(ended.code, Some(code), "{}", ended.stderr);
            for word in words {
                assert!(ended.stderr.contains(word), "{word:?} is missing: {}", ended.stderr);
            }
            assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
            ended
        }
    }
}

fn serve() -> Command {
    Command::new(PROGRAM)
}

#[test]
fn the_error_of_a_second_process_names_the_holder() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let holder = format!("pid {}", node.process.id());
    refuses(serve(), directory.path(), &[], 75, &[&holder]);
    let in_use = run({
        let mut command = onhand(&["verify", "--data-dir"]);
        command.arg(directory.path());
        command
    });
    assert_eq!(in_use.code, Some(0), "{}", in_use.stderr);
    assert!(in_use.stdout.contains(&holder), "{}", in_use.stdout);
    node.process.kill();
    Node::start(directory.path(), &[]).stop();
}

#[test]
fn a_port_in_use_is_named() {
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let node = Node::start(first.path(), &[]);
    let port = node.address().rsplit_once(':').unwrap().1;
    let mut command = onhand(&["serve", "--port", port, "--data-dir"]);
    command.arg(second.path());
    let ended = run(command);
    assert_eq!(ended.code, Some(69), "{}", ended.stderr);
    assert!(ended.stderr.contains(node.address()) && ended.stderr.contains("--port"), "{}", ended.stderr);
    verify(second.path());
}

#[test]
fn bad_settings_from_the_environment_are_all_named_at_once() {
    let directory = TempDir::new().unwrap();
    let mut command = Command::new("env");
    command.args([
        "PORT=many",
        "IDEMP_TTL_MS=-5",
        "HOST=shop.example",
        "LOG_LEVEL=loud",
        PROGRAM,
        "serve",
        "--data-dir",
    ]);
    command.arg(directory.path().join("never-made"));
    let ended = run(command);
    assert_eq!(ended.code, Some(78), "{}", ended.stderr);
    for name in ["PORT", "IDEMP_TTL_MS", "HOST", "LOG_LEVEL"] {
        assert!(ended.stderr.contains(name), "{name}: {}", ended.stderr);
    }
    assert!(!directory.path().join("never-made").exists(), "bad settings touch nothing");
}

#[test]
fn a_data_directory_that_cannot_be_one_is_named() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "not stock").unwrap();
    refuses(serve(), &file, &[], 73, &[file.to_str().unwrap()]);
    refuses(serve(), &file.join("below"), &[], 73, &[file.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "not stock");
    let deep = directory.path().join("a/b/c");
    Node::start(&deep, &[]).stop();
    verify(&deep);
}

#[test]
fn files_are_private_to_their_owner() {
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    let node = Node::start(&data, &["--snapshot-every-n-events", "1"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let api = Api::of(&node);
    let snapshots = || fs::read_dir(data.join("snapshots")).map_or(0, Iterator::count);
    while snapshots() == 0 {
        runtime.block_on(api.post("/stores/S/inventory/A/adjust", &[], &json!({"delta": 1}))).is(200, "");
    }
    node.stop();
    let mut pending = vec![data.clone()];
    let mut files = 0;
    while let Some(path) = pending.pop() {
        let metadata = fs::metadata(&path).unwrap();
        let wanted = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, wanted, "{}", path.display());
        if metadata.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files += 1;
        }
    }
    assert!(files >= 5, "{files} files");
}

#[test]
fn a_directory_one_may_not_use_is_named() {
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o500)).unwrap();
    let program = if rustix::process::geteuid().is_root() {
        // Root may write everywhere, so another user starts the program; the path to the directory is open to all.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let mut program = Command::new("setpriv");
        program.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--", PROGRAM]);
        let mut probe = Command::new("setpriv");
        probe.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--", PROGRAM, "--version"]);
        if probe.output().map_or(true, |output| !output.status.success()) {
            return skipped(
                "a directory one may not use",
                "setpriv cannot start the program as somebody else",
            );
        }
        program
    } else {
        serve()
    };
    let mut program = program;
    program.args(["serve", "--port", "0", "--data-dir"]).arg(&data);
    let ended = run(program);
    assert_eq!(ended.code, Some(77), "{}", ended.stderr);
    assert!(ended.stderr.contains(data.to_str().unwrap()), "{}", ended.stderr);
}

#[test]
fn a_read_only_file_system_is_named() {
    let script = "mount -t tmpfs -o size=8m none \"$1\"; mkdir \"$1/used\"";
    let Some(room) = Room::open("a read-only file system", script) else { return };
    let used = room.path().join("used");
    let node = Node::start_as(room.onhand(), &used, &[]);
    let api = Api::of(&node);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(api.post("/stores/S/inventory/A/adjust", &[], &json!({"delta": 5}))).is(200, "");
    node.stop();
    room.sh("mount -o remount,ro \"$1\"");
    for data_dir in [used.clone(), room.path().join("new")] {
        let ended = refuses(room.onhand(), &data_dir, &[], 73, &[data_dir.to_str().unwrap()]);
        assert!(ended.stderr.to_lowercase().contains("read-only"), "{}", ended.stderr);
    }
    let mut verify = room.onhand();
    verify.args(["verify", "--data-dir"]).arg(&used);
    let ended = run(verify);
    assert_eq!(ended.code, Some(0), "reading needs no writing: {}{}", ended.stdout, ended.stderr);
    room.sh("mount -o remount,rw \"$1\"");
    Node::start_as(room.onhand(), &used, &[]).stop();
}

#[test]
fn a_damaged_log_is_refused_where_it_is_damaged_and_left_as_it_is() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--snapshot-every-n-events", "1000000"]);
    let api = Api::of(&node);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for _ in 0..20 {
        runtime.block_on(api.post("/stores/S/inventory/A/adjust", &[], &json!({"delta": 1}))).is(200, "");
    }
    node.stop();
    let segment = directory.path().join("log/00000000000000000001.jsonl");
    let whole = fs::read(&segment).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.windows(11).position(|bytes| bytes == b"\"version\":9").unwrap() + 10;
    damaged[middle] = b'8';
    fs::write(&segment, &damaged).unwrap();
    refuses(serve(), directory.path(), &[], 65, &[segment.to_str().unwrap(), "byte", "sequence"]);
    let mut command = onhand(&["verify", "--data-dir"]);
    command.arg(directory.path());
    let ended = run(command);
    assert_eq!(ended.code, Some(65), "{}", ended.stdout);
    assert!(ended.stdout.contains("WRONG") && ended.stdout.contains("byte"), "{}", ended.stdout);
    assert_eq!(fs::read(&segment).unwrap(), damaged, "nothing was cut, nothing was mended");
    fs::write(&segment, &whole).unwrap();
    Node::start(directory.path(), &[]).stop();
    verify(directory.path());
}

#[test]
fn a_ready_file_that_cannot_be_written_is_named() {
    let directory = TempDir::new().unwrap();
    let ready = directory.path().join("nowhere/ready");
    let mut command = onhand(&["serve", "--port", "0", "--ready-file"]);
    command.arg(&ready).arg("--data-dir").arg(directory.path().join("data"));
    let ended = Process::spawn(command).wait();
    assert_eq!(ended.code, Some(73), "{}", ended.stderr);
    assert!(ended.stderr.contains(ready.to_str().unwrap()), "{}", ended.stderr);
}

#[test]
fn commands_report_a_missing_directory() {
    let directory = TempDir::new().unwrap();
    for command in ["verify", "rebuild"] {
        let mut program = onhand(&[command, "--data-dir"]);
        program.arg(directory.path());
        let ended = run(program);
        assert_eq!(ended.code, Some(66), "{}", ended.stderr);
        assert!(ended.stderr.contains("--data-dir"), "{}", ended.stderr);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "{command} leaves nothing behind");
    }
}
