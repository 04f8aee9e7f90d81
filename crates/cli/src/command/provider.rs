//! `wharf pack provider`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use wharf::artifact::provider::Description;
use wharf::{Binary, PackProviderOptions, PackProviderOutcome};

use crate::context::Context;
use crate::failure::Failure;
use crate::keys::KeyArgs;
use crate::output::{Render, size};

/// Pack native programs as a provider archive of wasmCloud, signed
///
/// Prints the path of the archive; `wharf push` takes it. Keys are nkeys in the files that `wash` keeps; those that are
/// missing are made. The same files, keys and SOURCE_DATE_EPOCH give the same bytes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf pack provider --vendor acme --name store --binary x86_64-linux=./store -o store.par.gz
  wharf pack provider --vendor acme --name store --binary x86_64-linux=out/x86/store \\
    --binary aarch64-linux=out/arm/store --wit world.wasm --version 1.0.0 -o store.par.gz")]
pub(crate) struct Args {
    /// Who makes it
    #[arg(long, short, value_parser = NonEmptyStringValueParser::new())]
    vendor: String,
    /// Its name, for people; its identity is its key
    #[arg(long, short, value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// A program, and the platform it is for as ARCHITECTURE-SYSTEM; can be given several times
    #[arg(long = "binary", short, value_name = "TARGET=FILE", required = true, value_parser = binary)]
    binaries: Vec<Binary>,
    /// Its WIT world: a WIT package in Wasm
    #[arg(long, value_name = "FILE")]
    wit: Option<PathBuf>,
    /// Its version, for people
    #[arg(long)]
    version: Option<String>,
    /// A number that grows with each release
    #[arg(long, short)]
    revision: Option<i32>,
    /// JSON schema of its configuration
    #[arg(long, short = 'j', value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Days until the claims are no longer valid; for ever if not given
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    expires_in: Option<u32>,
    #[command(flatten)]
    keys: KeyArgs,
    /// The archive to write; with gzip if the name ends with .gz
    #[arg(long, short, value_name = "FILE", alias = "destination")]
    output: PathBuf,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let now = context.surroundings().now;
    // A date that the environment fixes makes the archive the same each time.
    let issued_at = context.created()?.map_or(now, |seconds| u64::try_from(seconds).unwrap_or_default());
    let program = args.binaries.first().map(|binary| binary.path.clone()).unwrap_or_default();
    let (issuer, subject) = args.keys.find(&program, &context.environment)?;
    let options = PackProviderOptions {
        description: Description {
            name: Some(args.name),
            vendor: args.vendor,
            revision: args.revision,
            version: args.version,
            config_schema: args.schema.as_deref().map(schema).transpose()?,
        },
        binaries: args.binaries,
        world: args.wit,
        issuer,
        subject,
        issued_at,
        expires: args.expires_in.map(|days| issued_at + u64::from(days) * 24 * 60 * 60),
        now,
        output: args.output,
    };
    let outcome = wharf::pack_provider(&options).await?;
    for path in &outcome.made_keys {
        context.note(format_args!("made the key {}; keep it secret, and keep it", path.display()));
    }
    let targets = outcome.targets.join(", ");
    context.note(format_args!("packed {targets}, {}", size(outcome.size)));
    context.note(format_args!("provider {}, signed by {}", outcome.subject, outcome.issuer));
    context.print(&outcome)
}

impl Render for PackProviderOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.path.display())
    }
}

fn schema(path: &Path) -> Result<serde_json::Value, Failure> {
    let bytes = std::fs::read(path).map_err(|source| Failure::File { path: path.to_owned(), source })?;
    let usage = |error| Failure::Usage(format!("`{}` is no JSON schema: {error}", path.display()));
    serde_json::from_slice(&bytes).map_err(usage)
}

/// Reads `TARGET=FILE`.
fn binary(text: &str) -> Result<Binary, &'static str> {
    match text.split_once('=') {
        Some((target, path)) if !target.is_empty() && !path.is_empty() => {
            Ok(Binary { target: target.to_owned(), path: path.into() })
        }
        _ => Err("it has the form TARGET=FILE, such as x86_64-linux=./store"),
    }
}
