//! containerd in the background, with root, state and socket of its own.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::service::Service;

/// A containerd that runs until this is dropped.
pub(crate) struct Containerd {
    socket: PathBuf,
    _service: Service,
}

impl Containerd {
    /// Starts it on the folder `directory`.
    ///
    /// # Errors
    /// Those of [`Service::start`], and [`Error::File`].
    pub(crate) fn start(program: &Path, directory: &Path) -> Result<Self, Error> {
        let socket = directory.join("socket");
        let file = directory.join("configuration.toml");
        std::fs::write(&file, configuration(directory, &socket))
            .map_err(|source| Error::File { path: file.clone(), source })?;
        let mut command = Command::new(program);
        command.arg("--config").arg(&file);
        let ready = |_: &str| UnixStream::connect(&socket).ok();
        let (service, _) = Service::start(command, directory, ready)?;
        Ok(Self { socket, _service: service })
    }

    /// Returns the socket that it listens on.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }
}

/// Without the part for Kubernetes, which would want a network.
fn configuration(directory: &Path, socket: &Path) -> String {
    let (directory, socket) = (directory.display(), socket.display());
    format!(
        "version = 2\n\
         root = \"{directory}/root\"\n\
         state = \"{directory}/state\"\n\
         disabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.internal.v1.opt\"]\n\
         [grpc]\naddress = \"{socket}\"\n\
         [ttrpc]\naddress = \"{socket}.ttrpc\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_it_writes_is_in_its_folder() {
        let text = configuration(Path::new("/run/own"), Path::new("/run/own/socket"));
        let paths: Vec<_> = text.split('"').filter(|part| part.starts_with('/')).collect();
        assert_eq!(paths, ["/run/own/root", "/run/own/state", "/run/own/socket", "/run/own/socket.ttrpc"]);
    }
}
