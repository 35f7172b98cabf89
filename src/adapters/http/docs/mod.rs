//! Documentation served by the node: an entry page (`home`), guides (`guide`), the contract (`openapi`), a page to
//! try it on (`swagger`), and the meaning of each problem (`problems`).

pub(crate) mod guide;
pub(crate) mod home;
pub(crate) mod openapi;
pub(crate) mod problems;
pub(crate) mod swagger;

use crate::edge::endpoint::get;
use crate::edge::route::Permission::Open;
use crate::node::Routes;

/// The routes of the documents.
pub(crate) fn routes() -> Routes {
    vec![
        get(Open, "/", home::home),
        get(Open, "/problems", problems::list),
        get(Open, "/problems/{code}", problems::one),
        get(Open, "/openapi.yaml", openapi::openapi),
        get(Open, "/docs", swagger::page),
        get(Open, "/docs/{file}", swagger::asset),
        get(Open, "/docs/guide", guide::list),
        get(Open, "/docs/guide/{name}", guide::one),
    ]
}
