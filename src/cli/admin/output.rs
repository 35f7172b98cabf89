//! Results on stdout, hints on stderr: what a script reads is never mixed with hints for a person.

use crate::admin::options::Output;
use crate::terminal::print::{print, print_line};
use comfy_table::{Table, presets};
use onhand_runtime::exit::Failure;
use serde_json::{Value, json};

/// Prints a list: a table of the columns, or all of it as `{"items": [...]}`.
pub(super) fn list<const N: usize>(
    output: Output,
    items: &[Value],
    columns: [&str; N],
    row: impl Fn(&Value) -> [String; N],
) -> Result<(), Failure> {
    if output == Output::Json {
        return print_line(json!({ "items": items }));
    }
    if items.is_empty() {
        return print_line("none");
    }
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_header(columns);
    for item in items {
        table.add_row(row(item));
    }
    print(format!("{table}\n"))
}

/// Prints one thing: a line for each member, or its JSON.
pub(super) fn one(output: Output, body: &Value, members: &[(&str, String)]) -> Result<(), Failure> {
    if output == Output::Json {
        return print_line(body);
    }
    let width = members.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in members {
        print_line(format!("{name:width$}  {value}"))?;
    }
    Ok(())
}

/// Prints what a change has left: a sentence, or its JSON.
pub(super) fn done(output: Output, body: &Value, sentence: &str) -> Result<(), Failure> {
    if output == Output::Json { print_line(body) } else { print_line(sentence) }
}

/// Prints something new with a secret, which is shown this once: the secret alone, or all of it as JSON.
pub(super) fn secret(output: Output, body: &Value, secret: &str, hint: &str) -> Result<(), Failure> {
    if output == Output::Json {
        print_line(body)?;
    } else {
        print_line(secret)?;
    }
    eprintln!("{hint}");
    Ok(())
}

/// A member as text; empty when there is none.
pub(super) fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// True when a member is `true`.
pub(super) fn is(body: &Value, name: &str) -> bool {
    body.get(name) == Some(&Value::Bool(true))
}
