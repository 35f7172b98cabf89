//! The orders of a file: consecutive and scattered rows, and what refuses an order.

use super::args;
use crate::orders::import::jobs::{Job, Jobs};
use crate::orders::import::lookahead::Lookahead;
use crate::orders::import::options::ImportOrdersArgs;
use crate::orders::import::report;
use crate::orders::import::survey::OrderSurvey;
use std::collections::HashMap;
use std::fmt::Write as _;
use tempfile::TempDir;

const HEADER: &str = "orderId,customerId,sku,qty\n";

fn jobs(args: &ImportOrdersArgs) -> Vec<Job> {
    let survey = OrderSurvey::take(args).unwrap();
    let mut jobs = Jobs::open(&survey, args).unwrap();
    std::iter::from_fn(|| jobs.next().unwrap()).collect()
}

fn ids(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.order_id.as_str()).collect()
}

#[test]
fn rows_of_one_order_are_put_together_wherever_they_stand() {
    let directory = TempDir::new().unwrap();
    let text = format!("{HEADER}a,,TEA,1\nb,c-2,TEA,2\na,c-1,CUP,3\nb,c-2,TEA,4\nc,,MUG,5\na,,TEA,6\n");
    let found = jobs(&args(&directory, &text, ""));
    assert_eq!(ids(&found), ["b", "c", "a"], "each at its last row");
    let lines = |job: &Job| -> Vec<(u64, String, i64)> {
        job.lines.iter().map(|line| (line.row, line.sku.to_string(), line.pieces.get())).collect()
    };
    assert_eq!(lines(&found[0]), [(2, "TEA".into(), 2), (4, "TEA".into(), 4)], "one SKU, two lines");
    assert_eq!(lines(&found[2]), [(1, "TEA".into(), 1), (3, "CUP".into(), 3), (6, "TEA".into(), 6)]);
    assert_eq!(found[2].customer_id.as_ref().unwrap().as_str(), "c-1", "whichever row says it");
    assert_eq!(found[1].customer_id, None);
}

/// Rows, the code of the reason of each row that is not imported, and the orders that are sent.
#[test]
fn an_order_is_sent_as_a_whole_or_not_at_all() {
    let directory = TempDir::new().unwrap();
    let mut long = String::new();
    for _ in 0..201 {
        let _ = writeln!(long, "big,,TEA,1");
    }
    let text = format!(
        "{HEADER}a,,TEA,1\na,,TEA,x\nb,c-1,TEA,1\nb,c-2,TEA,1\nd,,TEA,1\nd,,TEA,-1\nC1,c-1,TEA,-1\nC2,c-1,TEA,5\n\
         C3,,TEA,-1\nC4,c-1,TEA,-1\nC4,c-1,TEA,1\n-7,c-1,TEA,-1\ne e,,TEA,1\nf,,TEA\ng,,TEA,1\nC5,c-1,TEA,-2\n{long}"
    );
    for (more, sent, reasons) in [
        ("", vec!["C2", "g"], vec![(7, "credit-note"), (9, "credit-note"), (16, "credit-note")]),
        ("--returns --return-store R", vec!["C1", "C2", "g", "C5"], vec![(9, "no-customer")]),
    ] {
        let args = args(&directory, &text, more);
        let found = jobs(&args);
        assert_eq!(ids(&found), sent, "{more}");
        let survey = OrderSurvey::take(&args).unwrap();
        let report = directory.path().join("refused.csv");
        let args = ImportOrdersArgs { report: Some(report.clone()), ..args };
        let refusals = report::collect(&args, &survey, &HashMap::new()).unwrap();
        let mut expected = vec![
            (1, "bad-row"),
            (2, "invalid-quantity"),
            (3, "other-customer"),
            (4, "other-customer"),
            (5, "negative-quantity"),
            (6, "negative-quantity"),
            (10, "negative-quantity"),
            (11, "negative-quantity"),
            (12, "negative-quantity"),
            (13, "invalid-order-id"),
            (14, "wrong-field-count"),
        ];
        expected.extend(reasons);
        expected.extend((17..=217).map(|row| (row, "too-many-lines")));
        expected.sort_unstable();
        let mut reader = csv::Reader::from_path(&report).unwrap();
        let told: Vec<(u64, String)> = reader
            .records()
            .map(Result::unwrap)
            .map(|record| (record[0].parse().unwrap(), record[2].to_owned()))
            .collect();
        let told: Vec<(u64, &str)> = told.iter().map(|(row, code)| (*row, code.as_str())).collect();
        assert_eq!(told, expected, "{more}");
        assert_eq!(refusals.rows, expected.len() as u64);
        let orders = survey.orders.iter().filter(|order| !order.is_sent()).count();
        assert_eq!(refusals.orders, orders as u64, "orders, as far as a row names one");
        let named: Vec<u64> = refusals.first.iter().map(|named| named.row).collect();
        assert!(named.starts_with(&[1, 2, 3, 5]), "an order is named once: {named:?}");
        assert_eq!(named.last(), Some(&17), "every reason is named");
    }
}

#[test]
fn a_file_that_changes_meanwhile_is_noticed() {
    let directory = TempDir::new().unwrap();
    let text = format!("{HEADER}a,,TEA,1\nb,,TEA,1\n");
    let before = args(&directory, &text, "");
    let survey = OrderSurvey::take(&before).unwrap();
    for changed in
        [format!("{text}a,,CUP,1\n"), text.replace("b,", "c,"), text.replace("CUP", "MUG") + "\n\n"]
    {
        let args = args(&directory, &changed, "");
        let mut jobs = Jobs::open(&survey, &args).unwrap();
        let failure = loop {
            match jobs.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("not noticed: {changed}"),
                Err(failure) => break failure,
            }
        };
        assert!(failure.error.to_string().contains("changed while it was read"), "{:?}", failure.error);
    }
}

#[test]
fn an_order_waits_for_those_before_it_that_have_one_of_its_skus() {
    let directory = TempDir::new().unwrap();
    let text = format!("{HEADER}a,,TEA,1\nb,,TEA,1\nb,,CUP,1\nc,,CUP,1\nd,,MUG,1\ne,,MUG,1\nf,,TEA,1\n");
    let mut ahead = Lookahead::default();
    for job in jobs(&args(&directory, &text, "")) {
        ahead.add(job);
    }
    let take = |ahead: &mut Lookahead| ahead.take().map(|job| (job.order_id.to_string(), job));
    let (a, job_a) = take(&mut ahead).unwrap();
    let (d, job_d) = take(&mut ahead).unwrap();
    assert_eq!((a.as_str(), d.as_str()), ("a", "d"), "c waits for b, though its cups are free");
    assert!(take(&mut ahead).is_none());
    ahead.done(&job_d);
    assert_eq!(take(&mut ahead).unwrap().0, "e");
    ahead.done(&job_a);
    let (b, job_b) = take(&mut ahead).unwrap();
    assert_eq!(b, "b");
    assert!(take(&mut ahead).is_none());
    ahead.done(&job_b);
    assert_eq!(take(&mut ahead).unwrap().0, "c");
    assert_eq!(take(&mut ahead).unwrap().0, "f");
}

#[test]
fn nobody_waits_for_what_is_being_shipped_but_credit_notes() {
    let directory = TempDir::new().unwrap();
    let text = format!("{HEADER}a,c-1,TEA,1\nC1,c-1,TEA,-1\nb,c-1,CUP,1\nd,c-1,CUP,1\nC2,c-1,CUP,-1\n");
    let mut ahead = Lookahead::default();
    for job in jobs(&args(&directory, &text, "--returns --return-store R")) {
        ahead.add(job);
    }
    let take = |ahead: &mut Lookahead| ahead.take().map(|job| (job.order_id.to_string(), job));
    let (_, a) = take(&mut ahead).unwrap();
    let (_, b) = take(&mut ahead).unwrap();
    assert!(take(&mut ahead).is_none());
    for job in [&a, &b] {
        ahead.done(job);
        ahead.ships(job);
    }
    let (id, d) = take(&mut ahead).unwrap();
    assert_eq!(id, "d");
    assert!(take(&mut ahead).is_none());
    ahead.shipped(&a);
    assert_eq!(take(&mut ahead).unwrap().0, "C1");
    ahead.done(&d);
    ahead.ships(&d);
    ahead.shipped(&d);
    assert!(take(&mut ahead).is_none(), "another order with cups is being shipped");
    ahead.shipped(&b);
    assert_eq!(take(&mut ahead).unwrap().0, "C2");
}
