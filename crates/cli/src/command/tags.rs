//! `wharf tags`.

use std::io::{self, Write};

use wharf::TagsOutcome;
use wharf::oci::Reference;

use crate::args::RegistryArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Render;

/// List the tags of a repository, one a line
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The repository: host[:port]/repository
    repository: Reference,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.client(&args.registry, Some(args.repository.registry()))?;
    let outcome = wharf::tags(&client, &args.repository).await?;
    context.print(&outcome)
}

impl Render for TagsOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        self.tags.iter().try_for_each(|tag| writeln!(out, "{tag}"))
    }
}
