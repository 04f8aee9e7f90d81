//! `init`: makes a project, or makes one of a project of the retired tool `wit`.
//!
//! ```text
//!   FOLDER/
//!     wit/world.wit      the package
//!     wharf.toml         where packages come from, if that is known
//!     wkg.toml           what a wit.toml said
//! ```

mod adopt;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use wharf_archive::Existing;
use wharf_package::{PackageName, RegistryName, Version, edit};
use wharf_wit::edit::ItemPath;
use wharf_wit::{Document, TextFile};

use crate::blocking::blocking;
use crate::cause::EditFault;
use crate::file_sink::{begin, persist};
use crate::project::{SETTINGS, WIT, join, name_in_wit};
use crate::{Cause, Error};

/// The file of a new package.
const WORLD_FILE: &str = "world.wit";
/// Whose a package is that nobody named: such a package is for this machine alone.
const NAMESPACE: &str = "local";

/// What to make a project of.
#[derive(Debug, Clone)]
pub enum InitOptions {
    /// A new package.
    New(NewPackage),
    /// The package of this `wit.toml`, as the retired tool `wit` had it.
    WitToml(PathBuf),
}

/// A package to make.
#[derive(Debug, Clone)]
pub struct NewPackage {
    /// The folder; it is made where it is not there.
    pub folder: PathBuf,
    /// The package; where none is given, it is called `local:` and then as the folder.
    pub name: Option<PackageName>,
    /// The version.
    pub version: Version,
    /// What it has.
    pub content: NewContent,
    /// Where the packages of its namespace come from.
    pub registry: Option<RegistryName>,
}

/// What a new package has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewContent {
    /// A world, for a component; where no name is given, it is called as the package.
    World(Option<String>),
    /// An interface, for others to use.
    Interface(String),
}

/// A project that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InitOutcome {
    /// The package.
    pub package: String,
    /// The files that were written.
    pub files: Vec<PathBuf>,
    /// What a `wit.toml` said that has no place in them.
    pub left_out: Vec<LeftOut>,
}

/// Something that a `wit.toml` says, and that has no place in the files of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum LeftOut {
    /// The WIT names a package in another way than its registry does.
    Renamed {
        /// The name in the WIT.
        package: String,
        /// The name in the registry, and which versions will do.
        named: String,
    },
    /// The version of the package, which the WIT does not have.
    Version {
        /// The version.
        version: Version,
    },
    /// Words under which to find the package.
    Categories {
        /// The words.
        categories: Vec<String>,
    },
    /// Where the package is explained.
    Documentation {
        /// The address.
        address: String,
    },
}

/// Makes a project: WIT to start with, or what is to be beside the WIT of a project of the retired tool `wit`.
///
/// ```no_run
/// use wharf::{InitOptions, NewContent, NewPackage, init};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let package = NewPackage {
///     folder: "hello".into(),
///     name: Some("acme:hello".parse()?),
///     version: "0.1.0".parse()?,
///     content: NewContent::World(None),
///     registry: None,
/// };
/// println!("{:?}", init(&InitOptions::New(package)).await?.files);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Init`], among them where a file is there that would be written, or where there is a package already.
pub async fn init(options: &InitOptions) -> Result<InitOutcome, Error> {
    let folder = match options {
        InitOptions::New(package) => &package.folder,
        InitOptions::WitToml(path) => path,
    };
    run(options.clone()).await.map_err(|source| Error::Init { folder: folder.clone(), source })
}

async fn run(options: InitOptions) -> Result<InitOutcome, Cause> {
    let Planned { package, files, left_out } = blocking(move || match options {
        InitOptions::New(package) => plan(&package),
        InitOptions::WitToml(path) => adopt::plan(&path),
    })
    .await?;
    let mut written = Vec::new();
    for file in files {
        let mut temporary = begin(&file.path, Existing::Keep).await?;
        temporary.write_all(file.text.as_bytes()).map_err(Cause::file("write", &file.path))?;
        written.push((file.path, temporary));
    }
    let files = written.iter().map(|(path, _)| path.clone()).collect();
    for (path, temporary) in written {
        persist(temporary, &path, Existing::Keep).await?;
    }
    Ok(InitOutcome { package, files, left_out })
}

/// A project that is to be made.
struct Planned {
    package: String,
    files: Vec<NewFile>,
    left_out: Vec<LeftOut>,
}

/// A file that is to be made.
struct NewFile {
    path: PathBuf,
    text: String,
}

/// Plans a new package, and makes the folders for it.
fn plan(package: &NewPackage) -> Result<Planned, Cause> {
    let folder = &package.folder;
    let name = match &package.name {
        Some(name) => name.clone(),
        None => name_of(folder)?,
    };
    let wit = join(folder, Path::new(WIT));
    if let Some(path) = wit_in(&wit)?.or(wit_in(folder)?) {
        return Err(Cause::Exists { path });
    }
    let text = match &package.content {
        NewContent::World(world) => {
            let world = world.as_deref().unwrap_or(name.name().as_str());
            world_text(&name, &package.version, world)?
        }
        NewContent::Interface(interface) => interface_text(&name, &package.version, interface)?,
    };
    let mut files = vec![NewFile { path: wit.join(WORLD_FILE), text }];
    if let Some(registry) = &package.registry {
        let path = join(folder, Path::new(SETTINGS));
        let text = edit::set_namespace_registry("", name.namespace(), registry);
        files.push(NewFile { text: text.map_err(|source| Cause::ProjectFile { path: path.clone(), source })?, path });
    }
    check_new(&files)?;
    fs::create_dir_all(&wit).map_err(Cause::file("make the folder", &wit))?;
    Ok(Planned { package: format!("{name}@{}", package.version), files, left_out: Vec::new() })
}

/// Names a package after its folder.
fn name_of(folder: &Path) -> Result<PackageName, Cause> {
    let path = std::path::absolute(folder).map_err(Cause::file("find", folder))?;
    let path = path.canonicalize().unwrap_or(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = format!("{NAMESPACE}:{name}").parse();
    name.map_err(|source| EditFault::FolderName { path, source }.into())
}

fn world_text(package: &PackageName, version: &Version, world: &str) -> Result<String, Cause> {
    let (package, world) = in_wit(package, world)?;
    checked(format!(
        "package {package}@{version};\n\n\
         // What a component asks of its host, and what it gives.\n\
         world {world} {{\n  \
           // `wharf add wasi:cli` adds what it takes from a package; `export run: func();` gives a function.\n\
         }}\n"
    ))
}

fn interface_text(package: &PackageName, version: &Version, interface: &str) -> Result<String, Cause> {
    let (package, interface) = in_wit(package, interface)?;
    checked(format!(
        "package {package}@{version};\n\n\
         // What others import or export.\n\
         interface {interface} {{\n  \
           // Types and functions, such as `greet: func(name: string) -> string;`.\n\
         }}\n"
    ))
}

/// Returns names as they can stand in WIT, with a `%` where one is a keyword.
fn in_wit(package: &PackageName, item: &str) -> Result<(String, String), Cause> {
    let path = ItemPath::new(name_in_wit(package, None), item)?.to_string();
    let (package, item) = path.split_once('/').expect("a path of an item has a `/`");
    Ok((package.to_owned(), item.to_owned()))
}

/// Returns a text that is WIT for sure.
fn checked(text: String) -> Result<String, Cause> {
    Document::parse(WORLD_FILE, vec![TextFile { name: WORLD_FILE.to_owned(), text: text.clone() }])?;
    Ok(text)
}

/// Returns a file of WIT in a folder, which may not be there.
fn wit_in(folder: &Path) -> Result<Option<PathBuf>, Cause> {
    if !folder.is_dir() {
        return Ok(None);
    }
    let entries = fs::read_dir(folder).map_err(Cause::file("read the folder", folder))?;
    let paths = entries.map(|entry| Ok(join(folder, Path::new(&entry?.file_name()))));
    let paths = paths.collect::<Result<Vec<_>, std::io::Error>>().map_err(Cause::file("read the folder", folder))?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "wit")).min())
}

/// Fails where one of the files is there.
fn check_new(files: &[NewFile]) -> Result<(), Cause> {
    match files.iter().find(|file| file.path.symlink_metadata().is_ok()) {
        None => Ok(()),
        Some(file) => Err(Cause::Exists { path: file.path.clone() }),
    }
}
