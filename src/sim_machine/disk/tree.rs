//! The tree of files and directories at one moment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// The number of a file, independent of its names.
pub(super) type FileId = u64;

/// The number of a directory, independent of its path.
pub(super) type DirectoryId = u64;

/// A file or a directory, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TreeNode {
    File(FileId),
    Directory(DirectoryId),
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TreePlace {
    pub(super) directory: DirectoryId,
    pub(super) name: OsString,
}

/// Directories by path, in the order of its bytes. Paths themselves are compared part by part, which takes a sixth of a
/// simulation's time.
pub(super) type Paths = BTreeMap<OsString, DirectoryId>;

/// `/` and the working directory, which have no name of their own.
pub(super) const ROOTS: [(&str, DirectoryId); 2] = [("/", 0), ("", 1)];

/// The contents of every directory.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    pub(super) files: BTreeMap<DirectoryId, BTreeMap<OsString, FileId>>,
    pub(super) directories: BTreeMap<DirectoryId, TreePlace>,
}

/// A change of the tree: from now on this node is at this place, or at none.
#[derive(Debug, Clone)]
pub(super) struct TreeChange {
    pub(super) node: TreeNode,
    pub(super) place: Option<TreePlace>,
    /// The directories that have to be synced before it is durable.
    pub(super) unsynced: Vec<DirectoryId>,
}

impl Tree {
    pub(super) fn file(&self, directory: DirectoryId, name: &OsStr) -> Option<FileId> {
        self.files.get(&directory)?.get(name).copied()
    }

    /// Moves a node to its place, replacing a node that is there; without a place the node is removed.
    pub(super) fn apply(&mut self, change: TreeChange) {
        match change.node {
            TreeNode::File(file) => {
                for files in self.files.values_mut() {
                    files.retain(|_, named| *named != file);
                }
                if let Some(TreePlace { directory, name }) = change.place {
                    self.files.entry(directory).or_default().insert(name, file);
                }
            }
            TreeNode::Directory(directory) => {
                self.directories.retain(|_, place| Some(&*place) != change.place.as_ref());
                match change.place {
                    Some(place) => self.directories.insert(directory, place),
                    None => self.directories.remove(&directory),
                };
            }
        }
    }

    /// The path of every reachable directory.
    pub(super) fn paths(&self) -> Paths {
        let mut paths: Paths = ROOTS.iter().map(|(path, root)| (OsString::from(path), *root)).collect();
        for directory in self.directories.keys() {
            paths.extend(self.path(*directory).map(|path| (path.into_os_string(), *directory)));
        }
        paths
    }

    fn path(&self, directory: DirectoryId) -> Option<PathBuf> {
        if let Some((path, _)) = ROOTS.iter().find(|(_, root)| *root == directory) {
            return Some(PathBuf::from(path));
        }
        let place = self.directories.get(&directory)?;
        Some(self.path(place.directory)?.join(&place.name))
    }

    pub(super) fn reaches(&self, directory: DirectoryId) -> bool {
        self.path(directory).is_some()
    }

    pub(super) fn holds_something(&self, directory: DirectoryId) -> bool {
        self.files.get(&directory).is_some_and(|files| !files.is_empty())
            || self.directories.values().any(|place| place.directory == directory)
    }
}
