//! Who does the work, and the work.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::peers::part;
use crate::process::run_successfully;

/// The component that is made large with a section that says nothing.
const COMPONENT: &str = include_str!("../demo.wat");
/// The repository that pulls read from.
const SOURCE: &str = "bench/source";

/// Something to do with a component and a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Fetch it and check its digest.
    Pull,
    /// Send it to a repository that is new.
    Push,
    /// Send it where it is already.
    PushAgain,
}

impl Work {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::PushAgain => "push again",
        }
    }
}

/// The files of one contest.
pub(crate) struct Site {
    directory: PathBuf,
    megabytes: usize,
    digest: String,
    /// Numbers the repositories that are new.
    next: AtomicU64,
}

impl Site {
    /// Writes a component of so many megabytes.
    ///
    /// # Errors
    /// [`Error::File`], and [`Error::Start`] where there is no `sha256sum`.
    pub(crate) fn make(directory: &Path, megabytes: usize) -> Result<Self, Error> {
        let mut site =
            Self { directory: directory.to_owned(), megabytes, digest: String::new(), next: AtomicU64::new(0) };
        let file = site.file();
        std::fs::write(&file, component(megabytes)).map_err(|source| Error::File { path: file.clone(), source })?;
        let printed = run_successfully(Command::new("sha256sum").arg(&file))?;
        site.digest = String::from_utf8_lossy(&printed).split_whitespace().next().unwrap_or_default().to_owned();
        Ok(site)
    }

    fn file(&self) -> PathBuf {
        self.directory.join(format!("component-{}.wasm", self.megabytes))
    }

    /// Returns a repository that nothing was pushed to.
    fn new_repository(&self) -> String {
        format!("bench/push-{}-{}", self.megabytes, self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn tag(&self) -> String {
        format!("{}-mb", self.megabytes)
    }
}

/// Someone who can do some of the work.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    program: Program,
}

enum Program {
    Curl,
    Wharf(PathBuf),
    Wkg(PathBuf),
}

/// Returns all contenders that are on this machine, the one that ratios are to first.
pub(crate) fn all(root: &Path, wharf: &Path) -> Vec<Contender> {
    let curl = Contender { name: "curl + sha256sum", program: Program::Curl };
    let wharf = Contender { name: "wharf", program: Program::Wharf(wharf.to_owned()) };
    let wkg = part::WKG.find(root).map(|path| Contender { name: "wkg", program: Program::Wkg(path) });
    if wkg.is_none() {
        println!("wkg is not here; `cargo xtask peers` installs it");
    }
    [curl, wharf].into_iter().chain(wkg).collect()
}

impl Contender {
    /// Whether it can do the work: curl knows nothing of what is there already.
    pub(crate) fn can(&self, work: Work) -> bool {
        !matches!((&self.program, work), (Program::Curl, Work::PushAgain))
    }

    /// Returns the command that does the work, with all that must be there before done.
    ///
    /// # Errors
    /// Those of the command that prepares it.
    pub(crate) fn command(&self, work: Work, site: &Site, host: &str) -> Result<Command, Error> {
        let file = site.file();
        let target = format!("{host}/{}:{}", site.new_repository(), site.tag());
        let source = format!("{host}/{SOURCE}:{}", site.tag());
        let mut command = match (&self.program, work) {
            (Program::Curl, Work::Pull) => shell(&format!(
                "curl -sf http://{host}/v2/{SOURCE}/blobs/sha256:{0} | sha256sum | grep -q {0}",
                site.digest
            )),
            (Program::Curl, _) => shell(&format!(
                "location=$(curl -sfi -X POST http://{host}/v2/{}/blobs/uploads/ | tr -d '\\r' \
                 | sed -n 's/^[Ll]ocation: *//p'); case $location in /*) location=http://{host}$location;; esac; \
                 curl -sf -T {} \"$location?digest=sha256:{}\"",
                site.new_repository(),
                file.display(),
                site.digest
            )),
            (Program::Wharf(program), Work::Pull) => {
                arguments(program, &["pull", &source, "--force", "--output", &self.output(site)])
            }
            (Program::Wharf(program), Work::Push) => arguments(program, &["push", &target, &text(&file)]),
            (Program::Wharf(program), Work::PushAgain) => arguments(program, &["push", &source, &text(&file)]),
            (Program::Wkg(program), Work::Pull) => {
                arguments(program, &["oci", "pull", "--insecure", host, "-o", &self.output(site), &source])
            }
            (Program::Wkg(program), Work::Push) => {
                arguments(program, &["oci", "push", "--insecure", host, &target, &text(&file)])
            }
            (Program::Wkg(program), Work::PushAgain) => {
                arguments(program, &["oci", "push", "--insecure", host, &source, &text(&file)])
            }
        };
        command.current_dir(&site.directory).env("HOME", &site.directory);
        Ok(command)
    }

    fn output(&self, site: &Site) -> String {
        text(&site.directory.join(format!("{}-{}.out", self.name.replace(' ', "-"), site.megabytes)))
    }
}

/// Pushes the component that pulls fetch.
///
/// # Errors
/// [`Error::Start`] and [`Error::Exit`].
pub(crate) fn prepare(wharf: &Path, site: &Site, host: &str) -> Result<(), Error> {
    let source = format!("{host}/{SOURCE}:{}", site.tag());
    run_successfully(&mut arguments(wharf, &["push", &source, &text(&site.file())]))?;
    Ok(())
}

fn arguments(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn shell(script: &str) -> Command {
    arguments(Path::new("/bin/sh"), &["-c", script])
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Returns the component with a custom section of bytes that do not compress.
fn component(megabytes: usize) -> Vec<u8> {
    let mut wasm = wat::parse_str(COMPONENT).expect("a test of the demo parses it");
    let size = megabytes * 1_000_000;
    let name = b"\x07filling";
    wasm.push(0);
    wasm.extend_from_slice(&leb128(name.len() + size));
    wasm.extend_from_slice(name);
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let end = wasm.len() + size;
    while wasm.len() < end {
        // Marsaglia's xorshift: the same bytes each time, and none that a file system or a network could squeeze.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        wasm.extend_from_slice(&state.to_le_bytes());
    }
    wasm.truncate(end);
    wasm
}

fn leb128(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_has_the_size_and_ends_with_its_section() {
        let wasm = component(1);
        let at = wasm.windows(8).position(|window| window == b"\x07filling").unwrap();
        assert_eq!(wasm.len() - at, 8 + 1_000_000);
    }

    #[test]
    fn lengths_are_written_as_leb128() {
        for (value, expected) in [(0, &[0][..]), (127, &[127]), (128, &[128, 1]), (624_485, &[0xe5, 0x8e, 0x26])] {
            assert_eq!(leb128(value), expected);
        }
    }
}
