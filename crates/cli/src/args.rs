//! The command line's grammar.

use clap::{Args, Parser, Subcommand};

use crate::command;

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
HTTP without a flag.";

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
    Push(command::push::Args),
    Pull(command::pull::Args),
    Copy(command::copy::Args),
    Inspect(command::inspect::Args),
    Tags(command::tags::Args),
    Tag(command::tag::Args),
    Delete(command::delete::Args),
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
    /// Credential file to use instead of podman's and Docker's [env: REGISTRY_AUTH_FILE]
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
