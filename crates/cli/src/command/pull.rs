//! `wharf pull`.

use std::io::{self, Write};
use std::path::PathBuf;

use wharf::{Existing, Location, PullOptions, PullOutcome};

use crate::args::{ChoiceArgs, RegistryArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, size};

/// Fetch the Wasm of an artifact into a file
///
/// Prints the path of the file, which appears only when all of it was verified.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf pull localhost:5000/acme/hello:1.0.0
  wharf pull ghcr.io/acme/hello@sha256:… -o hello.wasm --force
  wharf pull oci-archive:hello.tar")]
pub(crate) struct Args {
    /// What to pull: host[:port]/repository[:tag][@digest], or a layout or archive
    #[arg(value_name = "REFERENCE")]
    from: Location,
    /// File to write, or folder to write it in; by default the file's own name, in this folder
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.client(&args.registry, args.from.registry())?;
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let options = PullOptions {
        from: args.from,
        output: args.output,
        existing,
        choice: args.choice.into(),
        surroundings: context.surroundings(),
    };
    let outcome = wharf::pull(&client, &options, &context.progress("pulling")).await?;
    context.note(format_args!("pulled {}, {}", outcome.reference, size(outcome.size)));
    context.print(&outcome)
}

impl Render for PullOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.path.display())
    }
}
