//! The files that say where packages are and which were chosen: `config.toml`, `wharf.toml`, `wkg.toml`, the lock
//! files, `registry.json`, and the names of packages.
//!
//! An input is any of these, or a `wharf.toml`, a `config.toml` and a `registry.json` in one, with [`SEPARATOR`] between
//! them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wharf_package::{
    Config, HomeRule, InvalidDocument, Location, Lock, Manifest, PackageName, PackageSpec, Project, RegistryMetadata,
    Settings, WharfLock, tag_of, version_of_tag,
};

const SEPARATOR: &str = "\n====\n";

fuzz_target!(|bytes: &[u8]| {
    check_error(RegistryMetadata::parse(bytes).err().as_ref());
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    check_locks(text);
    check_names(text);
    check_error(Manifest::parse(text).err().as_ref());
    let mut parts = text.split(SEPARATOR);
    let [project, config, served] = [(); 3].map(|()| parts.next().unwrap_or(text));
    let (project, config) = (Project::parse(project), Config::parse(config));
    let served = RegistryMetadata::parse(served.as_bytes());
    check_error(project.as_ref().err());
    check_error(config.as_ref().err());
    check_error(served.as_ref().err());
    let (project, config) = (project.unwrap_or_default(), config.unwrap_or_default());
    check_settings(&Settings { project, config, ..Settings::default() }, served.ok().as_ref());
});

/// What is written is read as the same, and written as the same again.
fn check_locks(text: &str) {
    match Lock::parse(text) {
        Ok(lock) => assert_eq!(Lock::parse(&lock.to_text()).expect("a written lock is read"), lock),
        Err(error) => check_error(Some(&error)),
    }
    match WharfLock::parse(text) {
        Ok(lock) => assert_eq!(WharfLock::parse(&lock.to_text()).expect("a written lock is read"), lock),
        Err(error) => check_error(Some(&error)),
    }
}

/// A name is shown as it was read, and is a plain name of a folder; a version is found again by its tag.
fn check_names(text: &str) {
    if let Ok(name) = text.parse::<PackageName>() {
        assert_eq!(name.to_string(), text);
    }
    let Ok(spec) = text.parse::<PackageSpec>() else { return };
    assert_eq!(spec.to_string().parse::<PackageSpec>().ok().as_ref(), Some(&spec));
    let folder = spec.name.folder_name(spec.version.as_ref());
    assert!(!folder.starts_with('.') && !folder.contains(['/', '\\', ':', '\0']), "{folder}");
    if let Some(version) = &spec.version
        && let Ok(tag) = tag_of(version)
    {
        assert_eq!(version_of_tag(&tag).as_ref(), Some(version));
    }
}

/// A project leads to no folder of this machine, and takes no credential along to another host; what is read back from
/// a lock leads to the same place.
fn check_settings(settings: &Settings, served: Option<&RegistryMetadata>) {
    for package in ["wasi:http", "acme:log", "a:b"] {
        let package = package.parse().expect("it is a name");
        let Some(home) = settings.home(&package) else { continue };
        let Ok(location) = settings.location(&home, served) else { continue };
        match location {
            Location::Local(folder) => {
                let set = settings.registry(&home).and_then(|registry| registry.folder.as_deref());
                assert_eq!(set, Some(folder.root()), "a folder that no user named");
            }
            Location::Oci(oci) => {
                let is_of_project = matches!(
                    home.rule,
                    HomeRule::ProjectPackage | HomeRule::ProjectNamespace | HomeRule::ProjectDefault
                );
                if is_of_project && home.metadata.is_some() && settings.registry(&home).is_some() {
                    assert_eq!(oci.registry(), home.registry.host(), "a credential goes along");
                }
                if let Ok(reference) = oci.reference(&package, None) {
                    let _mirrored = settings.project.mirror(&reference);
                    assert_eq!(reference.to_string().parse::<wharf_oci::Reference>().ok().as_ref(), Some(&reference));
                }
            }
        }
    }
}

/// The text of an error can be shown.
fn check_error(error: Option<&InvalidDocument>) {
    if let Some(error) = error {
        assert!(error.to_string().len() < 64 * 1024);
    }
}
