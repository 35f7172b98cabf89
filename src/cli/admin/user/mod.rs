//! `onhand user`: people and what they are granted.

mod change;
mod entry;
mod options;
mod person;

use crate::admin::connection::{Connection, OpenNode};
use crate::admin::grants::shown_in;
use crate::admin::options::Output;
use crate::admin::output::{done, list, one, secret, text};
use crate::admin::user::change::{disabled, erased, granted, reset};
use crate::admin::user::person::{found, link, state};
use crate::terminal::run_client;
use http::Method;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use options::NewPerson;
pub use options::UserArgs;
use options::UserVerb;
use serde_json::{Map, json};
use std::io::Read as _;

/// More than any password has.
const PASSWORD_BYTES_MAX: u64 = 4_096;

/// Runs one of the subcommands. `open` opens a data directory without a server.
///
/// # Errors
/// Those of the connection, and what the node refuses.
pub fn run(args: &UserArgs, open: OpenNode) -> Result<Exit, Failure> {
    if let UserVerb::New { person, .. } = &args.verb {
        return entry::print(person, &password_from_stdin()?);
    }
    run_client::run(async {
        let connection = Connection::open(&args.node, open).await?;
        let outcome = act(&connection, &args.verb, args.node.output).await;
        connection.close(outcome.map(|()| Exit::Ok))
    })
}

async fn act(connection: &Connection, verb: &UserVerb, output: Output) -> Result<(), Failure> {
    match verb {
        UserVerb::Add { person, password_stdin } => add(connection, person, *password_stdin, output).await,
        UserVerb::List => {
            let people = connection.list("/users").await?;
            list(output, &people, ["id", "login", "name", "grants", "state"], |person| {
                let [id, login, name] =
                    ["userId", "login", "name"].map(|member| text(person, member).to_owned());
                [id, login, name, shown_in(person), state(person).to_owned()]
            })
        }
        UserVerb::Show { who } => {
            let body = found(connection, who).await?.body;
            let member = |name| text(&body, name).to_owned();
            let members = [
                ("id", member("userId")),
                ("login", member("login")),
                ("name", member("name")),
                ("email", member("email")),
                ("grants", shown_in(&body)),
                ("state", state(&body).to_owned()),
                ("created", member("createdAt")),
            ];
            one(output, &body, &members)
        }
        UserVerb::Grant { who, grants } => granted(connection, who, &grants.grants()?, true, output).await,
        UserVerb::Ungrant { who, grants } => granted(connection, who, &grants.grants()?, false, output).await,
        UserVerb::Disable { who } => disabled(connection, who, true, output).await,
        UserVerb::Enable { who } => disabled(connection, who, false, output).await,
        UserVerb::Reset { who } => reset(connection, who, output).await,
        UserVerb::Erase { who } => erased(connection, who, output).await,
        UserVerb::New { .. } => unreachable!("it needs no node"),
    }
}

async fn add(
    connection: &Connection,
    person: &NewPerson,
    with_password: bool,
    output: Output,
) -> Result<(), Failure> {
    let mut body = Map::new();
    body.insert("login".to_owned(), person.login.clone().into());
    body.insert("grants".to_owned(), json!(person.grants.grants()?));
    let password = if with_password { Some(password_from_stdin()?) } else { None };
    let more = [("name", person.name.clone()), ("email", person.email.clone()), ("password", password)];
    for (member, value) in more {
        if let Some(value) = value {
            body.insert(member.to_owned(), value.into());
        }
    }
    let added = connection.change(Method::POST, "/users", Some(&body), None).await?.body;
    let about = format!("{} is {} ({})", text(&added, "login"), text(&added, "userId"), shown_in(&added));
    match link(&added) {
        Some((link, expires)) => {
            let hint = format!(
                "{about}; the link is for one use, until {expires}: POST /auth/link takes it with a password"
            );
            secret(output, &added, link, &hint)
        }
        None => done(output, &added, &about),
    }
}

/// The password on stdin, without the end of its line.
fn password_from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(PASSWORD_BYTES_MAX);
    input.read_to_string(&mut text).or_exit(Exit::NoInput, || "cannot read a password from stdin")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
