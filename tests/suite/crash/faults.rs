//! The operations that the faults strike, and the ways in which the machine ends.

use super::{Run, SETTINGS, Then};
use crate::counts::counted;
use crate::node::World;
use onhand_sim_machine::disk::{Crash, Fault, Injection, SimDisk};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::runtime::{Builder, Runtime};

const FAULTS: [Fault; 6] =
    [Fault::Crash, Fault::Eio, Fault::EioAfterEffect, Fault::NoSpace, Fault::ShortWrite, Fault::Panic];

const ENDS: [Crash; 6] = [
    Crash::DropUnsynced,
    Crash::ProcessKill,
    Crash::PowerCut { seed: 1 },
    Crash::PowerCut { seed: 2 },
    Crash::PowerCut { seed: 3 },
    Crash::PowerCut { seed: 4 },
];

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// Suppresses the messages of planned panics.
fn hush() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let planned =
                info.payload().downcast_ref::<String>().is_some_and(|text| text.starts_with("planned panic"));
            if !planned {
                usual(info);
            }
        }));
    });
}

/// Plays the script with a fault at operation `n`; none when the script ended before.
fn run(runtime: &Runtime, n: u64, fault: Fault, sticky: bool, then: Then) -> Option<Run> {
    let mut run = Run::new(n, then);
    let injection = Injection::at(n, fault);
    run.stage.world.disk.inject(if sticky { injection.sticky() } else { injection });
    // A planned panic ends the process where it strikes.
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(run.play())));
    if let Err(panic) = outcome {
        let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        if !text.starts_with("planned panic") {
            std::panic::resume_unwind(panic);
        }
    }
    (!run.stage.world.disk.hits().is_empty()).then_some(run)
}

fn every_fault(sticky: bool, then: Then, ends: &[Crash], least: usize) {
    hush();
    let runtime = runtime();
    let mut struck = BTreeSet::new();
    let (mut faults, mut recoveries) = (0, 0);
    for fault in FAULTS {
        for n in 1.. {
            let told = format!("fault {fault:?} at operation {n}, sticky {sticky}, then {then:?}");
            let played = catch_unwind(AssertUnwindSafe(|| run(&runtime, n, fault, sticky, then)));
            let Some(run) = played.expect(&told) else { break };
            struck.extend(run.stage.world.disk.hits().into_keys());
            faults += 1;
            recoveries += ends.len();
            for end in ends {
                let recover = || runtime.block_on(run.recover(run.left(*end), true));
                let recovered = catch_unwind(AssertUnwindSafe(recover));
                assert!(recovered.is_ok(), "{told}, then {end:?}");
            }
        }
    }
    assert!(struck.len() >= least, "too few kinds of operations were struck: {struck:?}");
    let kinds = struck.len();
    let figures = format!("{faults} faults, {kinds} kinds of fault and call, {recoveries} recoveries");
    counted(&format!("n-th operation fails, sticky {sticky}, then {then:?}"), figures);
}

#[test]
fn every_single_fault_is_survived() {
    every_fault(false, Then::End, &ENDS, 50);
}

#[test]
fn every_lasting_fault_is_survived() {
    every_fault(true, Then::End, &ENDS, 50);
}

#[test]
fn after_every_fault_the_node_goes_on_without_a_restart() {
    for sticky in [false, true] {
        every_fault(sticky, Then::Mend, &[Crash::DropUnsynced, Crash::PowerCut { seed: 5 }], 50);
    }
}

#[test]
fn every_fault_of_a_probe_is_survived() {
    hush();
    let runtime = runtime();
    let mut probes = 0;
    for first in [Fault::Eio, Fault::ShortWrite] {
        for n in 1.. {
            let Some(ended) = run(&runtime, n, first, false, Then::End) else { break };
            if ended.stage.world.disk.is_stopped() || !ended.refused {
                continue;
            }
            for fault in FAULTS {
                for m in 1.. {
                    let then = Then::MendLater(m, fault);
                    let told = format!("fault {first:?} at operation {n}, then {then:?}");
                    let played = catch_unwind(AssertUnwindSafe(|| run(&runtime, n, first, false, then)));
                    let run = played.expect(&told).expect("it struck before");
                    if struck(&run.stage.world.disk) == struck(&ended.stage.world.disk) {
                        break;
                    }
                    probes += 1;
                    let end = if m % 2 == 0 { Crash::DropUnsynced } else { Crash::PowerCut { seed: m } };
                    let recover = || runtime.block_on(run.recover(run.left(end), n % 4 == 0));
                    let recovered = catch_unwind(AssertUnwindSafe(recover));
                    assert!(recovered.is_ok(), "{told}, then {end:?}");
                }
            }
        }
    }
    assert!(probes > 1_000, "{probes}");
    counted("n-th operation of a probe fails", format!("{probes} faults"));
}

fn struck(disk: &SimDisk) -> u64 {
    disk.hits().values().sum()
}

/// Opens copies of the disk with a second fault at each operation of the opening, which ends in two ways.
fn second_faults(runtime: &Runtime, run: &Run, left: &SimDisk, told: &str) -> u64 {
    let mut count = 0;
    // An error only ends the opening; a crash may also leave a part of its work.
    let faults: &[Fault] =
        if left.operations().is_multiple_of(3) { &[Fault::Crash, Fault::Eio] } else { &[Fault::Crash] };
    for fault in faults.iter().copied() {
        for n in 1.. {
            let world = World { disk: left.fork(), ..World::new(SETTINGS) };
            world.disk.inject(Injection::at(left.operations() + n, fault));
            drop(world.try_open());
            if struck(&world.disk) == struck(left) {
                break;
            }
            count += 1;
            world.disk.clear_faults();
            let end = if n % 2 == 0 { Crash::DropUnsynced } else { Crash::PowerCut { seed: n } };
            world.disk.crash(end);
            let recover = || runtime.block_on(run.recover(world.disk.clone(), n % 8 == 0));
            let recovered = catch_unwind(AssertUnwindSafe(recover));
            assert!(
                recovered.is_ok(),
                "{told}, then {fault:?} at operation {n} of the opening, then {end:?}"
            );
        }
    }
    count
}

#[test]
fn a_second_fault_during_recovery_is_survived() {
    hush();
    let runtime = runtime();
    let mut count = 0;
    for n in 1.. {
        let Some(run) = run(&runtime, n, Fault::Crash, false, Then::End) else { break };
        for end in [Crash::PowerCut { seed: n }, Crash::ProcessKill] {
            let told = format!("crash at operation {n}, then {end:?}");
            count += second_faults(&runtime, &run, &run.left(end), &told);
        }
    }
    assert!(count > 10_000, "{count}");
    counted("a second fault inside recovery", format!("{count} pairs of faults"));
}

#[test]
fn the_script_by_itself_reaches_what_it_is_for() {
    let runtime = runtime();
    let mut run = Run::new(0, Then::End);
    assert!(runtime.block_on(run.play()));
    let files = run.stage.world.disk.files();
    let count = |extension: &str| {
        files.iter().filter(|path| path.extension().is_some_and(|e| e == extension)).count()
    };
    assert!(count("jsonl") >= 3 && count("idx") >= 2 && count("json") == 3, "{files:?}");
    runtime.block_on(run.recover(run.left(Crash::DropUnsynced), true));
}
