//! The ledger over the log in memory: it depends on ports only, so it must answer as over files.

use crate::node::{adjust, keyed, reserve};
use crate::ports::memory::{MemoryLog, MemoryNode, Mistake};
use crate::ports::{Node, wait};
use onhand_app::fold::Fold;
use onhand_app::ports::{Clock, EventIds, EventLog};
use onhand_app::{CommandError, Ledger, Meta, Outcome, Parts, Restored, known_effects};
use onhand_domain::{Command, Sku, StoreId};
use onhand_sim::node::SimSettings;
use onhand_sim::world::World;
use onhand_sim_machine::disk::{DiskOperation, Fault, Injection};
use onhand_sim_machine::{SimClock, SimIds};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// The number of the command during which the disk fails.
const FAILING: usize = 25;

/// A ledger over a log in memory, which is written while a command is awaited.
struct InMemory {
    ledger: Ledger,
    log: Arc<MemoryLog>,
}

impl InMemory {
    fn open(node: &MemoryNode, clock: &Arc<SimClock>, ids: &Arc<SimIds>) -> Self {
        let (mut fold, mut known) = (Fold::default(), Vec::new());
        for entry in node.entries() {
            fold.add(&entry).unwrap();
            known.extend(known_effects(&entry));
        }
        let log = node.shared_log();
        let parts = Parts {
            log: Arc::clone(&log) as Arc<dyn EventLog>,
            history: node.history(),
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            ids: Arc::clone(ids) as Arc<dyn EventIds>,
            idempotency_ttl_ms: SimSettings::default().idempotency_ttl_ms,
        };
        let head = fold.sequence;
        Self { ledger: Ledger::new(parts, Restored { states: fold.states, known }, head), log }
    }

    async fn execute(&self, command: Command, meta: &Meta) -> Result<Outcome, CommandError> {
        let mut work = pin!(self.ledger.execute(command, meta));
        std::future::poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => {
                self.log.write();
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await
    }
}

/// A few dozen commands: deliveries, reservations and repeats, with keys and without, some of them rejected.
fn commands() -> Vec<(Command, Meta)> {
    let sku = |number: usize| ["TEA", "RICE", "SALT"][number / 6 % 3];
    let command = |number: usize| match number % 6 {
        0 => (adjust(sku(number), 3), Meta::default()),
        // Two in turn have the same key: a retry, or another payload under it.
        1 | 2 => (adjust(sku(0), 1), keyed(&format!("k-{}", number / 6), &format!("{}", number % 12 / 8))),
        3 => (reserve(sku(number), 2, &format!("r-{number}"), Some(60)), Meta::default()),
        4 => (reserve(sku(number), 4, &format!("r-{number}"), None), keyed(&format!("r-{number}"), "")),
        _ => (adjust(sku(number), -90), Meta::default()),
    };
    (0..48).map(command).collect()
}

/// The answer as text: ids and times included.
fn told(outcome: &Result<Outcome, CommandError>) -> String {
    format!("{outcome:?}")
}

#[test]
fn the_ledger_answers_over_a_log_in_memory_as_over_files() {
    wait(async {
        let world = World::new(SimSettings::default());
        let (clock, ids) = (Arc::new(SimClock::default()), Arc::<SimIds>::default());
        clock.set(world.clock.now());
        let mut node = MemoryNode::new(Mistake::Nothing);
        let (mut memory, mut file) = (InMemory::open(&node, &clock, &ids), world.open());
        // A new directory gets an id, too.
        ids.event_id();
        let (mut applied, mut all) = (0, String::new());
        for (number, (command, meta)) in commands().into_iter().enumerate() {
            if number == FAILING {
                world
                    .disk
                    .inject(Injection::at(world.disk.operations(), Fault::Eio).only(DiskOperation::WriteAt));
                node.fail_writes();
            }
            let told_by_file = told(&file.execute(command.clone(), &meta).await);
            let outcome = memory.execute(command, &meta).await;
            applied += usize::from(outcome.is_ok());
            assert_eq!(told(&outcome), told_by_file, "command {number}");
            all += &told_by_file;
            if number == FAILING {
                assert!(told_by_file.contains("ReadOnly"), "{told_by_file}");
                assert!(told(&memory.execute(adjust("TEA", 1), &Meta::default()).await).contains("ReadOnly"));
                assert!(told(&file.execute(adjust("TEA", 1), &Meta::default()).await).contains("ReadOnly"));
                world.disk.clear_faults();
                file.probe().unwrap();
                node.recover();
            }
            if number % 16 == 15 {
                drop((memory, file));
                node.restart();
                (memory, file) = (InMemory::open(&node, &clock, &ids), world.open());
            }
            clock.pass(7_000);
            world.clock.pass(7_000);
        }
        assert!((20..40).contains(&applied), "some are applied and some refused: {applied}");
        for word in ["replayed: true", "IdempotencyKeyReused", "InsufficientStock", "Expire"] {
            assert!(all.contains(word), "{word} was not met");
        }
        let store = StoreId::new("LONDON").unwrap();
        for sku in ["TEA", "RICE", "SALT"] {
            let sku = Sku::new(sku).unwrap();
            let over_files = file.ledger.level(&store, &sku).await.unwrap();
            assert_eq!(memory.ledger.level(&store, &sku).await.unwrap(), over_files);
            assert!(over_files.is_some(), "{sku}");
        }
    });
}
