//! `wharf add`.

use std::io::{self, Write};
use std::path::PathBuf;

use wharf::packages::{PackageRequest, RegistryName};
use wharf::{AddOptions, AddOrigin, EditOutcome, FileChange, InterfaceUse, KeptVersion};

use super::fetch::said;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, printable};
use crate::project::EditedProjectArgs;

/// Add packages to the WIT of a project, and fetch them
///
/// An interface is imported, a world included. Of a package alone, its only interface is taken, or else its world
/// `imports`. The WIT gets an exact version: the newest that meets the version or range that is named; where none is, the
/// newest that the WIT has the package in; and where it has it in none, the newest release. A named version is set too
/// where the WIT has another of the same compatible range, such as 0.2.3 for 0.2.12; incompatible ones stay beside it. A
/// package that the WIT has, with a version but no item, --world or --export, only gets the version, be it an
/// incompatible one. Comments and layout stay. Prints what changed in which file, and what was fetched.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf add wasi:cli@0.2.3
  wharf add wasi:io/streams wasi:clocks/wall-clock@^0.2
  wharf add wasi:http/incoming-handler@0.2.3 --export
  wharf add wasi:cli --world other
  wharf add acme:greet --path ../greet/wit")]
pub(crate) struct Args {
    /// What to add: namespace:name, an interface or world of it behind a /, a version or a range behind an @
    #[arg(value_name = "PACKAGE[/ITEM][@VERSION]", required = true)]
    requests: Vec<PackageRequest>,
    /// Take the package from this folder: sets an override in wkg.toml
    #[arg(long, value_name = "FOLDER", conflicts_with = "registry")]
    path: Option<PathBuf>,
    /// Take the packages from this registry: sets it in wharf.toml
    #[arg(long, value_name = "HOST")]
    registry: Option<RegistryName>,
    /// The world to add to, where there are several
    #[arg(long, short, value_name = "NAME")]
    world: Option<String>,
    /// Export the interfaces instead of importing them
    #[arg(long)]
    export: bool,
    #[command(flatten)]
    project: EditedProjectArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let origin = match (args.path, args.registry) {
        (Some(_), _) if args.requests.len() > 1 => {
            return Err(Failure::Usage("--path is for one package: add the others by themselves".to_owned()));
        }
        (Some(folder), _) => AddOrigin::Folder(folder),
        (None, Some(registry)) => AddOrigin::Registry(registry),
        (None, None) => AddOrigin::Settings,
    };
    let options = AddOptions {
        fetch: args.project.options(context)?,
        requests: args.requests,
        origin,
        world: args.world,
        interfaces: if args.export { InterfaceUse::Export } else { InterfaceUse::Import },
    };
    let outcome = wharf::add(&args.project.registries(context)?, &options).await?;
    note(&outcome, context);
    context.print(&outcome)
}

/// Tells what was fetched, whether anything changed, and which versions stay.
pub(super) fn note(outcome: &EditOutcome, context: &Context) {
    let is_changed = !outcome.changes.is_empty() || outcome.fetched.is_changed;
    let changed = if is_changed { "" } else { "; nothing changed" };
    context.note(format_args!("{}{changed}", said(&outcome.fetched)));
    for KeptVersion { package, version, beside, places } in &outcome.kept {
        let version = version.as_ref().map_or("without a version".to_owned(), ToString::to_string);
        context.note(format_args!("{package} {version} stays beside {beside}, {}", counted(places)));
    }
}

impl Render for EditOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        self.changes.iter().try_for_each(|change| writeln!(out, "{}", printable(&line(change))))?;
        self.fetched.render(out)
    }
}

fn line(change: &FileChange) -> String {
    match change {
        FileChange::Added { place, text } => format!("{place}  + {text}"),
        FileChange::Removed { place, text } => format!("{place}  - {text}"),
        FileChange::Version { package, old, new, places } => {
            let old = old.as_ref().map_or("no version".to_owned(), ToString::to_string);
            format!("{package} {old} -> {new}, {}", counted(places))
        }
    }
}

fn counted(places: &[String]) -> String {
    let count = match places.len() {
        1 => "1 place".to_owned(),
        count => format!("{count} places"),
    };
    format!("{count}: {}", places.join(", "))
}
