//! The command line as a whole: every command with its help, and the function that runs it.

use crate::serve;
use crate::serve::about;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use onhand_cli::admin::{access, customer, keys, mode, node_token, token, user};
use onhand_cli::{EXIT_CODES, bad_settings};
use onhand_cli::{
    audit, bench, completions, dead_letters, demo, import, man, orders, rebuild, repair, simulate, sync,
    sync_worker, tail, verify,
};
use onhand_config::RawServe;
use onhand_http::Setting;
use onhand_runtime::exit::{Exit, Failure};

/// A durable stock ledger for retail chains
#[derive(Parser, Debug)]
#[command(name = "onhand", version, arg_required_else_help = true, max_term_width = 100)]
#[command(long_about = "\
Onhand is a durable stock ledger for retail chains. It never sells what is not there, never loses a change it \
has acknowledged, and can show why every level is what it is. One binary, JSON Lines on disk, no database.\n\n\
Commands that call a node send the token in the variable ONHAND_TOKEN, where it is set.")]
#[command(after_help = "\
Start here:
  onhand demo                      a flash sale, a crash, and nothing lost
  onhand serve                     run a node on http://127.0.0.1:3000, data in ./data
  onhand help <COMMAND>            options and examples of one command")]
#[command(after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct Cli {
    #[command(subcommand)]
    command: CliCommand,
}

const EXAMPLES: &str = "\
Examples:
  onhand demo                                    a flash sale and a crash, in a scratch directory
  onhand serve --port 8080 --data-dir /srv/onhand
  onhand import sales.csv --store-column Shop --sku-column Item --quantity-column Qty --dry-run
  onhand import products catalogue.csv --currency EUR
  onhand orders import orders.csv --currency EUR --dry-run
  onhand tail --store BERLIN                     changes as they happen
  onhand audit --kind errors                     refused requests of today
  onhand sync                                    bring the central model up to date now
  onhand dead-letters list                       what central could not take, and why
  onhand user add ada --admin                    the first administrator
  onhand token create till-3 --kind till --role till --store BERLIN
  onhand access explain ada POST /stores/PARIS/inventory/TEA/adjust
  onhand verify --data-dir /srv/onhand           does the log add up to the levels?
  onhand rebuild --data-dir /srv/onhand          levels from the log alone
  onhand bench --duration 10                     reserves a second, against a server of its own
  onhand simulate --seeds 500                    crashes, torn disks, retries: is anything ever lost?
  onhand completions bash > /etc/bash_completion.d/onhand
  onhand man import | man -l -";

#[derive(Subcommand, Debug)]
enum CliCommand {
    /// Run a node: the ledger and its HTTP interface
    #[command(after_long_help = "\
Every option can also be given as the environment variable named beside it; the option wins.

Examples:
  onhand serve                                   http://127.0.0.1:3000, data in ./data
  PORT=8080 DATA_DIR=/srv/onhand onhand serve
  onhand serve --port 0 --ready-file /run/onhand.url

  curl -X POST localhost:3000/stores/BERLIN/inventory/TEA/adjust \\
       -H 'content-type: application/json' -d '{\"delta\": 10}'

SIGTERM drains, flushes and exits 0; a second one aborts at once with exit code 1.")]
    Serve(Box<RawServe>),
    SyncWorker(sync_worker::SyncWorkerArgs),
    Import(import::ImportCommand),
    Orders(orders::OrdersArgs),
    Tail(tail::TailArgs),
    Audit(audit::AuditArgs),
    Sync(sync::SyncArgs),
    DeadLetters(dead_letters::DeadLettersArgs),
    User(user::UserArgs),
    Token(token::TokenArgs),
    Node(node_token::NodeArgs),
    Mode(mode::ModeArgs),
    Customer(customer::CustomerArgs),
    Keys(keys::KeysArgs),
    Access(access::AccessArgs),
    /// Check that the log adds up to the levels and reservations
    #[command(after_long_help = "\
Examples:
  onhand verify
  onhand verify --data-dir /srv/onhand

Exit codes:
   0  the log is sound and adds up
  65  it is damaged or does not add up; the report says what is wrong and where
  66  there is no such data directory")]
    Verify(verify::VerifyArgs),
    /// Build the levels, or central, from the logs alone
    #[command(after_long_help = "\
Examples:
  onhand rebuild --data-dir /srv/onhand
  onhand rebuild --central --source http://paris:3000 --source /srv/rome

Exit codes:
   0  the log alone gives the levels of the snapshot; central is built
   2  central was not built: the old one has more of a node than the sources give
  65  the levels differ, and the report says where; or a source is stopped
  66  there is no such data directory
  69  central was not built: a source could not be read
  75  a worker has the central model: stop it first")]
    Rebuild(rebuild::RebuildArgs),
    /// Give up the damaged part of a log, when there is no copy to restore it from
    #[command(after_long_help = "\
Nothing is deleted: what is given up keeps its bytes under another name.

A copy that was made while the node ran may have a mark or a snapshot that is newer than its
log: then it does not start. With --copied it does, with all that is in it; other damage is left
as it is.

Examples:
  onhand repair --data-dir /srv/onhand --accept-loss
  onhand repair --data-dir /srv/copy --copied

Exit codes:
   0  sound, or repaired; the report says what was kept and what was set aside
   2  --accept-loss or --copied is missing
  65  with --copied: it is damaged elsewhere than at its end
  66  there is no such data directory
  75  the data directory is in use")]
    Repair(repair::RepairArgs),
    Demo(demo::DemoArgs),
    Bench(bench::BenchArgs),
    Simulate(simulate::SimulateArgs),
    /// Print a completion script for a shell
    #[command(after_long_help = "Example:\n  onhand completions zsh > ~/.zfunc/_onhand")]
    Completions(completions::CompletionsArgs),
    /// Print a manual page
    #[command(after_long_help = "Example:\n  onhand man import | man -l -")]
    Man(man::ManArgs),
}

impl Cli {
    /// Runs the command of the process's own command line; ends the process where that cannot be read, or asks for help.
    ///
    /// # Errors
    /// The failure of the command, with its exit code.
    pub fn run_arguments() -> Result<Exit, Failure> {
        let mut command = Self::command();
        let parsed = command.try_get_matches_from_mut(std::env::args_os());
        let matches = parsed.unwrap_or_else(|error| error.exit());
        let cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let listed = matches.subcommand_matches("serve").zip(command.find_subcommand("serve"));
        cli.run(listed.map(|(matches, serve)| about::listed(serve, matches)).unwrap_or_default())
    }

    /// Runs the command of this command line; `listed` are the settings of `serve` for people.
    ///
    /// # Errors
    /// The failure of the command, with its exit code.
    pub fn run(self, listed: Vec<Setting>) -> Result<Exit, Failure> {
        match self.command {
            CliCommand::Serve(raw) => {
                serve::run(&raw.parse().map_err(|faults| bad_settings(&faults))?, listed)
            }
            CliCommand::SyncWorker(args) => {
                let settings = args.settings().parse().map_err(|faults| bad_settings(&faults))?;
                sync_worker::run(&args, &settings)
            }
            CliCommand::Import(args) => import::run(&args),
            CliCommand::Orders(args) => orders::run(&args),
            CliCommand::Tail(args) => tail::run(&args),
            CliCommand::Audit(args) => audit::run(&args),
            CliCommand::Sync(args) => sync::run(&args),
            CliCommand::DeadLetters(args) => dead_letters::run(&args),
            CliCommand::User(args) => user::run(&args, serve::on_files::open),
            CliCommand::Token(args) => token::run(&args, serve::on_files::open),
            CliCommand::Node(args) => node_token::run(&args, serve::on_files::open),
            CliCommand::Mode(args) => mode::run(&args, serve::on_files::open),
            CliCommand::Customer(args) => customer::run(&args, serve::on_files::open),
            CliCommand::Keys(args) => keys::run(&args, serve::on_files::open),
            CliCommand::Access(args) => access::run(&args, serve::on_files::open),
            CliCommand::Verify(args) => verify::run(&args),
            CliCommand::Rebuild(args) => rebuild::run(&args),
            CliCommand::Repair(args) => repair::run(&args),
            CliCommand::Demo(args) => demo::run(&args),
            CliCommand::Bench(args) => bench::run(&args),
            CliCommand::Simulate(args) => simulate::run(&args),
            CliCommand::Completions(args) => completions::run(&args, Self::command()),
            CliCommand::Man(args) => man::run(&args, Self::command()),
        }
    }
}
