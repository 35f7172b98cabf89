//! The papers of the house held against the program: run.md, openapi.yaml and the tests name what there is.

use clap::CommandFactory;
use onhand::adapters::http::{Code, OPENAPI_YAML};
use onhand::cli::Cli;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The text of every test outside of `src`.
fn tests() -> String {
    let mut text = String::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}

#[test]
fn every_command_is_in_the_runbook() {
    let runbook = read("run.md");
    let mut commands: Vec<(String, clap::Command)> = vec![("onhand".to_owned(), Cli::command())];
    let mut missing = Vec::new();
    while let Some((path, command)) = commands.pop() {
        let below = command.get_subcommands().map(|one| (format!("{path} {}", one.get_name()), one.clone()));
        commands.extend(below);
        missing.extend(Some(path).filter(|path| !runbook.contains(path.as_str())));
    }
    assert!(missing.is_empty(), "run.md does not say what these are for: {missing:?}");
}

#[test]
fn every_code_of_a_failed_start_is_in_the_runbook() {
    let runbook = read("run.md");
    let rows: BTreeSet<&str> =
        runbook.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()).collect();
    for code in ["65", "69", "73", "74", "75", "77", "78"] {
        assert!(rows.contains(code), "run.md has no row for exit code {code}");
    }
}

#[test]
fn every_problem_code_is_met_in_a_test_and_in_the_contract() {
    let tests = tests();
    for code in Code::ALL {
        let slug = code.slug();
        assert!(tests.contains(&format!("\"{slug}\"")), "no test meets {slug}");
        assert!(OPENAPI_YAML.contains(&format!("`{slug}`")), "openapi.yaml does not explain {slug}");
    }
}
