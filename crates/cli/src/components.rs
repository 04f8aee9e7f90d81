//! How components are named on the command line.

use std::error::Error;
use std::path::{Path, PathBuf};

use wharf::packages::PackageSpec;
use wharf::{ComponentSource, Location, Target};

use crate::args::package_request;
use crate::command::inspect::target;

/// Takes what exists as a file, what has the form of a package as one, and all else as `wharf inspect` does.
pub(crate) fn component(text: &str) -> Result<ComponentSource, Box<dyn Error + Send + Sync>> {
    let name = text.split('@').next().unwrap_or_default();
    let is_local = matches!(text.parse(), Ok(Location::Local(_)));
    if name.contains(':') && !name.contains('/') && !is_local && !Path::new(text).exists() {
        return Ok(ComponentSource::Package(package_request(text)?));
    }
    Ok(match target(text)? {
        Target::File(path) => ComponentSource::File(path),
        Target::Artifact(location) => ComponentSource::Artifact(location),
    })
}

/// Reads `PACKAGE=FILE`.
pub(crate) fn dependency(text: &str) -> Result<(PackageSpec, PathBuf), Box<dyn Error + Send + Sync>> {
    let (package, path) = text.split_once('=').ok_or("it has the form PACKAGE=FILE")?;
    Ok((package.parse()?, path.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_files_and_artifacts_are_told_apart() {
        let kind = |text: &str| match component(text).unwrap() {
            ComponentSource::File(_) => "file",
            ComponentSource::Package(_) => "package",
            ComponentSource::Artifact(_) => "artifact",
        };
        for (text, expected) in [
            ("acme:calc", "package"),
            ("acme:calc@1.0.0", "package"),
            ("acme:calc@^1.0", "package"),
            ("calc.wasm", "file"),
            ("./acme:calc", "file"),
            ("src", "file"),
            ("ghcr.io/acme/calc:1.0.0", "artifact"),
            ("localhost:5000/acme/calc", "artifact"),
            ("oci-layout:out", "artifact"),
            ("oci-archive:out.tar:1.0.0", "artifact"),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
        assert!(component("acme:calc@latest").is_err());
    }

    #[test]
    fn a_file_for_a_package_has_both() {
        let (package, path) = dependency("acme:calc@1.0.0=a=b.wasm").unwrap();
        assert_eq!((package.to_string().as_str(), path.to_str()), ("acme:calc@1.0.0", Some("a=b.wasm")));
        assert!(dependency("acme:calc").is_err() && dependency("calc=calc.wasm").is_err());
    }
}
