//! Holds that end at a wrong time, alerts that do not match their levels, keys with two effects.

use super::forged::{Line, forge};
use super::{ROOT, TTL_MS, caught, find, findings, later, told};
use onhand_disk::layout::Layout;
use onhand_file::audit::audit_directory_for;
use serde_json::json;
use std::path::Path;

#[tokio::test]
async fn a_hold_that_ends_at_the_wrong_time_is_named() {
    let world = told().await;
    caught(&world, "expired long before", &["gone", "before its time"], |lines| {
        let event = &mut find(lines, "RESERVE", "gone").json["events"][0];
        event["payload"]["expiresAt"] = later(&event["payload"]["expiresAt"], 3_600_000);
        find(lines, "EXPIRE", "gone").sequence()
    });
    caught(&world, "expired a millisecond before", &["gone", "before its time"], |lines| {
        let at = find(lines, "EXPIRE", "gone").json["ts"].clone();
        find(lines, "RESERVE", "gone").json["events"][0]["payload"]["expiresAt"] = later(&at, 1);
        find(lines, "EXPIRE", "gone").sequence()
    });
    caught(&world, "expired without a time", &["gone", "no time"], |lines| {
        let reserve = find(lines, "RESERVE", "gone");
        reserve.json["events"][0]["payload"].as_object_mut().unwrap().remove("expiresAt");
        find(lines, "EXPIRE", "gone").sequence()
    });
    for (kind, name) in [("COMMIT", "kept"), ("RELEASE", "freed")] {
        caught(&world, kind, &[name, "ran out"], |lines| {
            let at = find(lines, kind, name).json["ts"].clone();
            find(lines, "RESERVE", name).json["events"][0]["payload"]["expiresAt"] = at;
            find(lines, kind, name).sequence()
        });
    }
}

#[tokio::test]
async fn an_alert_that_is_not_of_its_level_is_named() {
    let world = told().await;
    let alert = |lines: &mut Vec<Line>, raised: bool, field: &str, value: i64| {
        let is = |line: &&mut Line| line.json["events"][1]["payload"]["raised"] == json!(raised);
        let line = lines.iter_mut().find(is).unwrap();
        line.json["events"][1]["payload"][field] = json!(value);
        line.sequence() + 1
    };
    caught(&world, "raised at other pieces", &["LONDON/B", "3 pieces", "4"], |lines| {
        alert(lines, true, "qty", 3)
    });
    caught(&world, "cleared at other pieces", &["LONDON/B", "8 pieces", "9"], |lines| {
        alert(lines, false, "qty", 8)
    });
    caught(&world, "cleared while it is low", &["LONDON/B", "cleared"], |lines| {
        alert(lines, false, "threshold", 9)
    });
}

#[tokio::test]
async fn a_key_with_two_effects_is_named() {
    let world = told().await;
    let whole = |lines: &mut Vec<Line>, from: &str, to: &str| {
        let known_by =
            lines.iter().find(|line| line.json["idem"]["key"] == from).unwrap().json["idem"].clone();
        let line = lines.iter_mut().rfind(|line| line.json["idem"]["key"] == to).unwrap();
        line.json["idem"] = known_by;
        line.sequence()
    };
    for fingerprint in [None, Some("0123456789abcdef")] {
        caught(&world, "one key twice", &["\"b-1\"", "sequence"], |lines| {
            let sequence = whole(lines, "b-1", "b-3");
            if let Some(fingerprint) = fingerprint {
                let line = lines.iter_mut().find(|line| line.sequence() == sequence).unwrap();
                line.json["idem"]["fingerprint"] = json!(fingerprint);
            }
            sequence
        });
    }
    caught(&world, "a key of an operation", &["\"b-2\""], |lines| {
        let known_by =
            lines.iter().find(|line| line.json["idem"]["key"] == "b-2").unwrap().json["idem"].clone();
        let batch = lines.iter_mut().find(|line| line.json["idem"]["key"] == "batch").unwrap();
        batch.json["events"][1]["idem"] = known_by;
        batch.sequence() + 1
    });
    caught(&world, "one key for two operations", &["\"op-1\""], |lines| {
        let batch = lines.iter_mut().find(|line| line.json["idem"]["key"] == "batch").unwrap();
        batch.json["events"][2]["idem"] = batch.json["events"][0]["idem"].clone();
        batch.sequence() + 2
    });
    // Another caller, another payload, or a later time: another effect of the same key.
    let disk = world.disk.fork();
    forge(&disk, Path::new(ROOT), |lines| {
        whole(lines, "b-1", "b-2");
        whole(lines, "b-1", "b-3");
        let of = |key: &str, place: usize| {
            let mut places = (0..lines.len()).filter(|line| lines[*line].json["idem"]["key"] == key);
            places.nth(place).unwrap()
        };
        let (second, third) = (of("b-1", 1), of("b-1", 2));
        lines[second].json["actor"] = json!("somebody else");
        lines[third].json["idem"]["scope"] = json!("another door");
        whole(lines, "b-1", "last");
    });
    assert_eq!(findings(&disk), []);
    let unknown = audit_directory_for(&disk, &Layout::new(Path::new(ROOT)), Some(2 * TTL_MS)).unwrap();
    assert_eq!(unknown.findings().count(), 2, "two keys are used again after their time");
    assert_eq!(
        audit_directory_for(&disk, &Layout::new(Path::new(ROOT)), None).unwrap().findings().count(),
        0
    );
}
