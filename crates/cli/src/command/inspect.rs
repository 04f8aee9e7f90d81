//! `wharf inspect`.

use std::path::Path;

use wharf::{InspectOptions, InvalidLocation, Location, Target, Wit};

use crate::args::{ChoiceArgs, RegistryArgs};
use crate::context::Context;
use crate::failure::Failure;

/// Tell what a file or an artifact is, which hosts accept it, and what it imports and exports
///
/// Of an artifact, the manifest and the config are read; the Wasm itself only where those do not suffice.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf inspect hello.wasm
  wharf inspect ghcr.io/acme/hello:1.0.0 --json
  wharf inspect oci-archive:hello.tar
  wharf inspect store.par.gz
  wharf inspect ghcr.io/acme/hello:1.0.0 --wit")]
pub(crate) struct Args {
    /// A file, host[:port]/repository[:tag][@digest], or a layout or archive
    #[arg(value_parser = target)]
    target: Target,
    /// Print the world as WIT, and nothing else
    #[arg(long)]
    wit: bool,
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let registry = match &args.target {
        Target::Artifact(location) => location.registry(),
        Target::File(_) => None,
    };
    let client = context.client(&args.registry, registry)?;
    let wit = if args.wit { Wit::Print } else { Wit::Omit };
    let options =
        InspectOptions { target: args.target, wit, choice: args.choice.into(), surroundings: context.surroundings() };
    let outcome = wharf::inspect(&client, &options, &context.progress("reading")).await?;
    for departure in &outcome.departures {
        context.note(format_args!("warning: {departure}"));
    }
    context.print(&outcome)
}

/// Takes what exists, or looks like a path, as a file; all else as a reference.
pub(crate) fn target(text: &str) -> Result<Target, InvalidLocation> {
    let path = Path::new(text);
    let first = text.split('/').next().unwrap_or_default();
    let has_host = text.contains('/') && first.contains(['.', ':']);
    let looks_like_path = text.starts_with(['.', '/']) || (is_wasm_name(text) && !has_host);
    match text.parse::<Location>() {
        _ if path.exists() => Ok(Target::File(path.to_owned())),
        Ok(location @ Location::Local(_)) => Ok(Target::Artifact(location)),
        _ if looks_like_path => Ok(Target::File(path.to_owned())),
        parsed => parsed.map(Target::Artifact),
    }
}

/// Whether a text ends as the names of files do that Wharf reads.
fn is_wasm_name(text: &str) -> bool {
    [".wasm", ".wat", ".wit", ".par", ".par.gz"].iter().any(|end| text.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_a_reference() {
        for (text, is_file) in [
            ("./hello", true),
            ("../hello.wasm", true),
            ("/tmp/hello", true),
            ("hello.wasm", true),
            ("build/hello.wasm", true),
            ("src", true),
            ("localhost:5000/hello.wasm", false),
            ("ghcr.io/acme/hello:1.0.0", false),
            ("store.par.gz", true),
            ("filter.wat", true),
            ("greet.wit", true),
            ("oci-archive:hello.tar", false),
            ("oci-archive:hello.wasm", false),
            ("acme/hello", false),
        ] {
            let is_found = matches!(target(text).unwrap(), Target::File(_));
            assert_eq!(is_found, is_file, "{text}");
        }
    }
}
