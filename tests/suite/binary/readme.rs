//! The commands of README and of every guide, each paper pasted into one shell at once, in an initially empty
//! directory: every command prints the output in the paper. The shell adds no waits to those of the paper.

use super::process::{PROGRAM, Process};
use super::skipped;
use crate::counts::counted;
use regex::Regex;
use std::fs;
use std::iter;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

const GUIDES: &str = "src/adapters/http/docs/guide";
/// Begins the output of one command. It stands in no output.
const MARK: &str = "\u{1e}";

/// A command with the output in the paper.
struct Shown {
    command: String,
    output: String,
}

/// Output that differs from run to run, and its replacement for the comparison.
static DIFFERENT: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
        (r#""crc":"[0-9a-f]{8}""#, "CRC"),
        (r#""requestId":"[^"]+""#, "REQUEST"),
        (r"pid \d+", "pid PID"),
        (r"webhook-timestamp: \d+", "webhook-timestamp: SECONDS"),
        (r"v1,[A-Za-z0-9+/]{43}=", "SIGNATURE"),
        (r"byte \d+", "byte PLACE"),
        (r"took +.*", "took"),
        (r"import +[0-9a-f]{32}", "import FINGERPRINT"),
    ]
    .map(|(pattern, name)| (Regex::new(pattern).unwrap(), name))
    .into()
});

#[test]
fn the_commands_of_the_readme_print_the_shown_output() {
    let story = "the_commands_of_the_readme_print_the_shown_output";
    if let Some(missing) = missing() {
        return skipped(story, &missing);
    }
    let commands = follow("README.md");
    assert!(commands > 10, "README has {commands} commands");
}

#[test]
fn the_commands_of_every_guide_print_the_shown_output() {
    let story = "the_commands_of_every_guide_print_the_shown_output";
    if let Some(missing) = missing() {
        return skipped(story, &missing);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDES);
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let (mut guides, mut commands) = (0, 0);
    for name in names {
        guides += 1;
        commands += follow(&format!("{GUIDES}/{name}"));
    }
    assert!(guides > 5, "there are {guides} guides");
    counted(story, format!("{commands} commands of {guides} guides"));
}

/// Runs the commands of a paper and compares their output with the one in the paper; returns the number of commands.
#[track_caller]
fn follow(paper: &str) -> usize {
    let directory = TempDir::new().unwrap();
    let (bin, home) = (directory.path().join("bin"), directory.path().join("home"));
    fs::create_dir(&bin).unwrap();
    fs::create_dir(&home).unwrap();
    symlink(PROGRAM, bin.join("onhand")).unwrap();
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(paper)).unwrap();
    let shown = shown(&text, &home);
    let script = directory.path().join("script");
    fs::write(&script, script_of(&shown)).unwrap();
    let mut command = Command::new("unshare");
    // A network, processes and mounts of its own: the ports of the paper are free, and nothing outlives the shell.
    command.args(["--net", "--pid", "--mount-proc", "--fork", "--kill-child", "sh", "-c"]);
    command.arg(r#"ip link set lo up && cd "$1" && PATH="$2:$PATH" exec bash "$3""#).arg(paper);
    command.arg(&home).arg(&bin).arg(&script);
    let ended = Process::spawn(command).wait();
    let printed: Vec<&str> = ended.stdout.split(MARK).skip(1).collect();
    assert_eq!(printed.len(), shown.len(), "{paper}: the shell ended early: {}", ended.stderr);
    let mut faults = Vec::new();
    for (place, (one, printed)) in shown.iter().zip(printed).enumerate() {
        let aside = fs::read_to_string(home.join(aside(place))).unwrap_or_default();
        let runs_on = runs_on(&one.command);
        let printed = without_differences(if runs_on { &aside } else { printed }, &home);
        // A node in the background prints its log, too.
        if printed != one.output && !(runs_on && printed.contains(&one.output)) {
            let Shown { command, output } = one;
            faults.push(format!("$ {command}\n--- {paper} shows\n{output}\n--- it printed\n{printed}\n"));
        }
    }
    assert!(faults.is_empty(), "{}\n{}", faults.join("\n"), ended.stderr);
    shown.len()
}

/// The tools that this machine lacks for these stories.
fn missing() -> Option<String> {
    let works = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    let tools = ["bash", "curl", "jq", "python3", "ip"];
    let missing = tools.into_iter().find(|tool| !works("sh", &["-c", &format!("command -v {tool}")]));
    if let Some(missing) = missing {
        return Some(format!("{missing} is not installed"));
    }
    let alone =
        works("unshare", &["--net", "--pid", "--mount-proc", "--fork", "ip", "link", "set", "lo", "up"]);
    (!alone).then(|| "this machine does not give it a network of its own, which takes root".to_owned())
}

/// The commands in the `console` blocks of a text, each with the output below it.
fn shown(text: &str, home: &Path) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    let (mut console, mut open) = (false, false);
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(kind) => console = kind == "console",
            None if !console => {}
            None => match (line.strip_prefix("$ "), found.last_mut()) {
                (Some(command), _) if !open => {
                    found.push(Shown { command: command.to_owned(), output: String::new() });
                    open = is_open(command, home);
                }
                (_, Some(last)) if open => {
                    last.command.extend(["\n", line]);
                    open = is_open(&last.command, home);
                }
                (_, last) => last.expect("a block begins with a command").output.extend([line, "\n"]),
            },
        }
    }
    for one in &mut found {
        one.output = without_differences(&one.output, home);
    }
    found
}

/// True when the shell waits for another line of the command.
fn is_open(command: &str, home: &Path) -> bool {
    let checked = Command::new("bash").args(["-n", "-c", command]).current_dir(home).output().unwrap();
    command.ends_with('\\') || !checked.stderr.is_empty()
}

/// True when the command leaves a process running. Its output is kept apart: it may come at any time.
fn runs_on(command: &str) -> bool {
    command.ends_with('&')
}

fn aside(place: usize) -> String {
    format!(".said-{place}")
}

fn script_of(shown: &[Shown]) -> String {
    let commands = shown.iter().enumerate().map(|(place, Shown { command, .. })| {
        let command = match command.strip_suffix('&') {
            Some(command) => format!("{command} >{} 2>&1 &", aside(place)),
            None => command.clone(),
        };
        format!("printf '%s' '{MARK}'\n{command}\n")
    });
    // As in an interactive shell, a process that is left running is a job with a name.
    iter::once("set -m\n".to_owned()).chain(commands).collect()
}

/// The lines without what differs from run to run, and without blank ones.
fn without_differences(text: &str, home: &Path) -> String {
    let mut text = text.replace(&*home.to_string_lossy(), "/home/you").replace('\r', "");
    for (pattern, name) in DIFFERENT.iter() {
        text = pattern.replace_all(&text, *name).into_owned();
    }
    text.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}
