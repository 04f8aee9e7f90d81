//! `wharf inspect`.

use std::io::{self, Write};
use std::path::Path;

use wharf::oci::Reference;
use wharf::{InspectOptions, Inspection, Source, Target, Wit};

use crate::args::RegistryArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, printable, size};

/// Tell what a file or an artifact is, and what it imports and exports
///
/// Of an artifact in a registry, the manifest and the config are read; the Wasm itself only where those do not suffice.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf inspect hello.wasm
  wharf inspect ghcr.io/acme/hello:1.0.0 --json
  wharf inspect ghcr.io/acme/hello:1.0.0 --wit")]
pub(crate) struct Args {
    /// A file, or host[:port]/repository[:tag][@digest]
    #[arg(value_parser = target)]
    target: Target,
    /// Print the world as WIT, and nothing else
    #[arg(long)]
    wit: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let registry = match &args.target {
        Target::Reference(reference) => Some(reference.registry()),
        Target::File(_) => None,
    };
    let client = context.client(&args.registry, registry)?;
    let wit = if args.wit { Wit::Print } else { Wit::Omit };
    let options = InspectOptions { target: args.target, wit, scratch: std::env::temp_dir() };
    let outcome = wharf::inspect(&client, &options, &context.progress("reading")).await?;
    for departure in &outcome.departures {
        context.note(format_args!("warning: {departure}"));
    }
    context.print(&outcome)
}

/// Takes what exists, or looks like a path, as a file; all else as a reference.
fn target(text: &str) -> Result<Target, wharf::oci::InvalidReference> {
    let path = Path::new(text);
    let first = text.split('/').next().unwrap_or_default();
    let has_host = text.contains('/') && first.contains(['.', ':']);
    let looks_like_path = text.starts_with(['.', '/']) || (text.ends_with(".wasm") && !has_host);
    if looks_like_path || path.exists() {
        return Ok(Target::File(path.to_owned()));
    }
    text.parse::<Reference>().map(Target::Reference)
}

impl Render for Inspection {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(wit) = &self.wit {
            return out.write_all(wit.as_bytes());
        }
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let source = match self.source {
            Source::Config => "the config, which is what its maker says",
            Source::Bytes => "the bytes",
        };
        // Of a file, the digest is that of the Wasm itself.
        let is_packed = self.digest != self.wasm_digest;
        let rows = [
            ("reference", self.reference.clone()),
            ("kind", self.kind.to_string()),
            ("dialect", optional(&self.dialect)),
            ("digest", self.digest.to_string()),
            ("wasm", optional(&is_packed.then(|| self.wasm_digest.to_string()))),
            ("taken", self.taken.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("size", exact_size(self.size)),
            ("WASI", optional(&self.wasi)),
            ("package", optional(&self.package)),
            ("world", optional(&self.world)),
            ("author", optional(&self.author)),
            ("created", optional(&self.created)),
            ("read from", source.to_owned()),
        ];
        for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
            writeln!(out, "{name:<10} {}", printable(value))?;
        }
        list(out, "imports", &self.imports)?;
        list(out, "exports", &self.exports)?;
        let annotations: Vec<_> = self.annotations.iter().map(|(key, value)| format!("{key}={value}")).collect();
        list(out, "annotations", &annotations)
    }
}

/// Writes a size as people read it, with the exact one where that is rounded.
fn exact_size(bytes: u64) -> String {
    if bytes < 1000 { size(bytes) } else { format!("{} ({bytes} bytes)", size(bytes)) }
}

fn list(out: &mut dyn Write, name: &str, entries: &[String]) -> io::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    writeln!(out, "{name}")?;
    entries.iter().try_for_each(|entry| writeln!(out, "  {}", printable(entry)))
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
            ("acme/hello", false),
        ] {
            let is_found = matches!(target(text).unwrap(), Target::File(_));
            assert_eq!(is_found, is_file, "{text}");
        }
    }
}
