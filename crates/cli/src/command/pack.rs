//! `wharf pack`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Subcommand;
use wharf::oci::TagName;
use wharf::{ExtraLayer, Form, PackOptions, PackOutcome};

use super::provider;
use crate::args::{DescriptionArgs, form};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, size};

/// Pack Wasm files as an archive that container tools and hosts load
///
/// The archive is an OCI archive, and for an image a docker archive as well. `skopeo` reads every form, `ctr image import
/// --no-unpack` takes an image for runwasi, `docker load`, `podman load` and `ctr image import` one that was packed --as
/// docker. The same input gives the same bytes. A file that exists is replaced. Prints the archive with the digest of
/// what is in it. Takes the flags of `oci-tar-builder`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Examples:
  wharf pack hello.wasm -o hello.tar --name acme/hello --tag 1.0.0
  wharf pack hello.wasm -o hello.tar --as docker --name localhost:5000/acme/hello --tag 1.0.0
  wharf pack filter.wasm -o filter.tar --as istio --name acme/filter --tag 1.0.0
  wharf pack -n hello -r ghcr.io/acme -t 1.0.0 -m hello.wasm -o hello.tar
  wharf pack provider --vendor acme --name store --binary x86_64-linux=./store -o store.par.gz")]
pub(crate) struct Args {
    #[command(subcommand)]
    special: Option<Special>,
    #[command(flatten)]
    plain: PlainArgs,
}

#[derive(Debug, Subcommand)]
enum Special {
    Provider(provider::Args),
}

#[derive(Debug, clap::Args)]
struct PlainArgs {
    /// Component, core module or WIT package, binary or text
    #[arg(value_name = "FILE", required_unless_present_any = ["modules", "components"])]
    files: Vec<PathBuf>,
    /// One more Wasm file; can be given several times
    #[arg(long = "module", short, value_name = "FILE", conflicts_with = "components")]
    modules: Vec<PathBuf>,
    /// Every .wasm file of this folder, in the order of their names
    #[arg(long, short, value_name = "FOLDER", conflicts_with = "files")]
    components: Option<PathBuf>,
    /// One more layer, of any media type; can be given several times
    #[arg(long = "layer", short, value_name = "TYPE=FILE", value_parser = layer)]
    layers: Vec<ExtraLayer>,
    /// The archive to write
    // It is required; an option, since the grammar wants it to be absent beside a subcommand.
    #[arg(long, short, value_name = "FILE", alias = "out-path", required = true)]
    output: Option<PathBuf>,
    /// What to pack it as
    #[arg(long = "as", value_name = "FORM", value_parser = form(), default_value = "image")]
    form: Form,
    /// The same as --as artifact
    #[arg(long, short, conflicts_with = "form")]
    as_artifact: bool,
    /// What the image is called, with or without registry; by default as the file
    #[arg(long, short)]
    name: Option<String>,
    /// What stands before the name, such as a registry: REPO/NAME:TAG
    #[arg(long, short)]
    repo: Option<String>,
    /// Its tag
    #[arg(long, short, default_value = "latest")]
    tag: TagName,
    #[command(flatten)]
    description: DescriptionArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    match args.special {
        Some(Special::Provider(args)) => provider::run(args, context).await,
        None => pack(args.plain, context).await,
    }
}

async fn pack(args: PlainArgs, context: &Context) -> Result<(), Failure> {
    let options = PackOptions {
        files: args.files.into_iter().chain(args.modules).collect(),
        folder: args.components,
        layers: args.layers,
        form: if args.as_artifact { Form::Artifact } else { args.form },
        name: args.name,
        prefix: args.repo,
        tag: args.tag,
        output: args.output.unwrap_or_default(),
        description: args.description.describe(context)?,
        surroundings: context.surroundings(),
    };
    let outcome = wharf::pack(&options, &context.progress("packing")).await?;
    context.note(format_args!("packed {} as {}, {}", outcome.name, outcome.form, size(outcome.size)));
    context.print(&outcome)
}

impl Render for PackOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.reference)
    }
}

/// Reads `TYPE=FILE`; a media type has no `=`, a path may.
fn layer(text: &str) -> Result<ExtraLayer, &'static str> {
    match text.split_once('=') {
        Some((media_type, path)) if media_type.contains('/') && !path.is_empty() => {
            Ok(ExtraLayer { media_type: media_type.into(), path: path.into() })
        }
        _ => Err("it has the form TYPE=FILE, such as application/vnd.acme.data=data.bin"),
    }
}
