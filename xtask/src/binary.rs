//! The `wharf` of this repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::process::run_in_sight;

/// How to build it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Fast to build.
    Debug,
    /// Fast to run.
    Release,
}

/// Builds `wharf` and returns where it is.
///
/// # Errors
/// [`Error::Start`] and [`Error::Exit`] where cargo fails, [`Error::Metadata`].
pub(crate) fn build(root: &Path, profile: Profile) -> Result<PathBuf, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let (arguments, folder): (&[&str], _) = match profile {
        // What the tests of the workspace have built is taken: built by itself, it has other features, and the engine and
        // its compiler are built once more for them.
        Profile::Debug => (&["test", "--quiet", "--workspace", "--no-run", "--test", "cli"], "debug"),
        Profile::Release => (&["build", "--quiet", "--package", "wharf-cli", "--release"], "release"),
    };
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root);
    run_in_sight(&mut command)?;
    let mut metadata = cargo_metadata::MetadataCommand::new();
    let metadata = metadata.current_dir(root).no_deps().exec().map_err(Error::Metadata)?;
    Ok(metadata.target_directory.join(folder).join("wharf").into_std_path_buf())
}
