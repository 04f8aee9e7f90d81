//! `wharf run`.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use wharf::packages::RegistryName;
use wharf::{Cause, Mode, RunFault, RunOptions};

use super::cache::code_folders;
use crate::args::{ChoiceArgs, socket_address};
use crate::capabilities::{GrantArgs, LimitArgs};
use crate::components::component;
use crate::context::Context;
use crate::failure::Failure;
use crate::guest::{finish, stdio};
use crate::project::SourcesArgs;
use crate::run_events::RunEvents;

/// Run a program: a command, a handler of HTTP, or a function of it
///
/// What it exports decides: a command runs to its end, a handler of HTTP serves until it is stopped. It is compiled once and
/// then kept. It reaches nothing of this machine but its standard streams, the clock and random numbers, unless a flag grants
/// it. Options of wharf go before the program; what follows it is the program's.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status: that of the program; 134 where it trapped or reached a limit, 124 where it ran out of time.

Examples:
  wharf run hello.wasm
  wharf run --dir .::/work:ro ghcr.io/acme/lint:1.2.0 /work/src
  wharf run acme:calc@1.0.0 add 1 2
  wharf run --listen 127.0.0.1:8080 --http=api.example.com site.wasm
  wharf run --timeout 10s --memory 256MB untrusted.wasm")]
pub(crate) struct Args {
    /// A file, a package, a reference, or a layout or archive; and its arguments
    // One list, so that no word behind the program is taken for an option of ours, which may grant something.
    #[arg(value_names = ["PROGRAM", "ARGUMENT"], required = true, num_args = 1.., trailing_var_arg = true)]
    #[arg(allow_hyphen_values = true)]
    words: Vec<String>,
    /// Answer HTTP requests, also where the program is a command too
    #[arg(long, conflicts_with = "call")]
    serve: bool,
    /// Call a function, also where the program is a command too
    #[arg(long)]
    call: bool,
    /// Address that a handler of HTTP takes connections on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = socket_address)]
    listen: SocketAddr,
    #[command(flatten)]
    grants: GrantArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// Registry to ask for a package, whatever the settings say [env: WKG_REGISTRY]
    #[arg(long, value_name = "HOST")]
    registry: Option<RegistryName>,
    #[command(flatten)]
    sources: SourcesArgs,
}

pub(crate) async fn run(args: Args, context: &Context, stop: impl Future<Output = ()> + Send) -> Result<(), Failure> {
    let Args { words, serve, call, listen, grants, limits, choice, registry, sources } = args;
    let (program, words) = words.split_first().expect("the grammar has one word at least");
    if program.starts_with('-') {
        return Err(Failure::Usage(format!(
            "`{program}` is no option of wharf run; what is the program's comes behind it"
        )));
    }
    let program = component(program).map_err(|error| Failure::Usage(format!("`{program}` is no program: {error}")))?;
    let mode = match (serve, call) {
        (true, _) => Some(Mode::Serve),
        (false, true) => Some(Mode::Call),
        (false, false) => None,
    };
    let registry = context.environment.package_registry(registry)?;
    let registries = sources.registries(context)?;
    let cache = sources.cache(&context.environment);
    let code = cache.as_ref().and_then(|cache| code_folders(cache, &context.environment));
    // A user without a home runs programs too, and keeps nothing.
    let unkept = cache.is_none().then(tempfile::tempdir).transpose().map_err(Failure::Output)?;
    let cache = cache.or_else(|| unkept.as_ref().map(|folder| folder.path().to_owned())).unwrap_or_default();
    let sources = sources.options_with(cache, &context.environment)?;
    let options = RunOptions {
        program,
        choice: choice.into(),
        mode,
        words: words.to_vec(),
        grants: grants.grants()?,
        limits: limits.into(),
        stdio: stdio(context.format).map_err(Failure::Output)?,
        open_input: || Box::new(io::stdin()),
        listen,
        folder: PathBuf::from("."),
        sources,
        registry,
        code,
        surroundings: context.surroundings(),
    };
    let events = Arc::new(RunEvents::new(context.talk));
    let outcome = wharf::run(&registries, options, events, &context.progress("reading"), stop).await;
    let outcome = outcome.map_err(|error| match error.reason() {
        Cause::RunFault(RunFault::Interrupted) => Failure::Interrupted,
        _ => error.into(),
    })?;
    finish(&outcome, context)
}
