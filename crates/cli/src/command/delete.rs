//! `wharf delete`.

use std::io::{self, Write};

use wharf::{DeleteOutcome, Location};

use crate::args::RegistryArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Render;

/// Delete a tag, or with a digest the artifact and all its tags
///
/// Prints the reference that is gone. The registry must allow it; many allow it by digest alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf delete localhost:5000/acme/hello:1.0.0
  wharf delete localhost:5000/acme/hello@sha256:…")]
pub(crate) struct Args {
    /// What to delete: host[:port]/repository:tag or host[:port]/repository@digest
    #[arg(value_name = "REFERENCE")]
    location: Location,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.client(&args.registry, args.location.registry())?;
    let outcome = wharf::delete(&client, &args.location).await?;
    context.print(&outcome)
}

impl Render for DeleteOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.reference)
    }
}
