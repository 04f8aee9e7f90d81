//! `wharf pin`.

use std::io::{self, Read as _, Write};
use std::path::PathBuf;

use wharf::{PinInput, PinMode, PinOptions, PinOutcome, PinnedFile};

use crate::args::ConnectionArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, printable};

/// Standard input has no more than this many bytes, and one more that tells.
const INPUT_BYTES_MAX: u64 = 1024 * 1024 + 1;

/// Put digests behind the tags of the images that YAML names
///
/// Finds images in manifests of Kubernetes, wadm, Istio, Envoy Gateway, SpinKube and wasmCloud, and in files of Docker
/// Compose. Comments, quotes, and every other byte stay. All tags are known before the first file is replaced. What has a
/// digest is left alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf pin deployment.yaml compose.yaml
  wharf pin deploy/*.yaml --check
  helm template chart | wharf pin - | kubectl apply -f -")]
pub(crate) struct Args {
    /// Files of YAML, or `-` alone for standard input, which is written to standard output
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write nothing and ask no registry; exit with 1 where there is a tag without a digest
    #[arg(long)]
    check: bool,
    /// Write nothing, and tell what would be written
    #[arg(long, conflicts_with = "check")]
    dry_run: bool,
    /// Credential file to use instead of all others [env: REGISTRY_AUTH_FILE]
    #[arg(long, value_name = "FILE", help_heading = "Registry")]
    auth_file: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.connect(&args.connection, context.credentials(args.auth_file.as_deref()))?;
    let mode = match (args.check, args.dry_run) {
        (true, _) => PinMode::Check,
        (false, true) => PinMode::DryRun,
        (false, false) => PinMode::Write,
    };
    let outcome = wharf::pin(&client, &PinOptions { inputs: inputs(args.files)?, mode }).await?;
    for file in &outcome.files {
        for skipped in &file.skipped {
            let (name, line, text) = (&file.name, skipped.line, &skipped.text);
            context.note(format_args!("{name}:{line}: left `{text}` alone: {}", skipped.reason));
        }
        if file.images.is_empty() && file.skipped.is_empty() && file.pinned_before == 0 {
            context.note(format_args!("{} names no image that wharf knows of", file.name));
        }
    }
    context.print(&outcome)?;
    let has_tags = outcome.files.iter().any(|file| !file.images.is_empty());
    if mode == PinMode::Check && has_tags { Err(Failure::No) } else { Ok(()) }
}

/// Reads standard input, where that is meant.
fn inputs(files: Vec<PathBuf>) -> Result<Vec<PinInput>, Failure> {
    let is_input = |path: &PathBuf| path.as_os_str() == "-";
    if !files.iter().any(is_input) {
        return Ok(files.into_iter().map(PinInput::File).collect());
    }
    if files.len() > 1 {
        return Err(Failure::Usage("`-` stands alone: what is pinned there goes to standard output".to_owned()));
    }
    let mut text = String::new();
    io::stdin().lock().take(INPUT_BYTES_MAX).read_to_string(&mut text).map_err(Failure::Input)?;
    Ok(vec![PinInput::Text(text)])
}

impl Render for PinOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        self.files.iter().try_for_each(|file| match &file.content {
            Some(content) => out.write_all(content.as_bytes()),
            None => list(out, file),
        })
    }
}

fn list(out: &mut dyn Write, file: &PinnedFile) -> io::Result<()> {
    file.images.iter().try_for_each(|image| {
        let digest = image.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
        writeln!(out, "{}:{}: {}{digest}", printable(&file.name), image.line, printable(&image.text))
    })
}
