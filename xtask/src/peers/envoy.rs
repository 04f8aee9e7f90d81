//! Envoy, for as long as one answer takes.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::http;
use crate::service::Service;

/// Runs Envoy on the folder `directory` with `configuration` until it answers at `address`, and returns the head of
/// the answer.
///
/// # Errors
/// Those of [`Service::start`], and [`Error::File`].
pub(crate) fn answer(
    program: &Path,
    directory: &Path,
    configuration: &str,
    address: SocketAddr,
) -> Result<String, Error> {
    let file = directory.join("envoy.yaml");
    std::fs::write(&file, configuration).map_err(|source| Error::File { path: file.clone(), source })?;
    let mut command = Command::new(program);
    // Without hot restart it takes no shared memory, which several would quarrel about.
    command.args(["--disable-hot-restart", "--concurrency", "1", "--log-level", "warn", "--config-path"]).arg(&file);
    // It listens once its filters run.
    let (_envoy, head) = Service::start(command, directory, |_| http::head(address, "/").ok())?;
    Ok(head)
}
