//! HTML pages: small, without scripts, and without anything that is loaded from elsewhere.

use axum::response::{IntoResponse, Response};
use http::HeaderName;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use std::fmt::Write;

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

const STYLE: &str = "\
:root{color-scheme:light dark;--soft:#5b6470;--line:#d5dae0;--box:#f6f7f9;--link:#0b57a4}\
@media (prefers-color-scheme:dark){:root{--soft:#9aa4b0;--line:#3a424c;--box:#1b1f24;--link:#86b7f2}}\
body{font:16px/1.6 system-ui,sans-serif;max-width:50rem;margin:0 auto;padding:2rem 1rem}\
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .5rem}\
a{color:var(--link)}\
.soft{color:var(--soft)}\
code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}\
table{border-collapse:collapse;width:100%;margin-top:1.5rem}\
th,td{text-align:left;vertical-align:top;padding:.5rem 1rem .5rem 0;border-bottom:1px solid var(--line);font-weight:400}\
thead th{font-weight:600}\
th code{overflow-wrap:normal}\
h2{font-size:1.25rem;line-height:1.3;margin:2.25rem 0 .5rem}\
h2 a{text-decoration:none}\
h2 a:hover{text-decoration:underline}\
h2+.soft{margin-top:0}\
pre{font:.8rem/1.55 ui-monospace,monospace;color:var(--soft);background:var(--box);border:1px solid var(--line);\
border-radius:.4rem;padding:.75rem 1rem;white-space:pre-wrap;overflow-wrap:anywhere}\
pre code{font:inherit}\
pre b{font-weight:600;color:CanvasText}\
.next{border-top:1px solid var(--line);margin-top:2.5rem;padding-top:1rem}";

/// A page with this title and body. `root` leads from the page to the top of the server, such as `../`, so that pages work
/// under every address and behind a proxy that puts a path in front.
pub(crate) fn page(title: &str, root: &str, body: &str) -> Response {
    let title = escaped(title);
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <link rel=\"icon\" type=\"image/png\" href=\"{root}docs/favicon-32x32.png\">\n<style>{STYLE}</style>\n</head>\n\
         <body>\n{body}</body>\n</html>\n"
    );
    let headers: [(HeaderName, &str); 2] =
        [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY)];
    (headers, text).into_response()
}

/// A row of a table: the text of the link, its target, and a sentence about it.
pub(crate) fn row(table: &mut String, link: &str, name: &str, about: &str) {
    let _ = writeln!(
        table,
        "<tr><th><a href=\"{}\"><code>{}</code></a></th><td>{}</td></tr>",
        escaped(link),
        escaped(name),
        prose(about)
    );
}

/// A sentence of the contract as HTML: text between grave accents becomes code.
pub(crate) fn prose(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for (place, part) in text.split('`').enumerate() {
        match place % 2 {
            0 => html.push_str(&escaped(part)),
            _ => {
                let _ = write!(html, "<code>{}</code>", escaped(part));
            }
        }
    }
    html
}

/// Text, escaped for an element or a quoted attribute.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_code_is_shown_as_code_and_nothing_is_markup() {
        for (text, html) in [
            ("Send `Retry-After`.", "Send <code>Retry-After</code>."),
            ("`a<b>`", "<code>a&lt;b&gt;</code>"),
            ("\"a\" & b", "&quot;a&quot; &amp; b"),
            ("", ""),
        ] {
            assert_eq!(prose(text), html);
        }
    }
}
