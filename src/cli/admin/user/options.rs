//! The options of `onhand user`.

use crate::admin::grants::GrantArgs;
use crate::admin::options::{AdminOptions, with_exit_codes};
use clap::{Args, Subcommand};

/// Add, list, change and erase people, and what they are granted
///
/// A person is named by login, or by the id that `list` shows. Without a password `add` prints a link for one use, by which
/// the person chooses one.
#[derive(Args, Debug)]
#[command(after_long_help = with_exit_codes!("\
  onhand user add ada --admin --password-stdin < password
  onhand user add bob --role manager --store BERLIN --store PARIS
  onhand user list
  onhand user grant bob --role manager --store ROME
  onhand user ungrant bob --role manager --store PARIS
  onhand user disable bob
  onhand user reset ada                                  a lost password: prints a link for one use
  onhand user erase bob
  onhand user new cleo --role viewer --password-stdin    for IDENTITY_FILE; needs no server"))]
pub struct UserArgs {
    #[command(flatten)]
    pub(super) node: AdminOptions,

    #[command(subcommand)]
    pub(super) verb: UserVerb,
}

/// Who a new person is.
#[derive(Args, Debug)]
pub(super) struct NewPerson {
    /// Login
    pub(super) login: String,
    /// Name, for people
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// E-mail address, by which the person may log in, too
    #[arg(long, value_name = "ADDRESS")]
    pub(super) email: Option<String>,
    #[command(flatten)]
    pub(super) grants: GrantArgs,
}

#[derive(Subcommand, Debug)]
pub(super) enum UserVerb {
    /// Add a person
    Add {
        #[command(flatten)]
        person: NewPerson,
        /// Read the password from stdin; without it, a link for one use is printed
        #[arg(long)]
        password_stdin: bool,
    },
    /// List everybody
    List,
    /// Show one person
    Show {
        /// Login or id
        who: String,
    },
    /// Grant more
    Grant {
        /// Login or id
        who: String,
        #[command(flatten)]
        grants: GrantArgs,
    },
    /// Take grants away; without --store, all of that role or permission
    Ungrant {
        /// Login or id
        who: String,
        #[command(flatten)]
        grants: GrantArgs,
    },
    /// Let a person do nothing until they are enabled again
    Disable {
        /// Login or id
        who: String,
    },
    /// Enable a disabled person
    Enable {
        /// Login or id
        who: String,
    },
    /// Print a link for one use, by which a person chooses another password
    Reset {
        /// Login or id
        who: String,
    },
    /// Erase a person: name, login and password are gone, and what they did stays under their id
    Erase {
        /// Login or id
        who: String,
    },
    /// Print the entry of a person for `IDENTITY_FILE`, without a node
    New {
        #[command(flatten)]
        person: NewPerson,
        /// Read the password from stdin; the entry has its hash
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}
