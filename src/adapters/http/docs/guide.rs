//! `GET /docs/guide` and `GET /docs/guide/{name}`: guides for people. Their sources are the Markdown files in
//! `guide/`, which are embedded in the program and rendered on request. The suite runs every command in them
//! (`tests/suite/binary/readme.rs`).

use crate::request::path::GuideAt;
use crate::response::code::Code;
use crate::response::html;
use crate::response::problem::Problem;
use axum::response::Response;
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};
use std::fmt::Write;

/// A guide: its name in the address, and its source. The source begins with a heading and a paragraph about the guide.
struct Guide {
    name: &'static str,
    source: &'static str,
}

macro_rules! guides {
    ($($name:literal)*) => {
        &[$(Guide { name: $name, source: include_str!(concat!("guide/", $name, ".md")) }),*]
    };
}

/// Every guide, in the order in which a newcomer reads them.
const GUIDES: &[Guide] = guides! {
    "getting-started"
    "selling-without-overselling"
    "orders-and-shipments"
    "importing"
    "reports-and-the-feed"
    "low-stock-alerts"
    "who-may-do-what"
    "several-stores-one-centre"
    "several-processes"
    "when-the-disk-fails"
};

impl Guide {
    fn title(&self) -> &'static str {
        self.source.lines().next().unwrap_or_default().trim_start_matches("# ")
    }

    fn about(&self) -> &'static str {
        self.source.split("\n\n").nth(1).unwrap_or_default()
    }
}

/// Handler of `GET /docs/guide`.
pub(crate) async fn list() -> Response {
    let mut body = String::from(
        "<p class=\"soft\"><a href=\"../\">Onhand</a></p>\n<h1>Guides</h1>\n\
         <p>Each guide is a shell session to follow along: every command has been run, and its output is what it printed.</p>\n",
    );
    for guide in GUIDES {
        let (name, title, about) = (guide.name, html::escaped(guide.title()), html::prose(guide.about()));
        let _ =
            writeln!(body, "<h2><a href=\"guide/{name}\">{title}</a></h2>\n<p class=\"soft\">{about}</p>");
    }
    html::page("Guides \u{b7} Onhand", "../", &body)
}

/// Handler of `GET /docs/guide/{name}`.
pub(crate) async fn one(GuideAt(name): GuideAt) -> Result<Response, Problem> {
    let unknown =
        || Problem::new(Code::NotFound, "There is no such guide; open /docs/guide for all of them.");
    let place = GUIDES.iter().position(|guide| guide.name == name).ok_or_else(unknown)?;
    let guide = GUIDES.get(place).ok_or_else(unknown)?;
    let mut body = String::from(
        "<p class=\"soft\"><a href=\"../../\">Onhand</a> \u{b7} <a href=\"../guide\">Guides</a></p>\n",
    );
    body.push_str(&rendered(guide.source));
    if let Some(next) = GUIDES.get(place + 1) {
        let (name, title) = (next.name, html::escaped(next.title()));
        let _ = writeln!(body, "<p class=\"next\">Next guide: <a href=\"{name}\">{title}</a></p>");
    }
    Ok(html::page(&format!("{} \u{b7} Onhand", guide.title()), "../../", &body))
}

/// A source as HTML. The sources are ours, so nothing in them needs to be sanitized.
fn rendered(source: &str) -> String {
    let mut is_console = false;
    let events = Parser::new_ext(source, Options::ENABLE_TABLES).map(|event| match event {
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) if &*kind == "console" => {
            is_console = true;
            Event::Html("<pre><code>".into())
        }
        Event::End(TagEnd::CodeBlock) if is_console => {
            is_console = false;
            Event::Html("</code></pre>\n".into())
        }
        Event::Text(text) if is_console => Event::Html(session(&text).into()),
        // The sources lead to each other's files, so that the links work in a checkout, too.
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = dest_url.strip_suffix(".md").map_or(dest_url.clone(), CowStr::from).into_static();
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        other => other,
    });
    let mut html = String::with_capacity(2 * source.len());
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

/// A shell session as HTML: a command, with the indented lines that continue it, stands out from its output.
fn session(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut is_command = false;
    for line in text.split_inclusive('\n') {
        is_command = line.starts_with("$ ") || (is_command && line.starts_with(' '));
        let line = html::escaped(line);
        let _ = if is_command { write!(html, "<b>{line}</b>") } else { write!(html, "{line}") };
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_source_is_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let files: BTreeSet<String> = files.map(|name| name.into_string().unwrap()).collect();
        let served: BTreeSet<String> = GUIDES.iter().map(|guide| format!("{}.md", guide.name)).collect();
        assert_eq!(files, served);
    }

    #[test]
    fn a_source_begins_with_its_title_and_a_sentence() {
        for guide in GUIDES {
            assert!(guide.source.starts_with("# "), "{}", guide.name);
            let about = guide.about();
            assert!(
                about.ends_with('.') && !about.starts_with(['#', '`', '-', '|']),
                "{}: {about}",
                guide.name
            );
        }
    }

    #[test]
    fn a_link_leads_to_a_guide_or_another_site() {
        for guide in GUIDES {
            let html = rendered(guide.source);
            for link in html.split("<a href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let known = GUIDES.iter().any(|guide| guide.name == link);
                assert!(known || link.starts_with("http"), "{}: {link}", guide.name);
            }
        }
    }

    #[test]
    fn a_command_stands_out_and_nothing_in_it_is_markup() {
        let source = "```console\n$ cat <a \\\n   b\n<c>\n```\n";
        let html = "<pre><code><b>$ cat &lt;a \\\n</b><b>   b\n</b>&lt;c&gt;\n</code></pre>\n";
        assert_eq!(rendered(source), html);
    }
}
