//! openapi.yaml for other programs: pages that show it, and generators that make clients of it.

use super::contract::{CONTRACT, resolve, validator};
use onhand_http::Code;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PROBLEM: &str = "application/problem+json";

/// Every value of the document with its path, except those in examples.
fn values() -> Vec<(String, &'static Value)> {
    let mut pending = vec![(String::new(), &*CONTRACT)];
    let mut found = Vec::new();
    while let Some((place, value)) = pending.pop() {
        found.push((place.clone(), value));
        match value {
            Value::Object(members) => {
                let shown =
                    members.iter().filter(|(name, _)| !["example", "examples"].contains(&name.as_str()));
                pending.extend(shown.map(|(name, member)| (format!("{place}/{name}"), member)));
            }
            Value::Array(items) => {
                pending
                    .extend(items.iter().enumerate().map(|(index, item)| (format!("{place}/{index}"), item)));
            }
            _ => {}
        }
    }
    found
}

/// Every operation with its name.
fn operations() -> impl Iterator<Item = (String, &'static Value)> {
    let items = CONTRACT["paths"].as_object().unwrap().iter();
    items.flat_map(|(path, item)| {
        let verbs = item.as_object().unwrap().iter().filter(|(verb, _)| *verb != "parameters");
        verbs.map(move |(verb, operation)| (format!("{} {path}", verb.to_uppercase()), operation))
    })
}

/// In `{description: red, or not}` the comma ends the description, and `or not` is a key without a value.
#[test]
fn every_key_has_a_value() {
    let empty: Vec<String> =
        values().into_iter().filter(|(_, value)| value.is_null()).map(|(place, _)| place).collect();
    assert!(empty.is_empty(), "without a value, for want of quotes around a comma? {empty:?}");
}

#[test]
fn an_answer_takes_the_problems_of_its_status_only() {
    let statuses: BTreeSet<u64> = operations()
        .flat_map(|(_, operation)| operation["responses"].as_object().unwrap().keys())
        .map(|status| status.parse().unwrap())
        .filter(|status| *status >= 400)
        .collect();
    let mut taken = BTreeMap::<String, BTreeSet<(u64, &str)>>::new();
    for (operation, described) in operations() {
        for (status, response) in described["responses"].as_object().unwrap() {
            let Some(media) = resolve(response)["content"].get(PROBLEM) else { continue };
            let answer = format!("{operation} {status}");
            // Without one, Swagger UI makes up a problem with every possible member.
            assert!(
                media.get("example").or_else(|| media.get("examples")).is_some(),
                "{answer} has no example"
            );
            let validator = validator(&media["schema"]);
            let problems = Code::ALL.iter().flat_map(|code| statuses.iter().map(|of| (*of, code.slug())));
            let taken = taken.entry(answer.clone()).or_default();
            taken.extend(problems.filter(|(of, code)| validator.is_valid(&problem(*of, code))));
            assert!(!taken.is_empty(), "{answer} takes no problem");
            assert!(taken.iter().all(|(of, _)| of.to_string() == *status), "{answer}: {taken:?}");
            assert!(taken.len() < 10, "{answer} takes whatever code: {taken:?}");
        }
    }
    assert!(taken.len() > 300, "{} answers have a problem", taken.len());
}

/// Swagger UI resolves the `$ref`s of an operation when it is opened, and copies the parameters of the path item into
/// it only then: a `$ref` there is shown as "any ()", and sent as `{storeId}`.
#[test]
fn the_parameters_of_an_operation_stand_with_it() {
    let paths = CONTRACT["paths"].as_object().unwrap().iter();
    let shared: Vec<&str> =
        paths.filter(|(_, item)| item.get("parameters").is_some()).map(|(path, _)| path.as_str()).collect();
    assert!(
        shared.is_empty(),
        "/docs does not show parameters of a path item; repeat them in each operation: {shared:?}"
    );
}

/// Swagger UI fills in every example and default. A precondition, a key or a filter that the user did not choose makes
/// a first try fail.
#[test]
fn an_example_fills_in_what_must_be_sent_and_nothing_else() {
    for (operation, described) in operations() {
        for parameter in described["parameters"].as_array().into_iter().flatten().map(resolve) {
            let name = format!("{operation}, {}", parameter["name"]);
            let filled_in = parameter.get("example").or_else(|| parameter["schema"].get("default")).is_some();
            let may_be = parameter["required"] == true || parameter["name"] == "limit";
            assert!(may_be || !filled_in, "{name}: its example is filled in, though nobody must send it");
            assert!(
                filled_in || parameter["required"] != true,
                "{name}: it must be sent, and has no example"
            );
        }
    }
}

/// A problem in which only status and code can be wrong.
fn problem(status: u64, code: &str) -> Value {
    json!({
        "type": format!("/problems/{code}"), "title": "A title", "status": status, "detail": "A detail.",
        "instance": "/stock/sale", "code": code, "requestId": "r-1", "retryAfterMs": 10,
    })
}
