//! `onhand user new`: the entry of a person for `IDENTITY_FILE`, made without a node.

use crate::admin::user::options::NewPerson;
use crate::terminal::print::print_line;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use onhand_vault::identity_file::person_entry;
use onhand_vault::password;

/// Prints the entry, with the hash of the password.
pub(super) fn print(person: &NewPerson, secret: &str) -> Result<Exit, Failure> {
    let NewPerson { login, name, email, grants } = person;
    let logins: Vec<&str> = [Some(login), email.as_ref()].into_iter().flatten().map(String::as_str).collect();
    password::check(secret, &logins).or_exit(Exit::Usage, || "this password is not taken")?;
    let hash = password::hash(secret);
    let entry = person_entry(login, name.as_deref(), email.as_deref(), &hash, &grants.grants()?);
    print_line(entry.trim_end())?;
    Ok(Exit::Ok)
}
