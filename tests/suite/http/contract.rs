//! Every answer in these tests, and every route and code of the program, checked against openapi.yaml.

use http::{HeaderMap, Method, StatusCode};
use jsonschema::Validator;
use onhand_http::{Code, Need, OPENAPI_YAML, routes};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

pub(super) static CONTRACT: LazyLock<Value> =
    LazyLock::new(|| serde_yaml_ng::from_str(OPENAPI_YAML).unwrap());
/// Each schema becomes a validator once, so that answers under load can be checked, too.
static VALIDATORS: LazyLock<Mutex<BTreeMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Checks one answer against the description of its route in openapi.yaml. Unknown routes and methods are not described
/// there one by one; those answers are checked against the schema of a problem.
#[track_caller]
pub(crate) fn check(method: &Method, path: &str, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
    let told = format!("{method} {path} {status}: {}", String::from_utf8_lossy(body));
    let verb = if method == Method::HEAD { "get".to_owned() } else { method.as_str().to_lowercase() };
    let operation = template(path).and_then(|template| CONTRACT["paths"][template].get(&verb));
    let Some(operation) = operation else {
        assert!(matches!(status.as_u16(), 403 | 404 | 405 | 421 | 429), "{told}");
        if method == Method::HEAD {
            return assert!(body.is_empty(), "{told}");
        }
        return validate(&json!({"$ref": "#/components/schemas/Problem"}), body, &told);
    };
    let response = resolve(&operation["responses"][status.as_str()]);
    assert!(response.is_object(), "the status is not documented: {told}");
    if let Some(documented) = response["headers"].as_object() {
        for (name, header) in documented {
            let header = resolve(header);
            let sent = headers.get(name.as_str()).map(|value| value.to_str().unwrap());
            assert!(sent.is_some() || header["required"] != true, "{name} is missing: {told}");
            if let Some(sent) = sent {
                let value = sent.parse::<u64>().map_or_else(|_| json!(sent), |number| json!(number));
                let schema = &header["schema"];
                let instance = if schema["type"] == "integer" { value } else { json!(sent) };
                assert!(jsonschema::is_valid(schema, &instance), "{name}: {sent}: {told}");
            }
        }
    }
    let Some(content) = response["content"].as_object() else {
        return assert!(body.is_empty(), "a body that is not documented: {told}");
    };
    let kind = headers["content-type"].to_str().unwrap().split(';').next().unwrap();
    let media = content.get(kind).unwrap_or_else(|| panic!("{kind} is not documented: {told}"));
    if kind.ends_with("json") && method != Method::HEAD {
        validate(&media["schema"], body, &told);
    }
}

/// The path in openapi.yaml that matches `path`.
fn template(path: &str) -> Option<&'static String> {
    let path = path.split('?').next().unwrap();
    let stock = path.strip_prefix("/api/inventory").filter(|rest| {
        let whole = ["/events", "/alerts"].contains(rest);
        whole
            || rest.starts_with("/inventory/")
            || rest.starts_with("/stores/") && rest.contains("/inventory")
    });
    let path = stock.or_else(|| path.strip_prefix("/api")).unwrap_or(path);
    let path = if path.is_empty() { "/" } else { path };
    let fits = |template: &str| {
        let (left, right): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        let same = |(template, part): (&&str, &&str)| {
            template == part || (template.starts_with('{') && !part.is_empty())
        };
        // A last parameter `path` takes all that is left.
        let all_left = left.last() == Some(&"{path}") && right.len() > left.len();
        (all_left || left.len() == right.len()) && left.iter().zip(&right).all(same)
    };
    CONTRACT["paths"].as_object().unwrap().keys().find(|template| fits(template))
}

pub(super) fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(pointer) => CONTRACT.pointer(pointer.trim_start_matches('#')).expect("a $ref leads somewhere"),
        None => value,
    }
}

/// Checks an event of a stream against its schema. The validator is kept: a stream has thousands of events.
#[track_caller]
pub(super) fn is_event(value: &Value) {
    static EVENT: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let event = json!({"$ref": "#/components/schemas/Event", "components": CONTRACT["components"]});
        jsonschema::options().should_validate_formats(true).build(&event).unwrap()
    });
    let faults: Vec<String> = EVENT.iter_errors(value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}: {value}");
}

/// Checks the levels that stand in the place of events.
#[track_caller]
pub(super) fn is_latest_levels(value: &Value) {
    validate(&json!({"$ref": "#/components/schemas/LatestLevels"}), value.to_string().as_bytes(), "levels");
}

/// Checks the body of a webhook against its schema.
#[track_caller]
pub(crate) fn is_alert_webhook(body: &[u8]) {
    validate(&json!({"$ref": "#/components/schemas/AlertWebhook"}), body, "a webhook");
}

#[track_caller]
fn validate(schema: &Value, body: &[u8], told: &str) {
    let instance: Value = serde_json::from_slice(body).unwrap_or_else(|_| panic!("no JSON: {told}"));
    let validator = validator(schema);
    let faults: Vec<String> = validator.iter_errors(&instance).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}: {told}");
}

pub(super) fn validator(schema: &Value) -> Arc<Validator> {
    let build = || {
        let whole = json!({"allOf": [schema], "components": CONTRACT["components"]});
        Arc::new(jsonschema::options().should_validate_formats(true).build(&whole).unwrap())
    };
    Arc::clone(VALIDATORS.lock().unwrap().entry(schema.to_string()).or_insert_with(build))
}

#[test]
fn the_routes_are_the_documented_ones() {
    let parameters = |owner: &'static Value, place: &str| -> BTreeSet<String> {
        let listed = owner["parameters"].as_array().into_iter().flatten().map(resolve);
        listed.filter(|one| one["in"] == place).map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let mut documented = BTreeSet::new();
    for (path, item) in CONTRACT["paths"].as_object().unwrap() {
        for (verb, operation) in item.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters") {
            let query: BTreeSet<String> = parameters(operation, "query");
            documented.insert((verb.to_uppercase(), path.clone(), query));
            let in_path: BTreeSet<String> =
                parameters(item, "path").union(&parameters(operation, "path")).cloned().collect();
            let braced = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
            assert_eq!(in_path, braced.map(str::to_owned).collect(), "{path}");
        }
    }
    let served: BTreeSet<_> = routes()
        .into_iter()
        .map(|route| {
            // A page in a browser takes what it likes.
            let query =
                route.query.iter().filter(|name| **name != "*").map(|name| (*name).to_owned()).collect();
            (route.method.to_string(), route.template.to_owned(), query)
        })
        .collect();
    assert_eq!(served, documented);
}

/// The permission that callers of a route need; nothing when it asks for none.
pub(super) fn permission_of(need: Need) -> Option<&'static str> {
    match need {
        Need::Public | Need::Probe | Need::Anyone => None,
        Need::Metrics => Some("ops:read"),
        Need::Everywhere(needs) | Need::InStore(needs) | Need::Somewhere(needs) | Need::OrOwn(needs) => {
            Some(needs.as_str())
        }
    }
}

/// An operation names the permission that its route needs, and no other; the operations are those of the routes.
#[test]
fn the_permissions_are_the_documented_ones() {
    for route in routes() {
        let operation = &CONTRACT["paths"][route.template][route.method.as_str().to_lowercase()];
        let documented = operation.get("security").unwrap_or(&CONTRACT["security"]);
        let named: Vec<&str> = permission_of(route.need).into_iter().collect();
        let wanted = match route.need {
            Need::Public => json!([]),
            Need::Probe => json!([{}, {"token": []}]),
            _ => json!([{}, {"token": named}, {"password": named}, {"session": named}]),
        };
        assert_eq!(*documented, wanted, "{} {}", route.method, route.template);
    }
}

#[test]
fn the_codes_are_the_documented_ones() {
    let listed = CONTRACT["components"]["schemas"]["Code"]["enum"].as_array().unwrap();
    let documented: BTreeSet<&str> = listed.iter().map(|code| code.as_str().unwrap()).collect();
    assert_eq!(documented, Code::ALL.iter().map(|code| code.slug()).collect());
}

#[test]
fn the_examples_fit_their_schemas() {
    let mut pending = vec![&*CONTRACT];
    let mut seen = 0;
    while let Some(value) = pending.pop() {
        if let (Some(schema), Some(object)) = (value.get("schema"), value.as_object()) {
            let several = object.get("examples").and_then(Value::as_object);
            let several = several.into_iter().flat_map(|named| named.values().map(|one| &one["value"]));
            for example in object.get("example").into_iter().chain(several) {
                validate(schema, &serde_json::to_vec(example).unwrap(), "an example");
                seen += 1;
            }
        }
        match value {
            Value::Object(members) => pending.extend(members.values()),
            Value::Array(items) => pending.extend(items),
            _ => {}
        }
    }
    assert!(seen > 30, "{seen} examples were found");
}
