//! The `wharf` command: parses the command line, calls the library, renders the outcome.

mod args;
mod bug;
mod capabilities;
mod command;
mod components;
mod context;
mod deployment;
mod environment;
mod exit;
mod failure;
mod guest;
mod hint;
mod inspection;
mod keys;
mod output;
mod progress;
mod project;
mod registries;
mod run_events;
mod wash;

use std::io::{self, Write as _};
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser as _;
use context::Context;
use environment::Environment;
use failure::Failure;
use rustix::process::Signal;
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let Cli { output, command } = Cli::parse();
    let bugs = bug::Reports::install();
    let context = Context { environment: Environment::read(), format: output.format(), talk: output.talk() };
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| execute(command, &context)));
    let outcome = outcome.unwrap_or_else(|_| Err(Failure::Bug(bugs.last())));
    let code = match outcome {
        Ok(()) => exit::SUCCESS,
        // Whoever reads our output has enough, as in `wharf tags … | head -1`.
        Err(failure) if failure.is_broken_pipe() => exit::SUCCESS,
        // The outcome was printed, and says why.
        Err(Failure::No) => exit::NO,
        Err(Failure::Guest { code, text }) => {
            run_events::say(&text.unwrap_or_default());
            code
        }
        Err(failure) => {
            // If standard error is gone too, the exit code still tells.
            let _written = io::stderr().write_all(failure.message().as_bytes());
            failure.code()
        }
    };
    ExitCode::from(code)
}

/// Runs a command to its end, or until a signal comes: then its future is dropped, which removes temporary files.
fn execute(command: Command, context: &Context) -> Result<(), Failure> {
    let runtime = runtime().map_err(Failure::Runtime)?;
    let outcome = runtime.block_on(async {
        let stop = signal().map_err(Failure::Runtime)?;
        match command {
            // The hub ends its open requests before it stops.
            Command::Hub(args) => command::hub::run(args, context, stop).await,
            // So does a program that serves.
            Command::Run(args) => command::run::run(*args, context, stop).await,
            command => tokio::select! {
                outcome = run(command, context) => outcome,
                () = stop => Err(Failure::Interrupted),
            },
        }
    });
    // A thread that still reads or hashes has nothing to add.
    runtime.shutdown_background();
    outcome
}

fn runtime() -> io::Result<Runtime> {
    // One thread for the network, one for what waits on it; hashing and disk work have threads of their own.
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// Returns a future that ends when the process is asked to stop.
fn signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut signals =
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
    // A file over the limit of `ulimit -f` would end the process; caught, it is an error of the one who writes.
    let _over_limit = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
    Ok(async move {
        let [interrupt, terminate, hangup] = &mut signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Push(args) => command::push::run(args, context).await,
        Command::Pull(args) => command::pull::run(args, context).await,
        Command::Copy(args) => command::copy::run(args, context).await,
        Command::Pack(args) => command::pack::run(args, context).await,
        Command::Inspect(args) => command::inspect::run(args, context).await,
        Command::Tags(args) => command::tags::run(args, context).await,
        Command::Tag(args) => command::tag::run(args, context).await,
        Command::Delete(args) => command::delete::run(args, context).await,
        Command::Init(args) => command::init::run(args, context).await,
        Command::Add(args) => command::add::run(args, context).await,
        Command::Remove(args) => command::remove::run(args, context).await,
        Command::Fetch(args) => command::fetch::run(args, context).await,
        Command::Build(args) => command::build::run(args, context).await,
        Command::Check(args) => command::check::run(args, context).await,
        Command::Publish(args) => command::publish::run(args, context).await,
        Command::Update(args) => command::update::run(args, context).await,
        Command::Outdated(args) => command::outdated::run(args, context).await,
        Command::Tree(args) => command::tree::run(args, context).await,
        Command::Get(args) => command::get::run(args, context).await,
        Command::Compose(args) => command::compose::run(args, context).await,
        Command::Deploy(args) => command::deploy::run(args, context).await,
        Command::Pin(args) => command::pin::run(args, context).await,
        Command::Cache(args) => command::cache::run(args, context).await,
        Command::Diff(args) => command::diff::run(args, context).await,
        Command::Login(args) => command::login::run(args, context).await,
        Command::Logout(args) => command::logout::run(args, context).await,
        Command::Completions(args) => command::completions::run(&args),
        Command::Hub(args) => command::hub::run(args, context, std::future::pending()).await,
        Command::Run(args) => command::run::run(*args, context, std::future::pending()).await,
    }
}
