//! Who does the work, and the work.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::peers::part::find;
use crate::process::run_successfully;

/// The component that is made large with a section that says nothing.
const COMPONENT: &str = include_str!("../demo.wat");
/// The repository that pulls read from.
const SOURCE: &str = "bench/source";
/// What packed images are called.
const REPOSITORY: &str = "registry.example/bench";
const NAME: &str = "component";

/// Something to do with a component and a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Fetch it and check its digest.
    Pull,
    /// Send it to a repository that is new.
    Push,
    /// Send it where it is already.
    PushAgain,
    /// Put it into an image in a tar file.
    Pack,
}

impl Work {
    pub(crate) const ALL: [Self; 4] = [Self::Pull, Self::Push, Self::PushAgain, Self::Pack];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::PushAgain => "push again",
            Self::Pack => "pack",
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
    OciTarBuilder(PathBuf),
    Wharf(PathBuf),
    Wkg(PathBuf),
}

/// Returns all contenders that are on this machine, those that ratios are to first.
pub(crate) fn all(root: &Path, wharf: &Path) -> Vec<Contender> {
    let curl = Contender { name: "curl + sha256sum", program: Program::Curl };
    let builder = find(root, "oci-tar-builder");
    if builder.is_none() {
        println!("oci-tar-builder is not here; build it from the sources of containerd/runwasi into target/peers/bin");
    }
    let builder = builder.map(|path| Contender { name: "oci-tar-builder", program: Program::OciTarBuilder(path) });
    let wharf = Contender { name: "wharf", program: Program::Wharf(wharf.to_owned()) };
    let wkg = find(root, "wkg").map(|path| Contender { name: "wkg", program: Program::Wkg(path) });
    if wkg.is_none() {
        println!("wkg is not here; `cargo xtask peers` installs it");
    }
    [curl].into_iter().chain(builder).chain([wharf]).chain(wkg).collect()
}

impl Contender {
    /// Returns the command that does the work; nothing where this contender cannot do such work.
    pub(crate) fn command(&self, work: Work, site: &Site, host: &str) -> Option<Command> {
        let file = text(&site.file());
        let output = self.output(site);
        let tag = site.tag();
        let source = format!("{host}/{SOURCE}:{tag}");
        let target = match work {
            Work::PushAgain => source.clone(),
            Work::Pull | Work::Push | Work::Pack => format!("{host}/{}:{tag}", site.new_repository()),
        };
        // Both take the same flags, and make an image of the Wasm as it is.
        let packed = ["-r", REPOSITORY, "-n", NAME, "-t", &tag, "-m", &file, "-o", &output];
        let mut command = match (&self.program, work) {
            (Program::Curl, Work::Pull) => curl_pull(site, host),
            (Program::Curl, Work::Push) => curl_push(site, host),
            (Program::Wharf(program), Work::Pull) => {
                arguments(program, &["pull", &source, "--force", "--output", &output])
            }
            (Program::Wharf(program), Work::Push | Work::PushAgain) => arguments(program, &["push", &target, &file]),
            (Program::Wharf(program), Work::Pack) => arguments(program, &[&["pack"], &packed[..]].concat()),
            (Program::Wkg(program), Work::Pull) => {
                arguments(program, &["oci", "pull", "--insecure", host, "-o", &output, &source])
            }
            (Program::Wkg(program), Work::Push | Work::PushAgain) => {
                arguments(program, &["oci", "push", "--insecure", host, &target, &file])
            }
            (Program::OciTarBuilder(program), Work::Pack) => arguments(program, &packed),
            // curl knows nothing of what is there already, and the others do one thing.
            (Program::Curl, Work::PushAgain | Work::Pack)
            | (Program::Wkg(_), Work::Pack)
            | (Program::OciTarBuilder(_), Work::Pull | Work::Push | Work::PushAgain) => return None,
        };
        command.current_dir(&site.directory).env("HOME", &site.directory);
        Some(command)
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

fn curl_pull(site: &Site, host: &str) -> Command {
    let digest = &site.digest;
    shell(&format!("curl -sf http://{host}/v2/{SOURCE}/blobs/sha256:{digest} | sha256sum | grep -q {digest}"))
}

fn curl_push(site: &Site, host: &str) -> Command {
    shell(&format!(
        "location=$(curl -sfi -X POST http://{host}/v2/{}/blobs/uploads/ | tr -d '\\r' \
         | sed -n 's/^[Ll]ocation: *//p'); case $location in /*) location=http://{host}$location;; esac; \
         curl -sf -T {} \"$location?digest=sha256:{}\"",
        site.new_repository(),
        site.file().display(),
        site.digest
    ))
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
    fn both_packers_get_the_same_flags_and_nobody_else_packs() {
        let directory = PathBuf::from("/run/bench");
        let site = Site { directory, megabytes: 1, digest: String::new(), next: AtomicU64::new(0) };
        let command = |program| Contender { name: "it", program }.command(Work::Pack, &site, "127.0.0.1:5000");
        let flags = |program: fn(PathBuf) -> Program| {
            let command = command(program(PathBuf::from("/bin/it"))).unwrap();
            command.get_args().map(|flag| flag.to_owned()).collect::<Vec<_>>()
        };
        let (wharf, builder) = (flags(Program::Wharf), flags(Program::OciTarBuilder));
        assert_eq!(wharf.split_first().unwrap(), (&"pack".into(), &builder[..]));
        assert!(command(Program::Curl).is_none() && command(Program::Wkg(PathBuf::new())).is_none());
    }

    #[test]
    fn lengths_are_written_as_leb128() {
        for (value, expected) in [(0, &[0][..]), (127, &[127]), (128, &[128, 1]), (624_485, &[0xe5, 0x8e, 0x26])] {
            assert_eq!(leb128(value), expected);
        }
    }
}
