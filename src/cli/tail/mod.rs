//! `onhand tail`: the change feed of a node in a terminal, without gap or repeat, whatever happens to the connection.

mod follow;
pub(crate) mod frames;
mod item;
mod options;

pub use crate::tail::options::TailArgs;
use crate::terminal::client::NodeClient;
use crate::terminal::run_client;
use onhand_runtime::exit::{Exit, Failure};

/// Follows a node until interrupted.
///
/// # Errors
/// [`Exit::Unavailable`] when the node rejects the request, or does not answer the first one; [`Exit::Data`] for a gap.
pub fn run(args: &TailArgs) -> Result<Exit, Failure> {
    run_client::run(async {
        let client = NodeClient::new(&args.server)?;
        follow::FollowedFeed::begin(&client, args).await?.run().await
    })
}
