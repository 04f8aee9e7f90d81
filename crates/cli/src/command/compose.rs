//! `wharf compose`.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use wharf::packages::PackageSpec;
use wharf::{ComponentSource, ComposeOptions, ComposeOutcome, Composition, Connection, WacDocument};

use crate::args::Format;
use crate::components::component;
use crate::components::dependency;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, printable, size};
use crate::project::ProjectArgs;

/// Make one component of several
///
/// Plugs components into one that imports what they export, by name and compatible version; or does what a document of WAC
/// says, whose packages are taken from --dep, then from the folder `deps` beside it, then from registries. In a project,
/// components that came by their names are locked in wharf.lock. Prints the file and its digest, what gets what, and what is
/// left over for the host. The same components give the same bytes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf compose app.wasm --plug calc.wasm -o whole.wasm
  wharf compose acme:app --plug acme:calc@^1.0 --plug ghcr.io/acme/log:2.1.0 -o whole.wasm
  wharf compose app.wac --dep acme:calc=calc.wasm -o whole.wasm --locked")]
pub(crate) struct Args {
    /// The component that imports, or a document of WAC: a file, a package, a reference, or a layout or archive
    #[arg(value_name = "SOCKET|FILE.wac")]
    socket: String,
    /// A component that exports what SOCKET imports; can be given several times
    #[arg(long = "plug", value_name = "PLUG", value_parser = component, conflicts_with_all = ["wac", "dependencies"])]
    plugs: Vec<ComponentSource>,
    /// Take the first argument for a document of WAC, whatever it is called
    #[arg(long)]
    wac: bool,
    /// Take a package that the document names from this file; can be given several times
    #[arg(long = "dep", value_name = "PACKAGE=FILE", value_parser = dependency)]
    dependencies: Vec<(PackageSpec, PathBuf)>,
    /// Folder of packages that the document names [default: deps, beside the document]
    #[arg(long, value_name = "FOLDER", conflicts_with = "plugs")]
    deps_dir: Option<PathBuf>,
    /// File to write; - is standard output
    #[arg(long, short, value_name = "PATH")]
    output: PathBuf,
    #[command(flatten)]
    project: ProjectArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let (composition, folder) = args.composition()?;
    let scratch = context.surroundings().scratch;
    let is_printed = args.output == Path::new("-");
    if is_printed && context.format == Format::Json {
        return Err(Failure::Usage("standard output takes the component alone: name a file with --output".to_owned()));
    }
    // What is printed is whole before its first byte goes out.
    let printed = is_printed.then(|| tempfile::tempdir_in(&scratch)).transpose().map_err(Failure::Output)?;
    let output = printed.as_ref().map_or(args.output.clone(), |folder| folder.path().join("component"));
    let project = args.project.options(folder, &context.environment)?;
    let (sources, locking) = (project.sources, project.locking);
    let options = ComposeOptions { composition, output, folder: project.folder, sources, locking, scratch };
    let registries = args.project.registries(context)?;
    let outcome = wharf::compose(&registries, &options, &context.progress("reading")).await?;
    for component in &outcome.components {
        if let Some(version) = &component.version {
            let from = component.repository.as_deref().unwrap_or("a folder");
            context.note(format_args!("{} is {version} from {from}, {}", component.source, size(component.size)));
        }
    }
    if is_printed {
        let copied = File::open(&options.output).and_then(|mut file| io::copy(&mut file, &mut io::stdout().lock()));
        return copied.and_then(|_| io::stdout().flush()).map_err(Failure::Output);
    }
    context.print(&outcome)
}

impl Args {
    /// Returns what to compose, and the folder of its project.
    fn composition(&self) -> Result<(Composition, PathBuf), Failure> {
        let path = Path::new(&self.socket);
        let usage = |text: &str| Failure::Usage(text.to_owned());
        if self.wac || path.extension().is_some_and(|end| end == "wac") {
            if !self.plugs.is_empty() {
                return Err(usage("a document says itself what is composed: leave out --plug"));
            }
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let deps = self.deps_dir.clone().unwrap_or_else(|| folder.join("deps"));
            let document = WacDocument { path: path.to_owned(), given: self.dependencies.clone(), deps };
            return Ok((Composition::Document(document), folder.to_owned()));
        }
        if self.plugs.is_empty() {
            return Err(usage(
                "there is nothing to compose: name components with --plug, or a document that ends in .wac",
            ));
        }
        let socket = component(&self.socket).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok((Composition::Plugs { socket, plugs: self.plugs.clone() }, PathBuf::from(".")))
    }
}

impl Render for ComposeOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{} {}", printable(&self.path.display().to_string()), self.digest)?;
        for Connection { to, import, from, export } in &self.connections {
            let export = export.as_ref().filter(|export| *export != import).map(|export| format!(" as {export}"));
            let line = format!("{to} gets {import} from {from}{}", export.unwrap_or_default());
            writeln!(out, "{}", printable(&line))?;
        }
        self.imports.iter().try_for_each(|import| writeln!(out, "left over: {}", printable(import)))
    }
}
