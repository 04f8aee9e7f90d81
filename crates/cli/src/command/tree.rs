//! `wharf tree`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::PathBuf;

use wharf::packages::PackageSpec;
use wharf::{Direction, PackageNode, PackageOrigin, TreeOptions, TreeOutcome};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Render, printable};
use crate::project::ProjectArgs;

/// Tell which packages a project uses, which of them use which, and where each is from
///
/// What is below a package that was there before is left out, and marked with (*). Nothing is written to the project.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf tree
  wharf tree --invert wasi:io
  wharf tree --json")]
pub(crate) struct Args {
    /// A folder of WIT, one with a folder `wit`, or a workspace
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// Tell what uses this package
    #[arg(long, value_name = "PACKAGE")]
    invert: Option<PackageSpec>,
    #[command(flatten)]
    project: ProjectArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let project = args.project.options(args.folder, &context.environment)?;
    let options = TreeOptions { project, invert: args.invert };
    let outcome = wharf::tree(&args.project.registries(context)?, &options).await?;
    context.print(&outcome)
}

impl Render for TreeOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut drawing = Drawing { nodes: &self.packages, below: edges(self), drawn: BTreeSet::new(), out };
        for (index, root) in self.roots.iter().enumerate() {
            if index > 0 {
                writeln!(drawing.out)?;
            }
            drawing.draw(root, "", "")?;
        }
        Ok(())
    }
}

/// The names below each name.
type Edges<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Returns what is below each package: what it uses, or what uses it.
fn edges(outcome: &TreeOutcome) -> Edges<'_> {
    let mut edges = Edges::new();
    for (name, node) in &outcome.packages {
        for used in &node.uses {
            let (from, to) = match outcome.direction {
                Direction::Uses => (name, used),
                Direction::UsedBy => (used, name),
            };
            edges.entry(from).or_default().insert(to);
        }
    }
    edges
}

struct Drawing<'a> {
    nodes: &'a BTreeMap<String, PackageNode>,
    below: Edges<'a>,
    /// The packages of which all that is below was drawn.
    drawn: BTreeSet<String>,
    out: &'a mut dyn Write,
}

impl Drawing<'_> {
    /// Draws a package and what is below it; `mark` stands before its own line, `indent` before those below.
    fn draw(&mut self, name: &str, mark: &str, indent: &str) -> io::Result<()> {
        let origin = self.nodes.get(name).map(|node| origin(&node.origin)).unwrap_or_default();
        let line = printable(&format!("{name}{origin}"));
        let below: Vec<&str> = self.below.get(name).into_iter().flatten().copied().collect();
        if !below.is_empty() && !self.drawn.insert(name.to_owned()) {
            return writeln!(self.out, "{mark}{line} (*)");
        }
        writeln!(self.out, "{mark}{line}")?;
        let Some((last, others)) = below.split_last() else { return Ok(()) };
        for other in others {
            self.draw(other, &format!("{indent}├── "), &format!("{indent}│   "))?;
        }
        self.draw(last, &format!("{indent}└── "), &format!("{indent}    "))
    }
}

/// Says where a package is from.
fn origin(origin: &PackageOrigin) -> String {
    match origin {
        PackageOrigin::Project { path } | PackageOrigin::Override { path } => format!(" ({path})"),
        PackageOrigin::ByHand { path } => format!(" ({path}, by hand)"),
        PackageOrigin::Registry { registry, .. } => format!(" ({registry})"),
        PackageOrigin::Within { packages } => {
            let names: Vec<&str> = packages.iter().map(String::as_str).collect();
            format!(" (in {})", names.join(", "))
        }
    }
}
