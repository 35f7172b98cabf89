//! A node as a state machine: any sequence of commands, retries, upkeep, time, crashes and restarts, against the oracle.

use crate::model_check::SKUS;
use crate::oracle::{Act, Expect, LevelRequest, LevelVerb};
use onhand_sim::model_check::steps::{Activity, ModelStep, Relapse, StepRunner};
use onhand_sim::node::SimSettings;
use onhand_sim_machine::disk::{Crash, Fault};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use tokio::runtime::{Builder, Runtime};

fn wish() -> impl Strategy<Value = LevelVerb> {
    let id = 0..8_u32;
    let some = || prop::option::of(1..4_i64);
    prop_oneof![
        4 => prop_oneof![1..12_i64, -4..0_i64].prop_map(LevelVerb::Adjust),
        4 => (1..5_i64, id.clone(), prop::option::of(1..40_i64))
            .prop_map(|(pieces, id, ttl_seconds)| LevelVerb::Reserve { pieces, id, ttl_seconds }),
        2 => (id.clone(), some()).prop_map(|(id, pieces)| LevelVerb::Release { id, pieces }),
        3 => (id, some(), any::<bool>()).prop_map(|(id, pieces, close)| LevelVerb::Commit { id, pieces, close }),
        1 => (0..15_i64).prop_map(LevelVerb::Count),
    ]
}

fn order(expect: impl Strategy<Value = Expect>) -> impl Strategy<Value = LevelRequest> {
    (prop::sample::select(&SKUS[..]), expect, wish()).prop_map(|(sku, expect, wish)| LevelRequest {
        sku,
        expect,
        wish,
    })
}

fn act() -> impl Strategy<Value = Act> {
    let key = || prop::option::weighted(0.6, 0..10_u32);
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

fn doing() -> impl Strategy<Value = Activity> {
    prop_oneof![6 => acts().prop_map(Activity::Acts), 1 => Just(Activity::Due), 1 => Just(Activity::Upkeep)]
}

fn relapse() -> impl Strategy<Value = Relapse> {
    let fault = prop_oneof![1 => Just(Fault::Crash), 1 => refusal()];
    (0..40_u64, fault, crash()).prop_map(|(at, fault, how)| Relapse { at, fault, how })
}

/// The reference has no state: every step is possible at any time.
struct Plays;

impl ReferenceStateMachine for Plays {
    type State = ();
    type Transition = ModelStep;

    fn init_state() -> BoxedStrategy<()> {
        Just(()).boxed()
    }

    fn transitions((): &()) -> BoxedStrategy<ModelStep> {
        prop_oneof![
            12 => acts().prop_map(|acts| ModelStep::Do(Activity::Acts(acts))),
            2 => any::<usize>().prop_map(ModelStep::Again),
            2 => prop_oneof![0..20_000_i64, -5_000..0_i64].prop_map(ModelStep::Pass),
            1 => Just(ModelStep::Do(Activity::Due)),
            2 => Just(ModelStep::Do(Activity::Upkeep)),
            1 => (prop::sample::select(&SKUS[..]), 0..60_u64).prop_map(|(sku, at)| ModelStep::Look(sku, at)),
            1 => crash().prop_map(|how| ModelStep::Crash(Activity::Nothing, 0, how, Vec::new())),
            2 => (doing(), 0..8_u64, refusal(), any::<bool>())
                .prop_map(|(doing, at, fault, sticky)| ModelStep::Refuse { doing, at, fault, sticky }),
            2 => (doing(), 0..8_u64, crash(), prop::collection::vec(relapse(), 0..2))
                .prop_map(|(doing, at, how, relapses)| ModelStep::Crash(doing, at, how, relapses)),
        ]
        .boxed()
    }

    fn apply((): (), _: &ModelStep) {}
}

/// The node under test.
struct Playing {
    runtime: Runtime,
    play: StepRunner,
}

impl Playing {
    fn step(&mut self, step: &ModelStep) {
        self.runtime.block_on(self.play.step(step));
        self.runtime.block_on(self.play.stage.check_levels(self.play.running()));
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
        let runtime = Builder::new_current_thread().build().unwrap();
        Self { runtime, play: StepRunner::on(settings) }
    }

    fn apply(mut playing: Self, (): &(), step: ModelStep) -> Self {
        playing.step(&step);
        playing
    }

    fn teardown(mut playing: Self, (): ()) {
        for how in [Crash::DropUnsynced, Crash::ProcessKill] {
            playing.step(&ModelStep::Crash(Activity::Nothing, 0, how, Vec::new()));
        }
    }
}

prop_state_machine! {
    #![proptest_config(crate::properties::config())]

    /// In every sequence the node equals the oracle: acknowledged exactly once, unacknowledged at most once.
    #[test]
    fn a_node_is_its_oracle_through_everything(sequential 1..40 => Playing);
}
