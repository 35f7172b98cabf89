//! The bytes of principals, tokens and the mode, which were added to format 2 later: `tests/golden/format-2-identity`.

use super::{FORMAT, are_golden, whole};
use crate::node::World;
use crate::rules;
use onhand_app::Meta;
use onhand_domain::identity::{
    Access, Grant, Mode, ModeCommand, Principal, PrincipalCommand, PrincipalId, PrincipalKind, Revocation,
    Token, TokenChange, TokenCommand, TokenId, TokenKind,
};
use onhand_domain::{Command, EventKind, Expected, Timestamp};
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::SimDisk;
use std::fs;
use std::path::{Path, PathBuf};

const SETTINGS: SimSettings =
    SimSettings { segment_bytes: 1 << 20, snapshot_every: 4, idempotency_ttl_ms: 300_000, archive: false };
const SNAPSHOT: &str = "snapshots/node-6.json";
const FILES: [&str; 3] = ["node.json", "log/00000000000000000001.jsonl", SNAPSHOT];
/// The format in which they came.
const FIRST: u32 = 2;

fn directory(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/format-{format}-identity"))
}

fn principal(kind: PrincipalKind, bits: u64, grants: &str) -> PrincipalCommand {
    let grants: Vec<Grant> = serde_json::from_str(grants).unwrap();
    PrincipalCommand {
        principal_id: PrincipalId::of_bits(kind, bits),
        expected: Expected::Any,
        create: true,
        principal: Principal { kind, grants, disabled: false },
        granter: Access::FULL,
    }
}

fn token(
    bits: u64,
    kind: TokenKind,
    owner: &PrincipalId,
    change: impl FnOnce(Token) -> TokenChange,
) -> Command {
    let token = Token {
        principal_id: owner.clone(),
        kind,
        created_at: Timestamp::from_milliseconds(1_764_000_000_000),
        expires_at: Timestamp::from_milliseconds(4_000_000_000_000),
        revoked: false,
    };
    Command::Token(TokenCommand {
        token_id: TokenId::of_bits(bits),
        expected: Expected::Any,
        principal_id: owner.clone(),
        change: change(token),
        granter: Access::FULL,
    })
}

const TILL: &str = r#"[{"role":"till","stores":["BERLIN","PARIS"]},{"permission":"write:inventory"}]"#;

async fn write(world: &World) -> SimNode {
    let mut node = world.open();
    let admin = principal(PrincipalKind::Service, 1, r#"[{"role":"admin"}]"#);
    let team = principal(PrincipalKind::Team, 2, r#"[{"role":"team","team":"red"}]"#);
    let till = principal(PrincipalKind::Service, 3, TILL);
    let (desk, counter) = (admin.principal_id.clone(), till.principal_id.clone());
    let soon = Timestamp::from_milliseconds(1_900_000_000_000);
    for (command, meta) in [
        (
            token(1, TokenKind::Service, &desk, |token| TokenChange::Issue(token, Box::new(admin))),
            whole("k-1", "token"),
        ),
        (
            token(2, TokenKind::Till, &counter, |token| TokenChange::Issue(token, Box::new(till))),
            Meta::default(),
        ),
        (Command::Principal(team), Meta::default()),
        (Command::Mode(ModeCommand { expected: Expected::Any, mode: Mode::Judging }), Meta::default()),
    ] {
        node.execute(command, &meta).await.unwrap();
        world.clock.pass(1_001);
    }
    node.upkeep().unwrap();
    let replace = |token| TokenChange::Replace(token, TokenId::of_bits(2), soon);
    node.execute(token(3, TokenKind::Till, &counter, replace), &Meta::default()).await.unwrap();
    node.execute(
        token(2, TokenKind::Till, &counter, |_| TokenChange::Revoke(Revocation::OfLastToo)),
        &Meta::default(),
    )
    .await
    .unwrap();
    node
}

/// The kinds of its events, as today's program reads them, from the snapshot and from the log alone.
pub(super) async fn kinds(format: u32) -> Vec<EventKind> {
    if format < FIRST {
        return Vec::new();
    }
    let disk = SimDisk::new(1);
    for file in FILES {
        disk.put(Path::new("/data").join(file), &fs::read(directory(format).join(file)).unwrap());
    }
    let entries = rules::entries(&disk);
    rules::check(&entries);
    for with_snapshot in [true, false] {
        let disk = disk.fork();
        if !with_snapshot {
            onhand_disk::Disk::remove(&disk, &Path::new("/data").join(SNAPSHOT)).unwrap();
        }
        let node = World { disk, ..World::new(SETTINGS) }.open();
        assert_eq!(node.report.snapshot.0, if with_snapshot { 6 } else { 0 });
        assert_eq!(node.ledger.mode(), Mode::Judging);
        let team = PrincipalId::of_bits(PrincipalKind::Team, 2);
        assert!(node.ledger.authority(&team).is_some());
        let token = |bits| node.ledger.token_now(&TokenId::of_bits(bits)).unwrap();
        assert_eq!([1, 2, 3].map(|bits| token(bits).revoked), [false, true, false]);
        let counter = PrincipalId::of_bits(PrincipalKind::Service, 3);
        let master = node.drive(node.ledger.principal(&counter)).await.unwrap().unwrap();
        assert_eq!(serde_json::to_string(&master.details.unwrap().grants).unwrap(), TILL);
    }
    entries.iter().flat_map(|entry| &entry.events).map(|event| event.kind).collect()
}

#[tokio::test]
async fn today_writes_the_bytes_of_identity() {
    let world = World::new(SETTINGS);
    let _node = write(&world).await;
    are_golden(&world.disk, &FILES, &directory(FORMAT));
}
