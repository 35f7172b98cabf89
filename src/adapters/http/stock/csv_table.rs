//! A whole list as CSV (RFC 4180), read page by page as fast as its reader takes it.

use crate::edge::gates::Gate;
use crate::node::Node;
use crate::request::caller::Caller;
use crate::request::query::Query;
use crate::resource::list::refuse_page;
use crate::response::code::Code;
use crate::response::hints::Noted;
use crate::response::problem::Problem;
use axum::Extension;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use onhand_spreadsheet::safe;
use std::io;
use std::sync::Arc;

/// The media type of CSV.
pub(crate) const CSV: &str = "text/csv";
/// Rows that are read at once.
pub(crate) const ROWS: usize = 1_000;

/// A list that is written row by row.
pub(crate) trait CsvTable: Send + 'static {
    /// The header line.
    const COLUMNS: &'static [&'static str];

    /// Writes the next rows; false when no more follow.
    fn write(
        &mut self,
        node: &Node,
        out: &mut csv::Writer<Vec<u8>>,
    ) -> impl Future<Output = Result<bool, Problem>> + Send;
}

/// A table on its way to a reader.
struct TableStream<T> {
    node: Arc<Node>,
    caller: Caller,
    table: T,
    begun: bool,
    more: bool,
}

/// Refuses the parameters of a page.
pub(crate) fn check(query: &Query<'_>) -> Result<(), Problem> {
    refuse_page(query, "belongs to a page of JSON; as CSV all rows are sent")
}

/// The answer. An error after its head aborts it, so that a client does not take a part for the whole; so does a change of what the
/// caller may do.
pub(crate) async fn response<T: CsvTable>(
    node: Arc<Node>,
    caller: Caller,
    name: &str,
    table: T,
) -> Result<Response, Problem> {
    let mut reader = TableStream { node, caller, table, begun: false, more: true };
    // The first rows are read before the head leaves: their error is answered as a problem.
    let first = reader.next().await?;
    let stream = futures_util::stream::unfold((Some(first), reader), |(first, mut reader)| async {
        if let Some(bytes) = first {
            return Some((Ok(bytes), (None, reader)));
        }
        if !reader.more {
            return None;
        }
        let shutdown = reader.node.shutdown.clone();
        let next = match shutdown.run_until_cancelled(reader.next()).await {
            Some(Ok(bytes)) => Ok(bytes),
            Some(Err(problem)) if problem.code() == Code::Unauthorized => {
                Err(io::Error::other("the caller may not read it any more"))
            }
            Some(Err(problem)) => {
                tracing::error!(detail = problem.detail(), "a table was broken off");
                Err(io::Error::other("it cannot be read on"))
            }
            None => Err(io::Error::other("the server stops")),
        };
        reader.more &= next.is_ok();
        Some((next, (None, reader)))
    });
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")),
    ];
    Ok((headers, Extension(Noted::EXPORT), Body::from_stream(stream)).into_response())
}

impl<T: CsvTable> TableStream<T> {
    async fn next(&mut self) -> Result<Bytes, Problem> {
        let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        if !self.begun {
            self.begun = true;
            row(&mut out, T::COLUMNS);
        }
        let turn = self.node.gates.work(Gate::Reads).await?;
        self.more = self.table.write(&self.node, &mut out).await?;
        drop(turn);
        if !self.node.goes_on(&self.caller).await {
            return Err(Problem::plain(Code::Unauthorized));
        }
        Ok(out.into_inner().expect("memory takes what is written").into())
    }
}

/// Writes one row; no cell is a formula for a spreadsheet.
pub(crate) fn row<F: AsRef<[u8]>>(out: &mut csv::Writer<Vec<u8>>, fields: impl IntoIterator<Item = F>) {
    const FITS: &str = "memory takes rows, all as long as the first";
    for field in fields {
        out.write_field(safe(field.as_ref())).expect(FITS);
    }
    out.write_record(None::<&[u8]>).expect(FITS);
}
