//! Does one piece of the write path so many times, for something else to count what it costs: benches/instructions/run.
//!
//! `instructions decide|append|group|recover TIMES`

#![allow(clippy::unwrap_used, reason = "it runs under a counter, and may stop")]

#[path = "../write_path/work.rs"]
mod work;

use work::{Desk, append, fill, opened, reserved};

/// Events that one recovery reads; run divides by it.
const RECOVERED_EVENTS: u64 = 20_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (piece, times) = (arguments.next().unwrap(), arguments.next().unwrap().parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    match piece.as_str() {
        "decide" => {
            let mut desk = Desk::new(1_000);
            (0..times).for_each(|_| desk.decide());
        }
        "append" | "group" => {
            let node = opened(directory.path());
            let (event, key) = reserved();
            let events = [event];
            (0..times).for_each(|_| append(&node, &events, Some(&key)));
            if piece == "group" {
                node.log.write_waiting().unwrap();
            }
        }
        "recover" => {
            fill(&opened(directory.path()), RECOVERED_EVENTS);
            (0..times).for_each(|_| drop(opened(directory.path())));
        }
        other => panic!("{other} is no piece of the write path"),
    }
}
