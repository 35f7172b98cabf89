//! The node's reason to refuse something about an order, in words for the owner of the file.

use serde::Deserialize;
use smol_str::SmolStr;
use std::fmt::Write as _;

use super::jobs::Job;
use super::reason::Reason;
use onhand_domain::Sku;

/// SKUs that a reason names.
const SKUS_NAMED_MAX: usize = 3;

/// A problem document (RFC 9457) with the members of orders.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OrderProblem {
    pub(super) code: String,
    title: String,
    detail: String,
    errors: Vec<MemberFault>,
    shortages: Vec<Shortage>,
    differs: Vec<String>,
    available: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct MemberFault {
    pointer: String,
    detail: String,
}

/// A SKU of which there is not enough.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Shortage {
    pub(super) sku: Sku,
    pub(super) asked: i64,
    pub(super) available: i64,
}

impl OrderProblem {
    /// Reads the body of a refusal; a body that is none has no code.
    pub(super) fn of(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// The reason; `job` is what was sent.
    pub(super) fn reason(&self, job: &Job) -> Reason {
        let detail = match self.code.as_str() {
            "insufficient-stock" if !self.shortages.is_empty() => missing(&self.shortages),
            "order-exists" => format!(
                "there is an order of that id with another {}; give this one another id, or run the command with the \
                 file and the options it was placed with",
                self.differs.join(" and ")
            ),
            "return-exceeds" => {
                let available = self.available.unwrap_or_default();
                format!("more pieces would come back than were shipped; {available} may")
            }
            _ if !self.errors.is_empty() => self.faults(job),
            _ if self.detail.is_empty() => self.title.clone(),
            _ => self.detail.clone(),
        };
        Reason { code: SmolStr::new(if self.code.is_empty() { "refused" } else { &self.code }), detail }
    }

    /// The members that are wrong, by the rows that they come from.
    fn faults(&self, job: &Job) -> String {
        let mut text = String::new();
        for fault in &self.errors {
            let mut parts = fault.pointer.split('/').skip(1);
            let index = parts.next().filter(|part| *part == "lines").and_then(|_| parts.next()?.parse().ok());
            let row = index.and_then(|index: usize| Some(job.lines.get(index)?.row));
            let member = fault.pointer.rsplit('/').next().unwrap_or(&fault.pointer);
            let separator = if text.is_empty() { "" } else { "; " };
            // Writing to a String cannot fail.
            let _ = match row {
                Some(row) => write!(text, "{separator}row {row}: {member} {}", fault.detail),
                None => write!(text, "{separator}{} {}", fault.pointer, fault.detail),
            };
        }
        text
    }
}

/// What is missing, SKU by SKU.
pub(super) fn missing(shortages: &[Shortage]) -> String {
    let named = shortages.iter().take(SKUS_NAMED_MAX);
    let mut parts: Vec<String> = named
        .map(|one| format!("of {} {} are asked and {} there", one.sku, one.asked, one.available))
        .collect();
    if shortages.len() > SKUS_NAMED_MAX {
        parts.push(format!("and {} SKUs more", shortages.len() - SKUS_NAMED_MAX));
    }
    parts.join("; ")
}
