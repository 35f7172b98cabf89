//! `GET /docs`: a page to read the contract on, and to try it, that needs no network.
//!
//! It is Swagger UI (Apache-2.0, see `docs/LICENSE` and `docs/NOTICE`), vendored and embedded as it was published;
//! `onhand.css` is ours.

use crate::request::path::FileAt;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::response::{IntoResponse, Response};
use http::HeaderName;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

/// Nothing is loaded from elsewhere, and the page has no inline script. Swagger UI sets styles on elements and has inline icons.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Onhand API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="stylesheet" href="docs/onhand.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"#;

const START: &str = r##"SwaggerUIBundle({
  url: "openapi.yaml",
  dom_id: "#swagger-ui",
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true
});
"##;

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Handler of `GET /docs`.
pub(crate) async fn page() -> Response {
    file("text/html; charset=utf-8", PAGE.as_bytes())
}

/// `GET /docs/{file}`: the files that the page loads.
pub(crate) async fn asset(FileAt(name): FileAt) -> Result<Response, Problem> {
    Ok(match name.as_str() {
        "swagger-ui-bundle.js" => file(SCRIPT, include_bytes!("swagger-ui-bundle.js")),
        "swagger-ui.css" => file(STYLE, include_bytes!("swagger-ui.css")),
        "onhand.css" => file(STYLE, include_bytes!("onhand.css")),
        "favicon-32x32.png" => file("image/png", include_bytes!("favicon-32x32.png")),
        "start.js" => file(SCRIPT, START.as_bytes()),
        "LICENSE" => file("text/plain; charset=utf-8", include_bytes!("LICENSE")),
        "NOTICE" => file("text/plain; charset=utf-8", include_bytes!("NOTICE")),
        _ => return Err(Problem::new(Code::NotFound, "The documentation has no such file; open /docs.")),
    })
}

fn file(kind: &'static str, content: &'static [u8]) -> Response {
    let headers: [(HeaderName, &str); 3] =
        [(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-cache")];
    (headers, content).into_response()
}
