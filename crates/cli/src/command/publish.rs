//! `wharf publish`.

use std::io::{self, Write};
use std::path::PathBuf;

use wharf::packages::{PackageSpec, RegistryName};
use wharf::{BreakPolicy, Duplicates, PublishMode, PublishOptions, PublishOutcome, PublishStatus, Selection};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, printable};
use crate::project::ProjectArgs;

/// Publish packages: WIT, which is built first, or files of Wasm
///
/// A version is never replaced, and none that breaks who uses a version it counts as compatible with is published. All
/// packages are built and checked before the first is sent; each is sent after those that it needs. No lock file is
/// written, and one that is there has to be that of the WIT. Prints what was done with each package, and
/// host/repository@digest.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf publish
  wharf publish --dry-run
  wharf publish --workspace --skip-dupes
  wharf publish app.wasm --package acme:app@1.2.0 --registry registry.example")]
pub(crate) struct Args {
    /// A folder of WIT, or a file of Wasm; can be given several times
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Publish all members of the workspace at PATH
    #[arg(long)]
    workspace: bool,
    /// What to publish the only PATH as: a component does not say it itself [env: WKG_PACKAGE]
    #[arg(long, value_name = "NAMESPACE:NAME@VERSION")]
    package: Option<PackageSpec>,
    /// Registry to publish to, whatever settings say; what packages need comes from where these say [env: WKG_REGISTRY]
    #[arg(long, value_name = "HOST")]
    registry: Option<RegistryName>,
    /// Do all but publish
    #[arg(long)]
    dry_run: bool,
    /// Leave out what is published already
    #[arg(long)]
    skip_dupes: bool,
    /// Publish also what breaks users of a version that it counts as compatible with
    #[arg(long, alias = "skip-semver-check")]
    allow_breaking: bool,
    #[command(flatten)]
    project: ProjectArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let environment = &context.environment;
    let project = args.project.options(PathBuf::new(), environment)?;
    let options = PublishOptions {
        paths: args.paths,
        selection: if args.workspace { Selection::Workspace } else { Selection::Paths },
        package: args.package.map_or_else(|| environment.package(), |package| Ok(Some(package)))?,
        registry: environment.package_registry(args.registry)?,
        sources: project.sources,
        locking: project.locking,
        mode: if args.dry_run { PublishMode::DryRun } else { PublishMode::Publish },
        duplicates: if args.skip_dupes { Duplicates::Skip } else { Duplicates::Refuse },
        breaks: if args.allow_breaking { BreakPolicy::Allow } else { BreakPolicy::Refuse },
        created: context.created()?,
        scratch: context.surroundings().scratch,
    };
    let registries = args.project.registries(context)?;
    let outcome = wharf::publish(&registries, &options, &context.progress("publishing")).await?;
    for package in outcome.packages.iter().filter(|package| package.is_other) {
        let (name, version) = (&package.name, &package.version);
        context.note(format_args!("warning: `{name}@{version}` is published with other content, and stays as it is"));
    }
    context.print(&outcome)
}

impl Render for PublishOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        for package in &self.packages {
            let status = match package.status {
                PublishStatus::Published => "published",
                PublishStatus::Skipped => "skipped",
                PublishStatus::WouldPublish => "would publish",
            };
            writeln!(out, "{status} {}@{} {}", package.name, package.version, printable(&package.reference))?;
        }
        Ok(())
    }
}
