//! The console: the web application in `static/`, which speaks the public API and nothing else.
//!
//! The files are embedded as they are written; there is no build step. Their address has a tag made of all of them, so a browser
//! may keep each for ever, and a page never mixes two versions.
//!
//! | folder | content |
//! | --- | --- |
//! | `static/app.js` | the shell: navigation, login, keys |
//! | `static/{api,session,feed,status,router}.js` | calls, who the caller is, the stream of changes, whether the node answers, addresses |
//! | `static/pages/` | one folder a page, and their list |
//! | `static/parts/` | what pages share: tables, forms, notes |
//! | `static/vendor/` | Preact and signals, made by `tests/browser/vendor.mjs` from pinned packages |

use flate2::Compression;
use flate2::write::GzEncoder;
use include_dir::{Dir, File, include_dir};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/static");
/// The page, in which `{static}` and `{root}` are put.
const PAGE: &str = "index.html";

/// The files of the console.
#[derive(Debug)]
pub struct Console {
    tag: String,
    /// Files that are read anew for each request, while somebody edits them.
    directory: Option<PathBuf>,
    /// The embedded files that were asked for, compressed.
    compressed: Mutex<HashMap<String, Arc<[u8]>>>,
}

/// One file.
#[derive(Debug)]
pub struct StaticFile {
    /// Its `Content-Type`.
    pub kind: &'static str,
    /// Its bytes.
    pub content: Cow<'static, [u8]>,
}

impl Console {
    /// The console of this program; with `directory`, of the files there.
    pub fn new(directory: Option<PathBuf>) -> Self {
        let tag = if directory.is_some() { "edited".to_owned() } else { tag_of(&EMBEDDED) };
        Self { tag, directory, compressed: Mutex::default() }
    }

    /// The part of the address that changes with the files.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// True when the files may change under the same tag.
    pub fn is_edited(&self) -> bool {
        self.directory.is_some()
    }

    /// The file at this path below `static/`; none when there is no such file, or it is of no kind that is served.
    ///
    /// # Errors
    /// What the disk says about a file that is being edited.
    pub fn file(&self, path: &str) -> io::Result<Option<StaticFile>> {
        let inside = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        let path = Path::new(path);
        let Some(kind) = kind_of(path).filter(|_| inside) else { return Ok(None) };
        let content = match &self.directory {
            None => EMBEDDED.get_file(path).map(|file| Cow::Borrowed(file.contents())),
            Some(directory) => match fs::read(directory.join(path)) {
                Ok(bytes) => Some(Cow::Owned(bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            },
        };
        Ok(content.map(|content| StaticFile { kind, content }))
    }

    /// The bytes of a file as gzip (RFC 1952); each embedded file is compressed once.
    pub fn gzip(&self, path: &str, file: &StaticFile) -> Arc<[u8]> {
        let known = || self.compressed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = known().get(path) {
            return Arc::clone(bytes);
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let written = encoder.write_all(&file.content).and_then(|()| encoder.finish());
        let bytes: Arc<[u8]> = written.expect("memory takes every byte").into();
        if !self.is_edited() {
            known().insert(path.to_owned(), Arc::clone(&bytes));
        }
        bytes
    }

    /// The page. `root` leads from its address to the top of the server, such as `../`.
    ///
    /// # Errors
    /// What the disk says about a page that is being edited, or that it is missing.
    pub fn page(&self, root: &str) -> io::Result<String> {
        let file = self.file(PAGE)?.ok_or(io::ErrorKind::NotFound)?;
        let text = String::from_utf8_lossy(&file.content).into_owned();
        let files = format!("{root}console/static/{}", self.tag);
        Ok(text.replace("{static}", &files).replace("{root}", root))
    }
}

/// The kinds of files that are served.
fn kind_of(path: &Path) -> Option<&'static str> {
    Some(match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        None if path.ends_with("LICENSES") => "text/plain; charset=utf-8",
        _ => return None,
    })
}

fn tag_of(directory: &Dir<'_>) -> String {
    let mut sum = 0;
    for file in files_of(directory) {
        sum = crc32c::crc32c_append(sum, file.path().as_os_str().as_encoded_bytes());
        sum = crc32c::crc32c_append(sum, file.contents());
    }
    format!("{sum:08x}")
}

fn files_of<'a>(directory: &'a Dir<'a>) -> Vec<&'a File<'a>> {
    let inside = directory.dirs().flat_map(files_of);
    directory.files().chain(inside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_a_kind_and_the_page_names_files_that_are_there() {
        let console = Console::new(None);
        for file in files_of(&EMBEDDED) {
            let path = file.path().to_str().unwrap();
            assert!(console.file(path).unwrap().is_some(), "{path} is of no kind that is served");
        }
        let page = console.page("../").unwrap();
        let files = format!("../console/static/{}/", console.tag());
        let named: Vec<&str> = page.split('"').filter_map(|text| text.strip_prefix(&*files)).collect();
        assert!(named.len() >= 4, "{page}");
        for path in named {
            assert!(console.file(path).unwrap().is_some(), "{path}");
        }
    }

    #[test]
    fn nothing_outside_the_folder_is_served() {
        let edited = Console::new(Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("static")));
        assert!(edited.file("app.js").unwrap().is_some());
        for console in [Console::new(None), edited] {
            for path in [
                "../lib.rs",
                "/etc/passwd.js",
                "./../static/app.js",
                "pages",
                "",
                "pages/../app.js",
                "app.js/",
                "nothing.js",
            ] {
                assert!(console.file(path).unwrap().is_none(), "{path}");
            }
        }
    }
}
