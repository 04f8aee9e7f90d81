//! What the checks work with: two registries, three clients, one component, and a folder for what they write.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::checks::Failure;
use super::part::Parts;
use crate::error::Error;
use crate::process::{Output, run, run_successfully};
use crate::server::Server;

/// The registries and programs of a run.
pub(crate) struct World {
    wharf: PathBuf,
    parts: Parts,
    // Servers go before the folder that they write to.
    hub: Server,
    docker_registry: Option<Server>,
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

impl World {
    /// Starts the registries, with the `wharf` of this repository.
    ///
    /// # Errors
    /// Those of [`Server`], and [`Error::File`].
    pub(crate) fn start(wharf: PathBuf, parts: Parts) -> Result<Self, Error> {
        let temporary = std::env::temp_dir();
        let directory = TempDir::new().map_err(|source| Error::File { path: temporary, source })?;
        let hub = Server::wharf_hub(&wharf, &folder(&directory, "wharf-hub")?)?;
        let docker_registry = match &parts.docker_registry {
            Some(program) => Some(Server::docker_registry(program, &folder(&directory, "docker-registry")?)?),
            None => None,
        };
        let component = wat::parse_str(COMPONENT).expect("a test parses the component");
        let world = Self { wharf, parts, hub, docker_registry, component, directory };
        let file = world.component_file();
        std::fs::write(&file, &world.component).map_err(|source| Error::File { path: file, source })?;
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
        self.text(&self.wharf, arguments)
    }

    /// Runs `wharf`, whatever comes of it.
    ///
    /// # Errors
    /// [`Failure::Task`].
    pub(crate) fn try_wharf(&self, arguments: &[&str]) -> Result<Output, Failure> {
        Ok(run(&mut self.command(&self.wharf, arguments))?)
    }

    /// Runs `wkg`, which has to succeed.
    ///
    /// # Errors
    /// [`Failure::Missing`] and [`Failure::Task`].
    pub(crate) fn wkg(&self, arguments: &[&str]) -> Result<String, Failure> {
        self.text(there("wkg", self.parts.wkg.as_ref())?, arguments)
    }

    /// Runs `skopeo`, which has to succeed.
    ///
    /// # Errors
    /// [`Failure::Missing`] and [`Failure::Task`].
    pub(crate) fn skopeo(&self, arguments: &[&str]) -> Result<String, Failure> {
        // The policy says whose signatures a machine wants, and there may be none.
        let arguments = [&["--insecure-policy"], arguments].concat();
        self.text(there("skopeo", self.parts.skopeo.as_ref())?, &arguments)
    }

    fn text(&self, program: &Path, arguments: &[&str]) -> Result<String, Failure> {
        let stdout = run_successfully(&mut self.command(program, arguments))?;
        Ok(String::from_utf8_lossy(&stdout).trim_end_matches('\n').to_owned())
    }

    /// Keeps the files and the credentials of who runs this out of the checks.
    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("HOME", self.directory.path()).current_dir(self.directory.path());
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
    fn a_missing_part_is_named() {
        assert_eq!(there::<()>("wkg", None).unwrap_err().to_string(), "wkg is missing");
        assert_eq!(there("wkg", Some(1)).unwrap(), 1);
    }
}
