//! Persons and their logins, of which each is one person's alone.

use crate::error::{Remedy, VaultError};
use crate::files::Files;
use crate::hmac::hmac;
use crate::record::{LoginRecord, PersonRecord};
use onhand_app::ports::{KeepError, KeptPerson};
use onhand_domain::identity::PrincipalId;
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

/// The part of a vault that knows persons.
pub(crate) struct Persons<'a> {
    pub(crate) files: &'a Files,
    /// Of the names of logins.
    pub(crate) key: &'a [u8; 32],
}

/// What a person may log in by, each in lower case.
fn names_of(person: &KeptPerson) -> BTreeSet<String> {
    [Some(&person.login), person.email.as_ref()]
        .into_iter()
        .flatten()
        .map(|name| name.to_lowercase())
        .collect()
}

impl Persons<'_> {
    pub(crate) fn get(&self, id: &PrincipalId) -> io::Result<Option<KeptPerson>> {
        let path = self.files.person(id);
        let Some(record) = self.files.read::<PersonRecord>(&path, Remedy::NewPerson)? else {
            return Ok(None);
        };
        if record.principal_id != *id {
            let reason = format!("it is about {}", record.principal_id);
            return Err(VaultError::Damaged { path, reason, remedy: Remedy::NewPerson }.into());
        }
        Ok(Some(record.person()))
    }

    pub(crate) fn of_login(&self, login: &str) -> io::Result<Option<PrincipalId>> {
        let name = login.to_lowercase();
        let Some(id) = self.led_to(&name)? else { return Ok(None) };
        Ok(self.has(&id, &name)?.then_some(id))
    }

    /// Keeps a person. The files of new logins come first and count as free; with the file of the person all of the change is
    /// there; the files of logins that were given up go last, and count as free until then.
    pub(crate) fn keep(&self, id: &PrincipalId, person: &KeptPerson) -> Result<(), KeepError> {
        let _held = self.files.hold()?;
        self.keep_held(id, person)
    }

    /// Changes a person; false when there is none.
    pub(crate) fn change(
        &self,
        id: &PrincipalId,
        change: &dyn Fn(&mut KeptPerson),
    ) -> Result<bool, KeepError> {
        let _held = self.files.hold()?;
        let Some(mut person) = self.get(id)? else { return Ok(false) };
        change(&mut person);
        self.keep_held(id, &person).map(|()| true)
    }

    fn keep_held(&self, id: &PrincipalId, person: &KeptPerson) -> Result<(), KeepError> {
        let had = self.get(id)?.as_ref().map(names_of).unwrap_or_default();
        let names = names_of(person);
        let mut missing = Vec::new();
        for name in &names {
            match self.led_to(name)? {
                // Made durable before the file of the person that has it.
                Some(owner) if owner == *id && had.contains(name) => {}
                Some(owner) if owner != *id && self.has(&owner, name)? => return Err(KeepError::LoginTaken),
                Some(_) => {
                    // That whom it leads to does not have it, or is gone, must not be undone by a crash.
                    self.files.sync(&self.files.persons())?;
                    missing.push(name);
                }
                None => missing.push(name),
            }
        }
        for name in missing {
            self.files.put(&self.path_of(name), &LoginRecord { principal_id: id.clone() })?;
        }
        self.files.put(&self.files.person(id), &PersonRecord::new(id, person))?;
        for name in had.difference(&names) {
            if let Err(error) = self.give_up(id, name) {
                tracing::warn!(principal = %id, %error, "the file of an old login stays; it leads nowhere");
            }
        }
        Ok(())
    }

    /// Removes a person, then whatever leads to them. Every login's file is read, because a crash may have left one over that
    /// the person did not have any more, and because the file of the person may be gone or damaged.
    pub(crate) fn erase(&self, id: &PrincipalId) -> io::Result<()> {
        let _held = self.files.hold()?;
        self.files.remove(&self.files.person(id))?;
        self.files.remove_unfinished(&self.files.logins())?;
        let mut own = Vec::new();
        for path in self.files.all_logins()? {
            let login = self.files.read::<LoginRecord>(&path, Remedy::SavePersonAgain)?;
            own.extend(login.filter(|login| login.principal_id == *id).map(|_| path));
        }
        self.files.remove_all(&self.files.logins(), &own)
    }

    fn give_up(&self, id: &PrincipalId, name: &str) -> io::Result<()> {
        if self.led_to(name)?.is_some_and(|owner| owner == *id) {
            self.files.remove(&self.path_of(name))?;
        }
        Ok(())
    }

    /// Whom the file of a login leads to, who may not have it any more.
    fn led_to(&self, name: &str) -> io::Result<Option<PrincipalId>> {
        let login = self.files.read::<LoginRecord>(&self.path_of(name), Remedy::SavePersonAgain)?;
        Ok(login.map(|login| login.principal_id))
    }

    fn has(&self, id: &PrincipalId, name: &str) -> io::Result<bool> {
        Ok(self.get(id)?.is_some_and(|person| names_of(&person).contains(name)))
    }

    fn path_of(&self, name: &str) -> PathBuf {
        self.files.login(&hmac(self.key, &[name.as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        Change, DIRECTORY, Prepare, crashes, fail_at_every_operation, files_with, opened, person, person_id,
        require_sound, seen, stop_at_every_operation,
    };
    use crate::vault::FileVault;
    use onhand_app::ports::Vault;
    use onhand_disk::Disk;
    use onhand_sim_machine::disk::{Crash, DiskOperation, Fault, Injection, SimDisk};
    use std::path::Path;

    fn keeps(vault: &FileVault, number: u64, kept: &KeptPerson) -> bool {
        vault.keep_person(&person_id(number), kept).is_ok()
    }

    fn ada() -> KeptPerson {
        person("Ada", Some("ada@example.com"), Some("$argon2id$of-ada"))
    }

    fn with_ada(vault: &FileVault) {
        assert!(keeps(vault, 1, &ada()));
    }

    #[test]
    fn a_person_is_found_by_login_and_address_in_whatever_case() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        assert!(vault.person(&person_id(1)).unwrap().is_none());
        assert_eq!(vault.person_of("ada").unwrap(), None);
        with_ada(&vault);
        disk.crash(Crash::DropUnsynced);
        let vault = opened(&disk);
        assert!(vault.person(&person_id(1)).unwrap() == Some(ada()));
        for login in ["ada", "ADA", "Ada@Example.COM"] {
            assert_eq!(vault.person_of(login).unwrap(), Some(person_id(1)), "{login}");
        }
        assert_eq!(vault.person_of("ad").unwrap(), None);
        // By one name twice.
        assert!(keeps(&vault, 2, &person("bob@example.com", Some("Bob@Example.com"), None)));
        assert_eq!(vault.person_of("bob@example.com").unwrap(), Some(person_id(2)));
    }

    #[test]
    fn a_login_is_one_persons_alone() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        with_ada(&vault);
        let before = seen(&vault);
        for (login, email) in
            [("ADA", None), ("bob", Some("ADA@example.com")), ("ada@example.com", None), ("bob", Some("ada"))]
        {
            let refused = vault.keep_person(&person_id(2), &person(login, email, None));
            assert!(matches!(refused, Err(KeepError::LoginTaken)), "{login}");
            assert_eq!(seen(&vault), before);
        }
        assert!(keeps(&vault, 2, &person("bob", None, None)));
        assert!(!keeps(&vault, 2, &person("ada", None, None)));
        assert!(keeps(&vault, 1, &person("cleo", None, None)));
        assert!(keeps(&vault, 2, &person("ada", Some("ada@example.com"), None)));
        assert_eq!(vault.person_of("bob").unwrap(), None);
        require_sound(&vault, "exchanged");
        assert_eq!(files_with(&disk, "/logins/").len(), 3, "nothing is left of logins that were given up");
    }

    #[test]
    fn nothing_of_somebody_who_is_erased_is_on_the_disk() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        with_ada(&vault);
        assert!(keeps(&vault, 2, &person("bob", None, None)));
        assert!(keeps(&vault, 1, &person("cleo", Some("ada@example.com"), Some("$argon2id$another"))));
        vault.erase_person(&person_id(1)).unwrap();
        for text in ["Ada", "ada@", "cleo", "argon2id", person_id(1).as_str()] {
            assert_eq!(files_with(&disk, text), Vec::<PathBuf>::new(), "{text}");
        }
        assert_eq!(files_with(&disk, "/logins/").len(), 1);
        assert_eq!(vault.person_of("bob").unwrap(), Some(person_id(2)));
        vault.erase_person(&person_id(1)).unwrap();
        assert!(keeps(&vault, 3, &ada()), "the logins are free");
    }

    #[test]
    fn no_login_is_on_the_disk_but_in_the_file_of_its_person() {
        let disk = SimDisk::new(1);
        with_ada(&opened(&disk));
        let person = Path::new(DIRECTORY).join("persons").join(format!("{}.json", person_id(1)));
        for text in ["Ada", "ada@example.com"] {
            assert_eq!(files_with(&disk, text), std::slice::from_ref(&person), "{text}");
        }
    }

    /// What is left of somebody when the machine stops at each operation of what they do first, and erasing comes then.
    #[test]
    fn whatever_a_crash_has_left_over_is_erased_too() {
        let rename = |vault: &FileVault| keeps(vault, 1, &person("bob", Some("bob@example.com"), None));
        let erase = |vault: &FileVault| vault.erase_person(&person_id(1)).is_ok();
        let changes: [Change<'_>; 2] = [&rename, &erase];
        for change in changes {
            for n in 1.. {
                let disk = SimDisk::new(n);
                let vault = opened(&disk);
                with_ada(&vault);
                disk.inject(Injection::at(disk.operations() + n, Fault::Crash));
                change(&vault);
                let struck = disk.is_stopped();
                for how in crashes() {
                    let disk = disk.fork();
                    disk.clear_faults();
                    disk.crash(how);
                    opened(&disk).erase_person(&person_id(1)).unwrap();
                    for text in ["Ada", "ada@", "bob", "argon2id", person_id(1).as_str(), "/logins/", ".tmp"]
                    {
                        assert_eq!(
                            files_with(&disk, text),
                            Vec::<PathBuf>::new(),
                            "{text}, operation {n}, {how:?}"
                        );
                    }
                }
                if !struck {
                    break;
                }
            }
        }
    }

    /// Preparations, and the changes that are made after each.
    fn stories(check: &dyn Fn(Prepare<'_>, Change<'_>)) {
        let nobody = |_: &FileVault| {};
        let two = |vault: &FileVault| {
            with_ada(vault);
            assert!(keeps(vault, 2, &person("bob", None, None)));
        };
        check(&nobody, &|vault| keeps(vault, 1, &ada()));
        check(&two, &|vault| keeps(vault, 3, &person("cleo", Some("cleo@example.com"), None)));
        check(&two, &|vault| keeps(vault, 1, &person("Ada", Some("ada@example.com"), Some("$argon2id$new"))));
        check(&two, &|vault| keeps(vault, 1, &person("cleo", Some("ada@example.com"), None)));
        check(&two, &|vault| keeps(vault, 1, &person("cleo", None, None)));
        check(&two, &|vault| keeps(vault, 1, &person("ada@example.com", Some("ada"), None)));
        check(&two, &|vault| keeps(vault, 2, &person("bob", Some("Bob@Example.com"), None)));
    }

    #[test]
    fn a_change_of_a_person_that_is_cut_off_happens_or_does_not() {
        stories(&stop_at_every_operation);
        stop_at_every_operation(&with_ada, &|vault| vault.erase_person(&person_id(1)).is_ok());
    }

    #[test]
    fn an_error_leaves_a_person_as_they_were() {
        stories(&|prepare, change| fail_at_every_operation(prepare, change, false));
        fail_at_every_operation(&with_ada, &|vault| vault.erase_person(&person_id(1)).is_ok(), true);
    }

    fn exchange(vault: &FileVault) -> bool {
        keeps(vault, 1, &person("bob", Some("bob@example.com"), None))
    }

    fn enter(vault: &FileVault) -> bool {
        keeps(vault, 3, &person("bob", None, None))
    }

    fn erase_ada(vault: &FileVault) -> bool {
        vault.erase_person(&person_id(1)).is_ok()
    }

    const BEGUN: [Change<'_>; 3] = [&exchange, &enter, &erase_ada];

    /// Kills process 1 at its operation `n` of a change, and answers what process 2 has open beside it.
    fn killed(n: u64, seed: u64, begun: Change<'_>) -> (SimDisk, FileVault) {
        let disk = SimDisk::new(seed);
        let (first, other) = (opened(&disk.of(1)), opened(&disk.of(2)));
        with_ada(&first);
        disk.inject(Injection::at(disk.operations() + n, Fault::Kill).by(1));
        begun(&first);
        (disk, other)
    }

    /// One process is killed in the middle of a change, another one takes what is free, then the power fails.
    #[test]
    fn what_a_killed_process_has_begun_harms_no_other() {
        for begun in BEGUN {
            for n in 1.. {
                let (disk, other) = killed(n, n, begun);
                let mut taken = None;
                for login in ["ada", "bob"] {
                    let free = other.person_of(login).unwrap().is_none();
                    let kept = keeps(&other, 2, &person(login, None, Some("$argon2id$of-bob")));
                    assert_eq!(kept, free, "{login}, killed at operation {n}");
                    taken = Some(login).filter(|_| kept).or(taken);
                }
                for how in crashes() {
                    let context = format!("killed at operation {n}, taken {taken:?}, {how:?}");
                    let disk = disk.fork();
                    disk.crash(how);
                    let vault = opened(&disk.of(3));
                    let found = vault.person(&person_id(2)).unwrap().map(|person| person.login);
                    assert_eq!(found.as_deref(), taken, "{context}");
                    require_sound(&vault, &context);
                }
                if !disk.has_killed(1) {
                    break;
                }
            }
        }
    }

    /// One process is killed, and another one makes the same change: it stands on nothing that the power could take away.
    #[test]
    fn what_a_killed_process_has_begun_can_be_done_by_another() {
        for begun in BEGUN {
            for (n, seed) in (1..).flat_map(|n| [(n, 1), (n, 2), (n, 3), (n, 4)]) {
                let (disk, other) = killed(n, seed, begun);
                assert!(begun(&other));
                let done = seen(&other);
                for how in crashes() {
                    let context = format!("killed at operation {n}, {how:?}");
                    let disk = disk.fork();
                    disk.crash(how);
                    let vault = opened(&disk.of(3));
                    assert_eq!(seen(&vault), done, "{context}");
                    require_sound(&vault, &context);
                }
                if !disk.has_killed(1) {
                    break;
                }
            }
        }
    }

    /// One process is killed, and the power fails while another one takes a login that the first has given up.
    #[test]
    fn a_login_is_free_only_when_no_crash_gives_it_back() {
        for n in 1.. {
            let (disk, _) = killed(n, n, &exchange);
            if !disk.has_killed(1) {
                break;
            }
            if !disk.hits().contains_key(&(DiskOperation::SyncDir, Fault::Kill)) {
                continue;
            }
            for m in 1.. {
                let (disk, other) = killed(n, n, &exchange);
                disk.inject(Injection::at(disk.operations() + m, Fault::Crash).by(2));
                keeps(&other, 2, &person("ada", None, None));
                let struck = disk.is_stopped();
                for how in crashes() {
                    let context = format!("killed at operation {n}, stopped at {m}, {how:?}");
                    let disk = disk.fork();
                    disk.clear_faults();
                    disk.crash(how);
                    require_sound(&opened(&disk.of(3)), &context);
                }
                if !struck {
                    break;
                }
            }
        }
    }

    #[test]
    fn what_could_not_be_finished_is_erased_without_a_start_in_between() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        with_ada(&vault);
        for file in [files_with(&disk, "/logins/"), files_with(&disk, "/persons/")].concat() {
            disk.put(onhand_disk::layout::temporary(&file), &disk.file(&file).unwrap());
        }
        vault.erase_person(&person_id(1)).unwrap();
        for text in ["Ada", person_id(1).as_str(), "/logins/"] {
            assert_eq!(files_with(&disk, text), Vec::<PathBuf>::new(), "{text}");
        }
    }

    #[test]
    fn two_processes_never_keep_two_persons_with_one_login() {
        let disk = SimDisk::new(1);
        let vaults = [opened(&disk), opened(&disk)];
        let race = |vault: &FileVault, number: u64| {
            (0..100)
                .filter(|round| keeps(vault, number, &person(&format!("login{}", round % 7), None, None)))
                .count()
        };
        std::thread::scope(|scope| {
            let runs = [(&vaults[0], 0), (&vaults[0], 1), (&vaults[1], 2), (&vaults[1], 3)];
            let runs = runs.map(|(vault, number)| scope.spawn(move || race(vault, number)));
            assert!(runs.into_iter().all(|run| run.join().unwrap() > 0));
        });
        require_sound(&vaults[0], "after the race");
    }

    #[test]
    fn damage_is_told_and_names_the_file() {
        let disk = SimDisk::new(1);
        with_ada(&opened(&disk));
        let (logins, persons) = (files_with(&disk, "/logins/"), files_with(&disk, "/persons/"));
        for path in &persons {
            let disk = disk.fork();
            disk.corrupt(path, 30, b'#').unwrap();
            let vault = opened(&disk);
            let told = vault.person(&person_id(1)).map(drop).unwrap_err().to_string();
            assert!(told.contains(path.to_str().unwrap()) && told.contains("erase the person"), "{told}");
            assert!(vault.person_of("ada").is_err());
            assert!(!keeps(&vault, 2, &person("ada", None, None)), "it may still be taken");
            vault.erase_person(&person_id(1)).unwrap();
            assert_eq!(files_with(&disk, person_id(1).as_str()), Vec::<PathBuf>::new());
        }
        for path in &logins {
            let disk = disk.fork();
            disk.corrupt(path, 30, b'#').unwrap();
            let vault = opened(&disk);
            let outcomes = ["ada", "ada@example.com"].map(|login| vault.person_of(login));
            let told: Vec<String> =
                outcomes.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
            assert!(
                told.len() == 1 && told[0].contains(path.to_str().unwrap()) && told[0].contains("remove it")
            );
            assert!(!keeps(&vault, 2, &ada()), "it may still be taken");
            disk.remove(path).unwrap();
            with_ada(&vault);
            require_sound(&vault, "made anew");
        }
    }

    /// Somebody has removed the damaged file of a login, and another person was quicker than the one who had it.
    #[test]
    fn a_login_that_another_has_by_now_is_not_given_up_for_them() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        with_ada(&vault);
        for path in files_with(&disk, "/logins/") {
            disk.remove(&path).unwrap();
        }
        assert!(keeps(&vault, 2, &person("ada", None, None)));
        assert!(!keeps(&vault, 1, &ada()));
        assert!(keeps(&vault, 1, &person("cleo", None, None)));
        assert_eq!(vault.person_of("ada").unwrap(), Some(person_id(2)));
        require_sound(&vault, "both have what they asked for");
    }
}
