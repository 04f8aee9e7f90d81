//! `wharf tags`.

use std::io::{self, Write};

use wharf::{Location, TagsOutcome};

use crate::args::RegistryArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, printable};

/// List the tags of a repository, one a line
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The repository: host[:port]/repository, or a layout or archive
    #[arg(value_name = "REPOSITORY")]
    location: Location,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.client(&args.registry, args.location.registry())?;
    let outcome = wharf::tags(&client, &args.location).await?;
    context.print(&outcome)
}

impl Render for TagsOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        // Names in a layout or an archive are whatever somebody wrote into it.
        self.tags.iter().try_for_each(|tag| writeln!(out, "{}", printable(tag)))
    }
}
