//! `wharf push`.

use std::io::{self, Write};
use std::path::PathBuf;

use wharf::oci::Reference;
use wharf::{PushOptions, PushOutcome};

use crate::args::RegistryArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, size};

/// Pack a Wasm file as an OCI artifact and push it
///
/// Prints host/repository@digest. The same file gives the same digest, on every registry and every day.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf push localhost:5000/acme/hello:1.0.0 hello.wasm
  wharf push ghcr.io/acme/hello:1.0.0 hello.wasm --annotation team=web
  wharf push ghcr.io/acme/proxy:1.0.0 proxy.wasm --world wasi:http/proxy@0.2.3")]
pub(crate) struct Args {
    /// Where to push to: host[:port]/repository[:tag], with the tag `latest` if none is given
    reference: Reference,
    /// Component, core module or WIT package
    file: PathBuf,
    /// Add an annotation to the manifest; wins over what the file says of itself
    #[arg(long = "annotation", short = 'a', value_name = "KEY=VALUE", value_parser = annotation)]
    annotations: Vec<(String, String)>,
    /// Who made it
    #[arg(long)]
    author: Option<String>,
    /// The world that the component targets, such as wasi:http/proxy@0.2.3
    #[arg(long)]
    world: Option<String>,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.client(&args.registry, Some(args.reference.registry()))?;
    let options = PushOptions {
        file: args.file,
        reference: args.reference,
        annotations: args.annotations.into_iter().collect(),
        author: args.author,
        world: args.world,
        created: context.created()?,
    };
    let outcome = wharf::push(&client, &options, &context.progress("pushing")).await?;
    let sent = match outcome.sent_bytes {
        0 => "all of it was there".to_owned(),
        bytes => format!("sent {}", size(bytes)),
    };
    context.note(format_args!("pushed {} of {}, {sent}", outcome.kind, size(outcome.size)));
    context.print(&outcome)
}

impl Render for PushOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.reference)
    }
}

/// Reads `KEY=VALUE`.
fn annotation(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("it has the form KEY=VALUE"),
    }
}
