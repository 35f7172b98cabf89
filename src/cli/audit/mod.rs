//! `onhand audit`: who did what, from the audit table of a running node.

mod follow;
mod options;
mod row;

pub use crate::audit::options::AuditArgs;
use crate::terminal::client::{NodeClient, query_value};
use crate::terminal::print::{print, print_line, print_unless_closed};
use crate::terminal::run_client;
use comfy_table::{Table, presets};
use onhand_runtime::exit::{Exit, Failure, OrExit};
use options::Output;
use row::Row;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fmt::Write;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
}

/// Prints the table.
///
/// # Errors
/// [`Exit::Unavailable`] when the node does not answer or refuses.
pub fn run(args: &AuditArgs) -> Result<Exit, Failure> {
    if args.follow && args.output == Output::Csv {
        return Err(Failure::new(Exit::Usage, "--follow prints lines or JSON: leave out --output csv"));
    }
    run_client::run(async {
        let client = NodeClient::new(&args.server)?;
        if args.follow {
            return follow::follow(&client, args, &path(args)).await;
        }
        match args.output {
            Output::Csv => csv(&client, args).await,
            Output::Table | Output::Json => pages(&client, args).await,
        }
    })
}

async fn pages(client: &NodeClient, args: &AuditArgs) -> Result<Exit, Failure> {
    let (first, mut count) = (format!("{}&limit=1000", path(args)), 0);
    let mut next = first.clone();
    loop {
        let page: Page = client.get(&next).await?;
        count += page.items.len();
        let text = if args.output == Output::Json { lines(&page.items) } else { table(&page.items)? };
        if !print_unless_closed(text)? {
            return Ok(Exit::Ok);
        }
        let Some(cursor) = page.next_cursor else { break };
        next = format!("{first}&cursor={}", query_value(&cursor));
    }
    if count == 0 && args.output == Output::Table {
        print_line(format!("nothing since {}", args.since))?;
    }
    Ok(Exit::Ok)
}

async fn csv(client: &NodeClient, args: &AuditArgs) -> Result<Exit, Failure> {
    let mut response = client.open_stream(&path(args), "text/csv", None).await?;
    let broken = || "the table was broken off before its end";
    while let Some(piece) = response.chunk().await.or_exit(Exit::Unavailable, broken)? {
        print(piece)?;
    }
    Ok(Exit::Ok)
}

fn lines(rows: &[Box<RawValue>]) -> String {
    rows.iter().flat_map(|row| [row.get(), "\n"]).collect()
}

fn table(rows: &[Box<RawValue>]) -> Result<String, Failure> {
    if rows.is_empty() {
        return Ok(String::new());
    }
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header(Row::HEADINGS);
    for row in rows {
        let row: Row =
            serde_json::from_str(row.get()).or_exit(Exit::Unavailable, || "a row cannot be read")?;
        table.add_row(row.cells());
    }
    Ok(format!("{table}\n"))
}

fn path(args: &AuditArgs) -> String {
    let mut path = format!("/audit?since={}", query_value(&args.since.to_string()));
    let until = args.until.map(|until| until.to_string());
    for (name, value) in [("kind", &args.kind), ("actor", &args.actor), ("until", &until)] {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = write!(path, "&{name}={}", query_value(value));
        }
    }
    path
}
