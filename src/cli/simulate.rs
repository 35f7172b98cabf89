//! `onhand simulate`: shops, their office and processes that share a directory, on simulated disks, one seed after the other.

use crate::terminal::print::{print, print_line, thousands};
use clap::{Args, value_parser};
use indicatif::{ProgressBar, ProgressStyle};
use onhand_domain::limits::INTEGER_MAX;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use onhand_sim::run::{Run, run as run_seed};
use onhand_sim::tally::RunTally;
use parking_lot::Mutex;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

/// Options of `onhand simulate`.
#[derive(Args, Debug)]
#[command(about = "Look for lost changes in a simulated world, seed by seed")]
#[command(long_about = "\
Look for lost changes in a simulated world, seed by seed.

Ledger, log, recovery and worker run on one thread, on disks that lose, tear and refuse as real ones do, with clocks and sources \
of their own. What they do is held against an oracle step by step, and in the end everything against everything: each \
acknowledged change is there once, nothing that is not durable was shown, central is the sum of the logs. All chance comes from \
the seed, so whatever is found can be seen again.")]
#[command(after_long_help = "\
Examples:
  onhand simulate                                a seed by chance
  onhand simulate --seed 17 --ops 5000 --trace   what happens in seed 17, step by step
  onhand simulate --seeds 500 --twice            seeds 1 to 500, and that each gives the same trace again

Exit codes:
   0  nothing was found
   1  something was found: the seed is named, and the command that shows it again")]
pub struct SimulateArgs {
    /// The first seed; by default 1 where there are several, else one by chance
    #[arg(long, value_name = "NUMBER", value_parser = value_parser!(u64).range(0..=INTEGER_MAX.unsigned_abs()))]
    seed: Option<u64>,

    /// Operations of each run, retries counted
    #[arg(long, value_name = "COUNT", default_value = "4000", value_parser = value_parser!(u64).range(1..=10_000_000))]
    ops: u64,

    /// How many seeds, one after the other
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = value_parser!(u64).range(1..=100_000_000))]
    seeds: u64,

    /// Seeds that run beside each other; by default one for each processor
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Run each seed twice, and compare the traces
    #[arg(long)]
    twice: bool,

    /// Tell every step on stdout
    #[arg(long, conflicts_with_all = ["seeds", "twice"])]
    trace: bool,
}

/// A finding, and the seed that reproduces it.
struct FoundSeed {
    seed: u64,
    what: String,
}

/// Runs the seeds.
///
/// # Errors
/// [`Exit::Failed`] when there is a finding.
pub fn run(args: &SimulateArgs) -> Result<Exit, Failure> {
    let first = args.seed.unwrap_or_else(|| if args.seeds > 1 { 1 } else { fastrand::u64(1..1_000_000_000) });
    let begun = Instant::now();
    let (tally, trace) = run_all(args, first)?;
    let last = first.saturating_add(args.seeds - 1);
    match trace {
        Some((lines, sum)) => print_line(format_args!(
            "seed        {first}, a trace of {} lines, CRC-32C {sum:08x}",
            thousands(lines)
        ))?,
        None => print_line(format_args!("seeds       {first} to {last}"))?,
    }
    if args.twice {
        print("            each run twice, with the same trace\n")?;
    }
    print_line(&tally)?;
    print_line(format_args!("found       nothing, in {:.1?}", begun.elapsed()))?;
    Ok(Exit::Ok)
}

/// Runs all seeds concurrently; the trace of the run when there is only one.
fn run_all(args: &SimulateArgs, first: u64) -> Result<(RunTally, Option<(u64, u32)>), Failure> {
    let threads =
        args.threads.map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from);
    let bar = bar(args.seeds);
    let (next, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let sum = Mutex::new((RunTally::default(), None));
    let found: Mutex<Option<FoundSeed>> = Mutex::default();
    let work = || {
        while !over.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= args.seeds {
                break;
            }
            let seed = first.saturating_add(number);
            match play(args, seed) {
                Ok(run) => {
                    let mut sum = sum.lock();
                    sum.0.add(run.tally);
                    sum.1 = Some(run.trace).filter(|_| args.seeds == 1);
                }
                Err(what) => {
                    over.store(true, Ordering::Relaxed);
                    found.lock().get_or_insert(FoundSeed { seed, what });
                }
            }
            bar.inc(1);
        }
    };
    thread::scope(|scope| {
        let count = u64::try_from(threads).unwrap_or(1).min(args.seeds);
        (0..count).try_for_each(|number| {
            thread::Builder::new().name(format!("simulation-{number}")).spawn_scoped(scope, work).map(drop)
        })
    })
    .or_exit(Exit::Failed, || "cannot start a thread")?;
    bar.finish_and_clear();
    match found.into_inner() {
        None => Ok(sum.into_inner()),
        Some(FoundSeed { seed, what }) => {
            let again = format!("onhand simulate --seed {seed} --ops {} --trace", args.ops);
            let message = format!("seed {seed} found something: {what}\nto see it again:\n  {again}");
            Err(Failure::new(Exit::Failed, message))
        }
    }
}

/// Runs one seed, or returns its finding.
fn play(args: &SimulateArgs, seed: u64) -> Result<Run, String> {
    let once = || {
        catch_unwind(AssertUnwindSafe(|| run_seed(seed, args.ops, args.trace)))
            .map_err(|panic| panic_message(&*panic))
    };
    let run = once()?;
    if args.twice && once()? != run {
        return Err("run twice it does not do the same".to_owned());
    }
    Ok(run)
}

/// The message of a panic.
fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

/// A progress bar, shown on a terminal only.
fn bar(seeds: u64) -> ProgressBar {
    if seeds == 1 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} seeds, {elapsed}");
    ProgressBar::new(seeds).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
