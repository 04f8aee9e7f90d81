//! `wharf copy`.

use std::io::{self, Write};

use wharf::{Clients, Conversion, CopyOptions, CopyOutcome, Depth, Existing, Form, Location, Losses};

use crate::args::{ChoiceArgs, ConnectionArgs, DescriptionArgs, RegistryArgs, SourceArgs, form};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, size};

/// Copy an artifact from one place to another, byte for byte or in another form
///
/// With --as the Wasm is taken out and packed as another kind of host wants it; what that form has no place for is
/// refused, unless --lossy lets it go. Prints host/repository@digest of the copy. What is given by flag or WHARF_* variable is for the target; the source
/// gets the credential too if it is the same registry, and is reached as the flags with --from say.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf copy ghcr.io/acme/hello:1.0.0 localhost:5000/acme/hello
  wharf copy ghcr.io/acme/hello:1.0.0 registry.example/acme/hello:1.0.0 --recursive
  wharf copy ghcr.io/acme/filter:1.0.0 ghcr.io/acme/filter:1.0.0-istio --as istio
  wharf copy ghcr.io/acme/hello:1.0.0 oci-archive:hello.tar
  wharf copy old.example/acme/hello:1.0.0 localhost:5000/acme/hello --from-ca-file old-ca.pem")]
pub(crate) struct Args {
    /// What to copy: host[:port]/repository[:tag][@digest], or a layout or archive
    from: Location,
    /// Where to: host[:port]/repository[:tag], or a layout or archive; with the tag of the source if none is given
    to: Location,
    /// Copy what refers to it too: signatures, attestations, SBOMs
    #[arg(long, short)]
    recursive: bool,
    /// Pack the Wasm anew, as another kind of host wants it
    #[arg(long = "as", value_name = "FORM", value_parser = form(), conflicts_with = "recursive")]
    form: Option<Form>,
    /// Let go what the new form has no place for
    #[arg(long, requires = "form")]
    lossy: bool,
    /// Replace an archive that exists
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    description: DescriptionArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    // A credential that was given is for the target; a source alone gets it where the target needs none.
    let owner = args.to.registry().or_else(|| args.from.registry());
    let target = context.client(&args.registry, owner)?;
    let connection = ConnectionArgs::from(args.source);
    // Sides that are reached alike share connections and tokens.
    let source = match connection == args.registry.connection {
        true => target.clone(),
        false => context.client_over(&connection, &args.registry, owner)?,
    };
    let options = CopyOptions {
        from: args.from,
        to: args.to,
        depth: if args.recursive { Depth::Referrers } else { Depth::Artifact },
        conversion: conversion(args.form, args.lossy, args.choice, args.description, context)?,
        existing: if args.force { Existing::Replace } else { Existing::Keep },
    };
    let clients = Clients { from: &source, to: &target };
    let outcome = wharf::copy(clients, &options, &context.progress("copying")).await?;
    for lost in &outcome.lost {
        context.note(format_args!("warning: left behind: {lost}"));
    }
    let CopyOutcome { sent, sent_bytes, mounted, present, .. } = outcome;
    context.note(format_args!("sent {sent} ({}), mounted {mounted}, there already {present}", size(sent_bytes)));
    context.print(&outcome)
}

/// Returns what to make of the Wasm; without a form, nothing may be asked for that only a new package can have.
fn conversion(
    form: Option<Form>,
    is_lossy: bool,
    choice: ChoiceArgs,
    description: DescriptionArgs,
    context: &Context,
) -> Result<Option<Conversion>, Failure> {
    let Some(form) = form else {
        return match choice == ChoiceArgs::default() && description == DescriptionArgs::default() {
            true => Ok(None),
            false => Err(Failure::Usage(
                "a copy is byte for byte; --as packs the Wasm anew, as these flags ask for".to_owned(),
            )),
        };
    };
    let losses = if is_lossy { Losses::Accept } else { Losses::Refuse };
    let description = description.describe(context)?;
    Ok(Some(Conversion { form, losses, choice: choice.into(), description, surroundings: context.surroundings() }))
}

impl Render for CopyOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.reference)
    }
}
