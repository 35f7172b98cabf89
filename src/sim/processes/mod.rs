//! Several processes on one data directory, run by one seed: the right to change a level passes between them, and they
//! are killed at any disk call, stopped, paused in the middle of their work for longer than their leases last; their
//! disks fail, their wall clocks are wrong, others join at any moment, and the directory may have been that of one
//! process before.
//!
//! A change without an answer may have happened or not, and may still become visible when its process is taken over
//! from. So there is not one oracle but one for each possible history; every observation removes those that contradict
//! it, and one must remain. Holds that expire and an import depend on time: they are checked separately (`timed.rs`).
//!
//! | file | what it does |
//! | --- | --- |
//! | `run` | one run: chooses a process for each request, and checks its answer |
//! | `group`, `group_time` | the processes on one disk, advanced in turns, and their common time |
//! | `process`, `clock` | one process, and its clocks |
//! | `possible_histories` | one oracle for each history that may have happened |
//! | `timed`, `timed_effects` | holds that run out, and an import |
//! | `views`, `disturbances`, `final_checks` | the views of processes, their faults, and the end of a run |

mod clock;
mod disturbances;
mod final_checks;
mod group;
mod group_time;
mod possible_histories;
mod process;
mod run;
mod timed;
mod timed_effects;
mod views;

pub use run::SharedRun;
