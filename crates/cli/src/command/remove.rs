//! `wharf remove`.

use wharf::RemoveOptions;
use wharf::packages::PackageSpec;

use super::add::note;
use crate::context::Context;
use crate::failure::Failure;
use crate::project::EditedProjectArgs;

/// Remove packages from the WIT of a project, from wit/deps and from the lock files
///
/// Takes out what worlds import, export and include of a package, and what wkg.toml and wharf.toml say of it. A package
/// of which an interface still uses types is refused, and told where that is. Comments and layout stay. Prints what
/// changed in which file, and what is left.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf remove wasi:cli
  wharf remove wasi:io@0.2.3")]
pub(crate) struct Args {
    /// What to remove: namespace:name; with a version behind an @, that alone
    #[arg(value_name = "PACKAGE[@VERSION]", required = true)]
    packages: Vec<PackageSpec>,
    #[command(flatten)]
    project: EditedProjectArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let options = RemoveOptions { fetch: args.project.options(context)?, packages: args.packages };
    let outcome = wharf::remove(&args.project.registries(context)?, &options).await?;
    note(&outcome, context);
    context.print(&outcome)
}
