//! Several processes on one data directory, run by one seed: who may change a level goes from one to the other, and they are
//! killed at any call, stopped, paused in the middle of what they do, past the time of their leases; their disks refuse, their
//! wall clocks are wrong, others join at any moment, and the directory may have been that of one process before.
//!
//! What nobody was told of may have happened or not, and may still come to be known when its process is taken over from. So
//! there is not one oracle but one for each way it may have gone; what is seen says which of them are still possible, and one
//! must be. What depends on time has no part in them: holds that run out and an import are followed on their own (`timed.rs`).
//!
//! | file | what it does |
//! | --- | --- |
//! | `run` | one run: which process is asked, and how its answer is compared |
//! | `group`, `group_time` | the processes on one disk, moved on in turns, and how time passes for all of them |
//! | `process`, `clock` | one process, and its clocks |
//! | `possible_histories` | what may have happened: one oracle for each way |
//! | `timed`, `timed_effects` | holds that run out, and an import |
//! | `views`, `disturbances`, `final_checks` | what processes show, what happens to them, and the end of a run |

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
