//! Vaults on a simulated disk, cut off and disturbed at each operation, for the tests of this package.

use crate::error::VaultError;
use crate::vault::FileVault;
use onhand_app::ports::{KeptPerson, KeptToken, Managed, Vault};
use onhand_domain::Timestamp;
use onhand_domain::identity::{PrincipalId, PrincipalKind, TokenId};
use onhand_sim_machine::disk::{Crash, Fault, Injection, SimDisk};
use onhand_sim_machine::random::Random;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) const DIRECTORY: &str = "/data/identity";
/// Every login that the tests use, some in other letters than they were kept in.
const LOGINS: [&str; 6] = ["ada", "ADA", "bob", "cleo", "ada@example.com", "Bob@Example.com"];
const IDS: u64 = 4;

/// What a vault holds before.
pub(crate) type Prepare<'a> = &'a dyn Fn(&FileVault);
/// A change of a vault, which says whether it was answered with success.
pub(crate) type Change<'a> = &'a dyn Fn(&FileVault) -> bool;

pub(crate) fn open(disk: &SimDisk) -> Result<FileVault, VaultError> {
    let random = Mutex::new(Random::new(7));
    let source = move || {
        let mut bytes = [0; 32];
        random.lock().fill(&mut bytes);
        bytes
    };
    FileVault::open_with(Arc::new(disk.clone()), DIRECTORY.into(), Arc::new(source))
}

pub(crate) fn opened(disk: &SimDisk) -> FileVault {
    open(disk).unwrap_or_else(|error| panic!("the vault does not open: {error}"))
}

pub(crate) fn person_id(number: u64) -> PrincipalId {
    PrincipalId::of_bits(PrincipalKind::Person, number)
}

pub(crate) fn token_id(number: u64) -> TokenId {
    TokenId::of_bits(number)
}

pub(crate) fn person(login: &str, email: Option<&str>, password: Option<&str>) -> KeptPerson {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    KeptPerson {
        login: login.to_owned(),
        name: Some("Somebody".to_owned()),
        email: owned(email),
        password: owned(password),
        created_at: Timestamp::EPOCH,
    }
}

pub(crate) fn kept_token(byte: u8) -> KeptToken {
    KeptToken { name: "till-3".to_owned(), sha256: [byte; 32] }
}

/// All that a vault answers, in lines.
pub(crate) fn seen(vault: &FileVault) -> Vec<String> {
    let mut lines = Vec::new();
    for number in 0..IDS {
        if let Some(person) = vault.person(&person_id(number)).unwrap() {
            let KeptPerson { login, name, email, password, .. } = person;
            lines.push(format!("person {number}: {login} {name:?} {email:?} {password:?}"));
        }
        if let Some(token) = vault.token(&token_id(number)).unwrap() {
            lines.push(format!("token {number}: {} {:?}", token.name, token.sha256));
        }
    }
    lines.push(format!("{} sessions", vault.sessions_kept()));
    for login in LOGINS {
        if let Some(id) = vault.person_of(login).unwrap() {
            lines.push(format!("login {login}: {id}"));
        }
    }
    let managed = vault.managed().unwrap();
    if managed != Managed::default() {
        lines.push(format!("managed {managed:?}"));
    }
    lines
}

/// Every person is found by all of their logins: then no login is of two.
pub(crate) fn require_sound(vault: &FileVault, context: &str) {
    for id in (0..IDS).map(person_id) {
        if let Some(person) = vault.person(&id).unwrap() {
            for login in [Some(person.login), person.email].into_iter().flatten() {
                let owner = vault.person_of(&login).unwrap();
                assert_eq!(owner.as_ref(), Some(&id), "{login} is of another, {context}");
            }
        }
    }
}

/// The files on the disk that have that text in their name or content.
pub(crate) fn files_with(disk: &SimDisk, text: &str) -> Vec<PathBuf> {
    let has = |path: &PathBuf| {
        let bytes = disk.file(path).unwrap_or_default();
        path.to_string_lossy().contains(text) || bytes.windows(text.len()).any(|part| part == text.as_bytes())
    };
    disk.files().into_iter().filter(has).collect()
}

/// Every way in which a stop can end, several power cuts among them.
pub(crate) fn crashes() -> impl Iterator<Item = Crash> {
    let cuts = (0..12).map(|seed| Crash::PowerCut { seed });
    cuts.chain([Crash::ProcessKill, Crash::DropUnsynced])
}

fn prepared(seed: u64, prepare: Prepare<'_>) -> (SimDisk, FileVault) {
    let disk = SimDisk::new(seed);
    let vault = opened(&disk);
    prepare(&vault);
    (disk, vault)
}

/// What is seen before and after a change that nothing disturbs.
fn states(prepare: Prepare<'_>, change: Change<'_>) -> (Vec<String>, Vec<String>) {
    let (_, vault) = prepared(0, prepare);
    let old = seen(&vault);
    assert!(change(&vault), "undisturbed it works");
    let new = seen(&vault);
    assert_ne!(old, new, "a change changes something");
    (old, new)
}

/// Stops the machine at each operation of a change: what is left is the old state or the new one, and the new one when the
/// change was answered with success. Made again, it comes out as if nothing had been.
pub(crate) fn stop_at_every_operation(prepare: Prepare<'_>, change: Change<'_>) {
    let (old, new) = states(prepare, change);
    for n in 1.. {
        let (disk, vault) = prepared(n, prepare);
        disk.inject(Injection::at(disk.operations() + n, Fault::Crash));
        let done = change(&vault);
        let struck = disk.is_stopped();
        assert!(done || struck);
        for how in crashes() {
            let context = format!("stopped at operation {n}, {how:?}");
            let disk = disk.fork();
            disk.clear_faults();
            disk.crash(how);
            let vault = opened(&disk);
            let left = seen(&vault);
            assert!(left == new || (left == old && !done), "{context}, done: {done}\n{left:#?}");
            require_sound(&vault, &context);
            assert!(left == new || change(&vault), "{context}");
            disk.crash(Crash::DropUnsynced);
            assert_eq!(seen(&opened(&disk)), new, "{context}, and again");
            assert_eq!(files_with(&disk, ".tmp"), Vec::<PathBuf>::new(), "{context}");
        }
        if !struck {
            assert!(n > 5, "the change has few operations: {n}");
            break;
        }
    }
}

/// Lets each operation of a change fail: an error leaves the old state (or, where `may_have_happened`, either), now and after
/// a power cut; success is the new state.
pub(crate) fn fail_at_every_operation(prepare: Prepare<'_>, change: Change<'_>, may_have_happened: bool) {
    let (old, new) = states(prepare, change);
    for fault in [Fault::Eio, Fault::EioAfterEffect, Fault::NoSpace, Fault::ShortWrite] {
        for n in 1.. {
            let (disk, vault) = prepared(n, prepare);
            disk.inject(Injection::at(disk.operations() + n, fault));
            let done = change(&vault);
            let struck = !disk.hits().is_empty();
            disk.clear_faults();
            let context = format!("{fault:?} at operation {n}, done: {done}");
            let after = disk.fork();
            after.crash(Crash::DropUnsynced);
            for vault in [&vault, &opened(&after)] {
                let left = seen(vault);
                let right =
                    if done { left == new } else { left == old || (may_have_happened && left == new) };
                assert!(right, "{context}\n{left:#?}");
                require_sound(vault, &context);
            }
            assert!(done || change(&vault), "{context}: it works again");
            disk.crash(Crash::DropUnsynced);
            assert_eq!(seen(&opened(&disk)), new, "{context}, and again");
            if !struck {
                assert!(done, "{context}");
                break;
            }
        }
    }
}
