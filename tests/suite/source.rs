//! Rust source as text: just enough parsing to check the rules of the project, without a parser as a dependency.

/// The source with comments blanked and the characters of literals replaced by quotes; lines stay where they are.
pub(crate) fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let inside_word = masked.chars().last().is_some_and(is_word);
        let (length, cover) = match (comment_length(rest), literal_length(rest, inside_word)) {
            (0, 0) => (first.len_utf8(), None),
            (0, literal) => (literal, Some('"')),
            (comment, _) => (comment, Some(' ')),
        };
        let (taken, left) = rest.split_at(length);
        masked.extend(taken.chars().map(|c| cover.filter(|_| c != '\n').unwrap_or(c)));
        rest = left;
    }
    masked
}

/// Masked source with the items under `#[cfg(test)]` blanked.
pub(crate) fn without_tests(masked: &str) -> String {
    let mut kept = String::with_capacity(masked.len());
    let mut rest = masked;
    while let Some(start) = ["#[cfg(test", "#[cfg(all(test"].iter().filter_map(|mark| rest.find(mark)).min() {
        let (before, item) = rest.split_at(start);
        let (item, after) = item.split_at(item_length(item));
        kept.push_str(before);
        kept.extend(item.chars().map(|c| if c == '\n' { c } else { ' ' }));
        rest = after;
    }
    kept + rest
}

/// Lines of masked source that are not blank.
pub(crate) fn code_lines(masked: &str) -> usize {
    masked.lines().filter(|line| !line.trim().is_empty()).count()
}

/// Name and lines of code of every function in masked source, from `fn` to its closing brace.
pub(crate) fn functions(masked: &str) -> Vec<(String, usize)> {
    words(masked, "fn")
        .filter_map(|position| {
            let item = &masked[position..];
            let name: String = item[2..].trim_start().chars().take_while(|c| is_word(*c)).collect();
            (!name.is_empty()).then(|| (name, code_lines(&item[..item_length(item)])))
        })
        .collect()
}

/// Every path in masked source that starts with `root::`, groups in braces taken apart, without the root.
pub(crate) fn paths(masked: &str, root: &str) -> Vec<String> {
    let mut found = Vec::new();
    // A name behind another one is a part of that path.
    let begins = |position: &usize| !inside_path(&masked[..*position]);
    for position in words(masked, root).filter(begins) {
        if let Some(tree) = masked[position + root.len()..].trim_start().strip_prefix("::") {
            read_tree(tree, "", &mut found);
        }
    }
    found
}

/// Every path that masked source imports by `use`, lists in braces taken apart, and whether it is a re-export. A new
/// name behind `as` is not read.
pub(crate) fn use_paths(masked: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for position in uses(masked) {
        let is_public = masked[..position].trim_end().ends_with(['b', ')']);
        let mut paths = Vec::new();
        read_tree(&masked[position + "use".len()..], "", &mut paths);
        found.extend(paths.into_iter().map(|path| (path.trim_end_matches("::self").to_owned(), is_public)));
    }
    found
}

/// Masked source with its `use` declarations blanked.
pub(crate) fn without_uses(masked: &str) -> String {
    let mut kept = masked.to_owned();
    for position in uses(masked) {
        let item = &masked[position..];
        let length = item.find(';').unwrap_or(item.len());
        kept.replace_range(position..position + length, &" ".repeat(length));
    }
    kept
}

/// Where `use` declarations begin; `use<..>` of a type is none.
fn uses(masked: &str) -> impl Iterator<Item = usize> {
    words(masked, "use").filter(|position| !masked[position + "use".len()..].starts_with('<'))
}

/// Where a word, or words with anything but letters around them, occurs.
pub(crate) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word).map(|(position, _)| position).filter(move |position| {
        let before = text[..*position].chars().next_back();
        let after = text[position + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// True when `before` ends in a path that the next name continues.
fn inside_path(before: &str) -> bool {
    before.trim_end().strip_suffix("::").is_some_and(|path| path.trim_end().ends_with(is_word))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn comment_length(text: &str) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if !text.starts_with("/*") {
        return 0;
    }
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let rest = &text[at..];
        match rest.chars().next() {
            None => return at,
            Some(_) if rest.starts_with("/*") => (depth, at) = (depth + 1, at + 2),
            Some(_) if rest.starts_with("*/") => (depth, at) = (depth - 1, at + 2),
            Some(other) => at += other.len_utf8(),
        }
        if depth == 0 {
            return at;
        }
    }
}

/// Length of the string or character literal at the start, its prefix included; 0 when there is none.
fn literal_length(text: &str, inside_word: bool) -> usize {
    let body = text.trim_start_matches(['b', 'c', 'r']);
    let prefix = &text[..text.len() - body.len()];
    if inside_word || prefix.len() > 2 {
        return 0;
    }
    let hashes = body.len() - body.trim_start_matches('#').len();
    if prefix.ends_with('r') && body[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let open = hashes + 1;
        return prefix.len() + body[open..].find(&end).map_or(body.len(), |at| open + at + end.len());
    }
    let quoted = match body.chars().next() {
        Some('"') => closing_quote(body, '"'),
        Some('\'') if body[1..].starts_with('\\') || body[1..].chars().nth(1) == Some('\'') => {
            closing_quote(body, '\'')
        }
        _ => return 0,
    };
    prefix.len() + quoted
}

fn closing_quote(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if !escaped && c == quote {
            return at + 1;
        }
        escaped = !escaped && c == '\\';
    }
    text.len()
}

/// Length of the item at the start: to the brace that closes its first brace, or to its semicolon.
fn item_length(masked: &str) -> usize {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (at, c) in masked.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            '{' => braces += 1,
            '}' if braces <= 1 => return at + 1,
            '}' => braces -= 1,
            ';' if braces == 0 && brackets == 0 => return at + 1,
            _ => {}
        }
    }
    masked.len()
}

/// Reads one use-tree after a `::`, adds its paths, and returns what follows it.
fn read_tree<'a>(text: &'a str, prefix: &str, found: &mut Vec<String>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut group) = text.strip_prefix('{') {
        while !group.trim_start().starts_with('}') && !group.trim_start().is_empty() {
            let after = read_tree(group, prefix, found).trim_start();
            group = after.strip_prefix(',').unwrap_or(after);
            if after.len() == group.len() && !after.starts_with('}') {
                break;
            }
        }
        return group.trim_start().strip_prefix('}').unwrap_or(group);
    }
    let end = text.find(|c| !is_word(c) && c != '*').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}::{name}") };
    let subtree = rest.trim_start().strip_prefix("::").filter(|tree| !tree.trim_start().starts_with('<'));
    if let Some(tree) = subtree {
        return read_tree(tree, &path, found);
    }
    found.push(path);
    rest.find([',', '}', ';', '\n']).map_or("", |at| &rest[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_vanish_and_literals_hide_what_they_say() {
        let rows = [
            ("a // b", "a     "),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"f("a // \" {")"#, r#"f(""""""""""")"#),
            ("r#\"a \" b\"# + c", "\"\"\"\"\"\"\"\"\"\" + c"),
            ("'{' '\\'' b'}' <'a> &'a str", "\"\"\" \"\"\"\" \"\"\"\" <'a> &'a str"),
            ("number\"\"", "number\"\""),
            ("\"a\nb\" c", "\"\"\n\"\" c"),
            ("r#type br\"x\"", "r#type \"\"\"\"\""),
        ];
        for (text, wanted) in rows {
            assert_eq!(mask(text), wanted, "{text}");
        }
    }

    #[test]
    fn inline_tests_are_blanked_to_their_last_brace() {
        let text = "a\n#[cfg(test)]\nmod tests { fn x() { } }\nb\n#[cfg(test)]\nuse x::y;\nc";
        assert_eq!(without_tests(text).split_whitespace().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(without_tests(text).lines().count(), text.lines().count());
    }

    #[test]
    fn functions_are_measured_from_their_name_to_their_brace() {
        let text = "pub fn one(a: [u8; 2]) -> u8 {\n  a\n\n}\ntrait T { fn two(&self); }\ntype F = fn(u8);\n";
        assert_eq!(functions(text), [("one".to_owned(), 3), ("two".to_owned(), 1)]);
    }

    #[test]
    fn paths_are_taken_out_of_their_groups() {
        let text = "use crate::{a::{b, c::d}, e}; let x = crate::f::<u8>(); use crate::g::*; pub(crate) x; crate::h::I::j(k)";
        assert_eq!(paths(text, "crate"), ["a::b", "a::c::d", "e", "f", "g::*", "h::I::j"]);
        assert_eq!(paths("use crate::{\n  a as b,\n  c,\n};\n", "crate"), ["a", "c"]);
        assert_eq!(paths("my_std::a; std :: b", "std"), ["b"]);
    }

    #[test]
    fn imports_are_distinguished_from_reexports_and_from_expressions() {
        let text = "use a::{b, c::{self, d}};\npub(crate) use e::F;\nfn f<T>() -> impl G + use<T> { h::i() }";
        let wanted = [("a::b", false), ("a::c", false), ("a::c::d", false), ("e::F", true)];
        assert_eq!(use_paths(text), wanted.map(|(path, is_public)| (path.to_owned(), is_public)));
        let left = without_uses(text);
        assert!(!left.contains("a::") && !left.contains("e::F") && left.contains("h::i()"), "{left}");
        assert_eq!(paths("super::super::a; super::b", "super"), ["super::a", "b"]);
    }
}
