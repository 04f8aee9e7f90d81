//! `wharf diff`.

use std::io::{self, Write};

use wharf::wit::compare::Bump;
use wharf::{DiffOptions, DiffOutcome, Location, Target};

use super::inspect::target;
use crate::args::RegistryArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, printable};

/// Tell what changed between two versions of WIT, whom it breaks, and what the newer has to be called
///
/// The answer is no, with exit status 1, where the version of the newer one promises more than it keeps; where one of
/// the two has no version, where anything breaks.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf diff ghcr.io/acme/greet:0.2.0 wit
  wharf diff greet-0.2.0.wasm greet-0.2.1.wasm --json
  wharf diff old/greet.wit new/greet.wit")]
pub(crate) struct Args {
    /// The older version: a .wit file, a folder of WIT, a .wasm file, a reference, or a layout or archive
    #[arg(value_name = "OLD", value_parser = target)]
    old: Target,
    /// The newer version
    #[arg(value_name = "NEW", value_parser = target)]
    new: Target,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let Args { old, new, registry } = args;
    let owner = [&old, &new].into_iter().find_map(|target| match target {
        Target::Artifact(location) => Location::registry(location),
        Target::File(_) => None,
    });
    let client = context.client(&registry, owner)?;
    let options = DiffOptions { old, new, surroundings: context.surroundings() };
    let outcome = wharf::diff(&client, &options, &context.progress("reading")).await?;
    context.print(&outcome)?;
    if outcome.compatible { Ok(()) } else { Err(Failure::No) }
}

impl Render for DiffOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        self.changes.iter().try_for_each(|change| writeln!(out, "{}", printable(&change.to_string())))?;
        writeln!(out, "{}", printable(&verdict(self)))
    }
}

/// Returns what the changes ask of the version, and whether the newer one has it.
fn verdict(outcome: &DiffOutcome) -> String {
    let DiffOutcome { old, new, bump, least_version, compatible, .. } = outcome;
    let package = &new.package;
    let what = match bump {
        Bump::None => "nothing changes",
        Bump::Patch => "only what is said of it changes",
        Bump::Minor => "something is added",
        Bump::Major => "something breaks",
    };
    match (&old.version, &new.version, least_version) {
        (Some(old), Some(new), _) if *compatible && *bump == Bump::None => {
            format!("{package} {old} to {new}: {what}")
        }
        (Some(old), Some(new), Some(least)) => {
            let verdict = if *compatible { "will do" } else { "is too low" };
            format!("{package} {old} to {new}: {what}; {least} at least, so {new} {verdict}")
        }
        (Some(old), None, Some(least)) => format!("{package} after {old}: {what}; {least} at least"),
        _ => what.to_owned(),
    }
}
