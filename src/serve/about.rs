//! What people who run the node want to know about it: its settings with their origin, and the file system of its data.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use onhand_http::{About, Setting, Space};
use onhand_runtime::open::RunningNode;
use std::path::Path;
use std::sync::Arc;

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
    About {
        data_dir,
        started_at: running.ledger.now(),
        settings,
        space: Arc::new(space),
        asking: Arc::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Args;
    use onhand_config::RawServe;

    #[test]
    fn each_setting_has_its_origin_and_no_secret_is_listed() {
        let command = RawServe::augment_args(Command::new("serve")).mut_args(|argument| {
            // Without the environment: a developer's own PORT must not fail the test.
            let hidden = argument.is_hide_env_values_set();
            argument.env("ONHAND_NO_SUCH_VARIABLE").hide_env_values(hidden)
        });
        let given = ["serve", "--port", "8080", "--alert-webhook-secret", "whsec_c2VjcmV0"];
        let matches = command.clone().try_get_matches_from(given).unwrap();
        let command = RawServe::augment_args(Command::new("serve"));
        let listed = listed(&command, &matches);
        let of = |name: &str| listed.iter().find(|setting| setting.name == name).unwrap();
        assert_eq!((of("PORT").value.as_deref(), of("PORT").source), (Some("8080"), "flag"));
        assert_eq!((of("HOST").value.as_deref(), of("HOST").source), (Some("127.0.0.1"), "default"));
        assert_eq!((&of("TLS_KEY").value, of("TLS_KEY").source), (&None, "unset"));
        assert_eq!(of("ALERT_WEBHOOK_SECRET").value.as_deref(), Some(HIDDEN));
        assert!(
            listed
                .iter()
                .all(|setting| !setting.about.is_empty() && !format!("{setting:?}").contains("c2VjcmV0"))
        );
    }
}
