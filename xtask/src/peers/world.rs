//! What the checks work with: two registries, clients, hosts, one component, one filter, and a folder for what they
//! write.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::checks::Failure;
use super::containerd::Containerd;
use super::envoy;
use super::part::Parts;
use super::schemas::Schemas;
use crate::error::Error;
use crate::guests::Guest;
use crate::process::{Output, run, run_successfully, run_within};
use crate::server::{Server, announced};
use crate::service::{Service, free_address};

/// The registries and programs of a run.
pub(crate) struct World {
    wharf: PathBuf,
    parts: Parts,
    // Servers go before the folder that they write to.
    hub: Server,
    docker_registry: Option<Server>,
    containerd: Option<Containerd>,
    component: Vec<u8>,
    directory: TempDir,
}

/// A registry that the checks use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Registry {
    WharfHub,
    DockerRegistry,
}

const COMPONENT: &str = include_str!("hello.wat");
/// What the filter adds to each answer.
pub(crate) const FILTER_HEADER: &str = "x-wharf: filtered";
const FILTER: &str = include_str!("filter.wat");

/// How long a program may take to run for the first time, when it is compiled by a `wharf` that was not built to be fast.
const FIRST_RUN: Duration = Duration::from_secs(180);

impl World {
    /// Starts the registries and containerd, with the `wharf` of this repository.
    ///
    /// # Errors
    /// Those of [`Server`] and [`Containerd`], and [`Error::File`].
    pub(crate) fn start(wharf: PathBuf, parts: Parts) -> Result<Self, Error> {
        let temporary = std::env::temp_dir();
        let directory = TempDir::new().map_err(|source| Error::File { path: temporary, source })?;
        let hub = Server::wharf_hub(&wharf, &folder(&directory, "wharf-hub")?)?;
        let docker_registry = match &parts.docker_registry {
            Some(program) => Some(Server::docker_registry(program, &folder(&directory, "docker-registry")?)?),
            None => None,
        };
        let containerd = match &parts.containerd {
            Some(program) => Some(Containerd::start(program, &folder(&directory, "containerd")?)?),
            None => None,
        };
        let component = wat::parse_str(COMPONENT).expect("a test parses the component");
        let world = Self { wharf, parts, hub, docker_registry, containerd, component, directory };
        write(&world.component_file(), &world.component)?;
        write(&world.filter_file(), FILTER.as_bytes())?;
        Ok(world)
    }

    /// Returns the bytes of the component.
    pub(crate) fn component(&self) -> &[u8] {
        &self.component
    }

    /// Returns the file that holds the component.
    pub(crate) fn component_file(&self) -> PathBuf {
        self.file("hello.wasm")
    }

    /// Returns the file that holds the text of a filter, which adds [`FILTER_HEADER`] to each answer.
    pub(crate) fn filter_file(&self) -> PathBuf {
        self.file("filter.wat")
    }

    /// Returns a file in the folder of this run.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Returns a registry.
    ///
    /// # Errors
    /// [`Failure::Missing`].
    pub(crate) fn registry(&self, registry: Registry) -> Result<&Server, Failure> {
        match registry {
            Registry::WharfHub => Ok(&self.hub),
            Registry::DockerRegistry => there("docker-registry", self.docker_registry.as_ref()),
        }
    }

    /// Runs `wharf`, which has to succeed, and returns what it printed.
    ///
    /// # Errors
    /// [`Failure::Task`].
    pub(crate) fn wharf(&self, arguments: &[&str]) -> Result<String, Failure> {
        self.wharf_in(self.directory.path(), arguments)
    }

    /// Runs `wharf` in a folder, where it has to succeed, and returns what it printed.
    ///
    /// # Errors
    /// [`Failure::Task`].
    pub(crate) fn wharf_in(&self, folder: &Path, arguments: &[&str]) -> Result<String, Failure> {
        self.text(&self.wharf, folder, arguments)
    }

    /// Runs `wharf`, whatever comes of it.
    ///
    /// # Errors
    /// [`Failure::Task`].
    pub(crate) fn try_wharf(&self, arguments: &[&str]) -> Result<Output, Failure> {
        Ok(run(&mut self.command(&self.wharf, self.directory.path(), arguments))?)
    }

    /// Runs `wharf run` with `options` and a real program, which gets `words`, whatever comes of it.
    ///
    /// # Errors
    /// [`Failure::Missing`] and [`Failure::Task`].
    pub(crate) fn run_guest(&self, options: &[&str], guest: Guest, words: &[&str]) -> Result<Output, Failure> {
        let file = self.guest(guest)?.to_string_lossy();
        let arguments = [&["run"], options, &[&file], words].concat();
        Ok(run_within(&mut self.command(&self.wharf, self.directory.path(), &arguments), FIRST_RUN)?)
    }

    /// Has `wharf run` serve a real program in a folder `name`, until what is returned is dropped.
    ///
    /// # Errors
    /// [`Failure::Missing`] and [`Failure::Task`].
    pub(crate) fn serve_guest(&self, name: &str, guest: Guest) -> Result<(Service, SocketAddr), Failure> {
        let mut command = Command::new(&self.wharf);
        command.args(["run", "--listen", "127.0.0.1:0"]).arg(self.guest(guest)?);
        Ok(Service::start_within(FIRST_RUN, command, &folder(&self.directory, name)?, announced)?)
    }

    /// Returns the file of a real program.
    ///
    /// # Errors
    /// [`Failure::Missing`].
    pub(crate) fn guest(&self, guest: Guest) -> Result<&Path, Failure> {
        there(guest.name(), self.parts.guests.find(guest))
    }

    /// Runs `wkg`, which has to succeed.
    ///
    /// # Errors
    /// [`Failure::Missing`] and [`Failure::Task`].
    pub(crate) fn wkg(&self, arguments: &[&str]) -> Result<String, Failure> {
        self.wkg_in(self.directory.path(), arguments)
    }

    /// Runs `wkg` in a folder, where it has to succeed.
    ///
    /// # Errors
    /// [`Failure::Missing`] and [`Failure::Task`].
    pub(crate) fn wkg_in(&self, folder: &Path, arguments: &[&str]) -> Result<String, Failure> {
        self.text(there("wkg", self.parts.wkg.as_ref())?, folder, arguments)
    }

    /// Runs `skopeo`, which has to succeed.
    ///
    /// # Errors
    /// [`Failure::Missing`] and [`Failure::Task`].
    pub(crate) fn skopeo(&self, arguments: &[&str]) -> Result<String, Failure> {
        // The policy says whose signatures a machine wants, and there may be none.
        let arguments = [&["--insecure-policy"], arguments].concat();
        self.text(there("skopeo", self.parts.skopeo.as_ref())?, self.directory.path(), &arguments)
    }

    /// Runs `ctr` with the containerd of this run, which has to succeed.
    ///
    /// # Errors
    /// [`Failure::Missing`] and [`Failure::Task`].
    pub(crate) fn ctr(&self, arguments: &[&str]) -> Result<String, Failure> {
        let socket = there("containerd", self.containerd.as_ref())?.socket().to_string_lossy();
        let arguments = [&["--address", &socket], arguments].concat();
        self.text(there("ctr", self.parts.ctr.as_ref())?, self.directory.path(), &arguments)
    }

    /// Runs `podman` with a storage of its own, which has to succeed.
    ///
    /// # Errors
    /// [`Failure::Missing`] and [`Failure::Task`].
    pub(crate) fn podman(&self, arguments: &[&str]) -> Result<String, Failure> {
        let [storage, state] = ["podman", "podman-state"].map(|name| self.file(name));
        let (storage, state) = (storage.to_string_lossy(), state.to_string_lossy());
        // The driver that asks nothing of the kernel.
        let own = ["--root", &storage, "--runroot", &state, "--storage-driver", "vfs"];
        self.text(there("podman", self.parts.podman.as_ref())?, self.directory.path(), &[&own, arguments].concat())
    }

    /// Runs Envoy with the configuration that `configure` makes for an address, and returns the head of its answer.
    ///
    /// # Errors
    /// [`Failure::Missing`] and [`Failure::Task`], and those of `configure`.
    pub(crate) fn envoy_answer(
        &self,
        name: &str,
        configure: impl Fn(&str) -> Result<String, Failure>,
    ) -> Result<String, Failure> {
        let program = there("envoy", self.parts.envoy.as_ref())?;
        let address = free_address("envoy")?;
        let configuration = configure(&address.to_string())?;
        Ok(envoy::answer(program, &folder(&self.directory, name)?, &configuration, address)?)
    }

    /// Returns the schemas of hosts.
    pub(crate) fn schemas(&self) -> &Schemas {
        &self.parts.schemas
    }

    fn text(&self, program: &Path, folder: &Path, arguments: &[&str]) -> Result<String, Failure> {
        let stdout = run_successfully(&mut self.command(program, folder, arguments))?;
        Ok(String::from_utf8_lossy(&stdout).trim_end_matches('\n').to_owned())
    }

    /// Keeps the files and the credentials of who runs this out of the checks.
    fn command(&self, program: &Path, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("HOME", self.directory.path()).current_dir(folder);
        command
    }
}

fn folder(directory: &TempDir, name: &str) -> Result<PathBuf, Error> {
    let path = directory.path().join(name);
    match std::fs::create_dir(&path) {
        Ok(()) => Ok(path),
        Err(source) => Err(Error::File { path, source }),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    std::fs::write(path, bytes).map_err(|source| Error::File { path: path.to_owned(), source })
}

fn there<T>(part: &'static str, found: Option<T>) -> Result<T, Failure> {
    found.ok_or(Failure::Missing { part })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_one() {
        let bytes = wat::parse_str(COMPONENT).unwrap();
        // A component's binary begins with the magic number and layer 1; a core module's layer is 0.
        assert_eq!(bytes[..8], *b"\0asm\x0d\0\x01\0");
    }

    #[test]
    fn the_filter_is_a_core_module_that_holds_its_header() {
        let bytes = wat::parse_str(FILTER).unwrap();
        assert_eq!(bytes[..8], *b"\0asm\x01\0\0\0");
        for word in FILTER_HEADER.split(": ") {
            assert!(bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn a_missing_part_is_named() {
        assert_eq!(there::<()>("wkg", None).unwrap_err().to_string(), "wkg is missing");
        assert_eq!(there("wkg", Some(1)).unwrap(), 1);
    }
}
