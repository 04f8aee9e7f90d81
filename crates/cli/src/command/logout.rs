//! `wharf logout`.

use std::io::{self, Write};
use std::path::PathBuf;

use wharf::LogoutOutcome;
use wharf::oci::Registry;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Render;

/// Forget the credential for a registry
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The registry: host[:port]
    registry: Registry,
    /// Credential file to change instead of podman's or Docker's [env: REGISTRY_AUTH_FILE]
    #[arg(long, value_name = "FILE")]
    auth_file: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let credentials = context.credentials(args.auth_file.as_deref());
    let outcome = wharf::logout(&credentials, &args.registry).await?;
    if outcome.removed_from.is_empty() {
        context.note(format_args!("there was no login for {}", args.registry));
    }
    context.print(&outcome)
}

impl Render for LogoutOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        self.removed_from.iter().try_for_each(|place| writeln!(out, "{place}"))
    }
}
