//! Foreign programs that the checks run, found or installed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, chain};
use crate::process::{run_in_sight, run_successfully};

/// The programs that are there.
pub(crate) struct Parts {
    pub(crate) docker_registry: Option<PathBuf>,
    pub(crate) skopeo: Option<PathBuf>,
    pub(crate) wkg: Option<PathBuf>,
}

/// Where installed crates go, below the root.
const INSTALLED: &str = "target/peers";

const DOCKER_REGISTRY: Part = Part { program: "docker-registry", origin: Origin::Debian };
const SKOPEO: Part = Part { program: "skopeo", origin: Origin::Debian };
pub(crate) const WKG: Part = Part { program: "wkg", origin: Origin::Crate { version: "0.16.1" } };

impl Parts {
    /// Finds or installs each part, and says in a line which are missing.
    pub(crate) fn obtain(root: &Path) -> Self {
        let obtain = |part: Part| {
            let found = part.obtain(root);
            found.map_err(|missing| println!("missing {}: {}", part.program, chain(&missing))).ok()
        };
        Self { docker_registry: obtain(DOCKER_REGISTRY), skopeo: obtain(SKOPEO), wkg: obtain(WKG) }
    }
}

/// A program of others.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    program: &'static str,
    origin: Origin,
}

/// What to install where it is missing.
#[derive(Clone, Copy)]
enum Origin {
    /// The Debian package of the same name.
    Debian,
    /// The crate of the same name.
    Crate { version: &'static str },
}

/// Why a part is not there.
#[derive(Debug, thiserror::Error)]
enum Missing {
    #[error("install the Debian package `{package}`, or run this as root")]
    NotRoot { package: &'static str },
    #[error("it cannot be installed")]
    Install(#[from] Error),
    #[error("it was installed, and is not on the PATH")]
    NotFound,
}

impl Part {
    fn obtain(self, root: &Path) -> Result<PathBuf, Missing> {
        if let Some(path) = self.find(root) {
            return Ok(path);
        }
        match self.origin {
            Origin::Debian => install_package(self.program)?,
            Origin::Crate { version } => install_crate(root, self.program, version)?,
        }
        self.find(root).ok_or(Missing::NotFound)
    }

    /// Returns where it is, if it is here.
    pub(crate) fn find(self, root: &Path) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let installed = root.join(INSTALLED).join("bin");
        let directories = std::iter::once(installed).chain(std::env::split_paths(&path));
        find_in(directories, OsStr::new(self.program))
    }
}

fn find_in(directories: impl Iterator<Item = PathBuf>, program: &OsStr) -> Option<PathBuf> {
    directories.map(|directory| directory.join(program)).find(|path| path.is_file())
}

fn install_package(package: &'static str) -> Result<(), Missing> {
    let user = run_successfully(Command::new("id").arg("-u"))?;
    if user.trim_ascii() != b"0" {
        return Err(Missing::NotRoot { package });
    }
    run_in_sight(Command::new("apt-get").args(["update", "--quiet"]))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "--quiet", "-y", "--no-install-recommends", package]);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    Ok(run_in_sight(&mut install)?)
}

fn install_crate(root: &Path, name: &str, version: &str) -> Result<(), Missing> {
    println!("installing {name} {version} into {INSTALLED}; this takes minutes, once");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut install = Command::new(cargo);
    install.args(["install", name, "--version", version, "--locked", "--root", INSTALLED]);
    Ok(run_in_sight(install.current_dir(root))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_directory_that_holds_the_program_wins() {
        let [empty, first, second] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        for directory in [&first, &second] {
            std::fs::write(directory.path().join("wkg"), "").unwrap();
        }
        std::fs::create_dir(empty.path().join("wkg")).unwrap();
        let find = |program: &str| {
            let directories = [&empty, &first, &second].map(|directory| directory.path().to_owned());
            find_in(directories.into_iter(), OsStr::new(program))
        };
        assert_eq!(find("wkg"), Some(first.path().join("wkg")));
        assert_eq!(find("skopeo"), None);
    }
}
