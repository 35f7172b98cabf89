//! The papers are compared with the program: commands, metrics and codes that run.md, README.md, openapi.yaml and the
//! guides name exist, and all that must be named are.

use clap::CommandFactory;
use onhand::Cli;
use onhand_http::{Code, OPENAPI_YAML};
use onhand_telemetry::ALL;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const GUIDES: &str = "src/adapters/http/docs/guide";

/// Every paper, by its path.
fn papers() -> Vec<String> {
    let named = ["README.md", "ARCHITECTURE.md", "run.md", "benches/README.md", "tests/README.md"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDES);
    let guides = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let guides = guides.map(|name| format!("{GUIDES}/{name}"));
    named.into_iter().map(str::to_owned).chain(guides).collect()
}

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

/// Metric names are in the table and nowhere else, so that each has a kind and a text; and every metric in the runbook
/// exists.
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
        if !path.ends_with("src/telemetry/lib.rs") {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let places = code.matches("\"onhand_").count();
            assert_eq!(places, 0, "{path} names a metric that is not in src/telemetry/lib.rs");
        }
    }
    for paper in papers().into_iter().chain(["openapi.yaml".to_owned()]) {
        for name in names(&read(&paper)) {
            // A name may stand for several metrics: `grep onhand_clock`.
            assert!(
                known.iter().any(|metric| metric.starts_with(&name)),
                "{paper}: there is no metric {name}"
            );
        }
    }
}

#[test]
fn every_link_between_papers_leads_somewhere() {
    for paper in papers() {
        let text = read(&paper);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(&paper);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            if link.starts_with("http") {
                continue;
            }
            let target = folder.parent().unwrap().join(file);
            assert!(file.is_empty() || target.exists(), "{paper}: {link} leads nowhere");
            let headings = text.lines().filter_map(|line| line.strip_prefix("## ")).map(anchor);
            assert!(
                !file.is_empty() || headings.into_iter().any(|heading| heading == place),
                "{paper}: {link}"
            );
        }
    }
}

/// The anchor of a heading in a link, as GitHub derives it.
fn anchor(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter);
    heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}

#[test]
fn every_module_of_the_suite_is_explained() {
    let papers = read("tests/README.md");
    let main = read("tests/suite/main.rs");
    let modules = main.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    let unexplained: Vec<&str> = modules.filter(|module| !papers.contains(&format!("`{module}`"))).collect();
    assert!(unexplained.is_empty(), "tests/README.md does not say what these prove: {unexplained:?}");
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
