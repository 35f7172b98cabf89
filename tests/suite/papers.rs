//! The papers of the house held against the program: run.md, openapi.yaml and the tests name what there is.

use clap::CommandFactory;
use onhand::adapters::http::{Code, OPENAPI_YAML};
use onhand::cli::Cli;
use onhand::telemetry::ALL;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Every Rust file below a folder: its path and its text.
fn rust_files(root: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.display().to_string(), text));
            }
        }
    }
    files
}

/// The text of every test outside of `src`.
fn tests() -> String {
    let files = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"));
    files.into_iter().map(|(_, text)| text).collect()
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

/// What a metric is called stands in the table and nowhere else, so none can be without kind and text; and what the runbook
/// says of one is about one that there is.
#[test]
fn every_metric_is_in_the_table() {
    let is_name = |character: char| character.is_ascii_lowercase() || character == '_';
    let names = |text: &str| -> BTreeSet<String> {
        let starts = text.match_indices("onhand_").map(|(start, _)| &text[start..]);
        starts
            .map(|rest| rest.split(|character| !is_name(character)).next().unwrap_or_default().to_owned())
            .collect()
    };
    let known: Vec<&str> = ALL.iter().map(|metric| metric.name).collect();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (path, text) in rust_files(&source) {
        if !path.ends_with("telemetry.rs") {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let places = code.matches("\"onhand_").count();
            assert_eq!(places, 0, "{path} names a metric that is not in src/telemetry.rs");
        }
    }
    for paper in ["run.md", "README.md", "ARCHITECTURE.md", "openapi.yaml"] {
        for name in names(&read(paper)) {
            // A name may stand for several: `grep onhand_clock`.
            assert!(
                known.iter().any(|metric| metric.starts_with(&name)),
                "{paper}: there is no metric {name}"
            );
        }
    }
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
