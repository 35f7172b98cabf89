//! Documentation served by the node: an entry page (`home`), guides (`guide`), the contract (`openapi`), a page to
//! try it on (`swagger`), and the meaning of each problem (`problems`).

pub(crate) mod guide;
pub(crate) mod home;
pub(crate) mod openapi;
pub(crate) mod problems;
pub(crate) mod swagger;

use crate::edge::endpoint::get;
use crate::edge::route::Need;
use crate::node::Routes;

/// The routes of the documents.
pub(crate) fn routes() -> Routes {
    vec![
        get(Need::Public, "/", home::home),
        get(Need::Public, "/problems", problems::list),
        get(Need::Public, "/problems/{code}", problems::one),
        get(Need::Public, "/openapi.yaml", openapi::openapi),
        get(Need::Public, "/docs", swagger::page),
        get(Need::Public, "/docs/{file}", swagger::asset),
        get(Need::Public, "/docs/guide", guide::list),
        get(Need::Public, "/docs/guide/{name}", guide::one),
    ]
}
