//! A disk that fails or does not answer: read-only, and back without a restart where the disk recovers.

use super::api::Api;
use super::full_disk::{OPTIONS, all_there, ask, fill, is_read_only, sound, until_well};
use super::process::{Node, PROGRAM};
use super::room::Room;
use super::skipped;
use crate::counts::{counted, scale};
use rustix::process::Signal;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A file system in a file that reports more room than there is below it: writes succeed, syncs fail.
const THIN: &str = "mount -t tmpfs -o size=6m none \"$1\"; truncate -s 64M \"$1/image\"; \
                    mkfs.ext4 -q -F -O ^has_journal \"$1/image\"; mkdir \"$1/disk\"; \
                    mount -o loop \"$1/image\" \"$1/disk\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_fails_in_the_kernel_loses_nothing_and_the_node_goes_on() {
    for _ in 0..scale() {
        let Some(room) = Room::open("a sync that fails", THIN) else { return };
        let data = room.path().join("disk/data");
        let node = Node::start_as(room.onhand(), &data, &OPTIONS);
        let told = fill(&node, 0).await;
        assert!(told.codes.contains_key("outcome-unknown"), "the sync failed: {:?}", told.codes);
        is_read_only(&node, &told).await;
        room.sh("mount -o remount,size=60m \"$1\"");
        until_well(&node).await;
        all_there(&node, &[told]).await;
        node.stop();
        sound(&room, &data);
    }
    counted("a sync that fails in the kernel", format!("{} times", scale()));
}

/// The program under strace, which makes some of its syncs fail.
pub(super) fn with_failing_syncs(which: &str) -> Option<Command> {
    let mut command = under_strace("syncs that strace lets fail")?;
    command.args(["--seccomp-bpf", "-e", "trace=fdatasync", "-e"]);
    command.arg(format!("inject=fdatasync:error=EIO:when={which}")).arg(PROGRAM);
    Some(command)
}

/// strace, if it works here; its options and the program are to be appended.
pub(super) fn under_strace(story: &str) -> Option<Command> {
    let usable =
        Command::new("strace").args(["-qq", "-e", "trace=none", "true"]).stderr(Stdio::null()).status();
    if !usable.is_ok_and(|status| status.success()) {
        skipped(story, "strace does not work here");
        return None;
    }
    let mut command = Command::new("strace");
    // With -D the child is the program itself, and strace runs beside it: killing the child kills the program.
    command.args(["-D", "-f", "-qq", "-o", "/dev/null"]);
    Some(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_that_fail_again_and_again_lose_nothing() {
    for _ in 0..scale() {
        let directory = TempDir::new().unwrap();
        // The start syncs a few files; from then on one sync of the writer in forty fails, those of its probes among them.
        let Some(program) = with_failing_syncs("40+40") else { return };
        let node = Node::start_as(program, directory.path(), &OPTIONS);
        let mut told = Vec::new();
        for round in 0..10 {
            told.push(fill(&node, round).await);
            assert!(told[round].codes.contains_key("outcome-unknown"), "{:?}", told[round].codes);
            until_well(&node).await;
        }
        node.process.kill();
        let node = Node::start(directory.path(), &OPTIONS);
        all_there(&node, &told).await;
        node.stop();
        super::process::verify(directory.path());
    }
    counted("syncs that strace lets fail, ten each", format!("{} times", scale()));
}

/// A file system that turns read-only at its first error, permanently.
const FRAGILE: &str = "truncate -s 64M \"$1/image\"; mkfs.ext4 -q -F \"$1/image\"; mkdir \"$1/disk\"; \
                       mount -o loop,errors=remount-ro \"$1/image\" \"$1/disk\"";
const BREAK: &str =
    "echo x > /sys/fs/ext4/$(basename $(findmnt -n -o SOURCE \"$1/disk\"))/trigger_fs_error; sleep 0.1";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_system_that_turns_read_only_is_still_read_from() {
    for _ in 0..scale() {
        let Some(room) = Room::open("a file system that turns read-only", FRAGILE) else { return };
        let data = room.path().join("disk/data");
        let node = Node::start_as(room.onhand(), &data, &OPTIONS);
        let api = Api::of(&node);
        for turn in 0..40 {
            ask(&api, &format!("before-{turn}")).await.unwrap().is(200, "");
        }
        room.sh(BREAK);
        let mut told = fill(&node, 0).await;
        told.take_up((0..40).map(|turn| format!("before-{turn}")));
        is_read_only(&node, &told).await;
        node.process.signal(Signal::TERM);
        let ended = node.process.wait();
        assert_eq!(ended.code, Some(74), "{}", ended.stderr);
        room.sh("umount \"$1/disk\"; mount -o loop \"$1/image\" \"$1/disk\"");
        let node = Node::start_as(room.onhand(), &data, &OPTIONS);
        all_there(&node, &[told]).await;
        node.stop();
        sound(&room, &data);
    }
    counted("a file system that turns read-only", format!("{} times", scale()));
}

const MOUNT: &str = "truncate -s 256M \"$1/image\"; mkfs.ext4 -q -F \"$1/image\"; mkdir \"$1/disk\"; \
                     mount -o loop \"$1/image\" \"$1/disk\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_disk_sheds_and_goes_on_or_ends_the_node() {
    for _ in 0..scale() {
        let Some(room) = Room::open("a frozen file system", MOUNT) else { return };
        let data = room.path().join("disk/data");
        let node = Node::start_as(room.onhand(), &data, &OPTIONS);
        let api = Api::of(&node);
        let level = "/stores/LONDON/inventory/TEA";
        ask(&api, "before").await.unwrap().is(200, "");
        for (thaws_in_time, key) in [(true, "first"), (false, "second")] {
            room.sh("fsfreeze -f \"$1/disk\"");
            let waiting = tokio::spawn({
                let api = api.clone();
                async move { ask(&api, key).await }
            });
            // Until the disk counts as stuck, a change would wait for it.
            let readiness = loop {
                let readiness = api.get("/health/readiness").await;
                if readiness.status == 503 {
                    break readiness;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            ask(&api, "late").await.unwrap().is(503, "overloaded");
            assert_eq!(
                (readiness.status, &readiness.json["mode"]),
                (503, &"read-only".into()),
                "{}",
                readiness.text
            );
            api.get("/health/liveness").await.is(200, "");
            assert!(ask(&api, "before").await.unwrap().is(200, "").replayed());
            let shown = api.get(level).await.level();
            assert_eq!(
                shown.3, readiness.json["durableSequence"],
                "a read goes on, and shows what is durable"
            );
            if !thaws_in_time {
                while !node.process.said("stderr").contains("the process aborts") {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            room.sh("fsfreeze -u \"$1/disk\"");
            let answer = waiting.await.unwrap();
            if thaws_in_time {
                answer.unwrap().is(200, "");
                until_well(&node).await;
            } else {
                assert!(answer.is_err(), "nobody knows what became of it");
            }
        }
        let ended = node.process.wait();
        assert_eq!(ended.code, None, "{}", ended.stderr);
        let node = Node::start_as(room.onhand(), &data, &OPTIONS);
        let api = Api::of(&node);
        for key in ["first", "second", "late"] {
            ask(&api, key).await.unwrap().is(200, "");
        }
        assert_eq!(api.get(level).await.level(), (4, 4, 0, 4), "each once");
        node.stop();
        sound(&room, &data);
    }
    counted("a frozen file system", format!("{} times", scale()));
}
