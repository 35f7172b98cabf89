//! The summary of an import of products, for a person.

use std::path::Path;
use std::time::Duration;

use super::send::ProductOutcome;
use super::survey::{CatalogueSurvey, Findings};
use crate::import::summary::{line, named};
use crate::terminal::print::thousands;

/// The summary at the end of a run; `sent` has the outcome of each product, and is none after a dry run.
pub(super) fn text(
    survey: &CatalogueSurvey,
    sent: Option<(&[ProductOutcome], Duration)>,
    findings: &Findings,
    report: Option<&Path>,
) -> String {
    let path = survey.path.display();
    let mut text = match sent {
        None => format!("Dry run of {path}: nothing was sent.\n"),
        Some(_) if survey.rows == 0 => format!("{path} has a header and no rows: nothing was sent.\n"),
        Some((told, _))
            if told
                .iter()
                .all(|one| matches!(one, ProductOutcome::Unchanged | ProductOutcome::Refused { .. })) =>
        {
            format!("Imported the products of {path}: nothing changed.\n")
        }
        Some(_) => format!("Imported the products of {path}.\n"),
    };
    line(&mut text, "columns", &survey.columns);
    line(&mut text, "products", &thousands(survey.tally.products.len() as u64));
    if let Some((told, _)) = sent {
        let mut count = |what: &str, wanted: fn(&ProductOutcome) -> bool| {
            let count = told.iter().filter(|one| wanted(one)).count() as u64;
            line(&mut text, "", &format!("{:>6} {what}", thousands(count)));
        };
        count("new", |one| *one == ProductOutcome::Created);
        count("changed", |one| *one == ProductOutcome::Changed);
        count("unchanged", |one| *one == ProductOutcome::Unchanged);
        count("refused", |one| matches!(one, ProductOutcome::Refused { .. }));
    }
    line(&mut text, "rows", &thousands(survey.rows));
    line(&mut text, "", &format!("{:>6} say what is said of their product", thousands(findings.agreeing)));
    named(&mut text, &[&findings.refused, &findings.odd], report);
    if let Some((told, took)) = sent {
        let products = u32::try_from(told.len()).unwrap_or(u32::MAX);
        let rate = f64::from(products) / took.as_secs_f64().max(0.001);
        line(&mut text, "took", &format!("{:.2} s, {rate:.0} products/s", took.as_secs_f64()));
    }
    text
}
