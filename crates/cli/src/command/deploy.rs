//! `wharf deploy`.

use std::io::{self, Write};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use wharf::{DeployOptions, DeployOutcome, DeployTarget, Target};

use crate::args::RegistryArgs;
use crate::command::inspect::target;
use crate::context::Context;
use crate::deployment::DeploymentArgs;
use crate::failure::Failure;
use crate::output::Render;

/// Print what a host needs to run Wasm: manifests that pin an artifact by digest
///
/// Nothing is started. An artifact that the host would not run as it is, is refused, with what makes it so. For Envoy,
/// which reads no registry, it is a bootstrap configuration that names a filter in a file by its absolute path. A filter
/// that fails lets no request through.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf deploy ghcr.io/acme/hello:1.0.0 --to kubernetes --replicas 3 | kubectl apply -f -
  wharf deploy ghcr.io/acme/hello:1.0.0 --to wasmcloud > wadm.yaml
  wharf deploy ghcr.io/acme/filter:1.0.0-istio --to istio --selector app=web --config @auth.json
  wharf deploy ghcr.io/acme/filter:1.0.0-istio --to envoy-gateway --gateway eg
  wharf deploy filter.wasm --to envoy --upstream localhost:3000 > envoy.yaml && envoy -c envoy.yaml")]
pub(crate) struct Args {
    /// host[:port]/repository[:tag][@digest]; for Envoy a file
    #[arg(value_parser = target)]
    input: Target,
    /// What runs it
    #[arg(long, value_name = "HOST", value_parser = host())]
    to: DeployTarget,
    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Reads the name of a host.
fn host() -> impl TypedValueParser<Value = DeployTarget> {
    let names = DeployTarget::ALL.map(DeployTarget::name);
    PossibleValuesParser::new(names).map(|name| {
        let named = DeployTarget::ALL.into_iter().find(|target| target.name() == name);
        named.expect("the parser lets these names through alone")
    })
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let registry = match &args.input {
        Target::Artifact(location) => location.registry(),
        Target::File(_) => None,
    };
    let client = context.client(&args.registry, registry)?;
    let settings = args.deployment.settings()?;
    let options = DeployOptions { input: args.input, target: args.to, settings, surroundings: context.surroundings() };
    let outcome = wharf::deploy(&client, &options, &context.progress("reading")).await?;
    context.print(&outcome)
}

impl Render for DeployOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.configuration.as_bytes())
    }
}
