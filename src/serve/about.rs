//! What people who run the node want to know about it: its settings with their origin, and the file system of its data.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use onhand_http::{About, Setting, Space};
use onhand_runtime::open::RunningNode;
use std::path::Path;

/// In place of a value that is a secret, or may have one.
const HIDDEN: &str = "(not shown)";

/// Every setting of `serve` that an environment variable names, in the order of its help.
pub(crate) fn listed(serve: &Command, matches: &ArgMatches) -> Vec<Setting> {
    serve.get_arguments().filter_map(|argument| setting(argument, matches)).collect()
}

fn setting(argument: &Arg, matches: &ArgMatches) -> Option<Setting> {
    let name = argument.get_env()?.to_str()?.to_owned();
    let id = argument.get_id().as_str();
    let values = matches
        .get_raw(id)
        .map(|values| values.map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>().join(","));
    let source = match matches.value_source(id) {
        Some(ValueSource::CommandLine) => "flag",
        Some(ValueSource::EnvVariable) => "environment",
        Some(_) => "default",
        None => "unset",
    };
    let value = values.map(|value| if argument.is_hide_env_values_set() { HIDDEN.to_owned() } else { value });
    let about = argument.get_help().map(ToString::to_string).unwrap_or_default();
    Some(Setting { name, value, source, about })
}

/// What a running node says about itself.
pub(super) fn about(data_dir: &Path, running: &RunningNode, settings: Vec<Setting>) -> About {
    let data_dir = data_dir.canonicalize().unwrap_or_else(|_| data_dir.to_path_buf());
    let asked = data_dir.clone();
    let space = move || {
        let found = rustix::fs::statvfs(&asked)?;
        Ok(Space {
            total_bytes: found.f_blocks * found.f_frsize,
            free_bytes: found.f_bavail * found.f_frsize,
        })
    };
    About { data_dir, started_at: running.ledger.now(), settings, space: Box::new(space) }
}
