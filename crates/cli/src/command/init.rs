//! `wharf init`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use wharf::packages::{PackageName, RegistryName, Version};
use wharf::{InitOptions, InitOutcome, LeftOut, NewContent, NewPackage};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, printable};

/// Make a project: a package of WIT with a world or an interface
///
/// Writes wit/world.wit, and wharf.toml where --registry says where packages come from. With --from, makes one of a
/// project of the retired tool `wit`: its WIT stays where it is, and what wit.toml says goes into wkg.toml and
/// wharf.toml. No file that is there is touched. Prints the files that were written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf init
  wharf init hello --name acme:hello
  wharf init greet --name acme:greet --interface greet --registry registry.example
  wharf init --from wit.toml")]
pub(crate) struct Args {
    /// The folder of the project; it is made where it is not there
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// The package [default: local: and the name of the folder]
    #[arg(long, value_name = "NAMESPACE:NAME")]
    name: Option<PackageName>,
    /// The version of the package
    #[arg(long = "version", value_name = "VERSION", default_value = "0.1.0")]
    package_version: Version,
    /// What the world is called [default: as the package]
    #[arg(long, value_name = "NAME")]
    world: Option<String>,
    /// Make an interface of this name instead of a world, for a package that others use
    #[arg(long, value_name = "NAME", conflicts_with = "world")]
    interface: Option<String>,
    /// Where the packages of the namespace come from
    #[arg(long, value_name = "HOST")]
    registry: Option<RegistryName>,
    /// A wit.toml to make a project of, in its folder
    #[arg(
        long, value_name = "FILE",
        conflicts_with_all = ["folder", "name", "package_version", "world", "interface", "registry"]
    )]
    from: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let Args { folder, name, package_version: version, world, interface, registry, from } = args;
    let options = match from {
        Some(path) => InitOptions::WitToml(path),
        None => {
            let content = interface.map_or(NewContent::World(world), NewContent::Interface);
            InitOptions::New(NewPackage { folder, name, version, content, registry })
        }
    };
    let next = next(&options);
    let outcome = wharf::init(&options).await?;
    for left_out in &outcome.left_out {
        context.note(format_args!("{}", told(left_out)));
    }
    context.note(format_args!("made {}; next: {next}", outcome.package));
    context.print(&outcome)
}

/// Says what to do with what was made.
fn next(options: &InitOptions) -> String {
    let package = match options {
        InitOptions::WitToml(_) => return "`wharf fetch`; wit.toml and wit.lock are no longer read".to_owned(),
        InitOptions::New(package) => package,
    };
    let enter = match package.folder.as_path() {
        folder if folder == Path::new(".") => String::new(),
        folder => format!("`cd {}`, ", folder.display()),
    };
    match package.content {
        NewContent::World(_) => format!("{enter}`wharf add PACKAGE`, `wharf build`"),
        NewContent::Interface(_) => format!("{enter}write what it has into wit/world.wit, `wharf build`"),
    }
}

/// Says what to do about something that has no place in the new files.
fn told(left_out: &LeftOut) -> String {
    match left_out {
        LeftOut::Renamed { package, named } => {
            format!("{package} is {named} in its registry: let the WIT name that")
        }
        LeftOut::Version { version } => format!("the version {version} belongs into the WIT: package …@{version};"),
        LeftOut::Categories { categories } => format!("left out: the categories {}", categories.join(", ")),
        LeftOut::Documentation { address } => format!("left out: the documentation {address}"),
    }
}

impl Render for InitOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        self.files.iter().try_for_each(|file| writeln!(out, "{}", printable(&file.display().to_string())))
    }
}
