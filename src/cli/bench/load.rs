//! The load itself: connections on threads, in a closed or an open loop.
//!
//! Each thread runs its share of the connections on a runtime of its own and has counters of its own; nothing is shared
//! while requests flow. In the open loop one more thread, the pacer, sends the due times of requests: it sleeps in the
//! kernel, because the timer of the runtime is no finer than a millisecond.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

use super::client_loop::Caller;
use super::keys::Picker;
use super::options::BenchArgs;
use super::request::Requests;
use super::tally::LoadTally;
use super::target::{Span, Target};

/// How long answers are waited for after the last request.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the load to its end and returns its counts.
pub(super) fn run(args: &BenchArgs, target: &Target) -> LoadTally {
    let picker = Picker::new(args.keys, args.skus);
    let start = Instant::now();
    let from = start + args.warm_up();
    let span = Span { from, until: from + args.duration() };
    let threads = args.threads.min(args.connections);
    let mut total = LoadTally::new();
    std::thread::scope(|scope| {
        let mut senders = Vec::new();
        let mut running = Vec::new();
        for thread in 0..threads {
            let connections = args.connections / threads + u16::from(thread < args.connections % threads);
            let dues: Vec<_> = (0..connections)
                .map(|_| {
                    args.rate.map(|_| {
                        let (sender, due) = unbounded_channel();
                        senders.push(sender);
                        due
                    })
                })
                .collect();
            let picker = picker.clone();
            running.push(scope.spawn(move || one_thread(args, target, picker, span, thread, dues)));
        }
        if let Some(rate) = args.rate {
            pace(rate, start, span.until, &senders);
        }
        // A connection whose sender is gone ends after its due requests.
        drop(senders);
        for thread in running {
            total.add(thread.join().expect("a load thread does not panic"));
        }
    });
    total
}

/// Sends the due time of each request, in turn to each connection.
fn pace(rate: f64, start: Instant, until: Instant, connections: &[UnboundedSender<Instant>]) {
    let mut turn = connections.iter().cycle();
    for number in 0_u32.. {
        let due = start + Duration::from_secs_f64(f64::from(number) / rate);
        if due >= until {
            return;
        }
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let Some(connection) = turn.next() else { return };
        if connection.send(due).is_err() {
            return;
        }
    }
}

/// One thread's share of the connections, each with its schedule in the open loop.
fn one_thread(
    args: &BenchArgs,
    target: &Target,
    picker: Picker,
    span: Span,
    thread: u16,
    dues: Vec<Option<UnboundedReceiver<Instant>>>,
) -> LoadTally {
    let mut random = fastrand::Rng::new();
    let run = format!("{}-{thread}", target.run);
    let requests = Requests::new(args, &target.address, &run, &picker, &mut random);
    let requests = requests.with_authorization(target.authorization.clone());
    let connections = dues.len() as u64;
    let caller = Rc::new(Caller::new(args, target, picker, requests, span));
    let tally = Rc::new(RefCell::new(LoadTally::new()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts wherever this program got so far");
    let tasks = LocalSet::new();
    for due in dues {
        let (caller, tally) = (Rc::clone(&caller), Rc::clone(&tally));
        tasks.spawn_local(async move { caller.run(due, &tally).await });
    }
    let give_up = span.until.saturating_duration_since(Instant::now()) + GRACE;
    let in_time = runtime.block_on(async { tokio::time::timeout(give_up, tasks).await });
    drop(runtime);
    let mut tally = tally.replace(LoadTally::new());
    if in_time.is_err() {
        let waiting = connections - caller.ended();
        tally.unanswered += waiting;
        tally.fault(|| format!("{waiting} connections had no answer {GRACE:?} after the end"));
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args, FromArgMatches};
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    const LEVEL: &[u8] = b"HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 2\r\n\r\n{}";

    fn args(arguments: &[&str]) -> BenchArgs {
        let command =
            BenchArgs::augment_args(clap::Command::new("bench")).mut_args(|argument| argument.env(None));
        let matches = command.try_get_matches_from(std::iter::once(&"bench").chain(arguments)).unwrap();
        BenchArgs::from_arg_matches(&matches).unwrap()
    }

    /// A server that answers everything alike, the first request of each connection after a delay.
    fn server(first_after: Duration, answer: &'static [u8]) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serve = move |mut stream: TcpStream| {
            let mut request = [0; 1024];
            let mut wait = first_after;
            while stream.read(&mut request).is_ok_and(|count| count > 0) {
                std::thread::sleep(std::mem::take(&mut wait));
                stream.write_all(answer).unwrap();
            }
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || serve(stream));
            }
        });
        Target { address, run: "test".to_owned(), authorization: None }
    }

    #[test]
    fn a_closed_loop_counts_what_is_answered() {
        let args = args(&["--workload", "get", "--connections", "3", "--threads", "2", "--duration", "0.2"]);
        let args = BenchArgs { warm_up: 0.0, ..args };
        let tally = run(&args, &server(Duration::ZERO, LEVEL));
        assert!(tally.requests > 0);
        assert_eq!((tally.statuses[&200], tally.errors()), (tally.requests, 0));
    }

    #[test]
    fn an_open_loop_charges_a_stall_to_all_that_waited() {
        let args = args(&["--rate", "100", "--connections", "1", "--duration", "0.5", "--warm-up", "0"]);
        let tally = run(&args, &server(Duration::from_millis(300), LEVEL));
        assert_eq!((tally.requests, tally.errors()), (50, 0));
        // Requests were due every 10 ms; the one due at 240 ms could not be answered before 300 ms.
        assert!(tally.percentile_ms(50.0) >= 50.0, "{}", tally.percentile_ms(50.0));
    }

    #[test]
    fn an_unexpected_answer_is_an_error() {
        let refusing = server(Duration::ZERO, b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
        let short = args(&["--connections", "1", "--duration", "0.1", "--warm-up", "0"]);
        let tally = run(&short, &refusing);
        assert_eq!(tally.errors(), tally.requests);
        assert_eq!(tally.first_fault.as_deref(), Some("status 503: busy"));

        let nobody =
            Target { address: "127.0.0.1:1".to_owned(), run: "test".to_owned(), authorization: None };
        assert!(run(&short, &nobody).unanswered > 0);
    }
}
