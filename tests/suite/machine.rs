//! A node as a state machine: any sequence of commands, retries, upkeep, time, crashes and restarts, against the oracle.

use crate::oracle::{Act, Expect, Order, Wish};
use crate::stage::{SKUS, Stage, ask};
use onhand::resilience::Position;
use onhand::sim::disk::{Crash, Fault, Injection};
use onhand::sim::node::{SimNode, SimSettings};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use tokio::runtime::{Builder, Runtime};

/// One step of a play.
#[derive(Debug, Clone)]
enum Step {
    /// Acts that arrive before the disk is written.
    Together(Vec<Act>),
    /// An earlier act again.
    Again(usize),
    /// Milliseconds pass, or are taken back.
    Pass(i64),
    /// The timer for due holds.
    Due,
    /// Indexes and snapshots.
    Upkeep,
    /// The process ends between two acts.
    Restart(Crash),
    /// The machine stops during these acts, at that operation of the disk.
    CrashDuring(Vec<Act>, u64, Crash),
    /// The disk refuses during these acts, from that operation on; then it is well again.
    RefuseDuring(Vec<Act>, u64, Fault),
}

fn wish() -> impl Strategy<Value = Wish> {
    let id = 0..8_u8;
    let some = || prop::option::of(1..4_i64);
    prop_oneof![
        4 => prop_oneof![1..12_i64, -4..0_i64].prop_map(Wish::Adjust),
        4 => (1..5_i64, id.clone(), prop::option::of(1..40_i64))
            .prop_map(|(pieces, id, ttl_seconds)| Wish::Reserve { pieces, id, ttl_seconds }),
        2 => (id.clone(), some()).prop_map(|(id, pieces)| Wish::Release { id, pieces }),
        3 => (id, some(), any::<bool>()).prop_map(|(id, pieces, close)| Wish::Commit { id, pieces, close }),
        1 => (0..15_i64).prop_map(Wish::Count),
    ]
}

fn order(expect: impl Strategy<Value = Expect>) -> impl Strategy<Value = Order> {
    (prop::sample::select(&SKUS[..]), expect, wish()).prop_map(|(sku, expect, wish)| Order {
        sku,
        expect,
        wish,
    })
}

fn act() -> impl Strategy<Value = Act> {
    let key = || prop::option::weighted(0.6, 0..10_u8);
    let expect = prop_oneof![6 => Just(Expect::Any), 1 => Just(Expect::Exists), 1 => Just(Expect::Right), 1 => Just(Expect::Wrong)];
    let in_batch =
        || prop_oneof![8 => Just(Expect::Any), 1 => Just(Expect::Exists), 1 => Just(Expect::Wrong)];
    let items = prop::collection::vec((order(in_batch()), key()), 1..6);
    prop_oneof![
        4 => (order(expect), key()).prop_map(|(order, key)| Act::One(order, key)),
        1 => (any::<bool>(), items, key()).prop_map(|(atomic, items, key)| Act::Batch { atomic, items, key }),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    prop_oneof![3 => prop::collection::vec(act(), 1), 1 => prop::collection::vec(act(), 2..6)]
}

fn crash() -> impl Strategy<Value = Crash> {
    let cut = any::<u64>().prop_map(|seed| Crash::PowerCut { seed });
    prop_oneof![3 => cut, 1 => Just(Crash::ProcessKill), 1 => Just(Crash::DropUnsynced)]
}

fn refusal() -> impl Strategy<Value = Fault> {
    prop::sample::select(&[Fault::Eio, Fault::EioAfterEffect, Fault::NoSpace, Fault::ShortWrite][..])
}

/// Every step is possible at any time, so the reference has nothing to remember.
struct Plays;

impl ReferenceStateMachine for Plays {
    type State = ();
    type Transition = Step;

    fn init_state() -> BoxedStrategy<()> {
        Just(()).boxed()
    }

    fn transitions((): &()) -> BoxedStrategy<Step> {
        prop_oneof![
            12 => acts().prop_map(Step::Together),
            2 => any::<usize>().prop_map(Step::Again),
            2 => prop_oneof![0..20_000_i64, -5_000..0_i64].prop_map(Step::Pass),
            1 => Just(Step::Due),
            2 => Just(Step::Upkeep),
            1 => crash().prop_map(Step::Restart),
            2 => (acts(), 0..8_u64, refusal()).prop_map(|(acts, n, fault)| Step::RefuseDuring(acts, n, fault)),
            2 => (acts(), 0..8_u64, crash()).prop_map(|(acts, n, how)| Step::CrashDuring(acts, n, how)),
        ]
        .boxed()
    }

    fn apply((): (), _: &Step) {}
}

/// The node under test.
struct Playing {
    runtime: Runtime,
    stage: Stage,
    node: Option<SimNode>,
    played: Vec<Act>,
}

impl Playing {
    fn step(&mut self, step: Step) {
        let Self { runtime, stage, node, played } = self;
        let running = node.as_mut().expect("a node runs between two steps");
        match step {
            Step::Together(acts) => {
                runtime.block_on(stage.play(running, &acts));
                played.extend(acts);
            }
            Step::Again(index) if !played.is_empty() => {
                let act = played[index % played.len()].clone();
                runtime.block_on(stage.play(running, &[act]));
            }
            Step::Again(_) => {}
            Step::Pass(milliseconds) => stage.pass(milliseconds),
            Step::Due => runtime.block_on(stage.pass_due(running)),
            Step::Upkeep => {
                running.upkeep().unwrap();
            }
            Step::Restart(how) => {
                *node = None;
                stage.world.disk.crash(how);
                *node = Some(runtime.block_on(stage.reopen(&[], false)));
            }
            Step::CrashDuring(acts, n, how) => {
                let disk = stage.world.disk.clone();
                disk.inject(Injection::at(disk.operations() + 1 + n, Fault::Crash));
                let heard = runtime.block_on(ask(running, &stage.oracle, stage.clock(), &acts));
                *node = None;
                disk.crash(how);
                disk.clear_faults();
                let open = stage.hold(&acts, heard);
                *node = Some(runtime.block_on(stage.reopen(&open.unknown, false)));
                played.extend(acts);
            }
            Step::RefuseDuring(acts, n, fault) => {
                let disk = stage.world.disk.clone();
                disk.inject(Injection::at(disk.operations() + 1 + n, fault).sticky());
                let heard = runtime.block_on(ask(running, &stage.oracle, stage.clock(), &acts));
                stage.hold(&acts, heard);
                runtime.block_on(stage.check_levels(running));
                if running.ledger.log().breaker() == Position::Open {
                    stage.took_back();
                    // It may or may not get through what refuses still.
                    let _ = running.probe();
                    disk.clear_faults();
                    running.probe().unwrap();
                }
                disk.clear_faults();
                played.extend(acts);
            }
        }
        let running = node.as_ref().expect("a node runs between two steps");
        runtime.block_on(stage.check_levels(running));
    }
}

impl StateMachineTest for Playing {
    type SystemUnderTest = Self;
    type Reference = Plays;

    fn init_test((): &()) -> Self {
        let settings = SimSettings {
            segment_bytes: 3_000,
            snapshot_every: 7,
            idempotency_ttl_ms: 60_000,
            archive: true,
        };
        let stage = Stage::new(settings);
        let node = Some(stage.world.open());
        let runtime = Builder::new_current_thread().build().unwrap();
        Self { runtime, stage, node, played: Vec::new() }
    }

    fn apply(mut playing: Self, (): &(), step: Step) -> Self {
        playing.step(step);
        playing
    }

    fn teardown(mut playing: Self, (): ()) {
        playing.step(Step::Restart(Crash::DropUnsynced));
        playing.step(Step::Restart(Crash::ProcessKill));
    }
}

prop_state_machine! {
    #![proptest_config(crate::properties::config())]

    /// Whatever happens, the node is the oracle: acknowledged exactly once, unacknowledged at most once.
    #[test]
    fn a_node_is_its_oracle_through_everything(sequential 1..40 => Playing);
}
