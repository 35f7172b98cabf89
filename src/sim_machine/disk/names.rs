//! The names of files and directories, twice: as programs see them and as they would survive a power cut.
//!
//! A change of a name is atomic: "from now on this file has this name (or none)". A crash keeps or drops it as a whole,
//! so a rename is never half done and a file never has two names. Changes that were not fixed by a sync of their
//! directory are kept or dropped independently: a later one may survive an earlier one, which is the only visible
//! reordering. A rename between two directories is fixed once both are synced.
//! A directory is a name too: it is lost with its contents unless its parent was synced, and moves with its contents.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::tree::{DirectoryId, FileId, Paths, ROOTS, Tree, TreeChange, TreeNode, TreePlace};

/// The visible names, and the durable ones.
#[derive(Debug, Clone)]
pub(super) struct NameTable {
    seen: Tree,
    durable: Tree,
    /// The visible directories.
    paths: Paths,
    /// Changes that no sync of their directories has fixed yet, oldest first.
    pending: Vec<TreeChange>,
    last_directory: DirectoryId,
}

impl NameTable {
    /// A table with the two roots only.
    pub(super) fn new() -> Self {
        let (seen, durable) = (Tree::default(), Tree::default());
        let (paths, last_directory) = (seen.paths(), ROOTS.len() as DirectoryId);
        Self { seen, durable, paths, pending: Vec::new(), last_directory }
    }

    /// The file of that name, none if there is no such file; an error when the path cannot have one.
    pub(super) fn find(&self, path: &Path) -> io::Result<Option<FileId>> {
        let directory = self.find_directory(above(path))?;
        if self.paths.contains_key(path.as_os_str()) {
            return Err(Errno::ISDIR.into());
        }
        Ok(self.seen.file(directory, name_of(path)))
    }

    /// The directory with that path.
    pub(super) fn find_directory(&self, path: &Path) -> io::Result<DirectoryId> {
        if let Some(directory) = self.paths.get(path.as_os_str()) {
            return Ok(*directory);
        }
        let file_in_the_way = path.ancestors().any(|path| self.is_file(path));
        Err(if file_in_the_way { Errno::NOTDIR } else { Errno::NOENT }.into())
    }

    /// The file with this durable name.
    pub(super) fn find_durable(&self, path: &Path) -> Option<FileId> {
        let directory = *self.durable.paths().get(above(path).as_os_str())?;
        self.durable.file(directory, name_of(path))
    }

    /// Every durable name, sorted.
    pub(super) fn durable(&self) -> Vec<PathBuf> {
        let mut names = Vec::new();
        for (path, directory) in self.durable.paths() {
            let files = self.durable.files.get(&directory).into_iter().flatten();
            names.extend(files.map(|(name, _)| Path::new(&path).join(name)));
        }
        names.sort();
        names
    }

    /// Adds the name of a new file; the caller has checked that the name is free.
    pub(super) fn create(&mut self, path: &Path, file: FileId) -> io::Result<()> {
        let place = self.place(path)?;
        let unsynced = vec![place.directory];
        self.change(TreeChange { node: TreeNode::File(file), place: Some(place), unsynced });
        Ok(())
    }

    /// Renames a file or a directory, replacing a file, or an empty directory, that has the name.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (old, new) = (self.place(from)?, self.place(to)?);
        let node = if let Some(directory) = self.paths.get(from.as_os_str()) {
            self.require_free_for_directory(from, to)?;
            TreeNode::Directory(*directory)
        } else {
            let file = self.find(from)?.ok_or(Errno::NOENT)?;
            if from != to && from.starts_with(to) {
                return Err(Errno::NOTEMPTY.into());
            }
            self.find(to)?;
            TreeNode::File(file)
        };
        if old != new {
            let unsynced = BTreeSet::from([old.directory, new.directory]).into_iter().collect();
            self.change(TreeChange { node, place: Some(new), unsynced });
        }
        Ok(())
    }

    /// Removes a file's name.
    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let file = self.find(path)?.ok_or(Errno::NOENT)?;
        let unsynced = vec![self.place(path)?.directory];
        self.change(TreeChange { node: TreeNode::File(file), place: None, unsynced });
        Ok(())
    }

    /// The names of the files in a directory, sorted.
    pub(super) fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let directory = self.find_directory(directory)?;
        let files = self.seen.files.get(&directory).into_iter().flatten();
        Ok(files.map(|(name, _)| name.to_string_lossy().into_owned()).collect())
    }

    /// Creates a directory and those above it.
    pub(super) fn create_dir_all(&mut self, directory: &Path) -> io::Result<()> {
        if self.is_file(directory) {
            return Err(Errno::EXIST.into());
        }
        let mut missing: Vec<&Path> =
            directory.ancestors().take_while(|path| !self.paths.contains_key(path.as_os_str())).collect();
        if missing.iter().any(|path| self.is_file(path)) {
            return Err(Errno::NOTDIR.into());
        }
        missing.reverse();
        for path in missing {
            let place = self.place(path)?;
            self.last_directory += 1;
            let (node, unsynced) = (TreeNode::Directory(self.last_directory), vec![place.directory]);
            self.change(TreeChange { node, place: Some(place), unsynced });
        }
        Ok(())
    }

    /// Fixes the names in one directory.
    pub(super) fn sync_dir(&mut self, directory: &Path) -> io::Result<()> {
        let synced = self.find_directory(directory)?;
        let mut waiting: Vec<TreeChange> = Vec::new();
        for mut change in std::mem::take(&mut self.pending) {
            change.unsynced.retain(|directory| *directory != synced);
            if change.unsynced.is_empty() {
                // An earlier pending change of the same name, or of the same file, cannot return after it.
                waiting.retain(|earlier| earlier.node != change.node);
                for earlier in waiting.iter_mut().filter(|earlier| earlier.place == change.place) {
                    earlier.place = None;
                }
                self.durable.apply(change);
            } else {
                waiting.push(change);
            }
        }
        self.pending = waiting;
        Ok(())
    }

    /// A power cut: `keep` is called for every change that is not fixed yet.
    pub(super) fn power_cut(&mut self, mut keep: impl FnMut() -> bool) {
        for change in std::mem::take(&mut self.pending) {
            // A change in a directory that was lost is lost too.
            let possible = change.place.as_ref().is_none_or(|place| self.durable.reaches(place.directory));
            if keep() && possible {
                self.durable.apply(change);
            }
        }
        let paths = self.durable.paths();
        let left: BTreeSet<DirectoryId> = paths.values().copied().collect();
        self.durable.files.retain(|directory, _| left.contains(directory));
        self.durable.directories.retain(|directory, _| left.contains(directory));
        self.seen = self.durable.clone();
        self.paths = paths;
    }

    /// Gives a file a durable name, with the directories above it, bypassing the calls.
    pub(super) fn put(&mut self, path: &Path, file: FileId) {
        self.create_dir_all(above(path)).expect("no file is in the way");
        for directory in path.ancestors().skip(1).filter_map(|path| self.paths.get(path.as_os_str())) {
            if let Some(place) = self.seen.directories.get(directory) {
                let place = Some(place.clone());
                let (node, unsynced) = (TreeNode::Directory(*directory), Vec::new());
                self.durable.apply(TreeChange { node, place, unsynced });
                self.pending.retain(|change| change.node != TreeNode::Directory(*directory));
            }
        }
        let place = self.place(path).expect("its directory is there");
        self.pending.retain(|change| change.place.as_ref() != Some(&place));
        let planted = TreeChange { node: TreeNode::File(file), place: Some(place), unsynced: Vec::new() };
        self.seen.apply(planted.clone());
        self.durable.apply(planted);
    }

    /// The files that have a name, or may have one after a crash.
    pub(super) fn mentioned(&self) -> impl Iterator<Item = FileId> {
        let pending = self.pending.iter().filter_map(|change| match change.node {
            TreeNode::File(file) => Some(file),
            TreeNode::Directory(_) => None,
        });
        let named = self.seen.files.values().chain(self.durable.files.values());
        named.flat_map(BTreeMap::values).copied().chain(pending)
    }

    fn change(&mut self, change: TreeChange) {
        self.seen.apply(change.clone());
        if matches!(change.node, TreeNode::Directory(_)) {
            self.paths = self.seen.paths();
        }
        self.pending.push(change);
    }

    /// A directory can get no name that is below itself, that of a file, or that of a non-empty directory.
    fn require_free_for_directory(&self, from: &Path, to: &Path) -> io::Result<()> {
        let replaced = self.paths.get(to.as_os_str()).filter(|_| from != to);
        if to.starts_with(from) && to != from {
            return Err(Errno::INVAL.into());
        }
        if self.is_file(to) {
            return Err(Errno::NOTDIR.into());
        }
        if replaced.is_some_and(|directory| self.seen.holds_something(*directory)) {
            return Err(Errno::NOTEMPTY.into());
        }
        Ok(())
    }

    fn place(&self, path: &Path) -> io::Result<TreePlace> {
        Ok(TreePlace { directory: self.find_directory(above(path))?, name: name_of(path).to_owned() })
    }

    fn is_file(&self, path: &Path) -> bool {
        let directory = self.paths.get(above(path).as_os_str());
        directory.is_some_and(|directory| self.seen.file(*directory, name_of(path)).is_some())
    }
}

/// A path without `.`, so that each place has one spelling.
pub(super) fn spelled(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != std::path::Component::CurDir).collect()
}

/// The parent directory of a path.
fn above(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// The last component of a path.
fn name_of(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::random::Random;

    fn path(name: &str) -> PathBuf {
        PathBuf::from("/d").join(name)
    }

    fn directory_with(files: &[(&str, FileId)]) -> NameTable {
        let mut names = NameTable::new();
        for (name, file) in files {
            names.put(&path(name), *file);
        }
        names.create_dir_all(Path::new("/d")).unwrap();
        names.sync_dir(Path::new("/")).unwrap();
        names
    }

    /// Every set of files that a power cut can leave.
    fn outcomes(names: &NameTable) -> BTreeSet<Vec<(String, FileId)>> {
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
        names.create(&path("tmp"), 2).unwrap();
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
        names.create(&path("first"), 1).unwrap();
        names.create(&path("second"), 2).unwrap();
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
        names.create(&path("b"), 2).unwrap();
        names.remove(&path("a")).unwrap();
        names.sync_dir(Path::new("/e")).unwrap();
        assert_eq!(outcomes(&names).len(), 4);
        names.sync_dir(Path::new("/d")).unwrap();
        assert_eq!(outcomes(&names), set(&[&[("b", 2)]]));
    }

    #[test]
    fn a_directory_is_lost_with_its_files_unless_its_parent_was_synced() {
        let mut names = NameTable::new();
        names.create_dir_all(Path::new("/x/y")).unwrap();
        names.create(Path::new("/x/y/file"), 1).unwrap();
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
    fn a_rename_between_directories_is_fixed_once_both_are_synced() {
        let (from, to) = (path("a"), Path::new("/e/a"));
        let after = |synced: &[&str]| {
            let mut names = directory_with(&[("a", 1)]);
            names.create_dir_all(Path::new("/e")).unwrap();
            names.sync_dir(Path::new("/")).unwrap();
            names.rename(&from, to).unwrap();
            assert_eq!((names.find(&from).unwrap(), names.find(to).unwrap()), (None, Some(1)));
            for directory in synced {
                names.sync_dir(Path::new(directory)).unwrap();
            }
            let ends = (0..50).map(|seed| {
                let mut random = Random::new(seed);
                let mut cut = names.clone();
                cut.power_cut(|| random.percent(50));
                cut.durable()
            });
            ends.collect::<BTreeSet<_>>()
        };
        let either = BTreeSet::from([vec![from.clone()], vec![to.to_path_buf()]]);
        assert_eq!((after(&[]), after(&["/d"]), after(&["/e"])), (either.clone(), either.clone(), either));
        assert_eq!(after(&["/d", "/e"]), BTreeSet::from([vec![to.to_path_buf()]]));
    }

    #[test]
    fn a_directory_moves_with_all_it_holds_or_not_at_all() {
        let mut names = directory_with(&[("a", 1)]);
        names.create_dir_all(Path::new("/d/deep")).unwrap();
        names.create(Path::new("/d/deep/b"), 2).unwrap();
        names.sync_dir(Path::new("/d/deep")).unwrap();
        names.sync_dir(Path::new("/d")).unwrap();
        names.rename(Path::new("/d"), Path::new("/moved")).unwrap();
        assert!(names.find(&path("a")).is_err());
        names.create(Path::new("/moved/c"), 3).unwrap();
        names.sync_dir(Path::new("/moved")).unwrap();
        let left = |kept| {
            let mut cut = names.clone();
            cut.power_cut(|| kept);
            cut.durable()
        };
        let below = |top: &str| ["a", "c", "deep/b"].map(|name| Path::new(top).join(name)).to_vec();
        assert_eq!(left(false), below("/d"));
        assert_eq!(left(true), below("/moved"));
        names.sync_dir(Path::new("/")).unwrap();
        names.power_cut(|| false);
        assert_eq!(names.durable(), below("/moved"));
    }

    #[test]
    fn a_directory_takes_the_place_of_an_empty_one_only() {
        let mut names = directory_with(&[("a", 1)]);
        names.create_dir_all(Path::new("/empty")).unwrap();
        names.create_dir_all(Path::new("/e/below")).unwrap();
        let refused =
            |names: &mut NameTable, to| names.rename(Path::new("/e"), Path::new(to)).unwrap_err().kind();
        assert_eq!(refused(&mut names, "/d"), io::ErrorKind::DirectoryNotEmpty);
        assert_eq!(refused(&mut names, "/d/a"), io::ErrorKind::NotADirectory);
        assert_eq!(refused(&mut names, "/e/below/e"), io::ErrorKind::InvalidInput);
        names.rename(Path::new("/e"), Path::new("/empty")).unwrap();
        assert!(names.list(Path::new("/empty/below")).is_ok() && names.list(Path::new("/e")).is_err());
    }

    #[test]
    fn a_file_is_mentioned_as_long_as_a_crash_could_bring_its_name_back() {
        let mut names = directory_with(&[("a", 1)]);
        names.remove(&path("a")).unwrap();
        assert!(names.mentioned().any(|file| file == 1));
        names.sync_dir(Path::new("/d")).unwrap();
        assert!(!names.mentioned().any(|file| file == 1));
        names.create(&path("b"), 2).unwrap();
        names.remove(&path("b")).unwrap();
        assert!(names.mentioned().any(|file| file == 2));
        names.put(&path("final"), 3);
        names.create(&path("tmp"), 4).unwrap();
        names.rename(&path("tmp"), &path("final")).unwrap();
        assert!(names.mentioned().any(|file| file == 3), "the rename that took its name may be lost");
    }

    #[test]
    fn one_place_has_one_spelling() {
        assert_eq!(spelled(Path::new("./a/./b/")), Path::new("a/b"));
        assert_eq!(spelled(Path::new(".")), Path::new(""));
    }
}
