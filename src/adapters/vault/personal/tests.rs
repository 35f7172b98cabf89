//! Tests of the keys of personal data: on a simulated disk that is cut off and disturbed, with several processes, on the real disk.

use super::*;
use crate::testing::{DIRECTORY, crashes, files_with};
use onhand_disk::{DiskFile, LockOutcome, OpenMode, RealDisk};
use onhand_sim_machine::disk::{Crash, DiskOperation, Fault, Injection, SimDisk};
use onhand_sim_machine::random::Random;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

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

#[test]
fn what_is_sealed_is_opened_also_after_a_crash() {
    let disk = SimDisk::new(1);
    let keys = opened(&disk);
    let longest = "~".repeat(64);
    let mut texts = Vec::new();
    for subject in ["c-1", "c-2", "c-1", " ", "\"\\", longest.as_str()] {
        for plain in ["", "Ada L.", "Straße 1, 10115 Berlin"] {
            let text = keys.seal(subject, "order o-1", plain.as_bytes()).unwrap();
            assert_eq!(text.len(), 14 + (4 * (plain.len() + 28)).div_ceil(3));
            assert!(
                text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)),
                "{text}"
            );
            texts.push((subject, plain, text));
        }
    }
    disk.crash(Crash::DropUnsynced);
    let keys = opened(&disk);
    for (subject, plain, text) in &texts {
        assert_eq!(keys.open(subject, "order o-1", text).unwrap().as_deref(), Some(plain.as_bytes()));
    }
    let of = |subject| texts.iter().filter(move |(of, ..)| *of == subject).map(|(.., text)| key_id(text));
    assert_eq!(of("c-1").collect::<BTreeSet<_>>().len(), 1, "a subject has one key");
    assert_eq!(texts.iter().map(|(.., text)| text).collect::<BTreeSet<_>>().len(), texts.len());
    assert_eq!(check(Arc::new(disk.clone()), DIRECTORY.into()).unwrap(), 5);
    assert_eq!(files_with(&disk, "Ada"), Vec::<PathBuf>::new());
}

#[test]
fn a_text_is_good_only_where_it_was_put() {
    let disk = SimDisk::new(1);
    let keys = opened(&disk);
    let text = keys.seal("c-1", "order o-1", b"Ada L.").unwrap();
    keys.seal("c-2", "order o-1", b"Bob").unwrap();
    let refused = |subject: &str, place: &str, text: &str| {
        let error = keys.open(subject, place, text).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{text}");
        error.to_string()
    };
    for (subject, place) in
        [("c-1", "order o-2"), ("c-1", ""), ("c-2", "order o-1"), ("c-", "1order o-1"), ("c-9", "order o-1")]
    {
        let told = refused(subject, place, &text);
        assert!(told.contains("another place") && !told.contains("Ada") && !told.contains(&text), "{told}");
    }
    for (at, old) in text.char_indices() {
        for new in ['A', 'Q', 'g', 'w', '_', '.', '1', '2', '=', 'ü'] {
            let changed = format!("{}{new}{}", &text[..at], &text[at + 1..]);
            match keys.open("c-1", "order o-1", &changed) {
                Ok(Some(_)) => assert_eq!(new, old, "{changed}"),
                Ok(None) => assert!((2..13).contains(&at), "only another key is an erased one: {changed}"),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::InvalidData),
            }
        }
        assert!(!matches!(keys.open("c-1", "order o-1", &text[..at]), Ok(Some(_))));
    }
    assert!(refused("c-1", "order o-1", &text.replacen('1', "2", 1)).contains("a later one"));
    for wrong in ["", "1", "1.", "1..", "1.AAAAAAAAAAA.", "Ada L."] {
        refused("c-1", "order o-1", wrong);
    }
}

#[test]
fn a_subject_has_a_name_of_1_to_64_printable_ascii_characters() {
    let disk = SimDisk::new(1);
    let keys = opened(&disk);
    for wrong in ["", "ü", "a\n", "\u{7f}", &"x".repeat(65)] {
        let outcomes = [
            keys.seal(wrong, "", b"").map(drop),
            keys.open(wrong, "", "").map(drop),
            keys.erase(wrong).map(drop),
        ];
        assert!(
            outcomes
                .iter()
                .all(|outcome| outcome.as_ref().unwrap_err().kind() == io::ErrorKind::InvalidInput)
        );
    }
    assert_eq!(disk.file(PATH), None);
}

#[test]
fn the_bytes_are_those_described() {
    let disk = SimDisk::new(1);
    let keys = opened(&disk);
    keys.seal("c-1", "order o-1", b"Ada L.").unwrap();
    disk.crash(Crash::ProcessKill);
    let keys_now = opened(&disk);
    keys_now.seal("c-2", "order o-1", b"Bob").unwrap();
    let shown = on_disk(&disk);
    let lines: Vec<&str> = shown.lines().collect();
    let masked: Vec<String> = lines.iter().map(|line| mask_hex(line)).collect();
    assert_eq!(
        masked,
        [
            r#"{"crc":"8","format":1,"file":"16"}"#,
            r#"{"crc":"8","file":"16","at":56,"keys":[{"subject":"c-1","keyId":"16","key":"64"}]}"#,
            r#"{"crc":"8","file":"16","at":236}"#,
            r#"{"crc":"8","file":"16","at":290,"keys":[{"subject":"c-2","keyId":"16","key":"64"}]}"#,
            r#"{"crc":"8","file":"16","at":471}"#,
        ]
    );
    let rest = &lines[1]["{\"crc\":\"00000000\",".len()..];
    assert!(lines[1].contains(&format!("{:08x}", crc32c::crc32c(rest.as_bytes()))));
}

/// The file as the operating system shows it, unsynced bytes among it.
fn on_disk(disk: &SimDisk) -> String {
    let file = Disk::open(disk, PATH.as_ref(), OpenMode::Read).unwrap();
    String::from_utf8(onhand_disk::read_all(&*file).unwrap()).unwrap()
}

/// Runs of at least eight hexadecimal digits as their number.
fn mask_hex(line: &str) -> String {
    let parts = line.split('"').map(|part| {
        let is_hex = part.len() >= 8 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        if is_hex { part.len().to_string() } else { part.to_owned() }
    });
    parts.collect::<Vec<_>>().join("\"")
}

#[test]
fn a_text_of_this_version_stays_readable() {
    let key = NamedKey {
        id: Id::new(*b"\x01\x23\x45\x67\x89\xab\xcd\xef"),
        key: std::array::from_fn(|n| u8::try_from(n).unwrap()),
    };
    let text = sealed::seal(&key, "c-1", "order o-1", "Ada L.".as_bytes(), &[0xa7; 32]);
    // From another implementation (Python, cryptography 48).
    assert_eq!(text, "1.ASNFZ4mrze8.p6enp6enp6enp6enBLhNQxuPsUf38cfkfPfTAX8n-5QNgA");
    assert_eq!(Sealed::parse(&text).unwrap().open(&key, "c-1", "order o-1").unwrap(), b"Ada L.");
}

#[test]
fn what_is_erased_stays_so_when_the_subject_comes_again() {
    let disk = SimDisk::new(1);
    let keys = opened(&disk);
    assert!(!keys.erase("c-1").unwrap(), "nobody is there");
    let mut given = Given::default();
    given.all(&keys, &["c-1", "c-2", "c-3"]);
    let old = given.0[0].1.clone();
    let secret = key_digits(&disk, "c-1");
    assert_eq!(files_with(&disk, &secret).len(), 1);
    assert!(keys.erase("c-1").unwrap());
    assert!(!given.is_open(&keys, "c-1"));
    assert!(!keys.erase("c-1").unwrap());
    given.require(&keys, "c-1", "the others");
    for text in ["c-1", secret.as_str()] {
        assert_eq!(files_with(&disk, text), Vec::<PathBuf>::new(), "{text}");
    }
    let new = keys.seal("c-1", "order o-1", b"again").unwrap();
    assert_ne!(key_id(&new), key_id(&old));
    disk.crash(Crash::DropUnsynced);
    for keys in [keys_after(&disk), keys_after(&disk)] {
        assert_eq!(keys.open("c-1", "order o-1", &old).unwrap(), None);
        assert_eq!(keys.open("c-1", "order o-1", &new).unwrap().as_deref(), Some(b"again".as_slice()));
        given.require(&keys, "c-1", "the others");
    }
    assert_eq!(opened(&disk).erase_all(&["c-1", "c-2", "c-2", "nobody"]).unwrap(), 2);
    assert_eq!(opened(&disk).erase_all(&[]).unwrap(), 0);
    assert_eq!(opened(&disk).erase_all(&["c-3"]).unwrap(), 1);
    given.all(&opened(&disk), &["c-4"]);
    assert_eq!(check(Arc::new(disk), DIRECTORY.into()).unwrap(), 1);
}

fn keys_after(disk: &SimDisk) -> PersonalKeyFile {
    opened(disk)
}

/// The key of a subject, as it stands in the file.
fn key_digits(disk: &SimDisk, subject: &str) -> String {
    let text = on_disk(disk);
    let (_, behind) = text.split_once(&format!("\"subject\":\"{subject}\"")).unwrap();
    let (_, key) = behind.split_once("\"key\":\"").unwrap();
    key[..64].to_owned()
}

/// A disk whose syncs take time and are counted, and whose next read can be told wrong.
#[derive(Clone)]
struct SlowDisk<D> {
    disk: D,
    syncs: Arc<AtomicUsize>,
    takes: Duration,
    spoils: Arc<AtomicBool>,
}

struct SlowFile {
    file: Arc<dyn DiskFile>,
    syncs: Arc<AtomicUsize>,
    takes: Duration,
    spoils: Arc<AtomicBool>,
}

impl<D> SlowDisk<D> {
    fn new(disk: D, takes: Duration) -> Self {
        Self { disk, syncs: Arc::default(), takes, spoils: Arc::default() }
    }
}

impl DiskFile for SlowFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.file.read_at(buffer, offset)?;
        if offset > 0 && read > 20 && self.spoils.swap(false, Ordering::SeqCst) {
            buffer[20] ^= 1;
        }
        Ok(read)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        thread::sleep(self.takes);
        self.file.sync_data()
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn truncate(&self, length: u64) -> io::Result<()> {
        self.file.truncate(length)
    }
    fn preallocate(&self, length: u64) -> io::Result<()> {
        self.file.preallocate(length)
    }
    fn try_lock(&self) -> io::Result<LockOutcome> {
        self.file.try_lock()
    }
}

impl<D: Disk> Disk for SlowDisk<D> {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let (file, syncs) = (self.disk.open(path, mode)?, Arc::clone(&self.syncs));
        Ok(Arc::new(SlowFile { file, syncs, takes: self.takes, spoils: Arc::clone(&self.spoils) }))
    }
    fn open_dir(&self, directory: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open_dir(directory)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }
    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.disk.list(directory)
    }
    fn create_dir_all(&self, directory: &Path) -> io::Result<()> {
        self.disk.create_dir_all(directory)
    }
    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        self.disk.sync_dir(directory)
    }
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

#[test]
fn keys_that_are_made_at_once_share_a_sync() {
    let sim = SimDisk::new(1);
    let disk = SlowDisk::new(sim.clone(), Duration::from_millis(4));
    let keys = on(disk.clone(), DIRECTORY.as_ref());
    let given = seal_at_once(&keys, 16, 50);
    let syncs = disk.syncs.load(Ordering::SeqCst);
    assert!((50..400).contains(&syncs), "{syncs} syncs for 800 keys");
    sim.crash(Crash::DropUnsynced);
    given.require(&opened(&sim), "", "all are durable");
    assert_eq!(check(Arc::new(sim.clone()), DIRECTORY.into()).unwrap(), 800);
    // The same for keys that are erased at once.
    let (keys, before) = (on(disk.clone(), DIRECTORY.as_ref()), disk.syncs.load(Ordering::SeqCst));
    thread::scope(|scope| {
        for n in 0..16 {
            let keys = &keys;
            scope.spawn(move || assert!(keys.erase(&format!("c-{n}-7")).unwrap()));
        }
    });
    let syncs = disk.syncs.load(Ordering::SeqCst) - before;
    assert!((1..16).contains(&syncs), "{syncs} syncs for 16 erasures");
    sim.crash(Crash::DropUnsynced);
    assert_eq!(check(Arc::new(sim), DIRECTORY.into()).unwrap(), 784);
}

#[test]
fn of_several_that_meet_at_a_new_subject_all_get_the_same_key() {
    let sim = SimDisk::new(1);
    let disk = SlowDisk::new(sim.clone(), Duration::from_millis(1));
    let both = [on(disk.clone(), DIRECTORY.as_ref()), on(disk, DIRECTORY.as_ref())];
    for n in 0..20 {
        let subject = format!("c-{n}");
        let texts: Vec<String> = thread::scope(|scope| {
            let sealing: Vec<_> = both
                .iter()
                .cycle()
                .take(8)
                .map(|keys| scope.spawn(|| keys.seal(&subject, "", b"").unwrap()))
                .collect();
            sealing.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(texts.iter().map(|text| key_id(text)).collect::<BTreeSet<_>>().len(), 1);
    }
    assert_eq!(check(Arc::new(sim), DIRECTORY.into()).unwrap(), 20);
}

#[test]
fn what_one_process_does_the_other_sees() {
    let disk = SimDisk::new(1);
    let (here, there) = (opened(&disk.of(1)), opened(&disk.of(2)));
    let mut given = Given::default();
    given.all(&here, &["c-1", "c-2"]);
    given.require(&there, "", "made by the other");
    given.all(&there, &["c-1", "c-3"]);
    given.require(&here, "", "made by the other");
    assert_eq!(key_id(&given.0[0].1), key_id(&given.0[2].1), "a subject has one key");
    // It knows the key and has no reason to read on.
    assert!(given.is_open(&there, "c-1"));
    assert!(here.erase("c-1").unwrap());
    assert!(!given.is_open(&there, "c-1"), "what it knows is not what is there");
    given.require(&there, "c-1", "the others");
    // The same for a text that is sealed: it must not be lost with a key that is gone.
    assert!(here.erase("c-2").unwrap());
    let again = there.seal("c-2", "order o-1", b"again").unwrap();
    assert_ne!(key_id(&again), key_id(&given.0[1].1));
    for keys in [&here, &there, &opened(&disk)] {
        assert_eq!(keys.open("c-2", "order o-1", &again).unwrap().as_deref(), Some(b"again".as_slice()));
        assert!(!given.is_open(keys, "c-2"));
    }
    assert!(!there.erase("c-1").unwrap());
}

#[test]
fn several_processes_on_the_real_disk_lose_nothing() {
    let data = tempfile::tempdir().unwrap();
    let vault = data.path().join("identity");
    let both = [on(RealDisk, &vault), on(RealDisk, &vault)];
    let erase_often = || {
        let keys = on(RealDisk, &vault);
        for _ in 0..8 {
            let text = keys.seal("guest", "", b"").unwrap();
            assert!(keys.erase("guest").unwrap());
            assert_eq!(keys.open("guest", "", &text).unwrap(), None);
        }
    };
    let given = thread::scope(|scope| {
        let eraser = scope.spawn(erase_often);
        let sealing = both.each_ref().map(|keys| scope.spawn(|| seal_at_once(keys, 6, 40)));
        eraser.join().unwrap();
        sealing.map(|thread| thread.join().unwrap())
    });
    for keys in [&both[0], &both[1], &on(RealDisk, &vault)] {
        for given in &given {
            given.require(keys, "", "whoever has sealed it");
        }
    }
    assert_eq!(check(Arc::new(RealDisk), vault).unwrap(), 240);
}

/// A change of the keys, which notes what it was given. True when it was answered with success.
type Change<'a> = &'a dyn Fn(&PersonalKeyFile, &mut Given) -> bool;

fn seal_new(keys: &PersonalKeyFile, given: &mut Given) -> bool {
    given.seal(keys, "c-3") && given.seal(keys, "c-1")
}

/// More than a sector of keys, and more than one line.
fn seal_many(keys: &PersonalKeyFile, given: &mut Given) -> bool {
    let made = keys.make((0..70).map(|n| format!("d-{n}").into()).collect());
    made.is_ok() && ["d-0", "d-69"].iter().all(|subject| given.seal(keys, subject))
}

fn erase_one(keys: &PersonalKeyFile, _: &mut Given) -> bool {
    keys.erase("c-2").is_ok()
}

const CHANGES: [Change<'static>; 3] = [&seal_new, &seal_many, &erase_one];

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

#[test]
fn a_crash_at_any_operation_loses_no_key_that_was_used() {
    for (change, empty) in CHANGES.iter().flat_map(|change| [(change, false), (change, true)]) {
        for n in 1.. {
            let disk = SimDisk::new(n);
            let (keys, mut given) = prepared(&disk, empty);
            disk.inject(Injection::at(disk.operations() + n, Fault::Crash));
            let done = change(&keys, &mut given);
            let struck = disk.is_stopped();
            assert!(done || struck);
            let erased = done && !struck && given.0.len() == 2;
            for how in crashes() {
                let disk = disk.fork();
                disk.clear_faults();
                disk.crash(how);
                require_good(&disk, &given, erased, &format!("stopped at operation {n}, {how:?}"));
            }
            if !struck {
                break;
            }
        }
    }
}

#[test]
fn a_crash_while_the_keys_are_opened_loses_none() {
    for n in 1.. {
        let disk = SimDisk::new(n);
        let (keys, mut given) = prepared(&disk, false);
        disk.inject(Injection::at(1, Fault::Eio).only(DiskOperation::SyncData));
        assert!(!given.seal(&keys, "c-3"));
        disk.crash(Crash::ProcessKill);
        disk.inject(Injection::at(disk.operations() + n, Fault::Crash));
        let done = open(&disk).is_ok();
        for how in crashes() {
            let disk = disk.fork();
            disk.clear_faults();
            disk.crash(how);
            require_good(&disk, &given, false, &format!("stopped at operation {n}, {how:?}"));
        }
        if done {
            assert!(n > 10, "opening has few operations: {n}");
            break;
        }
    }
}

/// What comes out when a process meets a fault at its operation `n` of a change: one of two processes goes on, then the other one.
/// False when the change has fewer operations.
fn struck(change: Change<'_>, empty: bool, fault: Fault, n: u64, other_first: bool) -> bool {
    let disk = SimDisk::new(n);
    let there = opened(&disk.of(2));
    let (here, mut given) = prepared(&disk.of(1), empty);
    if n.is_multiple_of(2) {
        given.require(&there, "", "read before the change");
    }
    disk.inject(Injection::at(disk.operations() + n, fault).by(1));
    let done = change(&here, &mut given);
    let struck = !disk.hits().is_empty();
    disk.clear_faults();
    let context = format!("{fault:?} at operation {n}, done: {done}, other first: {other_first}");
    assert!(done || struck, "{context}");
    let erased = done && !empty && given.0.len() == 2;
    let here = if disk.has_killed(1) { opened(&disk.of(3)) } else { here };
    let (first, second) = if other_first { (&there, &here) } else { (&here, &there) };
    given.all(first, &["c-3", "c-1"]);
    given.all(second, &["c-3", "c-5"]);
    for keys in [first, second] {
        given.require(keys, "c-2", &context);
        assert!(!(erased && given.is_open(keys, "c-2")), "{context}");
    }
    let of_c3 = given.0.iter().filter(|(subject, _)| subject == "c-3").map(|(_, text)| key_id(text));
    assert_eq!(of_c3.collect::<BTreeSet<_>>().len(), 1, "{context}");
    for how in [Crash::PowerCut { seed: n }, Crash::DropUnsynced] {
        let disk = disk.fork();
        disk.crash(how);
        require_good(&disk, &given, erased, &format!("{context}, {how:?}"));
    }
    struck
}

#[test]
fn an_error_at_any_operation_loses_no_key_that_was_used() {
    for fault in [Fault::Eio, Fault::EioAfterEffect, Fault::NoSpace, Fault::ShortWrite] {
        for change in CHANGES {
            for (empty, other_first) in [(false, false), (false, true), (true, false), (true, true)] {
                let mut n = 1;
                while struck(change, empty, fault, n, other_first) {
                    n += 1;
                }
                assert!(n > 3 || empty, "{fault:?} strikes few operations: {n}");
            }
        }
    }
}

#[test]
fn a_process_that_is_killed_at_any_operation_harms_no_other() {
    for change in CHANGES {
        for (empty, other_first) in [(false, false), (false, true), (true, false), (true, true)] {
            for n in 1.. {
                if !struck(change, empty, Fault::Kill, n, other_first) {
                    break;
                }
            }
        }
    }
}

/// What an attempt has left on the disk meets the next one, in which the power fails.
#[test]
fn a_crash_after_an_error_loses_no_key_that_was_used() {
    for fault in [Fault::Eio, Fault::EioAfterEffect, Fault::ShortWrite] {
        let crashed = |n: u64, m: u64, next: &str| {
            let disk = SimDisk::new(n * 100 + m);
            let (keys, mut given) = prepared(&disk, false);
            disk.inject(Injection::at(disk.operations() + n, fault));
            given.seal(&keys, "c-3");
            let met = !disk.hits().is_empty();
            disk.clear_faults();
            disk.inject(Injection::at(disk.operations() + m, Fault::Crash));
            given.seal(&keys, next);
            let stopped = disk.is_stopped();
            for seed in 0..4 {
                let disk = disk.fork();
                disk.clear_faults();
                disk.crash(Crash::PowerCut { seed });
                require_good(
                    &disk,
                    &given,
                    false,
                    &format!("{fault:?} at operation {n}, stopped at {m}, {seed}"),
                );
            }
            (met, stopped)
        };
        for n in 1.. {
            // A line that is as long as that of the first attempt, or not.
            for next in ["c-5", "c", "c-5-with-a-longer-name"] {
                for m in 1.. {
                    if !crashed(n, m, next).1 {
                        break;
                    }
                }
            }
            if !crashed(n, 1, "c-5").0 {
                break;
            }
        }
    }
}

/// A new file would need room for all keys once more.
#[test]
fn a_full_disk_needs_no_new_file() {
    let disk = SimDisk::new(1);
    let (keys, mut given) = prepared(&disk, false);
    let file = keys.known.read().file();
    for fault in [Fault::NoSpace, Fault::ShortWrite] {
        disk.inject(Injection::at(1, fault).only(DiskOperation::WriteAt));
        let error = keys.seal("c-3", "order o-1", b"").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
    disk.clear_faults();
    given.all(&keys, &["c-3"]);
    assert!(keys.known.read().file() == file);
}

/// The operating system may forget what it could not write back, also while a process is at it.
#[test]
fn a_mark_that_is_gone_takes_no_key_with_it() {
    let disk = SimDisk::new(1);
    let (keys, given) = prepared(&disk, false);
    let there = opened(&disk.of(2));
    let mut given = Given(given.0[..1].to_vec());
    given.all(&keys, &["c-3"]);
    let text = on_disk(&disk);
    let last = text.trim_end().rfind('\n').unwrap() + 1;
    disk.put(PATH, &text.as_bytes()[..last]);
    given.require(&there, "", "behind the last mark");
    given.all(&there, &["c-4", "c-3"]);
    assert_eq!(key_id(&given.0[1].1), key_id(&given.0[3].1), "a subject has one key");
    given.require(&opened(&disk), "", "written anew");
}

/// What stands behind the last mark is of somebody who was never told.
#[test]
fn a_torn_tail_is_cut_and_costs_nothing() {
    let disk = SimDisk::new(1);
    let (keys, mut given) = prepared(&disk, false);
    let good = on_disk(&disk).into_bytes();
    given.all(&keys, &["c-3"]);
    let longer = on_disk(&disk).into_bytes();
    for length in good.len()..longer.len() {
        for tail in
            [&longer[good.len()..length], &vec![0; length - good.len()], &vec![b'\n'; length - good.len()]]
        {
            let disk = disk.fork();
            disk.put(PATH, &[&good, tail].concat());
            let given = Given(given.0[..2].to_vec());
            require_good(&disk, &given, false, &format!("{} bytes of a tail", tail.len()));
        }
    }
}

#[test]
fn damage_is_told_with_its_line_and_never_cut() {
    let disk = SimDisk::new(1);
    let (keys, mut given) = prepared(&disk, false);
    given.all(&keys, &["c-3"]);
    // The last mark becomes durable.
    disk.crash(Crash::ProcessKill);
    disk.put(PATH, on_disk(&disk).as_bytes());
    let bytes = disk.file(PATH).unwrap();
    let last_mark = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for at in 0..bytes.len() {
        let disk = disk.fork();
        let byte = if bytes[at] == b'#' { b'+' } else { b'#' };
        disk.corrupt(PATH, at, byte).unwrap();
        let damaged = disk.file(PATH).unwrap();
        if at >= last_mark {
            given.require(&opened(&disk), "", "a damaged mark takes no key with it");
            continue;
        }
        let told = open(&disk).err().map(io::Error::from).unwrap();
        assert_eq!(told.kind(), io::ErrorKind::InvalidData, "byte {at}");
        let told = told.to_string();
        let line = bytes[..at].split(|byte| *byte == b'\n').count();
        assert!(told.contains("/data/identity/personal/keys is damaged: line "), "{told}");
        assert!(
            told.contains(&format!("line {line}: ")) && told.contains("Restore it from a copy"),
            "{told}"
        );
        let checked = check(Arc::new(disk.clone()), DIRECTORY.into());
        assert_eq!(told, self::told(checked));
        assert_eq!(disk.file(PATH).unwrap(), damaged, "it is left alone");
    }
}

#[test]
fn damage_that_comes_while_the_file_is_in_use_is_told() {
    let disk = SimDisk::new(1);
    let (here, there) = (opened(&disk.of(1)), opened(&disk.of(2)));
    let mut given = Given::default();
    given.all(&here, &["c-1"]);
    given.require(&there, "", "read so far");
    let read = on_disk(&disk).len();
    given.all(&here, &["c-2"]);
    disk.corrupt(PATH, read + 30, b'#').unwrap();
    let (_, text) = &given.0[1];
    for told in [
        told(there.open("c-2", "order o-1", text)),
        told(there.seal("c-3", "", b"")),
        told(there.erase("c-1")),
    ] {
        assert!(told.contains("line 4: its checksum does not fit its content"), "{told}");
    }
    disk.put(PATH, &disk.file(PATH).unwrap()[..read - 1]);
    assert!(told(there.seal("c-3", "", b"")).contains("it has become shorter"));
    disk.remove(PATH.as_ref()).unwrap();
    for told in [
        told(there.open("c-1", "order o-1", &given.0[0].1)),
        told(there.seal("c-1", "", b"")),
        told(there.erase("c-1")),
    ] {
        assert!(told.contains("it was removed while it was in use"), "{told}");
    }
}

#[test]
fn a_file_of_a_later_version_is_left_alone() {
    let disk = SimDisk::new(1);
    drop(prepared(&disk, false));
    let newer = br#""format":2,"keys":"elsewhere"}"#;
    let line = [format!("{{\"crc\":\"{:08x}\",", crc32c::crc32c(newer)).as_bytes(), newer, b"\n"].concat();
    disk.put(PATH, &line);
    let told = open(&disk).err().map(|error| error.to_string()).unwrap();
    assert!(told.contains("has format 2") && told.contains("reads format 1"), "{told}");
    assert_eq!(disk.file(PATH).unwrap(), line);
}

#[test]
fn a_line_of_another_file_or_place_is_none() {
    let disk = SimDisk::new(1);
    let (keys, _) = prepared(&disk, false);
    let text = on_disk(&disk);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    // A line of this file once more, as a sector of another place has it, and a mark behind it.
    let file = keys.known.read().file().unwrap();
    let at = (text.len() + lines[1].len()) as u64;
    let mark = String::from_utf8(lines::line(file, at, Vec::new())).unwrap();
    disk.put(PATH, [text.as_str(), lines[1], &mark].concat().as_bytes());
    let told = open(&disk).err().map(|error| error.to_string()).unwrap();
    assert!(told.contains("line 6: it begins at byte") && told.contains("was written for byte 56"), "{told}");
    let mark = String::from_utf8(lines::line(Id::new([7; 8]), text.len() as u64, Vec::new())).unwrap();
    disk.put(PATH, [text.as_str(), &mark].concat().as_bytes());
    assert!(opened(&disk).known.read().len() == 2, "it is cut");
    assert!(!on_disk(&disk).contains("0707"));
}

/// One that reads without the lock sees what another process is about to cut off and write again.
#[test]
fn what_looks_like_damage_is_read_again_under_the_lock() {
    let sim = SimDisk::new(1);
    let disk = SlowDisk::new(sim.clone(), Duration::ZERO);
    let (here, there) = (opened(&sim), on(disk.clone(), DIRECTORY.as_ref()));
    let mut given = Given::default();
    given.all(&here, &["c-1"]);
    given.require(&there, "", "read so far");
    given.all(&here, &["c-2"]);
    disk.spoils.store(true, Ordering::SeqCst);
    given.require(&there, "", "the second look is right");
    assert!(!disk.spoils.load(Ordering::SeqCst));
}

#[test]
fn many_keys_go_through_a_file_that_is_written_anew() {
    let disk = SimDisk::new(1);
    let keys = opened(&disk);
    let mut given = Given::default();
    keys.make((0..10_000).map(|n| format!("c-{n}").into()).collect()).unwrap();
    (0..10_000).step_by(97).for_each(|n| given.all(&keys, &[&format!("c-{n}")]));
    assert!(keys.erase("c-5").unwrap());
    for keys in [&keys, &opened(&disk)] {
        given.require(keys, "", "written anew");
        assert_eq!(keys.known.read().len(), 9_999);
    }
    assert!(on_disk(&disk).len() > 1 << 20);
}

#[test]
fn what_lets_in_others_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let data = tempfile::tempdir().unwrap();
    let vault = data.path().join("identity");
    let keys = on(RealDisk, &vault);
    let text = keys.seal("c-1", "", b"Ada L.").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let folder = vault.join("personal");
    for (path, right) in
        [(&vault, 0o700), (&folder, 0o700), (&folder.join("keys"), 0o600), (&folder.join("LOCK"), 0o600)]
    {
        assert_eq!(mode(path), right, "{}", path.display());
        for wrong in [right | 0o040, right | 0o004, right | 0o002] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(wrong)).unwrap();
            let refused = PersonalKeyFile::open(Arc::new(RealDisk), vault.clone()).err().unwrap().to_string();
            assert!(refused.contains(&format!("run `chmod {right:o} {}`", path.display())), "{refused}");
            if path.ends_with("keys") {
                assert!(told(keys.open("c-1", "", &text)).contains("lets in others"));
                assert!(told(keys.seal("c-2", "", b"")).contains("lets in others"));
            }
        }
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(right)).unwrap();
    }
    assert!(keys.open("c-1", "", &text).unwrap().is_some());
}

/// Lets threads seal at once, each `each` texts of new subjects, and prints how long that took.
fn measure_new(keys: &PersonalKeyFile, name: &str, threads: usize, each: usize) {
    let begun = Instant::now();
    let seal = |thread: usize| {
        let timed = |n: usize| {
            let begun = Instant::now();
            keys.seal(&format!("{name}-{thread}-{n}"), "order o-1", b"Ada L.").unwrap();
            begun.elapsed()
        };
        (0..each).map(timed).max().unwrap()
    };
    let longest = thread::scope(|scope| {
        let sealing: Vec<_> = (0..threads).map(|thread| scope.spawn(move || seal(thread))).collect();
        sealing.into_iter().map(|thread| thread.join().unwrap()).max().unwrap()
    });
    println!(
        "{name}: {} new subjects by {threads} threads in {:?}, at most {longest:?} for one",
        threads * each,
        begun.elapsed()
    );
}

/// `MEASURE_IN=<directory> cargo test -p onhand-vault --release personal::tests::measure -- --ignored --nocapture`
#[test]
#[ignore = "it measures"]
fn measure() {
    let place = std::env::var_os("MEASURE_IN").map_or_else(std::env::temp_dir, PathBuf::from);
    let data = tempfile::tempdir_in(place).unwrap();
    let vault = data.path().join("identity");
    let disk = SlowDisk::new(RealDisk, Duration::ZERO);
    let (keys, other) = (on(disk.clone(), &vault), on(disk.clone(), &vault));
    for threads in [1, 16, 64] {
        let before = disk.syncs.load(Ordering::SeqCst);
        measure_new(&keys, &format!("alone-{threads}"), threads, 16_000 / threads);
        println!("  {} syncs", disk.syncs.load(Ordering::SeqCst) - before);
    }
    thread::scope(|scope| {
        scope.spawn(|| measure_new(&keys, "one of two", 16, 1_000));
        scope.spawn(|| measure_new(&other, "the other", 16, 1_000));
    });
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        println!("{what}: {:?}", begun.elapsed());
    };
    let mut text = String::new();
    timed("100,000 texts of a known subject", &mut || {
        (0..100_000).for_each(|_| text = keys.seal("c-1", "order o-1", b"Ada L.").unwrap());
    });
    timed("100,000 texts opened", &mut || {
        (0..100_000).for_each(|_| drop(keys.open("c-1", "order o-1", &text).unwrap().unwrap()));
    });
    for count in [100_000, 1_000_000] {
        println!("with {count} keys more:");
        timed("  made as one group", &mut || {
            drop(keys.make((0..count).map(|n| format!("{count}-{n}").into()).collect()).unwrap());
        });
        keys.seal("c-1", "order o-1", b"").unwrap();
        timed("  one erased", &mut || assert!(keys.erase("c-1").unwrap()));
        timed("  read anew", &mut || drop(on(disk.clone(), &vault)));
        timed("  10,000 erased texts opened", &mut || {
            (0..10_000).for_each(|_| assert!(keys.open("c-1", "order o-1", &text).unwrap().is_none()));
        });
    }
}
