//! `wharf remove`.

use std::path::PathBuf;

use wharf::packages::PackageSpec;
use wharf::{FetchOptions, Locking, ProjectOptions, RemoveOptions};

use super::add::note;
use super::fetch::Type;
use crate::context::Context;
use crate::failure::Failure;
use crate::project::SourcesArgs;

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
    /// A folder of WIT, one with a folder `wit`, or a member of a workspace
    #[arg(long = "wit-dir", short = 'd', value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// What to write to wit/deps: text, or the Wasm of each package that the WIT names
    #[arg(long = "type", short = 't', value_name = "TYPE", value_enum, default_value_t = Type::Wit)]
    form: Type,
    #[command(flatten)]
    sources: SourcesArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let sources = args.sources.options(&context.environment)?;
    let project = ProjectOptions { folder: args.folder, sources, locking: Locking::Update };
    let fetch = FetchOptions { project, form: args.form.into() };
    let options = RemoveOptions { fetch, packages: args.packages };
    let outcome = wharf::remove(&args.sources.registries(context)?, &options).await?;
    note(&outcome, context);
    context.print(&outcome)
}
