//! `POST /sync`: one pass of the sync worker now.

use crate::node::Node;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::Json;
use axum::extract::State;
use onhand_app::central::PassReport;
use std::future::Future;
use std::sync::Arc;

/// Handler of `POST /sync`.
pub(crate) async fn sync(State(node): State<Arc<Node>>) -> Result<Json<PassReport>, Problem> {
    let worker = Arc::clone(node.worker()?);
    to_its_end(async move { worker.sync().await }).await.map(Json)
}

/// Does work that must not stop half-way when the caller disconnects.
pub(crate) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::spawn(work).await {
        Ok(done) => Ok(done),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The process is ending.
        Err(_) => Err(Problem::plain(Code::NotReady)),
    }
}
