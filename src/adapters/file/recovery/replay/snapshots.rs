//! Loading the states of a snapshot. The time goes into decoding, so a large snapshot is decoded on a pool of
//! threads while the caller reads on and collects the decoded states.

use crate::format::identity::NodeFile;
use crate::upkeep::snapshot::{SnapshotError, SnapshotReader, decode_state};
use onhand_app::ledger::fold::Fold;
use onhand_disk::Disk;
use onhand_domain::{Key, State, Timestamp};
use std::collections::HashMap;
use std::mem;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, Scope};

/// Bytes of lines that are decoded in one go.
const PIECE_BYTES: usize = 256 << 10;

type SnapshotStates = HashMap<Key, State>;
type DecodedStates = Result<Vec<(Key, State)>, SnapshotError>;

/// The states of a snapshot.
pub(crate) fn load_snapshot(disk: &dyn Disk, path: &Path, node: &NodeFile) -> Result<Fold, SnapshotError> {
    load(disk, path, node).map(|(fold, _, _)| fold)
}

/// A snapshot's states, the time of its last event, and its weight.
pub(super) fn load(
    disk: &dyn Disk,
    path: &Path,
    node: &NodeFile,
) -> Result<(Fold, Timestamp, u64), SnapshotError> {
    let mut reader = SnapshotReader::open(disk, path)?;
    if reader.node() != node.node {
        return Err(SnapshotError::Damaged(format!("it belongs to node {}", reader.node())));
    }
    let mut states = SnapshotStates::new();
    thread::scope(|scope| {
        let mut piece = Vec::new();
        let mut crew = None;
        reader.read(|line| {
            piece.extend_from_slice(line);
            if piece.len() < PIECE_BYTES {
                return Ok(());
            }
            let next = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 8);
            let full = mem::replace(&mut piece, next);
            crew.get_or_insert_with(|| Crew::gather(scope)).decode(full, &mut states)
        })?;
        match crew {
            None => take_in(decode(&piece), &mut states),
            Some(crew) => crew.finish(piece, &mut states),
        }
    })?;
    let fold = Fold { states, sequence: reader.sequence() };
    Ok((fold, reader.at(), reader.weight()))
}

/// The decoding threads, one for each core.
struct Crew {
    work: Vec<SyncSender<Vec<u8>>>,
    next: usize,
    done: Receiver<DecodedStates>,
}

impl Crew {
    fn gather<'scope>(scope: &'scope Scope<'scope, '_>) -> Self {
        let (sender, done) = channel();
        let member = |_| {
            // One piece waits, so that no thread is idle while the caller reads.
            let (work, pieces) = sync_channel(1);
            let done = sender.clone();
            scope.spawn(move || decode_all(&pieces, &done));
            work
        };
        let work = (0..thread::available_parallelism().map_or(1, usize::from)).map(member).collect();
        Self { work, next: 0, done }
    }

    /// Passes a piece to a thread, and collects the states decoded meanwhile.
    fn decode(&mut self, piece: Vec<u8>, states: &mut SnapshotStates) -> Result<(), SnapshotError> {
        self.next = (self.next + 1) % self.work.len();
        if let Some(member) = self.work.get(self.next) {
            member.send(piece).expect("a member of the crew works until it is let go");
        }
        self.done.try_iter().try_for_each(|decoded| take_in(decoded, states))
    }

    fn finish(mut self, last: Vec<u8>, states: &mut SnapshotStates) -> Result<(), SnapshotError> {
        self.decode(last, states)?;
        drop(self.work);
        self.done.iter().try_for_each(|decoded| take_in(decoded, states))
    }
}

fn decode_all(pieces: &Receiver<Vec<u8>>, done: &Sender<DecodedStates>) {
    for piece in pieces {
        // The caller may have stopped early.
        let _ = done.send(decode(&piece));
    }
}

fn decode(lines: &[u8]) -> DecodedStates {
    lines.split_inclusive(|byte| *byte == b'\n').map(decode_state).collect()
}

fn take_in(decoded: DecodedStates, states: &mut SnapshotStates) -> Result<(), SnapshotError> {
    states.extend(decoded?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upkeep::snapshot::SnapshotWriter;
    use onhand_disk::create_dir_durably;
    use onhand_disk::layout::Layout;
    use onhand_domain::Sequence;
    use onhand_sim_machine::disk::SimDisk;
    use uuid::Uuid;

    const NODE: NodeFile =
        NodeFile { node: Uuid::from_u128(7), format: 1, created: Timestamp::EPOCH, ledger: None };

    /// Loads a snapshot of these lines.
    fn loaded(lines: impl Iterator<Item = String>) -> Result<(Fold, Timestamp, u64), SnapshotError> {
        let disk = SimDisk::new(1);
        let layout = Layout::new(Path::new("/data"));
        create_dir_durably(&disk, &layout.snapshots()).unwrap();
        let mut writer =
            SnapshotWriter::create(&disk, &layout, NODE.node, Sequence(9), Timestamp::EPOCH).unwrap();
        for line in lines {
            writer.copy(line.as_bytes(), 0).unwrap();
        }
        writer.finish(&disk).unwrap();
        load(&disk, &layout.snapshot(Sequence(9)), &NODE)
    }

    fn level(number: usize) -> String {
        format!(
            r#"{{"level":{{"storeId":"LONDON","sku":"{number}","onHand":{number},"reserved":0,"version":1,"updatedAt":"2026-11-20T16:00:00.000Z","holds":[]}}}}{}"#,
            '\n'
        )
    }

    #[test]
    fn all_states_are_there_however_many_threads_decoded_them() {
        for count in [0, 1, 10_000] {
            let (fold, _, weight) = loaded((0..count).map(level)).unwrap();
            assert_eq!((fold.states.len(), weight, fold.sequence), (count, count as u64, Sequence(9)));
            for number in 0..count {
                let (key, state) = decode_state(level(number).as_bytes()).unwrap();
                assert_eq!(fold.states.get(&key), Some(&state));
            }
        }
    }

    #[test]
    fn one_malformed_line_makes_the_snapshot_damaged() {
        for place in [0, 5_000, 9_999] {
            let lines =
                (0..10_000).map(|number| if number == place { "{}\n".to_owned() } else { level(number) });
            let spoilt = loaded(lines);
            assert!(matches!(spoilt, Err(SnapshotError::Damaged(_))), "at {place}");
        }
    }
}
