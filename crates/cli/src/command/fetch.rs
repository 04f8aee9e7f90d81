//! `wharf fetch`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use wharf::packages::PackageName;
use wharf::{DepsForm, FetchOptions, FetchOutcome, Locking, Network};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Render;
use crate::registries::{RegistriesArgs, project_of};

/// Fetch the packages that the WIT of a project names into wit/deps
///
/// Reads and writes what `wkg fetch` does: wkg.toml, wkg.lock and wit/deps; wharf.lock beside them tells where each
/// package came from. What is locked and was fetched before costs no request. What was put into wit/deps by hand stays.
/// Prints the packages that the WIT names, with version and digest.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf fetch
  wharf fetch --locked
  wharf fetch pkg/wit -t wasm")]
pub(crate) struct Args {
    /// The folder of the WIT
    #[arg(value_name = "FOLDER", default_value = "wit")]
    wit: PathBuf,
    /// What to write: text, or the Wasm of each package that the WIT names
    #[arg(long = "type", short = 't', value_name = "TYPE", value_enum, default_value_t = Type::Wit)]
    form: Type,
    /// Fail where wkg.lock would change
    #[arg(long)]
    locked: bool,
    /// Ask no registry
    #[arg(long)]
    offline: bool,
    /// The same as --locked --offline
    #[arg(long, conflicts_with_all = ["locked", "offline"])]
    frozen: bool,
    /// Take this package from where the settings say, though it came from elsewhere before; can be given several times
    #[arg(long, value_name = "PACKAGE")]
    allow_move: Vec<PackageName>,
    #[command(flatten)]
    registries: RegistriesArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Type {
    Wit,
    Wasm,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let environment = &context.environment;
    let here = std::path::absolute(&args.wit).map_err(|source| Failure::File { path: args.wit.clone(), source })?;
    let options = FetchOptions {
        project: shortened(project_of(here.parent().unwrap_or(&here))),
        wit: args.wit,
        config: args.registries.settings(environment)?,
        cache: args.registries.cache(environment)?,
        network: if args.offline || args.frozen { Network::Offline } else { Network::Online },
        locking: if args.locked || args.frozen { Locking::Locked } else { Locking::Update },
        form: match args.form {
            Type::Wit => DepsForm::Wit,
            Type::Wasm => DepsForm::Wasm,
        },
        may_move: args.allow_move,
    };
    let registries = args.registries.registries(context)?;
    let outcome = wharf::fetch(&registries, &options).await?;
    let changed = if outcome.is_changed { "" } else { "; nothing changed" };
    context.note(format_args!("{}{changed}", said(&outcome)));
    context.print(&outcome)
}

/// Says how many packages a registry was asked for, and how many are there now.
fn said(outcome: &FetchOutcome) -> String {
    let FetchOutcome { packages, deps, .. } = outcome;
    let fetched = packages.iter().filter(|package| package.is_fetched).count();
    match packages.len() {
        0 => "nothing to fetch: all that the WIT names is here".to_owned(),
        count => format!("fetched {fetched} of {count} packages, {} in wit/deps", deps.len()),
    }
}

/// Names the folder in which we are as `.`, as people do.
fn shortened(project: PathBuf) -> PathBuf {
    let is_here = std::path::absolute(Path::new(".")).is_ok_and(|here| here == project);
    if is_here { PathBuf::from(".") } else { project }
}

impl Render for FetchOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        for package in &self.packages {
            writeln!(out, "{}@{} {}", package.name, package.version, package.digest)?;
        }
        Ok(())
    }
}
