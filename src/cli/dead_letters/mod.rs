//! `onhand dead-letters`: lists the events that the worker could not apply, redrives them, or discards them with a reason.

mod desk;
mod letter;
mod options;

use crate::terminal::print::{print, print_line, thousands};
use crate::terminal::run_client;
use comfy_table::{CellAlignment, Table, presets};
use desk::LetterDesk;
use letter::{Letter, Settled};
use onhand_runtime::exit::{Exit, Failure};
pub use options::DeadLettersArgs;
use options::LetterVerb;

const OPEN: &str = "open";

/// Runs one of the subcommands.
///
/// # Errors
/// [`Exit::Unavailable`] when the node does not answer or refuses, [`Exit::Failed`] when a redrive did not help.
pub fn run(args: &DeadLettersArgs) -> Result<Exit, Failure> {
    let desk = LetterDesk::open(args)?;
    run_client::run(async {
        match &args.verb {
            LetterVerb::List { all } => list(&desk, *all).await,
            LetterVerb::Show { id } => {
                print_line(format!("{:#}", desk.show(id).await?))?;
                Ok(Exit::Ok)
            }
            LetterVerb::Redrive { id, all } => redrive(&desk, id, *all).await,
            LetterVerb::Discard { id, reason } => print_state(&desk.discard(id, reason).await?),
        }
    })
}

async fn list(desk: &LetterDesk, all: bool) -> Result<Exit, Failure> {
    let letters = desk.letters().await?;
    let open = letters.iter().filter(|letter| letter.state == OPEN).count();
    let shown: Vec<&Letter> = letters.iter().filter(|letter| all || letter.state == OPEN).collect();
    if !shown.is_empty() {
        print(format!("{}\n", table(&shown)))?;
    }
    let closed = letters.len() - open;
    print_line(format!("{open} open, {closed} redriven or discarded"))?;
    Ok(Exit::Ok)
}

fn table(letters: &[&Letter]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header(["id", "since", "source", "level", "tries", "state", "reason"]);
    for letter in letters {
        let level = match (&letter.store_id, &letter.sku) {
            (Some(store), Some(sku)) => format!("{store}/{sku}"),
            _ => "unknown".to_owned(),
        };
        table.add_row([
            letter.id.clone(),
            letter.first_at.clone(),
            letter.source.clone(),
            level,
            letter.tries.to_string(),
            letter.state.clone(),
            letter.reason.clone(),
        ]);
    }
    if let Some(column) = table.column_mut(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

async fn redrive(desk: &LetterDesk, ids: &[String], all: bool) -> Result<Exit, Failure> {
    let ids = if all {
        let letters = desk.letters().await?;
        letters.into_iter().filter(|letter| letter.state == OPEN).map(|letter| letter.id).collect()
    } else {
        ids.to_vec()
    };
    let mut exit = Exit::Ok;
    for id in &ids {
        if print_state(&desk.redrive(id).await?)? != Exit::Ok {
            exit = Exit::Failed;
        }
    }
    if ids.is_empty() {
        print_line("no dead letter waits for somebody")?;
    }
    Ok(exit)
}

/// Prints the state of a letter after it was settled.
fn print_state(settled: &Settled) -> Result<Exit, Failure> {
    let Settled { letter, applied, waiting } = settled;
    print_line(format!(
        "{}: {}; {} events applied, {} still wait",
        letter.id,
        letter.state,
        thousands(*applied),
        thousands(*waiting)
    ))?;
    if letter.state == OPEN {
        print_line(format!("  it still cannot be applied: {}", letter.reason))?;
        return Ok(Exit::Failed);
    }
    Ok(Exit::Ok)
}
