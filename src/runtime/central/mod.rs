//! The central model of a process: the worker that keeps it, and the election of one worker among several processes.
//!
//! | file | what it does |
//! | --- | --- |
//! | `worker` | a worker over a disk and a clock, the lock that allows only one, its last pass |
//! | `sources` | the logs that a worker follows |
//! | `election` | the role of this process: worker, candidate, or reader of another worker's files |
//! | `mirror` | shows the model that another process saves |

pub mod election;
mod mirror;
pub mod sources;
pub mod worker;
