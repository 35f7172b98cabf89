//! Invalid requests, over the socket. Each gets its documented answer or its closed connection; afterwards the node
//! lives, its level is unchanged, and its log adds up.

mod bodies;
mod crowds;
mod heads;

use super::api::Api;
use super::process::{Node, verify};
use serde_json::json;
use tempfile::TempDir;

const LEVEL: &str = "/stores/LONDON/inventory/TEA";
const ADJUST: &str = "/stores/LONDON/inventory/TEA/adjust";
const PIECES: i64 = 41;

/// A node with one level, which must be unchanged in the end.
struct Shop {
    pub(super) directory: TempDir,
    pub(super) node: Node,
    pub(super) api: Api,
}

impl Shop {
    pub(super) async fn open() -> Self {
        let directory = TempDir::new().unwrap();
        let node = Node::start(directory.path(), &[]);
        let api = Api::of(&node);
        api.post(ADJUST, &[], &json!({"delta": PIECES})).await.is(200, "");
        Self { directory, node, api }
    }

    /// Checks that no request had an effect.
    pub(super) async fn unharmed(self) {
        assert_eq!(self.api.get(LEVEL).await.level(), (PIECES, PIECES, 0, 1));
        assert_eq!(self.api.get("/health/readiness").await.json["durableSequence"], 1);
        self.node.stop();
        verify(self.directory.path());
    }
}

fn status(answer: &str) -> &str {
    answer.strip_prefix("HTTP/1.1 ").map_or("closed", |rest| &rest[..3])
}
