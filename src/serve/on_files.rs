//! A node on its files for one command, without a server: the same ledger, vault and routes, and one caller, the owner of the
//! data directory.
//!
//! As root the process becomes the owner of the directory first, so that no file is made that the server cannot use later.

use crate::serve::{begin_time, close, http, keep_leases};
use ::http::{Request, Response};
use bytes::Bytes;
use clap::{Args, Command, FromArgMatches};
use onhand_cli::admin::{Local, OpenedNode};
use onhand_cli::bad_settings;
use onhand_config::{LogLevel, RawServe, ServeSettings};
use onhand_http::{Edge, edge};
use onhand_runtime::exit::{Exit, Failure, OrExit};
use onhand_runtime::logging;
use onhand_runtime::open::{RunningNode, open_node};
use onhand_runtime::stop::{Stop, StopTimes};
use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

/// The open node, and its routes.
struct OnFiles {
    edge: Edge,
    running: RunningNode,
    stop: Stop,
}

/// Opens the node of a data directory.
///
/// # Errors
/// [`Exit::Locked`] when another process has it; else as [`open_node`].
pub(crate) fn open(data_dir: &Path) -> Local<'_, Result<Box<dyn OpenedNode>, Failure>> {
    Box::pin(async move {
        let settings = settings(data_dir)?;
        become_owner_of(data_dir)?;
        logging::start(&settings.logging);
        let running = open_node(&settings)?;
        begin_time(&running).await?;
        let vault = http::open_vault(data_dir)?;
        let stop = Stop::new(StopTimes::new(settings.listen.shutdown_timeout));
        let node = http::node(&settings, &running, vault, stop.token.clone());
        let node = node.with_personal_keys(http::open_personal_keys(data_dir)?);
        let opened: Box<dyn OpenedNode> = Box::new(OnFiles { edge: edge(Arc::new(node)), running, stop });
        Ok(opened)
    })
}

impl OpenedNode for OnFiles {
    fn answer(&self, request: Request<Bytes>) -> Local<'_, Response<Bytes>> {
        // Another command that is one of several processes on the directory may want the same leases.
        Box::pin(async {
            tokio::select! {
                answer = self.edge.answer_owner(geteuid().as_raw(), request) => answer,
                never = keep_leases(&self.running.ledger, &self.stop) => match never {},
            }
        })
    }

    fn close(self: Box<Self>) -> Result<(), Failure> {
        close(&self.running)
    }
}

/// The settings of `serve` from the environment, as the server of the directory has them, for a node that keeps no central model
/// and logs only what is wrong.
fn settings(data_dir: &Path) -> Result<ServeSettings, Failure> {
    let given = ["serve", "--sync", "off", "--data-dir"].map(OsStr::new);
    let given = given.into_iter().chain([data_dir.as_os_str()]);
    let matches = RawServe::augment_args(Command::new("serve")).try_get_matches_from(given);
    let raw = matches.and_then(|matches| RawServe::from_arg_matches(&matches));
    let mut settings = raw
        .or_exit(Exit::Settings, || "the environment has settings that cannot be read")?
        .parse()
        .map_err(|faults| bad_settings(&faults))?;
    settings.logging.level = settings.logging.level.min(LogLevel::Warn);
    Ok(settings)
}

/// Makes root the owner of the directory. Only this thread changes, so it comes before all others are started.
fn become_owner_of(data_dir: &Path) -> Result<(), Failure> {
    let owner = std::fs::metadata(data_dir)
        .or_exit(Exit::NoInput, || format!("cannot read {}", data_dir.display()))?;
    if !geteuid().is_root() || owner.uid() == 0 {
        return Ok(());
    }
    let (uid, gid) = (Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()));
    let become_them = || {
        set_thread_groups(&[])?;
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)
    };
    become_them().or_exit(Exit::Permission, || {
        format!("cannot become the owner of {} (user {})", data_dir.display(), owner.uid())
    })
}
