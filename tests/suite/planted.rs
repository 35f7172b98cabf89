//! Checks that the suites catch bugs: each of [`Bug::ALL`] is planted in turn, and a suite must fail.
//!
//! Only in builds with the feature `planted-bugs`, whose processes have the bug that `ONHAND_PLANTED_BUG` names:
//!
//!     cargo test --release --features planted-bugs --test suite -- planted::

use onhand_planted::{Bug, VARIABLE};
use std::collections::BTreeSet;
use std::env::current_exe;
use std::process::{Command, Output};
use std::time::Instant;

/// Bugs that the simulator finds by itself: the others need rot, two faults together, or clients that disconnect.
const FOUND_BY_SIMULATION: [Bug; 12] = [
    Bug::AckBeforeSync,
    Bug::RetrySync,
    Bug::FollowWallClock,
    Bug::NoDirectorySync,
    Bug::ApplyBeforeDurable,
    Bug::ForgetIdempotency,
    Bug::PruneBeforeRename,
    Bug::CheckpointBeforeDeadLetter,
    Bug::ReuseSequence,
    Bug::AcceptStaleEpoch,
    Bug::ReleaseOverLostFile,
    Bug::TrustJoinersClock,
];

/// The quick suites that must catch a bug, by the prefix of their tests' names.
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
        Bug::AcceptStaleEpoch => &["shared::stories::a_process_paused"],
        Bug::ReleaseOverLostFile => &["shared::lost_file", "binary::lost_sync"],
        Bug::ApplyMismatch => &["shared::mismatch"],
        Bug::TrustJoinersClock => &["shared::clocks"],
        Bug::ServeHalfMoved => &["shared::migrating"],
        Bug::StaleLook => &["low_stock::a_command_that_had_found"],
        Bug::LockFileOnly => &["binary::locks"],
        Bug::FollowWallClock => &["clocks::property"],
        Bug::LeakPermitOnCancel => &["http::gates::"],
        Bug::CheckpointBeforeDeadLetter => &["sync::crashes::"],
        Bug::SkipNeedOfHead | Bug::SkipNeedOfAlias => &["http::identity::matrix"],
        Bug::SkipNeedInBatch => &["http::identity::access::a_change_needs"],
        Bug::SkipUnknownLogin => &["binary::identity::a_login_that_nobody_has"],
        Bug::ForgetRefreshReuse => &["http::identity::sessions::a_refresh_token_that_was_copied"],
        Bug::ForgetCeiling => &["binary::central_logins"],
        Bug::ForgetScopeOfFeed | Bug::ForgetScopeOfCsv => &["http::identity::access::lists_and"],
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

#[test]
fn the_simulator_comes_upon_them_by_itself() {
    let mut missed = Vec::new();
    for (_, name) in Bug::ALL.into_iter().filter(|(bug, _)| FOUND_BY_SIMULATION.contains(bug)) {
        let begun = Instant::now();
        let run = simulate("1", "400", Some(name));
        let said = String::from_utf8_lossy(&run.stderr);
        let found = said.lines().find_map(|line| line.strip_prefix("onhand: seed "));
        let Some((seed, what)) = found.and_then(|found| found.split_once(' ')) else {
            missed.push(name);
            continue;
        };
        println!("{name}: seed {seed} {what} (after {:.1?})", begun.elapsed());
        assert!(simulate(seed, "1", None).status.success(), "seed {seed} is red without a bug");
    }
    assert!(missed.is_empty(), "the simulator did not notice {missed:?}");
}

fn simulate(seed: &str, seeds: &str, bug: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onhand"));
    command.args(["simulate", "--seed", seed, "--seeds", seeds, "--ops", "2000"]);
    command.env_remove(VARIABLE).env("RUST_BACKTRACE", "0").envs(bug.map(|bug| (VARIABLE, bug)));
    command.output().unwrap()
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
