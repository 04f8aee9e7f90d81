//! Packages: `wkg` and Wharf fetch the same, and each goes on where the other was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Registry::{self, DockerRegistry, WharfHub};
use super::{Check, Error, Failure, World, read, same};

pub(super) const CHECKS: &[Check] = &[
    Check { name: "wharf fetches from wharf hub what wkg does", run: |world| fetches_the_same(world, WharfHub) },
    Check {
        name: "wharf fetches from docker-registry what wkg does",
        run: |world| fetches_the_same(world, DockerRegistry),
    },
    Check { name: "wkg builds where wharf fetched", run: wkg_builds },
    Check { name: "wharf and wkg build the same WIT in turns", run: builds_in_turns },
    Check { name: "wkg fetches what wharf publishes", run: publishes_for_wkg },
    Check { name: "wharf keeps to the lock of wkg", run: keeps_to_lock },
    Check { name: "wharf fetches from docker-registry what it mirrors of wharf hub", run: fetches_from_mirror },
    Check { name: "wkg does not mind wharf.toml", run: wkg_takes_settings },
];

/// The packages that are published, each after those that it needs.
const PACKAGES: [(&str, &str); 3] = [
    ("names", "package acme:names@1.0.0;\n\n/// Who is greeted.\ninterface names {\n  type name = string;\n}\n"),
    (
        "greet",
        "package acme:greet@0.2.1;\n\ninterface greet {\n  use acme:names/names@1.0.0.{name};\n  \
         @since(version = 0.2.1)\n  hello: func(to: name) -> string;\n}\n",
    ),
    (
        "clock",
        "package acme:clock@0.1.0-rc.1;\n\ninterface clock {\n  resource clock {\n    constructor();\n    now: func() \
         -> u64;\n  }\n}\n\nworld imports {\n  import clock;\n}\n",
    ),
];

/// What the project says, which needs one package as it is, one for a world, and one only through another.
const PROJECT: &str = "\
package acme:app@0.1.0;

world app {
  include acme:clock/imports@0.1.0-rc.1;
  import acme:greet/greet@0.2.1;
  export acme:greet/greet@0.2.1;
}
";

/// Packages in a registry, and a folder for projects that need them.
struct Workshop<'a> {
    world: &'a World,
    folder: PathBuf,
    config: String,
}

impl<'a> Workshop<'a> {
    /// Lets `wkg` publish the packages to repositories that no other check has.
    fn new(world: &'a World, registry: Registry, name: &str) -> Result<Self, Failure> {
        let folder = world.file(name);
        let config = folder.join("config.toml");
        let host = world.registry(registry)?.address();
        let metadata = format!("{{ oci = {{ registry = {host:?}, namespacePrefix = \"{name}/\" }} }}");
        let settings = format!(
            "[namespace_registries]\nacme = {{ registry = {host:?}, metadata = {metadata} }}\n\n\
             [registry.{host:?}.oci]\nprotocol = \"http\"\n"
        );
        write(&config, &settings)?;
        let config = config.to_string_lossy().into_owned();
        let workshop = Self { world, folder, config };
        for (name, text) in PACKAGES {
            let project = workshop.project(name, text)?;
            workshop.wkg(&project, &["build", "--output", "package.wasm"])?;
            workshop.wkg(&project, &["publish", "package.wasm"])?;
        }
        Ok(workshop)
    }

    /// Makes a project of a file of WIT.
    fn project(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let project = self.folder.join(name);
        write(&project.join("wit/package.wit"), text)?;
        // Both tools write their lock file beside it.
        write(&project.join("wkg.toml"), "")?;
        Ok(project)
    }

    fn wharf(&self, project: &Path, arguments: &[&str]) -> Result<String, Failure> {
        self.world.wharf_in(project, &[arguments, &["--config", &self.config]].concat())
    }

    fn wkg(&self, project: &Path, arguments: &[&str]) -> Result<String, Failure> {
        let cache = self.folder.join("cache-of-wkg");
        self.world
            .wkg_in(project, &[arguments, &["--config", &self.config, "--cache", &cache.to_string_lossy()]].concat())
    }
}

fn fetches_the_same(world: &World, registry: Registry) -> Result<(), Failure> {
    let name = format!("fetched-from-{registry:?}").to_lowercase();
    let workshop = Workshop::new(world, registry, &name)?;
    for form in ["wit", "wasm"] {
        let [by_wkg, by_wharf] = ["by-wkg", "by-wharf"].map(|by| workshop.project(&format!("{form}-{by}"), PROJECT));
        let (by_wkg, by_wharf) = (by_wkg?, by_wharf?);
        workshop.wkg(&by_wkg, &["fetch", "-t", form])?;
        workshop.wharf(&by_wharf, &["fetch", "-t", form])?;
        let [expected, actual] = [&by_wkg, &by_wharf].map(|project| files(&project.join("wit/deps")));
        let (expected, actual) = (expected?, actual?);
        let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        same(&format!("the files in deps as {form}"), &names(&expected), &names(&actual))?;
        for (path, bytes) in &expected {
            same_text(&format!("{} as {form}", path.display()), bytes, &actual[path])?;
        }
        same_text("wkg.lock", &read(&by_wkg.join("wkg.lock"))?, &read(&by_wharf.join("wkg.lock"))?)?;
    }
    Ok(())
}

fn wkg_builds(world: &World) -> Result<(), Failure> {
    let workshop = Workshop::new(world, WharfHub, "built-by-wkg")?;
    let project = workshop.project("project", PROJECT)?;
    workshop.wharf(&project, &["fetch"])?;
    let lock = read(&project.join("wkg.lock"))?;
    workshop.wkg(&project, &["build", "--output", "app.wasm"])?;
    same_text("wkg.lock after the build", &lock, &read(&project.join("wkg.lock"))?)?;
    let wit = world.wharf_in(&project, &["inspect", "app.wasm", "--wit"])?;
    same("whether the package was built", &true, &wit.contains("export acme:greet/greet@0.2.1;"))
}

fn builds_in_turns(world: &World) -> Result<(), Failure> {
    let workshop = Workshop::new(world, WharfHub, "built-in-turns")?;
    let project = workshop.project("project", PROJECT)?;
    workshop.wharf(&project, &["build", "--output", "by-wharf.wasm"])?;
    let lock = read(&project.join("wkg.lock"))?;
    workshop.wkg(&project, &["build", "--output", "by-wkg.wasm"])?;
    same_text("wkg.lock after the build", &lock, &read(&project.join("wkg.lock"))?)?;
    workshop.wkg(&project, &["fetch"])?;
    workshop.wharf(&project, &["build", "--locked", "--output", "again.wasm"])?;
    let built = ["by-wharf.wasm", "by-wkg.wasm", "again.wasm"].map(|file| read(&project.join(file)));
    let [by_wharf, by_wkg, again] = built;
    same("whether wharf built the same twice", &true, &(by_wharf? == again?))?;
    let wit = |file: &str| world.wharf_in(&project, &["inspect", file, "--wit"]);
    same("the WIT of both", &wit("by-wkg.wasm")?, &wit("by-wharf.wasm")?)?;
    by_wkg.map(drop)
}

fn publishes_for_wkg(world: &World) -> Result<(), Failure> {
    let workshop = Workshop::new(world, DockerRegistry, "published-by-wharf")?;
    let package = "package acme:words@0.3.0;\n\ninterface words {\n  count: func(text: string) -> u32;\n}\n";
    let words = workshop.project("words", package)?;
    workshop.wharf(&words, &["publish"])?;
    let user = "package acme:user@0.1.0;\n\nworld user {\n  import acme:words/words@0.3.0;\n}\n";
    let user = workshop.project("user", user)?;
    workshop.wkg(&user, &["fetch"])?;
    let fetched = read(&user.join("wit/deps/acme-words-0.3.0/package.wit"))?;
    same_text("what wkg fetched", package.as_bytes().trim_ascii_end(), fetched.trim_ascii_end())?;
    // Each sees what the other one published.
    write(&words.join("wit/package.wit"), &package.replace("0.3.0", "0.3.1"))?;
    workshop.wkg(&words, &["build", "--output", "words.wasm"])?;
    workshop.wkg(&words, &["publish", "words.wasm"])?;
    let skipped = workshop.wharf(&words, &["publish", "--skip-dupes"])?;
    same("whether it is there for wharf", &true, &skipped.starts_with("skipped acme:words@0.3.1 "))
}

fn keeps_to_lock(world: &World) -> Result<(), Failure> {
    let workshop = Workshop::new(world, WharfHub, "locked-by-wkg")?;
    let project = workshop.project("project", PROJECT)?;
    workshop.wkg(&project, &["fetch"])?;
    let before = (read(&project.join("wkg.lock"))?, files(&project.join("wit/deps"))?);
    workshop.wharf(&project, &["fetch", "--locked"])?;
    let after = (read(&project.join("wkg.lock"))?, files(&project.join("wit/deps"))?);
    same("whether all is as it was", &true, &(before == after))
}

fn fetches_from_mirror(world: &World) -> Result<(), Failure> {
    let name = "mirrored";
    let workshop = Workshop::new(world, WharfHub, name)?;
    let [direct, mirrored] = ["direct", "through-mirror"].map(|project| workshop.project(project, PROJECT));
    let (direct, mirrored) = (direct?, mirrored?);
    workshop.wharf(&direct, &["fetch"])?;
    let (origin, mirror) = (world.registry(WharfHub)?.address(), world.registry(DockerRegistry)?.address());
    for package in ["greet:0.2.1", "clock:0.1.0-rc.1"] {
        let origin = format!("{origin}/{name}/acme/{package}");
        world.wharf(&["copy", &origin, &format!("{mirror}/of-hub/{name}/acme/{package}")])?;
        // What is fetched now cannot come from there.
        world.wharf(&["delete", &origin])?;
    }
    write(&mirrored.join("wharf.toml"), &format!("[mirrors]\n{origin:?} = \"{mirror}/of-hub\"\n"))?;
    let cache = workshop.folder.join("cache-of-mirror");
    workshop.wharf(&mirrored, &["fetch", "--cache", &cache.to_string_lossy()])?;
    for file in ["wkg.lock", "wharf.lock"] {
        same_text(file, &read(&direct.join(file))?, &read(&mirrored.join(file))?)?;
    }
    let [expected, actual] = [direct, mirrored].map(|project| files(&project.join("wit/deps")));
    same("whether the mirror gave the same deps", &true, &(expected? == actual?))
}

fn wkg_takes_settings(world: &World) -> Result<(), Failure> {
    let workshop = Workshop::new(world, WharfHub, "settings-of-wharf")?;
    let project = workshop.project("project", PROJECT)?;
    let host = world.registry(WharfHub)?.address();
    let settings = format!("[registries]\nother = {host:?}\n\n[mirrors]\n\"registry.example\" = {host:?}\n");
    write(&project.join("wharf.toml"), &settings)?;
    workshop.wharf(&project, &["fetch"])?;
    let before = (read(&project.join("wkg.lock"))?, files(&project.join("wit/deps"))?);
    workshop.wkg(&project, &["fetch"])?;
    let after = (read(&project.join("wkg.lock"))?, files(&project.join("wit/deps"))?);
    same("whether wkg left all as it was", &true, &(before == after))?;
    workshop.wkg(&project, &["build", "--output", "app.wasm"])?;
    Ok(())
}

/// Returns the files below a folder, by their path in it.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, Failure> {
    let mut found = BTreeMap::new();
    let failed = |source| Error::File { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = PathBuf::from(path.file_name().unwrap_or_default());
        if path.is_dir() {
            found.extend(files(&path)?.into_iter().map(|(below, bytes)| (name.join(below), bytes)));
        } else {
            found.insert(name, read(&path)?);
        }
    }
    Ok(found)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(path, text));
    Ok(written.map_err(|source| Error::File { path: path.to_owned(), source })?)
}

/// Fails where two files differ, with what is in them, if that is text.
fn same_text(what: &str, expected: &[u8], actual: &[u8]) -> Result<(), Failure> {
    same(what, &String::from_utf8_lossy(expected), &String::from_utf8_lossy(actual))
}
