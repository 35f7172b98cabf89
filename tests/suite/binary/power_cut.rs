//! Fifty power cuts of a real ext4: acknowledged changes survive.
//!
//! `FS_IOC_SHUTDOWN` with "no flush of the journal" stops a mounted file system as a power cut would: data that the
//! kernel has not yet written is lost. The process is killed before the cut: the other way round it could still
//! acknowledge changes that cannot become durable.

use super::api::Api;
use super::catalogue::{self, Logs};
use super::process::{Node, run};
use super::room::Room;
use super::skipped;
use crate::counts::{counted, scale};
use http::Method;
use serde_json::json;
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;
use tokio::task::JoinSet;

const CYCLES: u64 = 50;
const CALLERS: usize = 8;
const LEVEL: &str = "/stores/LONDON/inventory/TEA";
const PRODUCT: &str = "/products/TEA";
const STORY: &str = "power cuts on a real ext4";

/// Makes a file system in a file and mounts it.
const MOUNT: &str = "truncate -s 512M \"$1/image\"; mkfs.ext4 -q -F \"$1/image\"; mkdir \"$1/disk\"; \
                     mount -o loop \"$1/image\" \"$1/disk\"";
const CUT: &str = "import fcntl, os, struct, sys; \
                   fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";
const BACK: &str = "umount \"$1/disk\"; mount -o loop \"$1/image\" \"$1/disk\"";

/// Changes the level, and sometimes its product, until the connection breaks; returns the keys of acknowledged changes,
/// and the last one, which was not acknowledged.
async fn caller(api: Api, cycle: u64, caller: usize) -> (Vec<String>, String) {
    let mut acknowledged = Vec::new();
    for turn in 0.. {
        let key = format!("{cycle}-{caller}-{turn}");
        let asked = if turn % 5 == 4 {
            // Sometimes far above the stock, sometimes far below.
            let body = json!({"name": key, "lowStockThreshold": if turn % 2 == 0 { 1_000_000 } else { 0 }});
            api.try_say(Method::PUT, PRODUCT, &[], &body).await
        } else {
            let body = json!({"delta": 1, "reference": key});
            api.try_post(&format!("{LEVEL}/adjust"), &[], &body).await
        };
        match asked {
            Ok(reply) if matches!(reply.status, 200 | 201) => acknowledged.push(key),
            _ => return (acknowledged, key),
        }
    }
    unreachable!("every cycle ends with a cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_changes_survive_power_cuts() {
    if Command::new("python3").arg("--version").output().is_err() {
        return skipped(STORY, "python3, which calls the ioctl, is missing");
    }
    let mut acknowledged = 0;
    for _ in 0..scale() {
        let Some(room) = Room::open(STORY, MOUNT) else { return };
        match fifty_cuts(&room).await {
            Some(changes) => acknowledged += changes,
            None => return,
        }
    }
    counted(STORY, format!("{} cuts, {acknowledged} changes acknowledged, none lost", CYCLES * scale()));
}

/// Returns how many changes were acknowledged; none, after printing so, on a kernel without this call.
async fn fifty_cuts(room: &Room) -> Option<usize> {
    let disk = room.path().join("disk");
    let data = disk.join("data");
    let (mut acknowledged, mut open) = (Vec::new(), Vec::new());
    for cycle in 0..CYCLES {
        let node = Node::start_as(room.onhand(), &data, &["--snapshot-every-n-events", "200"]);
        let api = Api::of(&node);
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            callers.spawn(caller(api.clone(), cycle, number));
        }
        tokio::time::sleep(Duration::from_millis(40 + cycle * 31 % 160)).await;
        tokio::task::spawn_blocking(move || node.process.kill()).await.unwrap();
        room.sh("echo lost > \"$1/disk/witness\"");
        let cut = room.command("python3").args(["-c", CUT]).arg(&disk).output().unwrap();
        if !cut.status.success() {
            let error = String::from_utf8_lossy(&cut.stderr);
            skipped(STORY, &format!("this kernel does not cut: {}", error.trim()));
            return None;
        }
        for (done, last) in callers.join_all().await {
            acknowledged.extend(done);
            open.push(last);
        }
        room.sh(BACK);
        let witness = room.sh("cat \"$1/disk/witness\" 2>/dev/null || true");
        assert_eq!(witness, "", "what nobody synced is gone: it was a power cut");
        let mut verify = room.onhand();
        verify.args(["verify", "--data-dir"]).arg(&data);
        let ended = run(verify);
        assert_eq!(ended.code, Some(0), "cycle {cycle}: {}{}", ended.stdout, ended.stderr);
    }
    let node = Node::start_as(room.onhand(), &data, &[]);
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let api = Api::of(&node);
    for item in api.items(&format!("{LEVEL}/history")).await {
        *found.entry(item["payload"]["reference"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    for said in catalogue::said(&api, Logs::One).await {
        *found.entry(said).or_default() += 1;
    }
    catalogue::alerts_are_right(&api, Logs::One).await;
    for key in &acknowledged {
        assert_eq!(found.remove(key), Some(1), "{key} was acknowledged");
    }
    for key in &open {
        assert!(matches!(found.remove(key), None | Some(1)), "{key}");
    }
    assert!(found.is_empty(), "nobody asked for {found:?}");
    assert!(acknowledged.len() as u64 > CYCLES * 10, "only {} changes", acknowledged.len());
    node.stop();
    Some(acknowledged.len())
}
