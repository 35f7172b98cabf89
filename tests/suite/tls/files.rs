//! Files that are no good at the start: which one, and why.

use super::client::{Client, Files, Pair};
use crate::binary::process::{Ended, onhand, run};
use rustls::version::TLS13;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const NO_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nb25oYW5k\n-----END CERTIFICATE-----\n";
const NO_KEY: &str = "-----BEGIN PRIVATE KEY-----\nb25oYW5k\n-----END PRIVATE KEY-----\n";
const NO_BASE64: &str = "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";

/// Starts a node with these files, which must not come up, nor make anything.
fn refused(files: &Files, certificate: &Path, key: &Path) -> Ended {
    let mut command = onhand(&["serve", "--port", "0", "--data-dir"]);
    command.arg(files.data()).arg("--tls-cert").arg(certificate).arg("--tls-key").arg(key);
    let ended = run(command);
    assert_eq!(ended.code, Some(78), "{}", ended.stderr);
    assert!(!files.data().exists(), "nothing has been touched");
    ended
}

#[test]
fn a_file_that_is_no_good_is_named_with_the_reason() {
    let (pair, other) = (Pair::new(), Pair::new());
    let files = Files::with(&pair);
    let both = format!("{}{}", pair.certificate, pair.key);
    for (certificate, key, name, reason) in [
        ("", pair.key.as_str(), "TLS_CERT", "no certificate in PEM form"),
        (&pair.key, &pair.key, "TLS_CERT", "no certificate in PEM form"),
        (NO_BASE64, &pair.key, "TLS_CERT", "base64"),
        (NO_CERTIFICATE, &pair.key, "TLS_CERT", "no valid certificate: "),
        (&pair.certificate, "", "TLS_KEY", "no private key in PEM form"),
        (&pair.certificate, &pair.certificate, "TLS_KEY", "no private key in PEM form"),
        (&pair.certificate, NO_KEY, "TLS_KEY", "private key"),
        (&pair.certificate, &other.key, "TLS_KEY", "the key is not that of the certificate in "),
        (&both, &other.key, "TLS_KEY", "the key is not that of the certificate in "),
    ] {
        files.lay(certificate, key);
        let ended = refused(&files, &files.certificate(), &files.key());
        let path = if name == "TLS_CERT" { files.certificate() } else { files.key() };
        let flag = name.to_lowercase().replace('_', "-");
        let begun = format!("{name} (--{flag}) cannot be used: {}: ", path.display());
        assert!(ended.stderr.contains(&begun), "{begun}\n{}", ended.stderr);
        assert!(ended.stderr.contains(reason), "{reason}\n{}", ended.stderr);
        assert!(!ended.stderr.contains("PRIVATE KEY-"), "{}", ended.stderr);
    }
    files.lay(&pair.certificate, &pair.key);
    let nothing = files.data();
    let ended = refused(&files, &nothing, &files.key());
    assert!(ended.stderr.contains("TLS_CERT") && ended.stderr.contains("No such file"), "{}", ended.stderr);
    let ended = refused(&files, &files.certificate(), files.data().parent().unwrap());
    assert!(ended.stderr.contains("TLS_KEY") && ended.stderr.contains("Is a directory"), "{}", ended.stderr);
}

#[test]
fn one_file_without_the_other_is_a_bad_setting() {
    for (given, missing) in [("--tls-cert", "TLS_KEY (--tls-key)"), ("--tls-key", "TLS_CERT (--tls-cert)")] {
        let ended = run(onhand(&["serve", "--port", "0", "--data-dir", "/nowhere/data", given, "a.pem"]));
        assert_eq!(ended.code, Some(78), "{}", ended.stderr);
        assert!(ended.stderr.contains(missing) && ended.stderr.contains("needed with"), "{}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_may_read_is_warned_of() {
    let pair = Pair::new();
    let files = Files::with(&pair);
    // One file may have both.
    files.lay(&format!("{}{}", pair.key, pair.certificate), &format!("{}{}", pair.certificate, pair.key));
    fs::set_permissions(files.key(), Permissions::from_mode(0o640)).unwrap();
    let node = files.node(&[]);
    let said = node.process.said("stderr");
    assert!(said.contains("others than its owner may read the key") && said.contains("640"), "{said}");
    let client = Client::new(&[&pair], &TLS13, &[]);
    assert_eq!(client.get(node.address(), "/livez").await.status, 200);
    node.stop();
}
