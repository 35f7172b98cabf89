//! Every byte and every bit, with and without the mark.

use super::{Owed, Sound, check_rotten_history, opened, remove, sound, sounds, sounds_of};
use crate::counts::{counted, scale};
use crate::rules;
use onhand_domain::Sequence;
use onhand_sim_machine::disk::{Crash, SimDisk};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Every bit of a file, one after the other.
fn flips(sound: &Sound, path: &Path, owed: impl Fn(usize) -> Owed) -> usize {
    let bytes = sound.disk.file(path).unwrap();
    let mut opened = 0;
    for (offset, byte) in bytes.iter().enumerate() {
        for bit in 0..8 {
            let disk = sound.disk.fork();
            disk.corrupt(path, offset, byte ^ (1 << bit)).unwrap();
            let told = format!("{} byte {offset} bit {bit}", path.display());
            opened += usize::from(sound.judge(&disk, owed(offset), &told));
        }
    }
    opened
}

/// So many logs, times the scale of the run.
fn variants(number: u64) -> std::ops::Range<u8> {
    0..u8::try_from(number * scale()).expect("there are 255 variants")
}

/// Bytes whose bits are flipped, at the least.
fn flips_wanted() -> usize {
    usize::try_from(20_000 * scale()).unwrap()
}

/// A file at every length but its own.
fn cuts(sound: &Sound, path: &Path, owed: impl Fn(usize) -> Owed) {
    let bytes = sound.disk.file(path).unwrap();
    for length in 0..bytes.len() {
        let disk = sound.disk.fork();
        disk.put(path, &bytes[..length]);
        sound.judge(&disk, owed(length), &format!("{} cut to {length} bytes", path.display()));
    }
}

#[test]
fn the_test_log_has_every_part_that_is_damaged() {
    for (sound, snapshots) in sounds().into_iter().zip([true, false, true]) {
        assert!(sound.segments().len() >= 3);
        assert!(sound.judge(&sound.disk.fork(), Owed::All, "undamaged"));
        assert_eq!(sound.snapshot > Sequence::START, snapshots);
        let last = *sound.segments().last().unwrap();
        let batches: Vec<Sequence> =
            sound.entries.iter().filter(|entry| entry.sequence >= last).map(|entry| entry.batch).collect();
        assert!(batches.len() >= 3 && batches.first() < batches.last(), "{batches:?}");
        assert!(batches[batches.len() - 2..].windows(2).all(|two| two[0] == two[1]), "a last batch of two");
    }
}

#[test]
fn no_flipped_bit_is_accepted() {
    let mut flipped = 0;
    for variant in variants(2) {
        for (sound, whole) in sounds_of(variant).into_iter().zip([true, false, false]) {
            let active = rules::layout().segment(*sound.segments().last().unwrap());
            for (path, owed) in sound.files() {
                // The first log is damaged everywhere; the others differ from it in the files behind the active segment.
                if flipped < flips_wanted() && (whole || path == active) {
                    flips(&sound, &path, |_| owed);
                    flipped += sound.disk.file(&path).unwrap().len();
                }
            }
        }
    }
    counted("every bit flipped", format!("of {flipped} bytes"));
}

#[test]
fn a_running_node_accepts_no_flipped_bit() {
    let [sound, ..] = sounds();
    let mut noticed = BTreeSet::new();
    for first in sound.segments() {
        let path = rules::layout().segment(first);
        for (offset, byte) in sound.disk.file(&path).unwrap().iter().enumerate() {
            let disk = sound.disk.fork();
            let node = opened(&disk, sound.settings).unwrap();
            disk.corrupt(&path, offset, byte ^ (1 << (offset % 8))).unwrap();
            let told = format!("{} byte {offset}", path.display());
            if check_rotten_history(&*node.log.history(), &sound.entries, &told) > 0 {
                noticed.insert(first);
            }
        }
    }
    assert_eq!(noticed.into_iter().collect::<Vec<_>>(), sound.segments(), "rot in every segment is met");
}

#[test]
fn no_truncated_file_is_accepted_as_whole() {
    let mut cut = 0;
    for sound in variants(6).flat_map(sounds_of) {
        for (path, owed) in sound.files() {
            cuts(&sound, &path, |_| owed);
            cut += sound.disk.file(&path).unwrap().len();
        }
    }
    counted("cut at every byte", format!("of {cut} bytes"));
}

#[test]
fn without_the_mark_damage_in_the_last_batch_is_a_torn_tail_and_any_other_is_not() {
    for sound in sounds() {
        let sound = sound.unmarked();
        let (tail, path) = (sound.tail(), rules::layout().segment(*sound.segments().last().unwrap()));
        let opened = flips(&sound, &path, |offset| {
            let at = tail.iter().position(|line| offset < line.end).unwrap();
            if !tail[at].in_last_batch {
                return Owed::AtLeast(sound.end());
            }
            sound.torn_at(tail[at - 1].last)
        });
        assert_eq!(opened > 0, sound.snapshot < sound.end(), "some of it may be cut");
    }
}

#[test]
fn without_the_mark_a_cut_costs_no_more_than_what_was_cut() {
    for sound in sounds() {
        let sound = sound.unmarked();
        let (tail, path) = (sound.tail(), rules::layout().segment(*sound.segments().last().unwrap()));
        cuts(&sound, &path, |length| match tail.iter().rev().find(|line| line.end <= length) {
            Some(line) => sound.torn_at(line.last),
            None => Owed::AtLeast(sound.end()),
        });
    }
}

#[test]
fn a_missing_file_is_made_again_or_missed() {
    for sound in sounds() {
        for (path, owed) in sound.files() {
            let disk = sound.disk.fork();
            remove(&disk, &path);
            sound.judge(&disk, owed, &format!("{} missing", path.display()));
        }
    }
}

#[test]
fn without_the_mark_a_snapshot_still_proves_the_last_segment() {
    let sound = sound(2, 6).unmarked();
    let last = *sound.segments().last().unwrap();
    assert!(sound.snapshot >= last, "the snapshot reaches into the last segment");
    let disk = sound.disk.fork();
    remove(&disk, &rules::layout().segment(last));
    assert!(!sound.judge(&disk, Owed::AtLeast(sound.snapshot), "last segment missing"));
}

#[test]
fn a_log_that_is_gone_is_missed_also_by_a_new_node() {
    let sound = sound(7, 5).unmarked();
    let disk = sound.disk.fork();
    for first in sound.segments() {
        remove(&disk, &rules::layout().segment(first));
    }
    for _ in 0..2 {
        assert!(!sound.judge(&disk, Owed::AtLeast(sound.end()), "no segment, but a snapshot"));
    }
    remove(&disk, &rules::layout().node());
    for _ in 0..2 {
        assert!(!sound.judge(&disk, Owed::AtLeast(sound.end()), "no node.json either"));
    }
}

#[test]
fn the_end_found_at_a_start_is_marked_before_it_is_shown() {
    let sound = sound(1_000, 5).unmarked();
    drop(opened(&sound.disk, sound.settings).unwrap());
    sound.disk.crash(Crash::ProcessKill);
    let path = rules::layout().segment(*sound.segments().last().unwrap());
    let length = sound.disk.file(&path).unwrap().len();
    sound.disk.corrupt(&path, length - 10, b'#').unwrap();
    assert!(!sound.judge(&sound.disk.fork(), Owed::AtLeast(sound.end()), "the last batch was shown"));
}

#[test]
fn bytes_torn_off_twice_at_one_place_are_kept_twice() {
    let sound = sound(1_000, 5);
    let path = rules::layout().segment(*sound.segments().last().unwrap());
    let bytes = sound.disk.file(&path).unwrap();
    let kept = |disk: &SimDisk| {
        let torn = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("torn-");
        let files = disk.files().into_iter().filter(torn);
        files.map(|path| disk.file(path).unwrap()).collect::<BTreeSet<_>>()
    };
    let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let mut tails = BTreeSet::new();
    for length in [bytes.len() - 1, bytes.len() - 2, bytes.len() - 2] {
        remove(&sound.disk, &rules::layout().mark());
        sound.disk.put(&path, &bytes[..length]);
        drop(opened(&sound.disk, sound.settings).unwrap());
        tails.insert(bytes[last..length].to_vec());
        assert_eq!(kept(&sound.disk), tails);
    }
    assert_eq!(tails.len(), 2);
}
