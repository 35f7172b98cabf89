//! What readiness and metrics show to whom.

use super::super::{Answer, Scratch, Setup};
use super::{Chain, setup};
use onhand_http::OpenRules;
use serde_json::{Value, json};

const PROBES: [&str; 3] = ["/readyz", "/health/readiness", "/api/readyz"];

/// The names of the members, in order; of a problem those of readiness.
fn members(answer: &Answer) -> Vec<&str> {
    let of_problem = ["type", "title", "status", "detail", "instance", "code", "requestId", "retryAfterMs"];
    let names = answer.json.as_object().unwrap().keys().map(String::as_str);
    let mut names: Vec<_> = names.filter(|name| !of_problem.contains(name)).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn readiness_has_details_for_those_who_may_read_operations() {
    let chain = Chain::open().await;
    let (metrics, id) = chain.token("service", r#"[{"role":"metrics"}]"#).await;
    let (node, _) = chain.token("node", r#"[{"role":"node"}]"#).await;
    let (till, _) = chain.token("till", r#"[{"role":"till","stores":["BERLIN"]}]"#).await;
    let all = ["breakers", "durableSequence", "mode", "queueDepth", "ready"];
    let strangers = ["", "Bearer x", "Basic YTpi", "bearer", &node, &till];
    for path in PROBES {
        for (authorization, shown) in
            strangers.map(|one| (one, &["mode", "ready"][..])).into_iter().chain([(&*metrics, &all[..])])
        {
            let ready = chain.get(path, authorization).await;
            assert_eq!(members(ready.is(200, "")), shown, "{path} {authorization}");
        }
    }
    // Two credentials are none.
    let twice = [("authorization", &*metrics), ("authorization", &*metrics)];
    assert_eq!(members(&chain.node.get_with("/readyz", &twice).await), ["mode", "ready"]);
    chain.say(http::Method::DELETE, &format!("/tokens/{id}"), &chain.admin, "").await.is(200, "");
    assert_eq!(members(&chain.get("/readyz", &metrics).await), ["mode", "ready"]);
    assert_eq!(chain.get("/health", "").await.json["status"], "ok");
    chain.node.shutdown.cancel();
    let draining = chain.get("/readyz", "").await;
    assert_eq!(members(draining.is(503, "not-ready")), ["mode", "ready"]);
    assert_eq!((&draining.json["mode"], &draining.json["ready"]), (&json!("draining"), &Value::Bool(false)));
    assert_eq!(members(chain.get("/readyz", &chain.admin).await.is(503, "not-ready")), all);
}

#[tokio::test]
async fn readiness_has_details_for_all_as_long_as_nobody_can_log_in() {
    for without_principals in [true, false] {
        let open = OpenRules { without_principals, metrics: false, ..OpenRules::default() };
        let node = Scratch::open(Setup { open, ..setup() });
        for path in PROBES {
            assert!(node.get_with(path, &[("authorization", "Bearer x")]).await.json["breakers"].is_object());
        }
    }
}

#[tokio::test]
async fn metrics_may_be_open_to_all() {
    for (without_principals, metrics, before, after) in
        [(true, false, 200, 401), (true, true, 200, 200), (false, true, 200, 200), (false, false, 401, 401)]
    {
        let open = OpenRules { without_principals, metrics, ..OpenRules::default() };
        let chain = Chain::open().await;
        let node = Scratch::open(Setup { open, ..setup() });
        assert_eq!(node.get("/metrics").await.status, before);
        let node = chain.node.restart(Setup { open, ..setup() });
        assert_eq!(node.get("/metrics").await.status, after);
    }
}
