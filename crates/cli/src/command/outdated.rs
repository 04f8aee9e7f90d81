//! `wharf outdated`.

use std::io::{self, Write};
use std::path::PathBuf;

use wharf::packages::Version;
use wharf::{Locking, OutdatedOutcome, PackageInUse, ProjectOptions};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, printable};
use crate::project::SourcesArgs;

/// Tell which packages of a project have newer versions
///
/// Asks for the versions of each package that the WIT names, and fetches nothing. Prints what has a newer version: the
/// version in use, the newest that breaks nothing, the newest, and what asks for it. With --json, all packages.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder of WIT, one with a folder `wit`, or a workspace
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    #[command(flatten)]
    sources: SourcesArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let sources = args.sources.options(&context.environment)?;
    let options = ProjectOptions { folder: args.folder, sources, locking: Locking::Update };
    let outcome = wharf::outdated(&args.sources.registries(context)?, &options).await?;
    let is_new = !outcome.packages.iter().any(is_shown);
    match outcome.packages.len() {
        0 => context.note(format_args!("the project takes no package from a registry")),
        _ if is_new => context.note(format_args!("all packages have their newest versions")),
        _ => {}
    }
    context.print(&outcome)
}

/// Whether there is something to say of a package in text.
fn is_shown(package: &PackageInUse) -> bool {
    package.is_outdated || package.version.is_none() || !package.is_published
}

impl Render for OutdatedOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        let shown = |version: &Option<Version>| version.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let row = |package: &PackageInUse| {
            let PackageInUse { name, version, compatible, newest, places, is_published, .. } = package;
            let place = printable(&places.join(", "));
            let missing = if *is_published { "" } else { " (not there)" };
            [name.clone(), shown(version) + missing, shown(compatible), shown(newest), place]
        };
        let head = ["package", "in use", "compatible", "newest", "named in"].map(str::to_owned);
        let rows: Vec<_> = self.packages.iter().filter(|package| is_shown(package)).map(row).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let table: Vec<_> = [head].into_iter().chain(rows).collect();
        let widths = [0, 1, 2, 3].map(|column| table.iter().map(|row| row[column].len()).max().unwrap_or_default());
        for [name, version, compatible, newest, place] in &table {
            let [a, b, c, d] = widths;
            writeln!(out, "{name:a$}  {version:b$}  {compatible:c$}  {newest:d$}  {place}")?;
        }
        Ok(())
    }
}
