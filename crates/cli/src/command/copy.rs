//! `wharf copy`.

use std::io::{self, Write};
use std::path::PathBuf;

use wharf::oci::Reference;
use wharf::{Clients, CopyOptions, CopyOutcome, Depth};

use crate::args::{ConnectionArgs, RegistryArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, size};

/// Copy an artifact from one registry to another, byte for byte
///
/// Prints host/repository@digest of the copy. What is given by flag or WHARF_* variable is for the target; the source
/// gets the credential too if it is the same registry, and is reached as the flags with --from say.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf copy ghcr.io/acme/hello:1.0.0 localhost:5000/acme/hello
  wharf copy ghcr.io/acme/hello:1.0.0 registry.example/acme/hello:1.0.0 --recursive
  wharf copy old.example/acme/hello:1.0.0 localhost:5000/acme/hello --from-ca-file old-ca.pem")]
pub(crate) struct Args {
    /// What to copy: host[:port]/repository[:tag][@digest]
    from: Reference,
    /// Where to: host[:port]/repository[:tag], with the tag of the source if none is given
    to: Reference,
    /// Copy what refers to it too: signatures, attestations, SBOMs
    #[arg(long, short)]
    recursive: bool,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// How to reach the source, where that differs from the usual.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Source registry")]
struct SourceArgs {
    /// Speak HTTP without TLS to the source
    #[arg(long, conflicts_with_all = ["from_tls", "from_insecure", "from_ca_file"])]
    from_plain_http: bool,
    /// Speak HTTPS to the source, also if it is on this machine
    #[arg(long)]
    from_tls: bool,
    /// Speak HTTPS to the source and accept any certificate
    #[arg(long)]
    from_insecure: bool,
    /// Trust the certificate authorities in this PEM file for the source
    #[arg(long, value_name = "FILE")]
    from_ca_file: Vec<PathBuf>,
}

impl From<SourceArgs> for ConnectionArgs {
    fn from(args: SourceArgs) -> Self {
        let SourceArgs { from_plain_http, from_tls, from_insecure, from_ca_file } = args;
        Self { plain_http: from_plain_http, tls: from_tls, insecure: from_insecure, ca_file: from_ca_file }
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let owner = Some(args.to.registry());
    let target = context.client(&args.registry, owner)?;
    let connection = ConnectionArgs::from(args.source);
    // Sides that are reached alike share connections and tokens.
    let source = match connection == args.registry.connection {
        true => target.clone(),
        false => context.client_over(&connection, &args.registry, owner)?,
    };
    let depth = if args.recursive { Depth::Referrers } else { Depth::Artifact };
    let options = CopyOptions { from: args.from, to: args.to, depth };
    let clients = Clients { from: &source, to: &target };
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
