//! `wharf update`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use wharf::packages::PackageName;
use wharf::{Locking, PinnedPackage, ProjectOptions, UpdateMode, UpdateOptions, UpdateOutcome, UpdatedPackage};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Render;
use crate::project::{SourcesArgs, Type};

/// Take newer versions of packages where the WIT names none, and fetch them
///
/// Chooses anew what wkg.lock has for packages that the WIT names without a version, or that a range in wkg.toml is for;
/// then does what `wharf fetch` does. Prints the old and the new version of each. A version that the WIT names stays: of
/// those that have a newer one, it is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf update
  wharf update wasi:http wasi:io
  wharf update --dry-run")]
pub(crate) struct Args {
    /// Packages to update; all where none is named
    #[arg(value_name = "PACKAGE")]
    packages: Vec<PackageName>,
    /// A folder of WIT, one with a folder `wit`, or a workspace
    #[arg(long = "wit-dir", short = 'd', value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// What to write: text, or the Wasm of each package that the WIT names
    #[arg(long = "type", short = 't', value_name = "TYPE", value_enum, default_value_t = Type::Wit)]
    form: Type,
    /// Tell what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    sources: SourcesArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let sources = args.sources.options(&context.environment)?;
    let options = UpdateOptions {
        project: ProjectOptions { folder: args.folder, sources, locking: Locking::Update },
        packages: args.packages,
        form: args.form.into(),
        mode: if args.dry_run { UpdateMode::DryRun } else { UpdateMode::Write },
    };
    let outcome = wharf::update(&args.sources.registries(context)?, &options).await?;
    if outcome.packages.is_empty() {
        let what =
            if options.packages.is_empty() { "the project leaves no version open" } else { "no version is open" };
        context.note(format_args!("nothing to choose: {what}"));
    }
    for PinnedPackage { name, version, compatible, place, folder } in &outcome.pinned {
        let folder = if folder == Path::new(".") { String::new() } else { format!(" -d {}", folder.display()) };
        let command = format_args!("wharf add{folder} {name}@{compatible}");
        context.note(format_args!("{name} is {version} in {place}; {compatible} is there: {command}"));
    }
    if args.dry_run {
        context.note(format_args!("nothing was written"));
    }
    context.print(&outcome)
}

impl Render for UpdateOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        for UpdatedPackage { name, old, new, .. } in &self.packages {
            match old {
                Some(old) if old == new => writeln!(out, "{name} {new} unchanged")?,
                Some(old) => writeln!(out, "{name} {old} -> {new}")?,
                None => writeln!(out, "{name} {new} new")?,
            }
        }
        Ok(())
    }
}
