//! `wharf push`.

use std::io::{self, Write};
use std::path::PathBuf;

use wharf::{Existing, Form, Location, PushOptions, PushOutcome};

use crate::args::{DescriptionArgs, RegistryArgs, form};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, size};

/// Pack a Wasm file as an OCI artifact and push it
///
/// Prints host/repository@digest. The same file gives the same digest, on every registry and every day.
#[derive(Debug, clap::Args)]
// `pack` has this letter for what `oci-tar-builder` takes it for.
#[command(mut_arg("annotations", |annotation| annotation.short('a')))]
#[command(after_help = "\
Examples:
  wharf push localhost:5000/acme/hello:1.0.0 hello.wasm
  wharf push ghcr.io/acme/hello:1.0.0 hello.wasm --annotation team=web
  wharf push ghcr.io/acme/proxy:1.0.0 proxy.wasm --world wasi:http/proxy@0.2.3
  wharf push ghcr.io/acme/filter:1.0.0 filter.wasm --as istio
  wharf push ghcr.io/acme/store:1.0.0 store.par.gz
  wharf push oci-layout:out:1.0.0 hello.wasm")]
pub(crate) struct Args {
    /// Where to push to: host[:port]/repository[:tag], or a layout or archive; with the tag `latest` if none is given
    #[arg(value_name = "REFERENCE")]
    to: Location,
    /// Component, core module or WIT package, binary or text; or a provider archive of wasmCloud
    file: PathBuf,
    /// What to pack it as; a provider archive is always an artifact
    #[arg(long = "as", value_name = "FORM", value_parser = form(), default_value = "artifact")]
    form: Form,
    /// Replace an archive that exists
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    description: DescriptionArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.client(&args.registry, args.to.registry())?;
    let options = PushOptions {
        file: args.file,
        to: args.to,
        form: args.form,
        existing: if args.force { Existing::Replace } else { Existing::Keep },
        description: args.description.describe(context)?,
        surroundings: context.surroundings(),
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
