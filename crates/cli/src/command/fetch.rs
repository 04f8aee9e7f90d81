//! `wharf fetch`.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use wharf::{FetchOptions, FetchOutcome};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Render;
use crate::project::{ProjectArgs, Type};

/// Fetch the packages that the WIT of a project names into wit/deps
///
/// Reads and writes what `wkg fetch` does: wkg.toml, wkg.lock and wit/deps; wharf.lock beside them tells where each
/// package came from. What is locked and was fetched before costs no request. What was put into wit/deps by hand stays.
/// In a workspace, each member gets a deps folder of its own. Prints the packages that the WIT names, with version and
/// digest.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf fetch
  wharf fetch --locked
  wharf fetch member -t wasm")]
pub(crate) struct Args {
    /// A folder of WIT, one with a folder `wit`, or a workspace
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// What to write: text, or the Wasm of each package that the WIT names
    #[arg(long = "type", short = 't', value_name = "TYPE", value_enum, default_value_t = Type::Wit)]
    form: Type,
    #[command(flatten)]
    project: ProjectArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let project = args.project.options(args.folder, &context.environment)?;
    let options = FetchOptions { project, form: args.form.into() };
    let outcome = wharf::fetch(&args.project.registries(context)?, &options).await?;
    let changed = if outcome.is_changed { "" } else { "; nothing changed" };
    context.note(format_args!("{}{changed}", said(&outcome)));
    context.print(&outcome)
}

/// Says how many packages a registry was asked for, and how many are there now.
pub(super) fn said(outcome: &FetchOutcome) -> String {
    let FetchOutcome { packages, deps, .. } = outcome;
    let fetched = packages.iter().filter(|package| package.is_fetched).count();
    let written: usize = deps.values().map(BTreeSet::len).sum();
    let place = match (deps.first_key_value(), deps.len()) {
        (Some((folder, _)), 1) if folder == "." => "deps".to_owned(),
        (Some((folder, _)), 1) => format!("{folder}/deps"),
        (_, count) => format!("{count} folders"),
    };
    match packages.len() {
        0 => "nothing to fetch: all that the WIT names is here".to_owned(),
        count => format!("fetched {fetched} of {count} packages, {written} in {place}"),
    }
}

impl Render for FetchOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        for package in &self.packages {
            writeln!(out, "{}@{} {}", package.name, package.version, package.digest)?;
        }
        Ok(())
    }
}
