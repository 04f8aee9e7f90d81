//! `wharf cache`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use wharf::CacheOutcome;
use wharf::running::CacheFolders;

use crate::context::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output::{Render, printable, size};

/// The folder of compiled code in that of the cache. No repository of it is called like that.
const CODE: &str = "_code";

/// Look after the compiled code that `wharf run` keeps
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf cache verify
  wharf cache clear")]
pub(crate) struct Args {
    #[command(subcommand)]
    task: Task,
    /// Folder in which packages are kept, and code in it [env: WHARF_CACHE_DIR] [default: ~/.cache/wharf]
    #[arg(long, value_name = "FOLDER", global = true)]
    cache: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, clap::Subcommand)]
enum Task {
    /// Read all of it, and remove what is not as it was kept; exit code 1 where there was any
    Verify,
    /// Remove all of it
    Clear,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let cache = args.cache.as_ref().or(context.environment.package_cache.as_ref());
    let folders = cache.and_then(|cache| code_folders(cache, &context.environment));
    let folders = folders.ok_or_else(|| Failure::Usage("there is no HOME with a cache: pass --cache".to_owned()))?;
    let outcome = match args.task {
        Task::Verify => wharf::verify_cache(folders).await?,
        Task::Clear => wharf::clear_cache(folders).await?,
    };
    context.print(&outcome)?;
    match outcome {
        CacheOutcome::Verified(verified) if !verified.discarded.is_empty() => Err(Failure::No),
        _ => Ok(()),
    }
}

/// Returns where compiled code is kept, and its key; nothing where there is no place for that.
pub(super) fn code_folders(cache: &Path, environment: &Environment) -> Option<CacheFolders> {
    let state = environment.state.clone()?;
    Some(CacheFolders { code: cache.join(CODE), state })
}

impl Render for CacheOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Verified(verified) => {
                for discarded in &verified.discarded {
                    writeln!(out, "removed: {}", printable(&discarded.to_string()))?;
                }
                writeln!(out, "{} as they were kept, {}", count(verified.sound.files), size(verified.sound.bytes))
            }
            Self::Cleared(tally) => writeln!(out, "removed {}, {}", count(tally.files), size(tally.bytes)),
        }
    }
}

fn count(files: u64) -> String {
    format!("{files} {}", if files == 1 { "file" } else { "files" })
}
