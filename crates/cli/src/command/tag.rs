//! `wharf tag`.

use std::io::{self, Write};

use wharf::oci::TagName;
use wharf::{Location, TagOutcome};

use crate::args::RegistryArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Render;

/// Give an artifact one more tag in its repository
///
/// Prints host/repository:tag. A tag that exists is moved.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf tag ghcr.io/acme/hello:1.0.0 latest
  wharf tag ghcr.io/acme/hello@sha256:… stable")]
pub(crate) struct Args {
    /// What to tag: host[:port]/repository[:tag][@digest]
    #[arg(value_name = "REFERENCE")]
    location: Location,
    /// The new tag
    name: TagName,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.client(&args.registry, args.location.registry())?;
    let outcome = wharf::tag(&client, &args.location, &args.name).await?;
    context.print(&outcome)
}

impl Render for TagOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.reference)
    }
}
