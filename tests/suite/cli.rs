//! The command line for a person: help, mistakes, and exit codes. Texts are kept as snapshots.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Environment variables that would change the output.
const SETTINGS: [&str; 32] = [
    "HOST",
    "PORT",
    "DATA_DIR",
    "SNAPSHOT_EVERY_N_EVENTS",
    "AUDIT_KEEP_DAYS",
    "IDEMP_TTL_MS",
    "SHUTDOWN_TIMEOUT_MS",
    "CONNECTIONS_MAX",
    "CORS_ORIGINS",
    "RATE_LIMIT_ROLES",
    "TRUSTED_PROXIES",
    "METRICS_OPEN",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "SYNC",
    "SYNC_SOURCES",
    "SYNC_TOKEN_FILE",
    "SYNC_CA_FILE",
    "SYNC_INTERVAL_MS",
    "CONCURRENCY_SYNC",
    "RETRY_BASE_MS",
    "RETRY_TIMES",
    "INSECURE",
    "READY_FILE",
    "TLS_CERT",
    "TLS_KEY",
    "ALERT_WEBHOOK_URL",
    "ALERT_WEBHOOK_SECRET",
    "ALERT_WEBHOOK_ALLOW_PRIVATE",
    "IDENTITY_FILE",
    "ONHAND_SERVER",
    "COLUMNS",
];

/// Runs the program and returns its exit code, stdout and stderr in one text.
pub(crate) fn told(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onhand"));
    command.args(arguments).current_dir(directory);
    for name in SETTINGS {
        command.env_remove(name);
    }
    let output = command.output().expect("the program starts");
    let text =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&*directory.to_string_lossy(), "DIRECTORY");
    format!(
        "exit code {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().expect("no signal ended it"),
        text(&output.stdout),
        text(&output.stderr)
    )
}

#[test]
fn help_teaches() {
    let directory = TempDir::new().unwrap();
    let commands = [
        "",
        "serve",
        "sync-worker",
        "import",
        "import products",
        "tail",
        "audit",
        "sync",
        "dead-letters",
        "user",
        "token",
        "node",
        "mode",
        "keys",
        "access",
        "verify",
        "rebuild",
        "repair",
        "demo",
        "bench",
        "simulate",
    ];
    for command in commands {
        let arguments: Vec<&str> =
            command.split(' ').chain(["--help"]).filter(|part| !part.is_empty()).collect();
        let name = if command.is_empty() {
            "help".to_owned()
        } else {
            format!("help_{}", command.replace(' ', "_"))
        };
        insta::assert_snapshot!(name, told(directory.path(), &arguments));
    }
}

#[test]
fn without_a_command_there_is_help() {
    let directory = TempDir::new().unwrap();
    insta::assert_snapshot!("no_command", told(directory.path(), &[]));
}

#[test]
fn the_version_is_printed() {
    let directory = TempDir::new().unwrap();
    let expected = format!("exit code 0\n--- stdout\nonhand {}\n--- stderr\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(told(directory.path(), &["--version"]), expected);
}

#[test]
fn all_bad_settings_are_reported_at_once() {
    let directory = TempDir::new().unwrap();
    let arguments = [
        "serve",
        "--host",
        "0.0.0.0",
        "--port=-1",
        "--idemp-ttl-ms",
        "5s",
        "--log-format",
        "xml",
        "--data-dir=",
    ];
    insta::assert_snapshot!("bad_settings", told(directory.path(), &arguments));
}

#[test]
fn import_errors_are_reported_with_their_exit_codes() {
    let directory = TempDir::new().unwrap();
    let file = |name: &str, text: &[u8]| std::fs::write(directory.path().join(name), text).unwrap();
    file("sales.csv", b"shop,item,qty\nBerlin,TEA,1\n");
    file("semicolons.csv", b"shop;item;qty\nBerlin;TEA;1\n");
    file("empty.csv", b"");
    let columns = ["--store-column", "shop", "--sku-column", "item", "--quantity-column", "qty"];
    let table: [(&str, &[&str]); 8] = [
        ("missing_file", &["nothing.csv"]),
        ("empty_file", &["empty.csv"]),
        ("other_delimiter", &["semicolons.csv"]),
        ("unknown_column", &["sales.csv", "--time-column", "when"]),
        ("bad_time_format", &["sales.csv", "--time-column", "qty", "--time-format", "%H:%M"]),
        ("opening_twice", &["sales.csv", "--kind", "opening", "--opening-stock", "5"]),
        ("report_over_input", &["sales.csv", "--report", "sales.csv"]),
        ("nobody_there", &["sales.csv", "--server", "http://127.0.0.1:1"]),
    ];
    for (name, more) in table {
        let arguments: Vec<&str> = ["import"].iter().chain(more).chain(&columns).copied().collect();
        insta::assert_snapshot!(format!("import_{name}"), told(directory.path(), &arguments));
    }
    assert_eq!(std::fs::read(directory.path().join("sales.csv")).unwrap(), b"shop,item,qty\nBerlin,TEA,1\n");
}

#[test]
fn a_dry_run_names_every_row_it_would_refuse() {
    let directory = TempDir::new().unwrap();
    let rows = "shop,item,qty\nSt. Gallen,TEA,3\nSt. Gallen,TEA,-1\nSt. Gallen,,3\nSt. Gallen,TEA,3.5\nSt-Gallen,TEA\n";
    std::fs::write(directory.path().join("sales.csv"), rows).unwrap();
    let arguments = [
        "import",
        "sales.csv",
        "--dry-run",
        "--report",
        "refused.csv",
        "--store-column",
        "shop",
        "--sku-column",
        "item",
        "--quantity-column",
        "qty",
    ];
    insta::assert_snapshot!("import_dry_run", told(directory.path(), &arguments));
    let report = std::fs::read_to_string(directory.path().join("refused.csv")).unwrap();
    insta::assert_snapshot!("import_dry_run_report", report);
    // A report for the next program in a pipe: stdout has nothing else.
    let piped = told(directory.path(), &arguments.map(|word| if word == "refused.csv" { "-" } else { word }));
    let (out, err) = piped.split_once("--- stderr\n").unwrap();
    assert_eq!(out, format!("exit code 0\n--- stdout\n{report}"));
    assert!(err.starts_with("Dry run of sales.csv") && err.contains("standard output"), "{err}");
    assert!(!directory.path().join("-").exists());
}

#[test]
fn product_import_errors_are_reported_with_their_exit_codes() {
    let directory = TempDir::new().unwrap();
    let file = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    file("catalogue.csv", "sku,name,price\nTEA,Green tea,2.55\n");
    file("history.csv", "StockCode,Description,UnitPrice\nTEA,Green tea,2.55\n");
    file("prices.csv", "sku,name,price,amountMinor,currency\nTEA,Green tea,2.55,255,GBP\n");
    let table: [(&str, &[&str]); 5] = [
        ("unknown_columns", &["history.csv"]),
        ("no_currency", &["catalogue.csv"]),
        ("bad_currency", &["catalogue.csv", "--currency", "pounds"]),
        ("two_prices", &["prices.csv"]),
        ("nobody_there", &["catalogue.csv", "--currency", "GBP", "--server", "http://127.0.0.1:1"]),
    ];
    for (name, more) in table {
        let arguments: Vec<&str> = ["import", "products"].iter().chain(more).copied().collect();
        insta::assert_snapshot!(format!("import_products_{name}"), told(directory.path(), &arguments));
    }
}

#[test]
fn a_dry_run_of_products_names_every_odd_row() {
    let directory = TempDir::new().unwrap();
    let rows = "sku,name,price,currency,colour\nTEA,Green tea,2.55,GBP,green\nTEA,damaged,0,,\nTEA,Green tea,2.95,EUR,\n\
                A/B,Black tea,2.55,GBP,black\nC-3,,2.55,GBP,\nTEA,Green tea,2.55,,green\nTEA,\"Tea, green\",2.55,GBP,\n\
                TEA,Green tea,2.5555,GBP,\nshort\n";
    std::fs::write(directory.path().join("catalogue.csv"), rows).unwrap();
    let arguments =
        ["import", "products", "catalogue.csv", "--dry-run", "--currency", "GBP", "--report", "odd.csv"];
    insta::assert_snapshot!("import_products_dry_run", told(directory.path(), &arguments));
    let report = std::fs::read_to_string(directory.path().join("odd.csv")).unwrap();
    insta::assert_snapshot!("import_products_dry_run_report", report);
    let piped = told(directory.path(), &arguments.map(|word| if word == "odd.csv" { "-" } else { word }));
    assert!(piped.starts_with(&format!("exit code 0\n--- stdout\n{report}--- stderr\nDry run")), "{piped}");
}

#[test]
fn completions_and_manual_pages_are_made() {
    let directory = TempDir::new().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = told(directory.path(), &["completions", shell]);
        assert!(script.starts_with("exit code 0") && script.contains("opening-stock"), "{shell}");
    }
    for command in ["user", "token", "node", "mode", "keys", "access"] {
        let page = told(directory.path(), &["man", command]);
        assert!(page.starts_with("exit code 0") && page.contains(r"data\-dir"), "{page}");
    }
    let page = told(directory.path(), &["man", "import"]);
    assert!(page.starts_with("exit code 0") && page.contains("opening"), "{page}");
    assert!(told(directory.path(), &["man", "nothing"]).starts_with("exit code 2"));
}

#[test]
fn the_demo_sells_exactly_what_is_there() {
    let directory = TempDir::new().unwrap();
    for (buyers, pieces, sold) in [("60", "20", "20"), ("5", "20", "5")] {
        let text = told(directory.path(), &["demo", "--buyers", buyers, "--pieces", pieces]);
        assert!(text.starts_with("exit code 0"), "{text}");
        let row = text.lines().find(|line| line.contains("sold  ")).expect("the table says what was sold");
        assert!(row.split_whitespace().any(|cell| cell == sold), "{text}");
    }
}

#[test]
fn a_bench_measures_a_node_of_its_own_and_judges_it() {
    let directory = TempDir::new().unwrap();
    let short = ["bench", "--skus", "50", "--connections", "4", "--duration", "0.2", "--warm-up", "0"];
    for more in [
        &["--workload", "reserve", "--keys", "zipf"][..],
        &["--workload", "adjust", "--keys", "uniform", "--threads", "2"],
        &["--workload", "get", "--rate", "200", "--central"],
        &["--workload", "batch", "--batch-size", "100", "--if-match"],
        &["--workload", "reserve", "--if-match", "--no-idempotency-key", "--json", "figures.json"],
    ] {
        let arguments: Vec<&str> = short.iter().chain(more).copied().collect();
        let text = told(directory.path(), &arguments);
        assert!(text.starts_with("exit code 0") && text.contains("\nPASS\n"), "{more:?}\n{text}");
    }
    let figures = std::fs::read(directory.path().join("figures.json")).unwrap();
    let figures: serde_json::Value = serde_json::from_slice(&figures).unwrap();
    assert!(figures["centralMs"].is_null());
    assert!(figures["latencyMs"]["p99"].as_f64().unwrap() > 0.0 && figures["errors"] == 0, "{figures}");

    let arguments: Vec<&str> = short.iter().chain(&["--fail-below", "9999999"]).copied().collect();
    let text = told(directory.path(), &arguments);
    assert!(text.starts_with("exit code 1") && text.contains("FAIL: "), "{text}");
}
