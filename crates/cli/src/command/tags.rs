//! `wharf tags`.

use std::io::{self, Write};

use wharf::{Location, TagsOutcome};

use crate::args::RegistryArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Render;

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
        self.tags.iter().try_for_each(|tag| writeln!(out, "{tag}"))
    }
}
