//! The names of files and directories, twice: as programs see them and as they would survive a power cut.
//!
//! A change of a name is one thing: "from now on this file is called so (or nothing)". A crash keeps or drops it whole, so a
//! rename is never half done and a file never has two names. Changes that were not fixed by a sync of their directory are
//! kept or dropped each by itself: a later one may survive an earlier one, which is all the reordering that can be seen.
//! A directory is a name too: it is lost with all it holds unless its parent was synced.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::adapters::file::disk::parent;

/// What a file is, whatever its name.
pub(super) type FileId = u64;

/// Paths in the order of their bytes, in which a directory is in front of what it holds. Paths themselves are compared
/// part by part, which takes a sixth of a simulation's time.
type ByPath<T> = BTreeMap<OsString, T>;

/// Names as seen and names as durable.
#[derive(Debug, Clone)]
pub(super) struct Names {
    seen: ByPath<FileId>,
    durable: ByPath<FileId>,
    /// Oldest first; not yet fixed by a sync of their directory.
    pending: Vec<Change>,
    /// Every directory, and whether a crash leaves it.
    directories: ByPath<bool>,
}

#[derive(Debug, Clone)]
struct Change {
    file: FileId,
    name: Option<PathBuf>,
    directory: PathBuf,
}

impl Names {
    /// Nothing but the two roots: `/` and the working directory.
    pub(super) fn new() -> Self {
        let roots = [(OsString::from("/"), true), (OsString::new(), true)];
        Self {
            seen: BTreeMap::new(),
            durable: BTreeMap::new(),
            pending: Vec::new(),
            directories: BTreeMap::from(roots),
        }
    }

    /// The file of that name, if there is one; an error when there cannot be one.
    pub(super) fn find(&self, path: &Path) -> io::Result<Option<FileId>> {
        self.require_directory(&parent(path))?;
        if self.directories.contains_key(path.as_os_str()) {
            return Err(Errno::ISDIR.into());
        }
        Ok(self.seen.get(path.as_os_str()).copied())
    }

    /// The file that has this name on the disk.
    pub(super) fn find_durable(&self, path: &Path) -> Option<FileId> {
        self.durable.get(path.as_os_str()).copied()
    }

    /// Every name on the disk, sorted.
    pub(super) fn durable(&self) -> Vec<PathBuf> {
        self.durable.keys().map(PathBuf::from).collect()
    }

    /// Gives a new file its name; the caller has made sure that nobody has it.
    pub(super) fn create(&mut self, path: &Path, file: FileId) {
        self.change(file, Some(path.to_path_buf()), parent(path));
    }

    /// Renames within one directory, replacing what has the name.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let file = self.find(from)?.ok_or(Errno::NOENT)?;
        self.find(to)?;
        if parent(from) != parent(to) {
            return Err(Errno::XDEV.into());
        }
        if from != to {
            self.change(file, Some(to.to_path_buf()), parent(to));
        }
        Ok(())
    }

    /// Takes a file's name away.
    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let file = self.find(path)?.ok_or(Errno::NOENT)?;
        self.change(file, None, parent(path));
        Ok(())
    }

    /// The names of the files in a directory, sorted.
    pub(super) fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.require_directory(directory)?;
        let here = self.seen.keys().map(Path::new).filter(|path| parent(path) == directory);
        Ok(here.filter_map(Path::file_name).map(|name| name.to_string_lossy().into_owned()).collect())
    }

    /// Makes a directory and those above it.
    pub(super) fn create_dir_all(&mut self, directory: &Path) -> io::Result<()> {
        if self.seen.contains_key(directory.as_os_str()) {
            return Err(Errno::EXIST.into());
        }
        let missing: Vec<&Path> = directory
            .ancestors()
            .take_while(|path| !self.directories.contains_key(path.as_os_str()))
            .collect();
        if missing.iter().any(|path| self.seen.contains_key(path.as_os_str())) {
            return Err(Errno::NOTDIR.into());
        }
        self.directories.extend(missing.into_iter().map(|path| (path.into(), false)));
        Ok(())
    }

    /// Fixes the names in one directory.
    pub(super) fn sync_dir(&mut self, directory: &Path) -> io::Result<()> {
        self.require_directory(directory)?;
        for (path, durable) in &mut self.directories {
            *durable |= parent(Path::new(path)) == directory;
        }
        let (fixed, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.pending).into_iter().partition(|change| change.directory == directory);
        self.pending = waiting;
        for change in fixed {
            apply(&mut self.durable, change);
        }
        Ok(())
    }

    /// A power cut: `keep` is asked for every change that is not fixed yet.
    pub(super) fn power_cut(&mut self, mut keep: impl FnMut() -> bool) {
        for change in std::mem::take(&mut self.pending) {
            if keep() {
                apply(&mut self.durable, change);
            }
        }
        let mut left: ByPath<bool> = BTreeMap::new();
        for (path, durable) in std::mem::take(&mut self.directories) {
            let root = Path::new(&path).parent().is_none();
            if root || ((durable || keep()) && left.contains_key(parent(Path::new(&path)).as_os_str())) {
                left.insert(path, true);
            }
        }
        self.durable.retain(|path, _| left.contains_key(parent(Path::new(path)).as_os_str()));
        self.directories = left;
        self.seen = self.durable.clone();
    }

    /// Names a file durably, with the directories above it, behind everyone's back.
    pub(super) fn put(&mut self, path: &Path, file: FileId) {
        self.pending.retain(|change| change.name.as_deref() != Some(path));
        for directory in path.ancestors().skip(1) {
            self.directories.insert(directory.into(), true);
        }
        self.seen.insert(path.into(), file);
        self.durable.insert(path.into(), file);
    }

    /// The files that have a name, or may have one after a crash.
    pub(super) fn mentioned(&self) -> impl Iterator<Item = FileId> {
        let pending = self.pending.iter().map(|change| change.file);
        self.seen.values().chain(self.durable.values()).copied().chain(pending)
    }

    fn change(&mut self, file: FileId, name: Option<PathBuf>, directory: PathBuf) {
        let change = Change { file, name, directory };
        apply(&mut self.seen, change.clone());
        self.pending.push(change);
    }

    fn require_directory(&self, directory: &Path) -> io::Result<()> {
        if self.directories.contains_key(directory.as_os_str()) {
            return Ok(());
        }
        let file_in_the_way = directory.ancestors().any(|path| self.seen.contains_key(path.as_os_str()));
        Err(if file_in_the_way { Errno::NOTDIR } else { Errno::NOENT }.into())
    }
}

/// A path without `.`, so that one place has one spelling.
pub(super) fn spelled(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != std::path::Component::CurDir).collect()
}

fn apply(names: &mut ByPath<FileId>, change: Change) {
    names.retain(|_, file| *file != change.file);
    if let Some(name) = change.name {
        names.insert(name.into_os_string(), change.file);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sim::random::Random;

    fn path(name: &str) -> PathBuf {
        PathBuf::from("/d").join(name)
    }

    fn directory_with(files: &[(&str, FileId)]) -> Names {
        let mut names = Names::new();
        for (name, file) in files {
            names.put(&path(name), *file);
        }
        names.create_dir_all(Path::new("/d")).unwrap();
        names.sync_dir(Path::new("/")).unwrap();
        names
    }

    /// Every state in which power cuts leave the files.
    fn outcomes(names: &Names) -> BTreeSet<Vec<(String, FileId)>> {
        (0..300)
            .map(|seed| {
                let mut random = Random::new(seed);
                let mut cut = names.clone();
                cut.power_cut(|| random.percent(50));
                let list = cut.list(Path::new("/d")).unwrap();
                list.into_iter()
                    .map(|name| (name.clone(), cut.find(&path(&name)).unwrap().unwrap()))
                    .collect()
            })
            .collect()
    }

    fn set(states: &[&[(&str, FileId)]]) -> BTreeSet<Vec<(String, FileId)>> {
        states
            .iter()
            .map(|state| state.iter().map(|(name, file)| ((*name).to_owned(), *file)).collect())
            .collect()
    }

    #[test]
    fn an_unsynced_rename_is_done_or_not_and_never_half() {
        let mut names = directory_with(&[("final", 1)]);
        names.create(&path("tmp"), 2);
        names.rename(&path("tmp"), &path("final")).unwrap();
        assert_eq!(names.list(Path::new("/d")).unwrap(), ["final"]);
        let wanted: [&[(&str, FileId)]; 3] = [&[("final", 1)], &[("final", 1), ("tmp", 2)], &[("final", 2)]];
        assert_eq!(outcomes(&names), set(&wanted));
    }

    #[test]
    fn a_chain_of_renames_leaves_a_file_exactly_one_name() {
        let mut names = directory_with(&[("a", 1)]);
        names.rename(&path("a"), &path("b")).unwrap();
        names.rename(&path("b"), &path("c")).unwrap();
        assert_eq!(outcomes(&names), set(&[&[("a", 1)], &[("b", 1)], &[("c", 1)]]));
    }

    #[test]
    fn a_later_change_may_survive_an_earlier_one() {
        let mut names = directory_with(&[]);
        names.create(&path("first"), 1);
        names.create(&path("second"), 2);
        assert!(outcomes(&names).contains(&vec![("second".to_owned(), 2)]));
    }

    #[test]
    fn an_unsynced_removal_may_come_back() {
        let mut names = directory_with(&[("a", 1)]);
        names.remove(&path("a")).unwrap();
        assert_eq!(names.find(&path("a")).unwrap(), None);
        assert_eq!(outcomes(&names), set(&[&[], &[("a", 1)]]));
    }

    #[test]
    fn a_synced_directory_has_one_future_and_its_neighbour_still_has_two() {
        let mut names = directory_with(&[("a", 1)]);
        names.create_dir_all(Path::new("/e")).unwrap();
        names.create(&path("b"), 2);
        names.remove(&path("a")).unwrap();
        names.sync_dir(Path::new("/e")).unwrap();
        assert_eq!(outcomes(&names).len(), 4);
        names.sync_dir(Path::new("/d")).unwrap();
        assert_eq!(outcomes(&names), set(&[&[("b", 2)]]));
    }

    #[test]
    fn a_directory_is_lost_with_its_files_unless_its_parent_was_synced() {
        let mut names = Names::new();
        names.create_dir_all(Path::new("/x/y")).unwrap();
        names.create(Path::new("/x/y/file"), 1);
        names.sync_dir(Path::new("/x/y")).unwrap();
        names.sync_dir(Path::new("/x")).unwrap();
        let mut cut = names.clone();
        cut.power_cut(|| false);
        assert!(cut.durable().is_empty());
        assert!(cut.list(Path::new("/x/y")).is_err());
        names.sync_dir(Path::new("/")).unwrap();
        names.power_cut(|| false);
        assert_eq!(names.durable(), [Path::new("/x/y/file")]);
    }

    #[test]
    fn a_rename_between_directories_is_refused() {
        let mut names = directory_with(&[("a", 1)]);
        names.create_dir_all(Path::new("/e")).unwrap();
        let refused = names.rename(&path("a"), Path::new("/e/a")).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::CrossesDevices);
    }

    #[test]
    fn a_file_is_mentioned_as_long_as_a_crash_could_bring_its_name_back() {
        let mut names = directory_with(&[("a", 1)]);
        names.remove(&path("a")).unwrap();
        assert!(names.mentioned().any(|file| file == 1));
        names.sync_dir(Path::new("/d")).unwrap();
        assert!(!names.mentioned().any(|file| file == 1));
        names.create(&path("b"), 2);
        names.remove(&path("b")).unwrap();
        assert!(names.mentioned().any(|file| file == 2));
        names.put(&path("final"), 3);
        names.create(&path("tmp"), 4);
        names.rename(&path("tmp"), &path("final")).unwrap();
        assert!(names.mentioned().any(|file| file == 3), "the rename that took its name may be lost");
    }

    #[test]
    fn one_place_has_one_spelling() {
        assert_eq!(spelled(Path::new("./a/./b/")), Path::new("a/b"));
        assert_eq!(spelled(Path::new(".")), Path::new(""));
    }
}
