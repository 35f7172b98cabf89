//! Threads and processes that meet.

use super::slow_disk::SlowDisk;
use super::{Given, key_id, on, opened, seal_at_once, told};
use crate::personal::{PersonalKeyFile, check};
use crate::testing::DIRECTORY;
use onhand_app::ports::PersonalKeys;
use onhand_disk::RealDisk;
use onhand_sim_machine::disk::{Crash, SimDisk};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

#[test]
fn keys_that_are_made_at_once_share_a_sync() {
    let sim = SimDisk::new(1);
    let disk = SlowDisk::new(sim.clone(), Duration::from_millis(4));
    let keys = on(disk.clone(), DIRECTORY.as_ref());
    let given = seal_at_once(&keys, 16, 50);
    let syncs = disk.syncs.load(Ordering::SeqCst);
    assert!((50..400).contains(&syncs), "{syncs} syncs for 800 keys");
    sim.crash(Crash::DropUnsynced);
    given.require(&opened(&sim), "", "all are durable");
    assert_eq!(check(Arc::new(sim.clone()), DIRECTORY.into()).unwrap(), 800);
    // The same for keys that are erased at once.
    let (keys, before) = (on(disk.clone(), DIRECTORY.as_ref()), disk.syncs.load(Ordering::SeqCst));
    thread::scope(|scope| {
        for n in 0..16 {
            let keys = &keys;
            scope.spawn(move || assert!(keys.erase(&format!("c-{n}-7")).unwrap()));
        }
    });
    let syncs = disk.syncs.load(Ordering::SeqCst) - before;
    assert!((1..16).contains(&syncs), "{syncs} syncs for 16 erasures");
    sim.crash(Crash::DropUnsynced);
    assert_eq!(check(Arc::new(sim), DIRECTORY.into()).unwrap(), 784);
}

#[test]
fn of_several_that_meet_at_a_new_subject_all_get_the_same_key() {
    let sim = SimDisk::new(1);
    let disk = SlowDisk::new(sim.clone(), Duration::from_millis(1));
    let both = [on(disk.clone(), DIRECTORY.as_ref()), on(disk, DIRECTORY.as_ref())];
    for n in 0..20 {
        let subject = format!("c-{n}");
        let texts: Vec<String> = thread::scope(|scope| {
            let sealing: Vec<_> = both
                .iter()
                .cycle()
                .take(8)
                .map(|keys| scope.spawn(|| keys.seal(&subject, "", b"").unwrap()))
                .collect();
            sealing.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(texts.iter().map(|text| key_id(text)).collect::<BTreeSet<_>>().len(), 1);
    }
    assert_eq!(check(Arc::new(sim), DIRECTORY.into()).unwrap(), 20);
}

#[test]
fn what_one_process_does_the_other_sees() {
    let disk = SimDisk::new(1);
    let (here, there) = (opened(&disk.of(1)), opened(&disk.of(2)));
    let mut given = Given::default();
    given.all(&here, &["c-1", "c-2"]);
    given.require(&there, "", "made by the other");
    given.all(&there, &["c-1", "c-3"]);
    given.require(&here, "", "made by the other");
    assert_eq!(key_id(&given.0[0].1), key_id(&given.0[2].1), "a subject has one key");
    // It knows the key and has no reason to read on.
    assert!(given.is_open(&there, "c-1"));
    assert!(here.erase("c-1").unwrap());
    assert!(!given.is_open(&there, "c-1"), "what it knows is not what is there");
    given.require(&there, "c-1", "the others");
    // The same for a text that is sealed: it must not be lost with a key that is gone.
    assert!(here.erase("c-2").unwrap());
    let again = there.seal("c-2", "order o-1", b"again").unwrap();
    assert_ne!(key_id(&again), key_id(&given.0[1].1));
    for keys in [&here, &there, &opened(&disk)] {
        assert_eq!(keys.open("c-2", "order o-1", &again).unwrap().as_deref(), Some(b"again".as_slice()));
        assert!(!given.is_open(keys, "c-2"));
    }
    assert!(!there.erase("c-1").unwrap());
}

#[test]
fn several_processes_on_the_real_disk_lose_nothing() {
    let data = tempfile::tempdir().unwrap();
    let vault = data.path().join("identity");
    let both = [on(RealDisk, &vault), on(RealDisk, &vault)];
    let erase_often = || {
        let keys = on(RealDisk, &vault);
        for _ in 0..8 {
            let text = keys.seal("guest", "", b"").unwrap();
            assert!(keys.erase("guest").unwrap());
            assert_eq!(keys.open("guest", "", &text).unwrap(), None);
        }
    };
    let given = thread::scope(|scope| {
        let eraser = scope.spawn(erase_often);
        let sealing = both.each_ref().map(|keys| scope.spawn(|| seal_at_once(keys, 6, 40)));
        eraser.join().unwrap();
        sealing.map(|thread| thread.join().unwrap())
    });
    for keys in [&both[0], &both[1], &on(RealDisk, &vault)] {
        for given in &given {
            given.require(keys, "", "whoever has sealed it");
        }
    }
    assert_eq!(check(Arc::new(RealDisk), vault).unwrap(), 240);
}

#[test]
fn what_lets_in_others_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let data = tempfile::tempdir().unwrap();
    let vault = data.path().join("identity");
    let keys = on(RealDisk, &vault);
    let text = keys.seal("c-1", "", b"Ada L.").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let folder = vault.join("personal");
    for (path, right) in
        [(&vault, 0o700), (&folder, 0o700), (&folder.join("keys"), 0o600), (&folder.join("LOCK"), 0o600)]
    {
        assert_eq!(mode(path), right, "{}", path.display());
        for wrong in [right | 0o040, right | 0o004, right | 0o002] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(wrong)).unwrap();
            let refused = PersonalKeyFile::open(Arc::new(RealDisk), vault.clone()).err().unwrap().to_string();
            assert!(refused.contains(&format!("run `chmod {right:o} {}`", path.display())), "{refused}");
            if path.ends_with("keys") {
                assert!(told(keys.open("c-1", "", &text)).contains("lets in others"));
                assert!(told(keys.seal("c-2", "", b"")).contains("lets in others"));
            }
        }
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(right)).unwrap();
    }
    assert!(keys.open("c-1", "", &text).unwrap().is_some());
}
