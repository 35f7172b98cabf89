//! Which room of a folder imports from which, read from the source, and the circles among them.
//!
//! The rooms of a folder are its sub-folders, its files, and its `mod.rs` as far as that defines something itself. A path
//! `crate::a::b` in a file under `a/x` is an arrow `x -> b`, where `crate` is the nearest folder above with a `lib.rs`; `super::`, `self::` and the bare names of a folder's own
//! modules in its `mod.rs` count too. A name that a `mod.rs` re-exports belongs to the room it comes from.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{mask, paths, use_paths, without_tests, without_uses};

/// Imports that may close a circle, with the reason. The list only shrinks.
pub(crate) const MAY_CLOSE_A_CIRCLE: &[(&str, &str)] = &[
    ("src/app/central: worker -> following", THE_WORKER),
    ("src/app/ledger: sharing -> mod.rs", IMPL_LEDGER),
    ("src/app: ledger -> projections", THE_PROJECTIONS),
    ("src/app: ports -> central", THE_MODEL_IS_SAVED),
    ("src/domain/ledger: registry -> decide", THE_REGISTRY),
    ("src/domain/ledger: registry -> draft", THE_REGISTRY),
    ("src/domain/ledger: registry -> kind", THE_REGISTRY),
    ("src/domain/ledger: registry -> takeover", THE_REGISTRY),
    ("src/domain: ledger -> allocation", THE_REGISTRY),
    ("src/domain: ledger -> catalogue", THE_REGISTRY),
    ("src/domain: ledger -> clock", THE_REGISTRY),
    ("src/domain: ledger -> identity", THE_REGISTRY),
    ("src/domain: ledger -> imports", THE_REGISTRY),
    ("src/domain: ledger -> low_stock", THE_REGISTRY),
    ("src/domain: ledger -> orders", THE_REGISTRY),
    ("src/domain: ledger -> stock", THE_REGISTRY),
];

const IMPL_LEDGER: &str = "the struct Ledger owns the state of the sharing, whose file adds methods to it";
const THE_MODEL_IS_SAVED: &str = "the port of the central store streams a copy of the model under its lock, so it names the types of the model";
const THE_PROJECTIONS: &str =
    "the ledger owns the one list of projections, and each capability's projection reads the ledger";
const THE_REGISTRY: &str = "the closed enums are generated in one table of all capabilities, and everything in the domain names them";
const THE_WORKER: &str =
    "the worker owns its followers, and each follower works on the model and the stores of the worker";

/// The longest chain of re-exports of one name.
const REEXPORTS_MAX: usize = 8;

/// An arrow of one folder: the room that imports, and the room it imports from.
type Arrow = (String, String);

/// The name of the room that is a folder's own `mod.rs`.
const OWN: &str = "mod.rs";

/// The modules under `src`, and what each imports by name.
struct House {
    /// Masked code without tests, by the path of the module (`domain::stock::level`).
    code: BTreeMap<Vec<String>, String>,
    /// Folders and files alike.
    modules: BTreeSet<Vec<String>>,
    /// The folders with a `lib.rs`.
    packages: Vec<Vec<String>>,
    /// What each file imports by `use`.
    imported: BTreeMap<Vec<String>, Vec<Import>>,
}

struct Import {
    name: String,
    /// From the top of the house.
    path: Vec<String>,
    /// It is a re-export.
    for_others: bool,
}

/// The arrows between the rooms of every folder.
pub(crate) struct Arrows(BTreeMap<String, BTreeSet<Arrow>>);

impl Arrows {
    /// The arrows in the folders from `roots` down.
    pub(crate) fn read(files: &BTreeMap<String, String>, roots: &[&str]) -> Self {
        let house = House::read(files);
        let mut arrows: BTreeMap<String, BTreeSet<Arrow>> = BTreeMap::new();
        for (module, code) in &house.code {
            for path in house.named(module, code) {
                let target = house.home_of(path);
                let shared = module.iter().zip(&target).take_while(|(one, other)| one == other).count();
                let room = |path: &[String]| path.get(shared).map_or(OWN, String::as_str).to_owned();
                let (from, to) = (room(module), room(&target));
                let place = format!("src/{}", module[..shared].join("/"));
                let is_within = |root: &&str| place == **root || place.starts_with(&format!("{root}/"));
                if from != to && roots.iter().any(is_within) {
                    arrows.entry(place).or_default().insert((from, to));
                }
            }
        }
        Self(arrows)
    }

    /// Those that run in circles when the ones in `without` are taken away, as `src/a: x -> b`.
    pub(crate) fn in_circles(&self, without: &[&str]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (place, arrows) in &self.0 {
            let name = |(from, to): &Arrow| format!("{place}: {from} -> {to}");
            let left: BTreeSet<&Arrow> =
                arrows.iter().filter(|arrow| !without.contains(&name(arrow).as_str())).collect();
            found.extend(left.iter().filter(|(from, to)| leads(&left, to, from)).map(|arrow| name(arrow)));
        }
        found
    }
}

/// True when a way along the arrows leads from one room to another.
fn leads(arrows: &BTreeSet<&Arrow>, from: &str, to: &str) -> bool {
    let (mut reached, mut next) = (BTreeSet::from([from]), vec![from]);
    while let Some(room) = next.pop() {
        let ends = arrows.iter().filter(|(start, _)| start == room).map(|(_, end)| end.as_str());
        next.extend(ends.filter(|end| reached.insert(end)));
    }
    reached.contains(to)
}

impl House {
    fn read(files: &BTreeMap<String, String>) -> Self {
        let mut house = Self {
            code: BTreeMap::new(),
            modules: BTreeSet::new(),
            packages: Vec::new(),
            imported: BTreeMap::new(),
        };
        let is_test = |path: &str| path.trim_end_matches(".rs").split('/').any(|part| part == "tests");
        for (path, text) in files.iter().filter(|(path, _)| !is_test(path)) {
            let Some(path) = path.strip_prefix("src/").and_then(|path| path.strip_suffix(".rs")) else {
                continue;
            };
            let module = segments(&path.replace('/', "::"));
            let is_head = module.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
            let module = if is_head { module[..module.len() - 1].to_vec() } else { module };
            if path.ends_with("lib") {
                house.packages.push(module.clone());
            }
            house.modules.insert(module.clone());
            house.code.insert(module, without_tests(&mask(text)));
        }
        for (module, code) in &house.code {
            let import = |(path, for_others): (String, bool)| {
                let path = house.absolute(module, &segments(&path))?;
                Some(Import { name: path.last()?.clone(), path, for_others })
            };
            house.imported.insert(module.clone(), use_paths(code).into_iter().filter_map(import).collect());
        }
        house
    }

    /// The paths of the project in a file, as absolute paths; without its re-exports.
    fn named(&self, module: &[String], code: &str) -> Vec<Vec<String>> {
        let imported = self.imported.get(module).into_iter().flatten();
        let mut named: Vec<Vec<String>> =
            imported.filter(|import| !import.for_others).map(|import| import.path.clone()).collect();
        let children =
            self.modules.iter().filter(|child| child.split_last().is_some_and(|(_, above)| above == module));
        let roots = ["crate", "super", "self"]
            .into_iter()
            .chain(children.filter_map(|child| Some(child.last()?.as_str())));
        let code = without_uses(code);
        for root in roots {
            let found = paths(&code, root).into_iter();
            named.extend(
                found.filter_map(|path| self.absolute(module, &segments(&format!("{root}::{path}")))),
            );
        }
        // A path to an enclosing folder usually limits visibility, as in `pub(in path)`.
        named.retain(|path| !module.starts_with(path));
        named
    }

    /// A path in a module, made absolute; none when it is not of the project.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some([self.package(module), rest].concat()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let above = &module[..module.len().checked_sub(1)?];
                if rest.first().is_some_and(|next| next == "super") {
                    self.absolute(above, rest)
                } else {
                    Some([above, rest].concat())
                }
            }
            _ => {
                let inside = [module, path].concat();
                self.modules.contains(&inside[..=module.len()]).then_some(inside)
            }
        }
    }

    /// The folder of the package of a module.
    fn package(&self, module: &[String]) -> &[String] {
        let above = self.packages.iter().filter(|package| module.starts_with(package));
        above.max_by_key(|package| package.len()).map_or(&[], Vec::as_slice)
    }

    /// The module in which the last name of a path is defined, through the re-exports on the way.
    fn home_of(&self, mut path: Vec<String>) -> Vec<String> {
        for _ in 0..REEXPORTS_MAX {
            let (module, rest) = path.split_at(self.depth(&path));
            let imported = self.imported.get(module).into_iter().flatten();
            let same = |import: &&Import| rest.first() == Some(&import.name);
            let Some(import) = imported.into_iter().find(same) else { break };
            path = [&import.path, &rest[1..]].concat();
        }
        path.truncate(self.depth(&path));
        path
    }

    /// The number of leading names of a path that are modules.
    fn depth(&self, path: &[String]) -> usize {
        (0..=path.len()).rev().find(|depth| self.modules.contains(&path[..*depth])).unwrap_or(0)
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split("::").map(str::to_owned).collect()
}
