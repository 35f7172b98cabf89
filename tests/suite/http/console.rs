//! The console as a node serves it, and what it asks a node about itself. `tests/browser/console` has its stories.

use super::{Answer, Scratch};

/// The address of a file that the page names.
fn file_of(page: &Answer, name: &str) -> String {
    let end = page.text.find(&format!("/{name}\"")).unwrap_or_else(|| panic!("{}", page.text));
    let begin = page.text[..end].rfind('"').unwrap();
    format!("{}/{name}", &page.text[begin + 1..end])
}

#[tokio::test]
async fn the_page_has_its_files_at_every_address() {
    let node = Scratch::new();
    for (path, folder) in [
        ("/console", "/"),
        ("/dashboard.html", "/"),
        ("/console/stock", "/console/"),
        ("/console/no-such-page", "/console/"),
        ("/api/console", "/api/"),
        ("/api/console/sku?sku=TEA", "/api/console/"),
    ] {
        let page = node.get(path).await;
        assert_eq!(page.is(200, "").header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("require-trusted-types-for 'script'")
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, kind) in
            [("app.js", "text/javascript"), ("css/base.css", "text/css"), ("icon.svg", "image/svg+xml")]
        {
            let link = file_of(&page, name);
            let address = match link.strip_prefix("../") {
                Some(rest) => format!("{}{rest}", folder.strip_suffix("console/").unwrap()),
                None => format!("{folder}{link}"),
            };
            let file = node.get(&address).await;
            assert!(file.is(200, "").header("content-type").unwrap().starts_with(kind), "{address}");
            assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
            let packed = node.get_with(&address, &[("accept-encoding", "br, gzip")]).await;
            assert_eq!(
                (packed.header("content-encoding"), file.header("content-encoding")),
                (Some("gzip"), None)
            );
            let refused = node.get_with(&address, &[("accept-encoding", "gzip;q=0, identity")]).await;
            assert_eq!((refused.header("content-encoding"), &refused.text), (None, &file.text));
            let known = file.header("etag").unwrap().to_owned();
            node.get_with(&address, &[("if-none-match", &known)]).await.is(304, "");
        }
    }
}

#[tokio::test]
async fn a_file_of_another_version_or_outside_is_not_there() {
    let node = Scratch::new();
    let app = format!("/{}", file_of(&node.get("/console").await, "app.js"));
    let files = app.strip_suffix("/app.js").unwrap();
    for path in ["../lib.rs", "..%2f..%2flib.rs", "pages", "nothing.js", "vendor/../app.js", "app.js/"] {
        node.get(&format!("{files}/{path}")).await.is(404, "not-found");
    }
    node.get("/console/static/00000000/app.js").await.is(404, "not-found");
}

#[tokio::test]
async fn a_node_says_what_runs_where() {
    let node = Scratch::new();
    node.shop().await;
    let told = node.get("/node").await;
    let end = node.get("/events?limit=0").await.json["end"].clone();
    assert_eq!((&told.is(200, "").json["durableSequence"], &told.json["open"]), (&end, &true.into()));
    assert_eq!(told.json["node"], node.id.to_string());
}
