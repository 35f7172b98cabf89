//! The passes over the file: first what it says, then which of its rows say otherwise.

use std::path::{Path, PathBuf};

use super::columns::{self, ProductColumns};
use super::options::ProductsArgs;
use super::row::{self, ProductRow};
use super::send::ProductOutcome;
use super::tally::{ProductTally, SKUS_MAX, TalliedProduct};
use crate::import::report_file::{Refusals, ReportFile};
use onhand_domain::catalogue::ProductMember;
use onhand_runtime::exit::{Exit, Failure};

/// What the report has of a row, behind what is to be said of it.
const NAMES: [&str; 3] = ["sku", "name", "price"];

/// What the first pass found.
pub(super) struct CatalogueSurvey {
    pub(super) path: PathBuf,
    /// Which column says what, for people.
    pub(super) columns: String,
    /// Rows after the header.
    pub(super) rows: u64,
    pub(super) tally: ProductTally,
    fingerprint: String,
}

/// What the second pass found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Rows that say what is said of their product.
    pub(super) agreeing: u64,
    /// Rows that say something else, or nothing that can be read.
    pub(super) odd: Refusals,
    /// Products that the node refused, each by the first of its rows.
    pub(super) refused: Refusals,
}

impl CatalogueSurvey {
    /// Reads the file from start to end.
    ///
    /// # Errors
    /// Those of [`columns::open`]; [`Exit::Data`] when it cannot be read to its end, or has too many SKUs.
    pub(super) fn take(args: &ProductsArgs) -> Result<Self, Failure> {
        let (mut table, columns) = columns::open(args)?;
        let (mut rows, mut tally) = (0, ProductTally::default());
        while let Some(record) = table.next()? {
            rows = record.row;
            let said = row::read(&record, &columns, args.currency);
            if said.is_ok_and(|said| !tally.add(record.row, said)) {
                let message = format!("{} has more than {SKUS_MAX} SKUs; split it", args.file.display());
                return Err(Failure::new(Exit::Data, message));
            }
        }
        let (fingerprint, columns) = (table.fingerprint(), named(&columns, table.header()));
        Ok(Self { path: args.file.clone(), columns, rows, tally, fingerprint })
    }

    /// Reads it once more: what is to be said of each row, now that it is known what the node made of each product.
    /// Before anything is sent (dry run) nothing is known of that.
    ///
    /// # Errors
    /// Those of reading the file; [`Exit::Io`] when the report cannot be written.
    pub(super) fn answer(
        &self,
        args: &ProductsArgs,
        told: &[ProductOutcome],
        report: Option<&Path>,
    ) -> Result<Findings, Failure> {
        let (mut table, columns) = columns::open(args)?;
        let places =
            [Some(columns.sku), columns.of(ProductMember::Name), columns.of(ProductMember::UnitPrice)];
        let mut file = report.map(|path| ReportFile::create(path, &NAMES)).transpose()?;
        let mut findings = Findings::default();
        while let Some(record) = table.next()? {
            let mut write = |code: &str, detail: &str| match &mut file {
                Some(file) => file.write(&record, code, detail, &places),
                None => Ok(()),
            };
            let odd = match row::read(&record, &columns, args.currency) {
                Err(reason) => Some((reason.code(), reason.to_string())),
                Ok(said) => {
                    let (place, product) = self.tally.find(&said.sku).ok_or_else(|| self.changed())?;
                    if let Some(ProductOutcome::Refused { code, detail }) = told.get(place)
                        && record.row == product.first
                    {
                        write(code, detail)?;
                        findings.refused.add(&record, code.clone(), detail);
                    }
                    otherwise(&said, product)
                }
            };
            match odd {
                None => findings.agreeing += 1,
                Some((code, detail)) => {
                    write(code, &detail)?;
                    findings.odd.add(&record, code.to_owned(), &detail);
                }
            }
        }
        if table.fingerprint() != self.fingerprint {
            return Err(self.changed());
        }
        if let Some(file) = file {
            file.finish()?;
        }
        Ok(findings)
    }

    fn changed(&self) -> Failure {
        let path = self.path.display();
        Failure::new(Exit::Data, format!("{path} changed while it was read; run the same command again"))
    }
}

/// What a row says otherwise than most rows of its SKU: the code of the first such detail, and all of them for a person.
fn otherwise(said: &ProductRow, product: &TalliedProduct) -> Option<(&'static str, String)> {
    let mut code = None;
    let mut details = Vec::new();
    let pairs = ProductMember::ALL.into_iter().zip(&said.values).zip(product.said());
    for ((member, value), most) in pairs {
        let (Some(value), Some(most)) = (value, most) else { continue };
        if *value == most.value {
            continue;
        }
        let (label, word) = words(member);
        code = code.or(Some(word));
        let others = match most.rows {
            1 => format!("row {} says {}", most.first, most.value),
            rows => format!("{rows} rows say {}, the first is row {}", most.value, most.first),
        };
        details.push(format!("it says the {label} is {value}; {others}"));
    }
    Some((code?, details.join("; ")))
}

/// What a detail is called, and the code of a row that says another one.
const fn words(member: ProductMember) -> (&'static str, &'static str) {
    match member {
        ProductMember::Name => ("name", "another-name"),
        ProductMember::Category => ("category", "another-category"),
        ProductMember::UnitPrice => ("price", "another-price"),
        ProductMember::Barcode => ("barcode", "another-barcode"),
        ProductMember::LowStockThreshold => ("threshold", "another-threshold"),
        ProductMember::Active => ("activity", "another-activity"),
    }
}

/// Which column says what.
fn named(columns: &ProductColumns, header: &[String]) -> String {
    let told = |label: &str, at: Option<usize>| Some(format!("{} ({label})", header.get(at?)?));
    let members = ProductMember::ALL.into_iter().map(|member| told(words(member).0, columns.of(member)));
    let ends = (told("SKU", Some(columns.sku)), told("currency", columns.currency));
    [ends.0].into_iter().chain(members).chain([ends.1]).flatten().collect::<Vec<_>>().join(", ")
}
