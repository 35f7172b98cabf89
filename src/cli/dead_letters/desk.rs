//! Access to dead letters: over a running node, or in the data directory of a stopped worker.

use super::letter::{Letter, Settled};
use super::options::{DeadLettersArgs, LetterVerb};
use crate::terminal::client::{NodeClient, query_value};
use crate::terminal::exit::bad_settings;
use http::Method;
use onhand_app::central::{DeadLetter, LetterError, Redriven};
use onhand_config::SyncWorkerSettings;
use onhand_disk::RealDisk;
use onhand_disk::layout::Layout;
use onhand_file::stores::dead_letters::look_at_letters;
use onhand_runtime::central::sources::LogSources;
use onhand_runtime::central::worker::HeldWorker;
use onhand_runtime::directory;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Where dead letters are read and settled.
pub(super) enum LetterDesk {
    /// A node with its worker.
    Node(NodeClient),
    /// The file of dead letters, read-only.
    File(Layout),
    /// A worker in this process.
    Worker(HeldWorker),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Letter>,
    next_cursor: Option<String>,
}

impl LetterDesk {
    /// Opens the node or data directory that the options name.
    ///
    /// # Errors
    /// [`Exit::NoInput`] without a data directory, [`Exit::Locked`] when its worker runs and letters are to be settled.
    pub(super) fn open(args: &DeadLettersArgs) -> Result<Self, Failure> {
        let Some(data_dir) = &args.data_dir else { return Ok(Self::Node(NodeClient::new(&args.server)?)) };
        let (_, layout) = directory::existing(data_dir)?;
        if matches!(args.verb, LetterVerb::List { .. } | LetterVerb::Show { .. }) {
            return Ok(Self::File(layout));
        }
        let sources = args.sources.parse().map_err(|faults| bad_settings(&faults))?;
        let logs = LogSources::of_directory(&layout)?;
        HeldWorker::open(&layout, logs, &SyncWorkerSettings::once(sources), u64::MAX).map(Self::Worker)
    }

    /// All letters, oldest first.
    pub(super) async fn letters(&self) -> Result<Vec<Letter>, Failure> {
        match self {
            Self::Node(client) => pages(client).await,
            Self::File(layout) => on_file(layout)?.iter().map(as_shown).collect(),
            Self::Worker(held) => held.worker.letters().iter().map(as_shown).collect(),
        }
    }

    /// One letter with all of its members.
    pub(super) async fn show(&self, id: &str) -> Result<Value, Failure> {
        let letters = match self {
            Self::Node(client) => return Ok(client.get(&path(id)).await?),
            Self::File(layout) => on_file(layout)?,
            Self::Worker(held) => held.worker.letters(),
        };
        let found = letters.iter().find(|letter| letter.id == id).map(as_shown);
        found.unwrap_or_else(|| Err(failure(&LetterError::Unknown)))
    }

    /// Tries a letter again.
    pub(super) async fn redrive(&self, id: &str) -> Result<Settled, Failure> {
        match self {
            Self::Node(client) => Ok(client.ask(Method::POST, &format!("{}/redrive", path(id))).await?),
            Self::File(_) => unreachable!("to look is all that is done on a file"),
            Self::Worker(held) => {
                // A first pass, so that the node of every source is known.
                held.worker.sync().await;
                settled(held.worker.redrive(id).await)
            }
        }
    }

    /// Discards a letter.
    pub(super) async fn discard(&self, id: &str, reason: &str) -> Result<Settled, Failure> {
        match self {
            Self::Node(client) => {
                let path = format!("{}?reason={}", path(id), query_value(reason));
                Ok(client.ask(Method::DELETE, &path).await?)
            }
            Self::File(_) => unreachable!("to look is all that is done on a file"),
            Self::Worker(held) => {
                held.worker.sync().await;
                settled(held.worker.discard(id, reason).await)
            }
        }
    }
}

fn path(id: &str) -> String {
    format!("/dead-letters/{}", query_value(id))
}

async fn pages(client: &NodeClient) -> Result<Vec<Letter>, Failure> {
    let mut letters = Vec::new();
    let mut path = "/dead-letters?limit=1000".to_owned();
    loop {
        let page: Page = client.get(&path).await?;
        letters.extend(page.items);
        let Some(cursor) = page.next_cursor else { return Ok(letters) };
        path = format!("/dead-letters?limit=1000&cursor={}", query_value(&cursor));
    }
}

fn on_file(layout: &Layout) -> Result<Vec<DeadLetter>, Failure> {
    look_at_letters(&RealDisk, layout)
        .or_exit(Exit::Io, || format!("cannot read {}", layout.dead_letter_file().display()))
}

/// A letter of this process in the form of a node's answer.
fn as_shown<T: DeserializeOwned>(letter: &DeadLetter) -> Result<T, Failure> {
    serde_json::to_value(letter)
        .and_then(serde_json::from_value)
        .or_exit(Exit::Internal, || "a dead letter cannot be shown")
}

fn settled(driven: Result<Redriven, LetterError>) -> Result<Settled, Failure> {
    let Redriven { letter, applied, waiting } = driven.map_err(|error| failure(&error))?;
    Ok(Settled { letter: as_shown(&letter)?, applied, waiting })
}

fn failure(error: &LetterError) -> Failure {
    let exit = match error {
        LetterError::Io(_) => Exit::Io,
        LetterError::Unknown
        | LetterError::Closed
        | LetterError::Behind(_)
        | LetterError::Source(_)
        | LetterError::Breaker(_) => Exit::Unavailable,
    };
    Failure::new(exit, error.to_string())
}
