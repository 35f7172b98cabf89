//! A path through the worlds as a person reads it: step by step, and what each node is then.

use crate::node::{Node, Term};
use crate::stock::Entry;
use crate::world::{Step, World};
use stateright::Path;
use std::fmt::Write;

/// One line a step. Of a node: its log with the mark in it, its term, and how it stands with its process.
pub(crate) fn of(path: Path<World, Step>) -> String {
    let mut story = String::new();
    let mut last: Option<Step> = None;
    for (world, step) in path.into_vec() {
        let step = std::mem::replace(&mut last, step);
        let step = step.map_or_else(|| "at first".to_owned(), |step| format!("{step:?}"));
        let nodes: Vec<String> = (0..).zip(&world.nodes).map(|(number, node)| line(number, node)).collect();
        let _ = writeln!(story, "  {step:<24}{}", nodes.join("   "));
    }
    story
}

fn line(number: usize, node: &Node) -> String {
    let entry = |entry: &Entry| format!("{:?}={} ", entry.change, entry.after.version());
    let behind = node.log[node.mark..].iter().map(entry).collect::<String>();
    let marked = node.marked().iter().map(entry).collect::<String>();
    let Term { number: term, end } = node.term;
    let end = end.map_or_else(String::new, |end| format!(" ends at {end}"));
    let process = match &node.process {
        None => " gone",
        Some(process) if process.lost => " lost",
        Some(_) => "",
    };
    format!("{number}: {marked}| {behind}term {term}{end}{process}")
}
