//! The passes over the file: first the values of each SKU, then the rows that differ from them.

use std::path::{Path, PathBuf};

use super::columns::{self, ProductColumns};
use super::options::ProductsArgs;
use super::row::{self, ProductRow};
use super::send::ProductOutcome;
use super::tally::{ProductTally, SKUS_MAX, TalliedProduct};
use crate::import::report_file::{Refusals, ReportFile};
use onhand_domain::catalogue::ProductMember;
use onhand_runtime::exit::{Exit, Failure};

/// The fields of a row in the report, after its number and reason.
const NAMES: [&str; 3] = ["sku", "name", "price"];

/// The result of the first pass.
pub(super) struct CatalogueSurvey {
    pub(super) path: PathBuf,
    /// Which column gives which detail, as text for people.
    pub(super) columns: String,
    /// Rows after the header.
    pub(super) rows: u64,
    pub(super) tally: ProductTally,
    fingerprint: String,
}

/// The result of the second pass.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Rows that agree with the details of their product.
    pub(super) agreeing: u64,
    /// Rows that differ, or that cannot be read.
    pub(super) odd: Refusals,
    /// Products that the node rejected, each represented by its first row.
    pub(super) refused: Refusals,
}

impl CatalogueSurvey {
    /// Runs the first pass, from start to end.
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

    /// Runs the second pass: reports each row that differs, and the first row of each product that the node rejected.
    /// `outcomes` has the node's outcome of each product, and is empty in a dry run.
    ///
    /// # Errors
    /// Those of reading the file; [`Exit::Io`] when the report cannot be written.
    pub(super) fn answer(
        &self,
        args: &ProductsArgs,
        outcomes: &[ProductOutcome],
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
                    if let Some(ProductOutcome::Refused { code, detail }) = outcomes.get(place)
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

/// The details in which a row differs from most rows of its SKU: the code of the first one, and all of them as text.
fn otherwise(said: &ProductRow, product: &TalliedProduct) -> Option<(&'static str, String)> {
    let mut code = None;
    let mut details = Vec::new();
    let pairs = ProductMember::ALL.into_iter().zip(&said.values).zip(product.values());
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

/// The name of a detail, and the code of a row that gives another value.
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

/// Which column gives which detail.
fn named(columns: &ProductColumns, header: &[String]) -> String {
    let column = |label: &str, at: Option<usize>| Some(format!("{} ({label})", header.get(at?)?));
    let members = ProductMember::ALL.into_iter().map(|member| column(words(member).0, columns.of(member)));
    let ends = (column("SKU", Some(columns.sku)), column("currency", columns.currency));
    [ends.0].into_iter().chain(members).chain([ends.1]).flatten().collect::<Vec<_>>().join(", ")
}
