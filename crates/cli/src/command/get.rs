//! `wharf get`.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use wharf::packages::resolve::Requirement;
use wharf::packages::{PackageRequest, RegistryName, VersionReq};
use wharf::{Existing, FileState, GetAction, GetOptions, GetOutcome, PackageForm};

use crate::args::{Format, package_request};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, size};
use crate::registries::RegistriesArgs;

/// Get a package by its name, outside of any project, into a file
///
/// A WIT package becomes text, a component stays Wasm. Of several versions, the newest is taken, a release before a
/// pre-release. Prints the path of the file, which appears only when all of it was verified.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf get wasi:http
  wharf get wasi:http@0.2.3 -o http.wit
  wharf get acme:greet@^0.2 -o greet.wit --check
  wharf get acme:hello --registry ghcr.io -o - | wasmtime run -")]
pub(crate) struct Args {
    /// The package: namespace:name, and behind an @ a version or a range such as ^0.2
    #[arg(value_name = "PACKAGE", value_parser = package_request)]
    package: PackageRequest,
    /// File to write, or folder to write it in; - is standard output; by default namespace_name@version.wit or .wasm
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// What to write; auto goes by the ending of the file, or else by what the package is
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Auto)]
    format: Form,
    /// Write nothing, and fail with exit status 1 where the file is not the package
    #[arg(long, conflicts_with = "overwrite")]
    check: bool,
    /// Replace the file if it exists
    #[arg(long)]
    overwrite: bool,
    /// Registry to ask, whatever the settings say [env: WKG_REGISTRY]
    #[arg(long, value_name = "HOST")]
    registry: Option<RegistryName>,
    #[command(flatten)]
    registries: RegistriesArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    Auto,
    Wasm,
    Wit,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let mut options = args.options(context)?;
    let is_printed = args.output.as_deref() == Some(Path::new("-"));
    if is_printed && (args.check || context.format == Format::Json) {
        return Err(Failure::Usage("standard output takes the package alone: name a file with --output".to_owned()));
    }
    // What is printed is whole and verified before its first byte goes out.
    let folder = is_printed.then(|| tempfile::tempdir_in(&options.scratch)).transpose().map_err(Failure::Output)?;
    if let Some(folder) = &folder {
        options.output = Some(folder.path().join("package"));
    }
    let registries = args.registries.registries(context)?;
    let outcome = wharf::get(&registries, &options, &context.progress("getting")).await?;
    let GetOutcome { package, version, registry, repository, path, size: bytes, state, .. } = &outcome;
    let from = repository.as_ref().unwrap_or(registry);
    context.note(format_args!("{package}@{version} from {from}, {}", size(*bytes)));
    if is_printed {
        let copied = File::open(path).and_then(|mut file| io::copy(&mut file, &mut io::stdout().lock()));
        return copied.and_then(|_| io::stdout().flush()).map_err(Failure::Output);
    }
    context.print(&outcome)?;
    if matches!(state, FileState::Written | FileState::Same) { Ok(()) } else { Err(Failure::No) }
}

impl Args {
    fn options(&self, context: &Context) -> Result<GetOptions, Failure> {
        let PackageRequest { package, requirement, .. } = self.package.clone();
        let existing = if self.overwrite { Existing::Replace } else { Existing::Keep };
        let registry = context.environment.package_registry(self.registry.clone())?;
        Ok(GetOptions {
            package,
            requirement: requirement.unwrap_or(Requirement::Open(VersionReq::STAR)),
            output: self.output.clone(),
            form: match self.format {
                Form::Auto => None,
                Form::Wasm => Some(PackageForm::Wasm),
                Form::Wit => Some(PackageForm::Wit),
            },
            action: if self.check { GetAction::Compare } else { GetAction::Write(existing) },
            registry,
            config: self.registries.settings(&context.environment)?,
            scratch: context.surroundings().scratch,
        })
    }
}

impl Render for GetOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        let (path, package, version) = (self.path.display(), &self.package, &self.version);
        match self.state {
            FileState::Written => writeln!(out, "{path}"),
            FileState::Same => writeln!(out, "{path} is {package}@{version}"),
            FileState::Differs => writeln!(out, "{path} differs from {package}@{version}"),
            FileState::Missing => writeln!(out, "{path} is not there"),
        }
    }
}
