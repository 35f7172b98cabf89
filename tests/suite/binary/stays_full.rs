//! A disk that stays full: the node stays read-only until it is stopped, and stops with success.

use super::api::Api;
use super::full_disk::{ask, sound};
use super::process::Node;
use super::room::Room;

/// The room of the released ballast is for the node's own needs: no probe treats it as room for changes.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_stays_full_keeps_the_node_read_only_until_it_stops() {
    let Some(room) = Room::open("a disk that stays full", "mount -t tmpfs -o size=4m none \"$1\"") else {
        return;
    };
    let data = room.path().join("data");
    let node = Node::start_as(room.onhand(), &data, &["--breaker-cooldown-ms", "20"]);
    let api = Api::of(&node);
    let mut sold = 0;
    while ask(&api, &format!("before-{sold}")).await.unwrap().status == 200 {
        sold += 1;
        if sold == 20 {
            room.sh("dd if=/dev/zero of=\"$1/others\" bs=4k 2>/dev/null || true");
        }
    }
    let probes = async || {
        let metrics = api.get("/metrics").await.text;
        assert!(metrics.contains("onhand_breaker_opened_total{breaker=\"storage\"} 1\n"), "{metrics}");
        let probes = metrics.lines().find_map(|line| line.strip_prefix("onhand_log_probes_total "));
        probes.map_or(0, |probes| probes.parse().unwrap())
    };
    while probes().await < 20 {
        api.get("/health/readiness").await.is(503, "not-ready");
    }
    ask(&api, "refused").await.unwrap().is(503, "read-only");
    node.process.signal(rustix::process::Signal::TERM);
    let ended = node.process.wait();
    assert_eq!(ended.code, Some(74), "{}", ended.stderr);
    assert!(!ended.stderr.contains("\"code\":\"read-only\""), "the disk is told of once: {}", ended.stderr);
    let left = room.sh("cd \"$1/data\"; ls snapshots central log");
    let wanted = [format!("node-{sold}.json\n"), format!("central-{sold}.json\n")];
    assert!(wanted.iter().all(|file| left.contains(file)), "there was room to end: {left}\n{}", ended.stderr);
    assert!(!left.contains(".tmp"), "{left}");
    room.sh("rm \"$1/others\"");
    sound(&room, &data);
}
