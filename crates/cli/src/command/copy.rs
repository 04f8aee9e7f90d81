//! `wharf copy`.

use std::io::{self, Write};

use wharf::oci::Reference;
use wharf::{Clients, CopyOptions, CopyOutcome, Depth};

use crate::args::RegistryArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, size};

/// Copy an artifact from one registry to another, byte for byte
///
/// Prints host/repository@digest of the copy. Credentials given by flag or WHARF_* variable are for the target;
/// the source gets them too only if it is the same registry.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf copy ghcr.io/acme/hello:1.0.0 localhost:5000/acme/hello
  wharf copy ghcr.io/acme/hello:1.0.0 registry.example/acme/hello:1.0.0 --recursive")]
pub(crate) struct Args {
    /// What to copy: host[:port]/repository[:tag][@digest]
    from: Reference,
    /// Where to: host[:port]/repository[:tag], with the tag of the source if none is given
    to: Reference,
    /// Copy what refers to it too: signatures, attestations, SBOMs
    #[arg(long, short)]
    recursive: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let owner = Some(args.to.registry());
    let client = context.client(&args.registry, owner)?;
    let depth = if args.recursive { Depth::Referrers } else { Depth::Artifact };
    let options = CopyOptions { from: args.from, to: args.to, depth };
    let clients = Clients { from: &client, to: &client };
    let outcome = wharf::copy(clients, &options, &context.progress("copying")).await?;
    let CopyOutcome { sent, sent_bytes, mounted, present, .. } = outcome;
    context.note(format_args!("sent {sent} ({}), mounted {mounted}, there already {present}", size(sent_bytes)));
    context.print(&outcome)
}

impl Render for CopyOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.reference)
    }
}
