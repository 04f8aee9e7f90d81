//! `wharf deploy`.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use wharf::{DeployOptions, DeployOutcome, DeployTarget, Upstream};

use crate::args::socket_address;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Render;

/// A configuration that is read from a file has no more than this many bytes.
const CONFIGURATION_BYTES_MAX: u64 = 1024 * 1024;

/// Print what a host needs to run a Wasm file of this machine
///
/// For Envoy that is a bootstrap configuration in YAML, and the file a proxy-wasm filter. The file is named by its
/// absolute path and has to stay there. A filter that fails lets no request through.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf deploy filter.wasm --to envoy > envoy.yaml && envoy -c envoy.yaml
  wharf deploy filter.wasm --to envoy --listen 127.0.0.1:8080 --upstream localhost:3000
  wharf deploy filter.wasm --to envoy --root-id auth --config @auth.json")]
pub(crate) struct Args {
    /// The Wasm binary
    file: PathBuf,
    /// What runs it
    #[arg(long, value_name = "HOST")]
    to: Host,
    /// Address that the host takes connections on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:10000", value_parser = socket_address)]
    listen: SocketAddr,
    /// Server that gets the requests, in plain HTTP; without one, the host answers them itself
    #[arg(long, value_name = "HOST:PORT")]
    upstream: Option<Upstream>,
    /// Which filter to run, for a file that holds several
    #[arg(long, value_name = "ID")]
    root_id: Option<String>,
    /// Configuration for the filter: the text itself, or @ and the file that it is in
    #[arg(long, value_name = "TEXT|@FILE")]
    config: Option<String>,
}

/// What can run a Wasm file.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Host {
    /// Envoy, with a proxy-wasm filter
    Envoy,
}

impl From<Host> for DeployTarget {
    fn from(host: Host) -> Self {
        match host {
            Host::Envoy => Self::Envoy,
        }
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let Args { file, to, listen, upstream, root_id, config } = args;
    let configuration = config.map(configuration).transpose()?;
    let options = DeployOptions { file, target: to.into(), listen, upstream, root_id, configuration };
    let outcome = wharf::deploy(&options).await?;
    context.print(&outcome)
}

/// Returns the text, or what is in the file that it names.
fn configuration(argument: String) -> Result<String, Failure> {
    let Some(path) = argument.strip_prefix('@').map(Path::new) else { return Ok(argument) };
    let fault = |source| Failure::File { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(fault)?;
    let size = file.take(CONFIGURATION_BYTES_MAX + 1).read_to_string(&mut text).map_err(fault)?;
    match size as u64 > CONFIGURATION_BYTES_MAX {
        true => Err(Failure::Usage(format!("`{}` is larger than {CONFIGURATION_BYTES_MAX} bytes", path.display()))),
        false => Ok(text),
    }
}

impl Render for DeployOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.configuration.as_bytes())
    }
}
