//! `wharf build`.

use std::io::{self, Write};
use std::path::PathBuf;

use wharf::{BuildOptions, BuildOutcome};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, printable};
use crate::project::ProjectArgs;

/// Encode a package of WIT as Wasm, with what it needs
///
/// What is missing is brought as `wharf fetch` brings it, and locked in wkg.lock and wharf.lock; wit/deps stays as it is.
/// `[metadata]` of wkg.toml goes into the Wasm. In a workspace, each member is built. The same WIT gives the same bytes.
/// Prints the file and its digest.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf build
  wharf build --locked -o greet.wasm
  wharf build member")]
pub(crate) struct Args {
    /// A folder of WIT, one with a folder `wit`, or a workspace
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// The same as FOLDER
    #[arg(long, short = 'd', value_name = "FOLDER", conflicts_with = "folder")]
    wit_dir: Option<PathBuf>,
    /// File to write, or folder to write it in; by default NAMESPACE_NAME@VERSION.wasm, in this folder
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    #[command(flatten)]
    project: ProjectArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let folder = args.wit_dir.unwrap_or(args.folder);
    let project = args.project.options(folder, &context.environment)?;
    let options = BuildOptions { project, output: args.output };
    let outcome = wharf::build(&args.project.registries(context)?, &options).await?;
    if outcome.is_vendored {
        context.note(format_args!("what it needs is taken from wit/deps, as it lies there"));
    }
    context.print(&outcome)
}

impl Render for BuildOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        for package in &self.packages {
            writeln!(out, "{} {}", printable(&package.path.display().to_string()), package.digest)?;
        }
        Ok(())
    }
}
