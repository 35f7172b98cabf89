//! The bytes of a request, written into a buffer that is used again and again.

use http::HeaderValue;
use std::io::Write;

use fastrand::Rng;

use super::keys::Picker;
use super::options::{BenchArgs, Workload};

/// Store of all levels of a bench.
pub(super) const STORE: &str = "BENCH";
/// Different batches prepared; making one costs more than sending it.
const BATCHES_PREPARED: usize = 8;

/// The SKU with this number.
pub(super) fn sku(number: u32) -> String {
    format!("SKU-{number:07}")
}

/// Writes the requests of one workload.
pub(super) struct Requests {
    workload: Workload,
    host: String,
    authorization: Option<HeaderValue>,
    idempotency: Option<String>,
    batches: Vec<Vec<u8>>,
}

impl Requests {
    /// `run` makes the idempotency keys of this run unique.
    pub(super) fn new(args: &BenchArgs, host: &str, run: &str, picker: &Picker, random: &mut Rng) -> Self {
        let batches = if args.workload == Workload::Batch {
            (0..BATCHES_PREPARED).map(|_| batch(args.batch_size, picker, random)).collect()
        } else {
            Vec::new()
        };
        let idempotency =
            (!args.no_idempotency_key && args.workload != Workload::Get).then(|| run.to_owned());
        Self { workload: args.workload, host: host.to_owned(), authorization: None, idempotency, batches }
    }

    /// The same with the value of `Authorization`.
    pub(super) fn with_authorization(mut self, value: Option<HeaderValue>) -> Self {
        self.authorization = value;
        self
    }

    /// Writes request `number` about SKU `sku` into `buffer`; `version` goes out as If-Match.
    pub(super) fn write(&self, buffer: &mut Vec<u8>, sku: u32, number: u64, version: Option<u64>) {
        buffer.clear();
        let body = self.body(number);
        self.head(buffer, sku, number, version, body.len()).expect("writing to a Vec cannot fail");
        buffer.extend_from_slice(body);
    }

    fn body(&self, number: u64) -> &[u8] {
        match self.workload {
            Workload::Reserve => b"{\"qty\":1}",
            Workload::Adjust => b"{\"delta\":-1}",
            Workload::Get => b"",
            Workload::Batch => {
                let turn = usize::try_from(number).unwrap_or_default() % BATCHES_PREPARED;
                self.batches.get(turn).map_or(&[], Vec::as_slice)
            }
        }
    }

    fn head(
        &self,
        out: &mut Vec<u8>,
        sku: u32,
        number: u64,
        version: Option<u64>,
        length: usize,
    ) -> std::io::Result<()> {
        match self.workload {
            Workload::Reserve => write!(out, "POST /stores/{STORE}/inventory/SKU-{sku:07}/reserve")?,
            Workload::Adjust => write!(out, "POST /stores/{STORE}/inventory/SKU-{sku:07}/adjust")?,
            Workload::Get => write!(out, "GET /stores/{STORE}/inventory/SKU-{sku:07}")?,
            Workload::Batch => write!(out, "POST /inventory/batch")?,
        }
        write!(out, " HTTP/1.1\r\nhost: {}\r\n", self.host)?;
        if let Some(value) = &self.authorization {
            out.extend_from_slice(b"authorization: ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        if let Some(run) = &self.idempotency {
            write!(out, "idempotency-key: {run}-{number}\r\n")?;
        }
        if let Some(version) = version {
            write!(out, "if-match: \"{version}\"\r\n")?;
        }
        if length > 0 {
            write!(out, "content-type: application/json\r\ncontent-length: {length}\r\n")?;
        }
        out.write_all(b"\r\n")
    }
}

fn batch(size: u32, picker: &Picker, random: &mut Rng) -> Vec<u8> {
    let operations = (0..size).map(|_| {
        let sku = sku(picker.next(random));
        format!(r#"{{"op":"reserve","storeId":"{STORE}","sku":"{sku}","qty":1}}"#)
    });
    let list = operations.collect::<Vec<_>>().join(",");
    format!(r#"{{"atomic":false,"operations":[{list}]}}"#).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::options::KeyChoice;
    use clap::{Args, FromArgMatches};

    fn written(arguments: &[&str], sku: u32, version: Option<u64>) -> String {
        let command =
            BenchArgs::augment_args(clap::Command::new("bench")).mut_args(|argument| argument.env(None));
        let matches = command.try_get_matches_from(std::iter::once(&"bench").chain(arguments)).unwrap();
        let args = BenchArgs::from_arg_matches(&matches).unwrap();
        let picker = Picker::new(KeyChoice::Hot, 1);
        let requests = Requests::new(&args, "here:3000", "run", &picker, &mut Rng::with_seed(1));
        let mut buffer = b"left over".to_vec();
        requests.write(&mut buffer, sku, 9, version);
        String::from_utf8(buffer).unwrap()
    }

    #[test]
    fn requests_are_what_the_contract_asks_for() {
        assert_eq!(
            written(&[], 12, Some(3)),
            "POST /stores/BENCH/inventory/SKU-0000012/reserve HTTP/1.1\r\nhost: here:3000\r\n\
             idempotency-key: run-9\r\nif-match: \"3\"\r\n\
             content-type: application/json\r\ncontent-length: 9\r\n\r\n{\"qty\":1}"
        );
        assert_eq!(
            written(&["--workload", "get"], 0, None),
            "GET /stores/BENCH/inventory/SKU-0000000 HTTP/1.1\r\nhost: here:3000\r\n\r\n"
        );
        let batch = written(&["--workload", "batch", "--batch-size", "2", "--no-idempotency-key"], 0, None);
        let (head, body) = batch.split_once("\r\n\r\n").unwrap();
        assert!(
            head.ends_with(&format!("content-length: {}", body.len())) && !head.contains("idempotency-key")
        );
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["operations"].as_array().unwrap().len(), 2);
    }
}
