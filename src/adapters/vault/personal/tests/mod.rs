//! Tests of the keys of personal data: on a simulated disk that is cut off and disturbed, with several processes, on the real disk.

mod bytes;
mod faults;
mod measure;
mod several;
mod slow_disk;
mod texts;

use super::*;
use crate::testing::{DIRECTORY, files_with};
use onhand_disk::OpenMode;
use onhand_sim_machine::disk::{Crash, SimDisk};
use onhand_sim_machine::random::Random;
use std::path::Path;
use std::thread;

const PATH: &str = "/data/identity/personal/keys";

fn open(disk: &SimDisk) -> Result<PersonalKeyFile, VaultError> {
    // Another stream at each start.
    let random = Mutex::new(Random::new(disk.operations()));
    let source = move || {
        let mut bytes = [0; 32];
        random.lock().fill(&mut bytes);
        bytes
    };
    PersonalKeyFile::open_with(Arc::new(disk.clone()), DIRECTORY.into(), Arc::new(source))
}

fn opened(disk: &SimDisk) -> PersonalKeyFile {
    open(disk).unwrap_or_else(|error| panic!("the keys do not open: {error}"))
}

fn on(disk: impl Disk + 'static, directory: &Path) -> PersonalKeyFile {
    PersonalKeyFile::open(Arc::new(disk), directory.to_path_buf()).unwrap_or_else(|error| panic!("{error}"))
}

fn told<T>(outcome: io::Result<T>) -> String {
    outcome.map(drop).unwrap_err().to_string()
}

/// Every sealed text that was handed out, with its subject, whose name is what was sealed.
#[derive(Clone, Default)]
struct Given(Vec<(String, String)>);

impl Given {
    fn seal(&mut self, keys: &PersonalKeyFile, subject: &str) -> bool {
        let sealed = keys.seal(subject, "order o-1", subject.as_bytes());
        let done = sealed.is_ok();
        self.0.extend(sealed.ok().map(|text| (subject.to_owned(), text)));
        done
    }

    fn all(&mut self, keys: &PersonalKeyFile, subjects: &[&str]) {
        assert!(subjects.iter().all(|subject| self.seal(keys, subject)));
    }

    /// Every text opens, but for those of `but`.
    fn require(&self, keys: &PersonalKeyFile, but: &str, context: &str) {
        for (subject, text) in self.0.iter().filter(|(subject, _)| subject != but) {
            let plain = keys.open(subject, "order o-1", text);
            let plain = plain.unwrap_or_else(|error| panic!("{subject}: {error}, {context}"));
            assert_eq!(plain.as_deref(), Some(subject.as_bytes()), "{subject}, {context}");
        }
    }

    /// What is seen of a subject's first text.
    fn is_open(&self, keys: &PersonalKeyFile, subject: &str) -> bool {
        let (_, text) = self.0.iter().find(|(of, _)| of == subject).unwrap();
        keys.open(subject, "order o-1", text).unwrap().is_some()
    }
}

/// The name of the key in a text.
fn key_id(text: &str) -> &str {
    text.split('.').nth(1).unwrap()
}

fn require_sound(disk: &SimDisk, context: &str) {
    check(Arc::new(disk.clone()), DIRECTORY.into()).unwrap_or_else(|error| panic!("{error}, {context}"));
    assert_eq!(files_with(disk, ".tmp"), Vec::<PathBuf>::new(), "{context}");
}

/// The file as the operating system shows it, unsynced bytes among it.
fn on_disk(disk: &SimDisk) -> String {
    let file = Disk::open(disk, PATH.as_ref(), OpenMode::Read).unwrap();
    String::from_utf8(onhand_disk::read_all(&*file).unwrap()).unwrap()
}

/// Keys of two subjects, or none.
fn prepared(disk: &SimDisk, empty: bool) -> (PersonalKeyFile, Given) {
    let (keys, mut given) = (opened(disk), Given::default());
    if !empty {
        given.all(&keys, &["c-1", "c-2"]);
    }
    (keys, given)
}

/// After whatever has happened: each text opens, new ones can be sealed, and both is durable. `erased` when `c-2` must be.
fn require_good(disk: &SimDisk, given: &Given, erased: bool, context: &str) {
    let keys = opened(disk);
    let mut given = given.clone();
    given.require(&keys, "c-2", context);
    let had = given.0.iter().any(|(subject, _)| subject == "c-2");
    let left = had && given.is_open(&keys, "c-2");
    assert!(!(erased && left), "{context}");
    disk.crash(Crash::DropUnsynced);
    let keys = opened(disk);
    assert_eq!(had && given.is_open(&keys, "c-2"), left, "what was shown is durable, {context}");
    given.all(&keys, &["c-3", "c-4", "d-0", "d-69"]);
    keys.erase("c-2").unwrap();
    require_sound(disk, context);
    disk.crash(Crash::DropUnsynced);
    let keys = opened(disk);
    given.require(&keys, "c-2", context);
    assert!(!had || !given.is_open(&keys, "c-2"), "{context}");
}

/// Lets threads seal at once, each for some subjects of its own.
fn seal_at_once(keys: &PersonalKeyFile, threads: usize, each: usize) -> Given {
    let sealed = |number: usize| {
        let mut given = Given::default();
        (0..each).for_each(|n| given.all(keys, &[&format!("c-{number}-{n}")]));
        given.0
    };
    thread::scope(|scope| {
        let sealing: Vec<_> = (0..threads).map(|number| scope.spawn(move || sealed(number))).collect();
        Given(sealing.into_iter().flat_map(|thread| thread.join().unwrap()).collect())
    })
}
