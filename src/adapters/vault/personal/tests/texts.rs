//! What is sealed, where it opens, and what is left of it when the key is erased.

use super::{Given, PATH, key_id, on_disk, opened};
use crate::personal::check;
use crate::personal::known::NamedKey;
use crate::personal::lines::Id;
use crate::personal::sealed::{Sealed, seal};
use crate::testing::{DIRECTORY, files_with};
use onhand_app::ports::PersonalKeys;
use onhand_sim_machine::disk::{Crash, SimDisk};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

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
fn a_text_of_this_version_stays_readable() {
    let key = NamedKey {
        id: Id::new(*b"\x01\x23\x45\x67\x89\xab\xcd\xef"),
        key: std::array::from_fn(|n| u8::try_from(n).unwrap()),
    };
    let text = seal(&key, "c-1", "order o-1", "Ada L.".as_bytes(), &[0xa7; 32]);
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
    for keys in [opened(&disk), opened(&disk)] {
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

/// The key of a subject, as it stands in the file.
fn key_digits(disk: &SimDisk, subject: &str) -> String {
    let text = on_disk(disk);
    let (_, behind) = text.split_once(&format!("\"subject\":\"{subject}\"")).unwrap();
    let (_, key) = behind.split_once("\"key\":\"").unwrap();
    key[..64].to_owned()
}
