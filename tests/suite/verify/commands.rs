//! The same checks, by the command line.

use super::archived::{archived, archives, damages};
use super::forged::forge;
use super::told;
use crate::node::World;
use onhand_disk::{Disk, OpenMode, read_all};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The data directory of a node that has ended, on the real disk.
fn directory(world: &World) -> TempDir {
    let directory = TempDir::new().unwrap();
    for path in world.disk.files() {
        let file = world.disk.open(&path, OpenMode::Read).unwrap();
        let place = directory.path().join(path.strip_prefix("/data").unwrap());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, read_all(&*file).unwrap()).unwrap();
    }
    fs::create_dir_all(directory.path().join("snapshots")).unwrap();
    directory
}

fn verify(directory: &TempDir, options: &[&str]) -> String {
    let data = directory.path().display().to_string();
    let arguments = [&["verify", "--data-dir", &data], options].concat();
    crate::cli::told(Path::new(env!("CARGO_MANIFEST_DIR")), &arguments).replace(&data, "DATA")
}

#[tokio::test]
async fn every_damaged_archive_is_listed_with_exit_code_65() {
    let world = archived().await;
    let all = archives(&world.disk);
    for number in 0..7 {
        let world = World { disk: world.disk.fork(), ..World::new(world.settings) };
        for path in [&all[0], &all[2]] {
            let (_, bytes) = damages(&world.disk.file(path).unwrap()).swap_remove(number);
            world.disk.put(path, &bytes);
        }
        let directory = directory(&world);
        let told = verify(&directory, &[]);
        assert!(told.starts_with("exit code 65"), "{told}");
        assert_eq!(told.matches("WRONG").count(), 2, "{told}");
        for path in [&all[0], &all[2]] {
            let place = format!("WRONG  DATA/{}, byte", path.strip_prefix("/data").unwrap().display());
            assert!(told.contains(&place) && told.contains(" unpacked, sequence"), "{told}");
        }
    }
}

#[tokio::test]
async fn the_lifetime_of_a_key_can_be_set() {
    let world = told().await;
    forge(&world.disk, Path::new(super::ROOT), |lines| {
        let known_by =
            lines.iter().find(|line| line.json["idem"]["key"] == "b-1").unwrap().json["idem"].clone();
        lines.iter_mut().find(|line| line.json["idem"]["key"] == "b-3").unwrap().json["idem"] = known_by;
    });
    let directory = directory(&world);
    let told = verify(&directory, &[]);
    assert!(told.starts_with("exit code 65") && told.contains("IDEMP_TTL_MS"), "{told}");
    let told = verify(&directory, &["--idemp-ttl-ms", "1"]);
    assert!(told.starts_with("exit code 65"), "they are of one millisecond: {told}");
    let told = verify(&directory, &["--idemp-ttl-ms", "0"]);
    assert!(told.starts_with("exit code 2") && told.contains("1..=2592000000"), "{told}");
}
