//! The command line's grammar.

use std::net::SocketAddr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use wharf::artifact::ManifestFormat;
use wharf::oci::Platform;
use wharf::packages::{InvalidName, InvalidSpec, PackageRequest};
use wharf::{Choice, Description, Form};

use crate::command;
use crate::context::Context;
use crate::failure::Failure;

/// Package manager and registry for WebAssembly on OCI
#[derive(Debug, Parser)]
#[command(name = "wharf", bin_name = "wharf", version, disable_help_subcommand = true, max_term_width = 100)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_STATUS: &str = "\
Exit status: 0 done, 1 the answer is no, 2 your mistake, 3 the registry, the network or this machine failed, \
70 a bug, 130 interrupted.

A reference is host[:port]/repository[:tag][@digest]. Registries on this machine (localhost, 127.0.0.1) speak plain \
HTTP without a flag. Wherever a command takes a reference, it takes a place on this machine too: \
oci-layout:FOLDER[:tag], oci-archive:FILE[:tag] or docker-archive:FILE[:tag].";

/// How the outcome is told.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// Print the outcome as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing but the outcome and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// Whether to tell on standard error what goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Talk {
    /// Notes and, on a terminal, progress.
    Normal,
    /// Errors alone.
    Quiet,
}

/// In what form to print an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people and pipes.
    Text,
    /// For programs.
    Json,
}

impl Output {
    pub(crate) fn talk(&self) -> Talk {
        if self.quiet { Talk::Quiet } else { Talk::Normal }
    }

    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Text }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Box<command::run::Args>),
    Push(command::push::Args),
    Pull(command::pull::Args),
    Copy(command::copy::Args),
    Pack(command::pack::Args),
    Inspect(command::inspect::Args),
    Tags(command::tags::Args),
    Tag(command::tag::Args),
    Delete(command::delete::Args),
    Compose(command::compose::Args),
    Deploy(command::deploy::Args),
    Pin(command::pin::Args),
    Init(command::init::Args),
    Add(command::add::Args),
    Remove(command::remove::Args),
    Fetch(command::fetch::Args),
    Build(command::build::Args),
    Check(command::check::Args),
    Publish(command::publish::Args),
    Update(command::update::Args),
    Outdated(command::outdated::Args),
    Tree(command::tree::Args),
    Get(command::get::Args),
    Diff(command::diff::Args),
    Cache(command::cache::Args),
    Login(command::login::Args),
    Logout(command::logout::Args),
    Hub(command::hub::Args),
    Completions(command::completions::Args),
}

/// How to reach a registry, and as whom.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Registry")]
pub(crate) struct RegistryArgs {
    /// User name for the registry [env: WHARF_USERNAME]
    #[arg(long, short)]
    pub(crate) username: Option<String>,
    /// Password or access token of that user; the variable keeps it out of the process list [env: WHARF_PASSWORD]
    #[arg(long, short)]
    pub(crate) password: Option<String>,
    /// Bearer token, sent as it is; the variable keeps it out of the process list [env: WHARF_TOKEN]
    #[arg(long, conflicts_with_all = ["username", "password"])]
    pub(crate) token: Option<String>,
    /// Credential file to use instead of all others [env: REGISTRY_AUTH_FILE]
    #[arg(long, value_name = "FILE")]
    pub(crate) auth_file: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// How to reach a registry.
#[derive(Debug, Args, Default, PartialEq, Eq)]
#[command(next_help_heading = "Registry")]
pub(crate) struct ConnectionArgs {
    /// Speak HTTP without TLS, also to a registry that is not on this machine
    #[arg(long, conflicts_with_all = ["tls", "insecure", "ca_file"])]
    pub(crate) plain_http: bool,
    /// Speak HTTPS, also to a registry on this machine
    #[arg(long)]
    pub(crate) tls: bool,
    /// Speak HTTPS and accept any certificate: whoever is on the way can read and change all of it
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Trust the certificate authorities in this PEM file, beside the system's; can be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Vec<std::path::PathBuf>,
}

/// How to reach the source, where that differs from the usual.
#[derive(Debug, Args)]
#[command(next_help_heading = "Source registry")]
pub(crate) struct SourceArgs {
    /// Speak HTTP without TLS to the source
    #[arg(long, conflicts_with_all = ["from_tls", "from_insecure", "from_ca_file"])]
    from_plain_http: bool,
    /// Speak HTTPS to the source, also if it is on this machine
    #[arg(long)]
    from_tls: bool,
    /// Speak HTTPS to the source and accept any certificate
    #[arg(long)]
    from_insecure: bool,
    /// Trust the certificate authorities in this PEM file for the source
    #[arg(long, value_name = "FILE")]
    from_ca_file: Vec<std::path::PathBuf>,
}

impl From<SourceArgs> for ConnectionArgs {
    fn from(args: SourceArgs) -> Self {
        let SourceArgs { from_plain_http, from_tls, from_insecure, from_ca_file } = args;
        Self { plain_http: from_plain_http, tls: from_tls, insecure: from_insecure, ca_file: from_ca_file }
    }
}

/// What to say of what is packed.
#[derive(Debug, Args, Default, PartialEq, Eq)]
#[command(next_help_heading = "Description")]
pub(crate) struct DescriptionArgs {
    /// Add an annotation to the manifest; wins over what the file says of itself; can be given several times
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = key_value)]
    annotations: Vec<(String, String)>,
    /// Who made it
    #[arg(long)]
    author: Option<String>,
    /// The world that the component targets, such as wasi:http/proxy@0.2.3 (artifact alone)
    #[arg(long)]
    world: Option<String>,
    /// Context of the filter that Envoy starts (istio and istio-compat); can be given several times
    #[arg(long = "root-id", value_name = "ID")]
    root_ids: Vec<String>,
    /// Write Docker's media types, for registries and hosts that take no OCI manifest (docker and istio-compat)
    #[arg(long)]
    docker_manifest: bool,
}

impl DescriptionArgs {
    /// Returns what the library takes, with the time that the environment asks for.
    pub(crate) fn describe(self, context: &Context) -> Result<Description, Failure> {
        let manifest_format = if self.docker_manifest { ManifestFormat::Docker } else { ManifestFormat::Oci };
        Ok(Description {
            annotations: self.annotations.into_iter().collect(),
            author: self.author,
            world: self.world,
            root_ids: self.root_ids,
            manifest_format,
            created: context.created()?,
        })
    }
}

/// Which Wasm of several is meant.
#[derive(Debug, Args, Default, PartialEq, Eq)]
#[command(next_help_heading = "Selection")]
pub(crate) struct ChoiceArgs {
    /// Of several Wasm files, the one with this title, digest or component name, or with this path in its layer
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// Of several platforms in an index, this one: os/architecture
    #[arg(long, value_name = "OS/ARCH", value_parser = platform)]
    platform: Option<Platform>,
}

impl From<ChoiceArgs> for Choice {
    fn from(args: ChoiceArgs) -> Self {
        Self { layer: args.layer, platform: args.platform }
    }
}

/// Reads `os/architecture[/variant]`.
fn platform(text: &str) -> Result<Platform, &'static str> {
    let parts: Vec<_> = text.split('/').collect();
    let (os, architecture, variant) = match parts.as_slice() {
        [os, architecture] => (os, architecture, None),
        [os, architecture, variant] => (os, architecture, Some((*variant).to_owned())),
        _ => return Err("it has the form os/architecture, such as wasip2/wasm"),
    };
    Ok(Platform { architecture: (*architecture).to_owned(), os: (*os).to_owned(), os_version: None, variant })
}

/// Reads the name of a form.
pub(crate) fn form() -> impl TypedValueParser<Value = Form> {
    let names = Form::ALL.map(Form::name);
    PossibleValuesParser::new(names).map(|name| {
        Form::ALL.into_iter().find(|form| form.name() == name).expect("the parser lets these names through alone")
    })
}

/// Reads `KEY=VALUE`.
pub(crate) fn key_value(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("it has the form KEY=VALUE"),
    }
}

/// Reads a package with which versions will do, and nothing in it.
pub(crate) fn package_request(text: &str) -> Result<PackageRequest, InvalidSpec> {
    let request: PackageRequest = text.parse()?;
    match &request.item {
        None => Ok(request),
        Some(_) => {
            let package = request.package.to_string();
            Err(InvalidName::Item { text: text.to_owned(), package }.into())
        }
    }
}

/// Reads an address with a port; `localhost` is what references call this machine.
pub(crate) fn socket_address(text: &str) -> Result<SocketAddr, &'static str> {
    let text = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    text.parse().map_err(|_| "it has the form ADDRESS:PORT, such as 127.0.0.1:5000 or localhost:5000")
}
