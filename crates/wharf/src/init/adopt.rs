//! Makes a project of what the retired tool `wit` left: a `wit.toml`, with the WIT beside it.

use std::path::{Path, PathBuf};

use wharf_package::limits::SETTINGS_BYTES_MAX;
use wharf_package::{Override, PackageName, VersionReq, WitDependency, WitToml, edit};
use wharf_wit::Document;

use super::{LeftOut, NewFile, Planned, check_new};
use crate::Cause;
use crate::project::{MANIFEST, SETTINGS, WitFolder, join, parse, wit_of};

/// What a `wkg.toml` says that says nothing else.
const START: &str = "# The project starts here.\n";

/// Plans the files that say what a `wit.toml` does. It stays, and so does the WIT.
pub(super) fn plan(path: &Path) -> Result<Planned, Cause> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some(toml) = parse(folder, &name, SETTINGS_BYTES_MAX, WitToml::parse)? else {
        return Err(Cause::NoFile { path: path.to_owned() });
    };
    let wit = wit_of(folder);
    let document = Document::parse(&wit.display().to_string(), WitFolder::read(&wit)?.files)?;
    let manifest = manifest(&toml, join(folder, Path::new(MANIFEST)))?;
    let settings = settings(&toml, join(folder, Path::new(SETTINGS)))?;
    let mut files = Vec::new();
    // Where the WIT is in the folder itself, only a `wkg.toml` says that the project is not all that is around it.
    if !manifest.text.is_empty() || wit == folder {
        let text = if manifest.text.is_empty() { START.to_owned() } else { manifest.text };
        files.push(NewFile { path: manifest.path, text });
    }
    files.extend(Some(settings).filter(|settings| !settings.text.is_empty()));
    check_new(&files)?;
    Ok(Planned { package: document.name().to_string(), files, left_out: left_out(&toml, &document) })
}

/// Says in a `wkg.toml` where dependencies are, which versions of them will do, and what the package says of itself.
fn manifest(toml: &WitToml, path: PathBuf) -> Result<NewFile, Cause> {
    let write = || {
        let mut text = edit::set_metadata("", &toml.metadata)?;
        for (package, dependency) in &toml.dependencies {
            let to = match dependency {
                WitDependency::Path(path) => Override::Path(path.clone()),
                WitDependency::Registry { package: None, requirement, .. } if *requirement != VersionReq::STAR => {
                    Override::Version(requirement.clone())
                }
                WitDependency::Registry { .. } => continue,
            };
            text = edit::set_override(&text, package, &to)?;
        }
        Ok(text)
    };
    write().map(|text| NewFile { path: path.clone(), text }).map_err(|source| Cause::ProjectFile { path, source })
}

/// Says in a `wharf.toml` which registries have the dependencies.
fn settings(toml: &WitToml, path: PathBuf) -> Result<NewFile, Cause> {
    let default = toml.default_registry.as_ref().map(|registry| format!("default = \"{registry}\"\n"));
    let mut text = default.unwrap_or_default();
    for (package, dependency) in &toml.dependencies {
        if let WitDependency::Registry { package: None, registry: Some(registry), .. } = dependency {
            let edited = edit::set_package_registry(&text, package, registry);
            text = edited.map_err(|source| Cause::ProjectFile { path: path.clone(), source })?;
        }
    }
    Ok(NewFile { path, text })
}

fn left_out(toml: &WitToml, document: &Document) -> Vec<LeftOut> {
    let renamed = |(package, dependency): (&PackageName, &WitDependency)| match dependency {
        WitDependency::Registry { package: Some(named), requirement, .. } => {
            Some(LeftOut::Renamed { package: package.to_string(), named: format!("{named}@{requirement}") })
        }
        _ => None,
    };
    let mut left_out: Vec<_> = toml.dependencies.iter().filter_map(renamed).collect();
    if document.name().version.as_ref() != Some(&toml.version) {
        left_out.push(LeftOut::Version { version: toml.version.clone() });
    }
    if !toml.categories.is_empty() {
        left_out.push(LeftOut::Categories { categories: toml.categories.clone() });
    }
    left_out.extend(toml.documentation.clone().map(|address| LeftOut::Documentation { address }));
    left_out
}
