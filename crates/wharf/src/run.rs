//! `run`: from a name to a running program.
//!
//! ```text
//!   file ──hash────────────────────────────────────────> digest of the Wasm ──> code, kept and mapped
//!   REPOSITORY@DIGEST ──note of an earlier run─────────>   │                        │
//!   package ──lock, else tags──> manifest ──layer──────>   │ none                   │
//!   REPOSITORY:TAG, archive ──> manifest ──layer───────>   v                        v
//!                                 Wasm ──examine──> may it run? ──compile, keep──> command | server | call
//! ```
//!
//! What is compiled already is neither fetched nor read nor examined again: it was, when it was compiled.

mod calling;
mod capability;
mod code;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use wharf_oci::{Digest, Progress};
use wharf_package::RegistryName;
use wharf_run::call::Answer;
use wharf_run::{
    Allocation, Denied, Ended, Grants, Invocation, Limits, Outcome, Program, Runtime, Stdio, Stop, Watcher,
};

use self::calling::{Called, Request};
use self::code::{Preparation, Prepared};
use crate::cause::RunFault;
use crate::homes::Connect;
use crate::hub::bind;
use crate::locate::Choice;
use crate::resolution::Sources;
use crate::{Cause, ComponentSource, Error, Surroundings};

pub use self::calling::{InvalidCall, OpenInput};
pub use self::capability::Need;

/// How long after the end of its time a guest may be in a call that blocks.
const BLOCKED_MAX: Duration = Duration::from_millis(500);

/// What to run, and what it may reach.
#[derive(Debug)]
pub struct RunOptions {
    /// The program.
    pub program: ComponentSource,
    /// Which Wasm is meant where there are several.
    pub choice: Choice,
    /// What to run it as; what it exports decides where nothing is said.
    pub mode: Option<Mode>,
    /// Its arguments, or the function to call and those of that.
    pub words: Vec<String>,
    /// What it may reach.
    pub grants: Grants,
    /// How far it may go.
    pub limits: Limits,
    /// Where it reads and writes.
    pub stdio: Stdio,
    /// Opens standard input for an argument `@-` of a call.
    pub open_input: OpenInput,
    /// Where a handler of HTTP takes connections.
    pub listen: SocketAddr,
    /// A folder of the project whose lock counts.
    pub folder: PathBuf,
    /// Where packages come from.
    pub sources: Sources,
    /// The registry to ask for packages, whatever settings say.
    pub registry: Option<RegistryName>,
    /// Where compiled code is kept; nothing where it is not.
    pub code: Option<wharf_run::CacheFolders>,
    /// Where temporary files go, and what time it is.
    pub surroundings: Surroundings,
}

/// What a program is run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A handler of HTTP: until it is stopped.
    Serve,
    /// One of its functions is called.
    Call,
}

/// What became of a program.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RunOutcome {
    /// The digest of the Wasm.
    pub wasm_digest: Digest,
    /// How it ended, and what it was refused; nothing where nothing was started.
    #[serde(flatten)]
    pub outcome: Option<Outcome>,
    /// What a function answered.
    #[serde(flatten)]
    pub answer: Option<Answer>,
    /// What can be called, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
}

/// Is told how a run goes on, as it does.
pub trait RunWatcher: Send + Sync + fmt::Debug + 'static {
    /// A program is about to run for the first time here.
    fn introduce(&self, introduction: &Introduction);
    /// It is being compiled, which can take seconds; `done` follows.
    fn compiling(&self, size: u64);
    /// It is compiled.
    fn compiled(&self);
    /// A handler takes connections.
    fn listening(&self, address: SocketAddr);
    /// An instance of a handler ended otherwise than it should have.
    fn ended(&self, ended: &Ended);
    /// A handler was refused something, for the first time.
    fn denied(&self, denied: &Denied);
    /// Something went wrong that does not matter to the program, such as code that was kept and is damaged.
    fn note(&self, text: &str);
}

/// A program that has not run here before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduction {
    /// The digest of its Wasm.
    pub wasm_digest: Digest,
    /// What it asks for beyond what every program has.
    pub needs: Vec<Need>,
}

/// Runs a program: a command to its end, a handler of HTTP until `shutdown`.
///
/// # Errors
/// [`Error::Run`], where the program does not come to its start. What it does after that is in [`RunOutcome`].
pub async fn run(
    connect: &dyn Connect,
    options: RunOptions,
    watcher: Arc<dyn RunWatcher>,
    progress: &Arc<dyn Progress>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<RunOutcome, Error> {
    let program = options.program.to_string();
    let outcome = start(connect, options, watcher, progress, shutdown).await;
    outcome.map_err(|source| Error::Run { program, source })
}

async fn start(
    connect: &dyn Connect,
    options: RunOptions,
    watcher: Arc<dyn RunWatcher>,
    progress: &Arc<dyn Progress>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<RunOutcome, Cause> {
    let preparation = Preparation { connect, options: &options, watcher: &*watcher, progress };
    let mut shutdown = std::pin::pin!(shutdown);
    let prepared = tokio::select! {
        prepared = preparation.prepare() => prepared?,
        () = &mut shutdown => return Err(RunFault::Interrupted.into()),
    };
    let program = choose(&prepared, options.mode)?;
    let wasm_digest = prepared.digest.clone();
    let mut arguments = vec![name(&options.program)];
    arguments.extend(options.words.iter().cloned());
    let invocation = Invocation { arguments, grants: options.grants, limits: options.limits, stdio: options.stdio };
    let nothing = RunOutcome { wasm_digest, outcome: None, answer: None, usage: None };
    let ran = |outcome| RunOutcome { outcome: Some(outcome), ..nothing.clone() };
    Ok(match program {
        Program::Handler(_) if !options.words.is_empty() => return Err(RunFault::HandlerArguments.into()),
        Program::Handler(_) => {
            serve(prepared, invocation, watcher, options.listen, shutdown).await?;
            ran(Outcome { ended: Ended::Exit(0), denials: Vec::new(), suspected: None })
        }
        Program::Command(_) => tokio::select! {
            outcome = command(prepared, invocation) => ran(outcome?),
            () = shutdown => return Err(RunFault::Interrupted.into()),
        },
        Program::Functions => {
            let request = Request {
                program: &format!("wharf run {}", options.program),
                words: &options.words,
                folder: &options.folder,
                open_input: options.open_input,
            };
            let call = calling::call(prepared, request, invocation);
            let called = tokio::select! {
                called = call => called?,
                () = shutdown => return Err(RunFault::Interrupted.into()),
            };
            match called {
                Called::Answered(answer, outcome) => RunOutcome { answer, ..ran(outcome) },
                Called::Usage(usage) => RunOutcome { usage: Some(usage), ..nothing },
            }
        }
    })
}

/// Returns what a program is run as.
fn choose(prepared: &Prepared, mode: Option<Mode>) -> Result<Program, Cause> {
    let all = Program::all_of(&prepared.code, &prepared.runtime);
    match mode {
        None => Ok(all.first().copied().unwrap_or(Program::Functions)),
        Some(Mode::Call) => Ok(Program::Functions),
        Some(Mode::Serve) => {
            let handler = all.into_iter().find(|program| matches!(program, Program::Handler(_)));
            handler.ok_or_else(|| RunFault::NoHandler.into())
        }
    }
}

async fn command(prepared: Prepared, invocation: Invocation) -> Result<Outcome, Cause> {
    let Prepared { runtime, code, .. } = prepared;
    let time = invocation.limits.time;
    let guest = apart(time, async move { wharf_run::command(&runtime, &code, &invocation).await }).await;
    match guest {
        Some(outcome) => Ok(outcome.map_err(RunFault::from)?),
        None => Ok(late(time)),
    }
}

/// Runs a guest on a thread of its own, so that a call of it that blocks keeps neither a signal from being seen nor its time
/// from ending; `None` where it was still at such a call when its time had ended, as where nobody takes what it writes.
async fn apart<T: Send + 'static>(
    time: Option<Duration>,
    guest: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let guest = tokio::spawn(guest);
    // It ends by itself where it can.
    let time = time.map_or(Duration::MAX, |time| time.saturating_add(BLOCKED_MAX));
    match tokio::time::timeout(time, guest).await {
        Ok(Ok(ran)) => Some(ran),
        Ok(Err(failed)) => std::panic::resume_unwind(failed.into_panic()),
        Err(_) => None,
    }
}

/// Returns how a guest ended that was left behind in a call that blocks.
fn late(time: Option<Duration>) -> Outcome {
    let ended = Ended::Stopped(Stop::Time(time.unwrap_or_default()));
    Outcome { ended, denials: Vec::new(), suspected: None }
}

async fn serve(
    prepared: Prepared,
    invocation: Invocation,
    watcher: Arc<dyn RunWatcher>,
    address: SocketAddr,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Cause> {
    let bound = bind(address).await;
    let (listener, address) = bound.map_err(|source| RunFault::Listen { address, source })?;
    let memory = invocation.limits.memory;
    let fuel = invocation.limits.fuel.is_some();
    let pooled = wharf_run::EngineOptions { fuel, allocation: Allocation::Pool { memory } };
    let pooled = Runtime::new(pooled).map_err(RunFault::from)?;
    // One that is too large for a pool is served without.
    let prepared = if pooled.places_for(&prepared.code) > 0 { prepared.on(pooled) } else { prepared };
    let watcher = Arc::new(Told { watcher, address });
    let served = wharf_run::serve(&prepared.runtime, &prepared.code, invocation, watcher, listener, shutdown).await;
    Ok(served.map_err(RunFault::from)?)
}

/// Tells a [`RunWatcher`] what a server sees.
struct Told {
    watcher: Arc<dyn RunWatcher>,
    address: SocketAddr,
}

impl Watcher for Told {
    fn serving(&self) {
        self.watcher.listening(self.address);
    }

    fn ended(&self, ended: &Ended) {
        self.watcher.ended(ended);
    }

    fn failed(&self, error: &str) {
        self.watcher.note(&format!("a request failed: {error}"));
    }

    fn denied(&self, denied: &Denied) {
        self.watcher.denied(denied);
    }
}

/// Returns what a program is told that it is called.
fn name(program: &ComponentSource) -> String {
    match program {
        ComponentSource::File(path) => path.display().to_string(),
        ComponentSource::Package(request) => request.package.name().to_string(),
        ComponentSource::Artifact(location) => location.to_string(),
    }
}
