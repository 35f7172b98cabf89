//! What to do when the node does not let the caller in.

use http::StatusCode;

use crate::terminal::client::ClientError;
use onhand_runtime::exit::Failure;

/// The failure of a refused call; `needs` says which permissions a token must have.
pub(super) fn failure(error: ClientError, needs: &str) -> Failure {
    let is_denied = matches!(
        &error,
        ClientError::Refused { status: StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, .. }
    );
    let mut failure = Failure::from(error);
    if is_denied {
        failure.error =
            anyhow::Error::msg(format!("{}\n  set ONHAND_TOKEN to a token with {needs}", failure.error));
    }
    failure
}
