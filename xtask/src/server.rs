//! Registries in the background, each on a free port of this machine with a folder of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::http;
use crate::service::{Service, free_address};

/// A registry that runs until this is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    storage: PathBuf,
    _service: Service,
}

impl Server {
    /// Starts Debian's `docker-registry`, which allows deletion, on the folder `directory`.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Start`], and [`Error::Exit`] or [`Error::Late`] where it does not answer.
    pub(crate) fn docker_registry(program: &Path, directory: &Path) -> Result<Self, Error> {
        let address = free_address("docker-registry")?;
        let storage = directory.join("storage");
        let configuration = directory.join("configuration.yml");
        let text = docker_configuration(address, &storage);
        std::fs::write(&configuration, text).map_err(|source| Error::File { path: configuration.clone(), source })?;
        let mut command = Command::new(program);
        command.arg("serve").arg(&configuration);
        Self::start(command, directory, storage, |_| Some(address))
    }

    /// Starts `wharf hub` on the folder `directory`.
    ///
    /// # Errors
    /// As [`Server::docker_registry`].
    pub(crate) fn wharf_hub(program: &Path, directory: &Path) -> Result<Self, Error> {
        let storage = directory.join("storage");
        let mut command = Command::new(program);
        command.args(["hub", "--listen", "127.0.0.1:0", "--storage"]).arg(&storage);
        Self::start(command, directory, storage, announced)
    }

    /// Returns where it listens, as references have it: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Returns where it listens.
    pub(crate) fn socket_address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the folder that holds everything.
    pub(crate) fn storage(&self) -> &Path {
        &self.storage
    }

    /// Starts `command` and waits until it answers at the address that `address_in` finds in what it says.
    fn start(
        command: Command,
        directory: &Path,
        storage: PathBuf,
        address_in: impl Fn(&str) -> Option<SocketAddr>,
    ) -> Result<Self, Error> {
        let ready = |said: &str| address_in(said).filter(|address| answers(*address));
        let (service, address) = Service::start(command, directory, ready)?;
        Ok(Self { address, storage, _service: service })
    }
}

fn answers(address: SocketAddr) -> bool {
    http::head(address, "/v2/").is_ok_and(|head| http::is_ok(&head))
}

/// Finds the address in the line that `wharf` says when it listens.
pub(crate) fn announced(said: &str) -> Option<SocketAddr> {
    let (_, rest) = said.split_once("http://")?;
    // Without the end of the line the port may not be all there yet.
    let (address, _) = rest.split_once(char::is_whitespace)?;
    address.trim_end_matches('/').parse().ok()
}

fn docker_configuration(address: SocketAddr, storage: &Path) -> String {
    let storage = storage.display();
    format!(
        "version: 0.1\n\
         log:\n  level: warn\n\
         storage:\n  filesystem:\n    rootdirectory: {storage}\n  delete:\n    enabled: true\n\
         http:\n  addr: {address}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hub_is_found_where_it_says_it_is() {
        let said = "warning: x\nserving /tmp/hub on http://127.0.0.1:40123\n";
        assert_eq!(announced(said), Some(SocketAddr::from(([127, 0, 0, 1], 40123))));
        assert_eq!(announced("serving on http://127.0.0.1:401"), None);
        assert_eq!(announced("starting\n"), None);
    }

    #[test]
    fn the_configuration_names_address_and_folder_and_allows_deletion() {
        let text = docker_configuration(SocketAddr::from(([127, 0, 0, 1], 5000)), Path::new("/srv/registry"));
        for line in ["    rootdirectory: /srv/registry", "  delete:\n    enabled: true", "  addr: 127.0.0.1:5000"] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
