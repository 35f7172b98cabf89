//! Do the suites catch the bugs they are there for? Each of [`Bug::ALL`] is planted in turn, and a suite must go red.
//!
//! Only in builds with the feature `planted-bugs`, whose processes make the mistake that `ONHAND_PLANTED_BUG` names:
//!
//!     cargo test --release --features planted-bugs --test suite -- planted::

use onhand::planted::{Bug, VARIABLE};
use std::collections::BTreeSet;
use std::env::current_exe;
use std::process::Command;
use std::time::Instant;

/// The suites that are quick and whose business it is, by the beginning of their tests' names.
fn suites_for(bug: Bug) -> &'static [&'static str] {
    match bug {
        Bug::AckBeforeSync | Bug::ApplyBeforeDurable | Bug::RetrySync | Bug::NoSyncAfterCut => {
            &["crash::faults::every_single"]
        }
        Bug::NoDirectorySync => &["crash::faults::a_second_fault"],
        Bug::CutMidLog => &["damage::bytes::without_the_mark_damage"],
        Bug::SkipChecksum => &["damage::bytes::a_running_node"],
        Bug::ForgetIdempotency | Bug::ReuseSequence => &["node::", "machine::"],
        Bug::PruneBeforeRename => &["archive::"],
        Bug::AcceptStaleEpoch => &["shared::stories::who_was_paused"],
        Bug::FollowWallClock => &["clocks::property"],
        Bug::LeakPermitOnCancel => &["http::gates::"],
        Bug::CheckpointBeforeDeadLetter => &["sync::crashes::"],
    }
}

#[test]
fn every_planted_bug_is_caught() {
    let mut caught = Vec::new();
    let mut missed = Vec::new();
    let mut green = BTreeSet::new();
    for (bug, name) in Bug::ALL {
        let suites = suites_for(bug);
        if green.insert(suites) {
            assert_eq!(red(suites, None), [""; 0], "{suites:?} are red without a bug");
        }
        let begun = Instant::now();
        match red(suites, Some(name)).first() {
            Some(first) => caught.push(format!("{name}: {first} (after {:.1?})", begun.elapsed())),
            None => missed.push(name),
        }
    }
    println!("caught:\n{}", caught.join("\n"));
    assert!(missed.is_empty(), "nothing noticed {missed:?}; caught were {caught:#?}");
}

/// The tests that fail with a bug planted.
fn red(suites: &[&str], bug: Option<&str>) -> Vec<String> {
    let mut command = Command::new(current_exe().unwrap());
    command.args(suites).env_remove(VARIABLE).env("RUST_BACKTRACE", "0");
    command.envs(bug.map(|bug| (VARIABLE, bug)));
    let run = command.output().unwrap();
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    let red: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
        .map(str::to_owned)
        .collect();
    assert!(text.contains("test result:"), "{suites:?} came to no end with {bug:?}: {text}");
    assert_eq!(red.is_empty(), run.status.success(), "{text}");
    red
}
