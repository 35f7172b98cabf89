//! The simulator as an engineer runs it: many seeds, each twice, and no finding.

use crate::counts::{counted, scale};
use std::process::Command;

/// Runs seeds and returns the output; fails when there is a finding.
fn simulate(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_onhand")).arg("simulate").args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    said
}

#[test]
fn two_million_operations_find_nothing() {
    let seeds = (640 * scale()).to_string();
    counted("simulation", simulate(&["--seeds", &seeds, "--ops", "4000"]).trim_end());
}

#[test]
fn a_hundred_seeds_do_the_same_twice() {
    let seeds = (100 * scale()).to_string();
    let said = simulate(&["--seed", "100000", "--seeds", &seeds, "--ops", "1000", "--twice"]);
    assert!(said.contains("each run twice, with the same trace"), "{said}");
}

/// A letter is listed as open, and closed by the pass that reads its source: the second redrive finds it closed.
#[test]
fn a_letter_that_a_pass_has_closed_is_no_finding() {
    for seed in ["500681", "500999"] {
        simulate(&["--seed", seed]);
    }
}

#[test]
fn a_seed_is_one_story() {
    // A chain of nodes, and processes that share a directory.
    let stories = ["7", "8"].map(|seed| {
        let tell = || {
            let told = simulate(&["--seed", seed, "--ops", "300", "--trace"]);
            told.lines().filter(|line| !line.starts_with("found")).map(str::to_owned).collect::<Vec<_>>()
        };
        let told = tell();
        assert!(told.len() > 50, "{told:?}");
        assert_eq!(tell(), told);
        told
    });
    assert_ne!(stories[0], stories[1]);
}
