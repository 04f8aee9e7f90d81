//! `wharf check`.

use std::io::{self, Write};
use std::path::PathBuf;

use wharf::{CheckOptions, CheckOutcome, CheckedPackage, Standing};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, printable};
use crate::project::ProjectArgs;

/// Tell whether a package can be built, and whether its version says what changed
///
/// Does what `wharf build` does, and writes nothing. Each package that has a version is compared with the published ones
/// that it counts as compatible with: the newest below it, and the oldest above it. The answer is no, with exit status
/// 1, where its version promises more than it keeps, where the same version is published and is different, and where
/// wkg.lock would change.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf check
  wharf check --locked
  wharf check member --json")]
pub(crate) struct Args {
    /// A folder of WIT, one with a folder `wit`, or a workspace
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    #[command(flatten)]
    project: ProjectArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let options = CheckOptions { project: args.project.options(args.folder, &context.environment)? };
    let outcome = wharf::check(&args.project.registries(context)?, &options).await?;
    if outcome.is_vendored {
        context.note(format_args!("what it needs is taken from wit/deps, as it lies there"));
    }
    context.print(&outcome)?;
    if outcome.is_good { Ok(()) } else { Err(Failure::No) }
}

impl Render for CheckOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        self.packages.iter().try_for_each(|package| render(package, out))?;
        for change in &self.lock_changes {
            writeln!(out, "wkg.lock: {}", printable(change))?;
        }
        Ok(())
    }
}

fn render(package: &CheckedPackage, out: &mut dyn Write) -> io::Result<()> {
    let CheckedPackage { name, version, standing, comparisons, .. } = package;
    let version = version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let why = match standing {
        Standing::Unversioned => "it has no version to compare",
        Standing::Offline => "not compared, as no registry may be asked",
        Standing::NoRegistry => "not compared, as no registry is known for it",
        Standing::Unpublished => "no version is published that it would have to be compatible with",
        Standing::Published => return comparisons.iter().try_for_each(|compared| compared.render(out)),
    };
    writeln!(out, "{name}{version} can be built; {why}")
}
