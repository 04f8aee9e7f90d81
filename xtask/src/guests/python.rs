//! Components in Python, of componentize-py. Each holds an interpreter.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{NEW, keep};
use crate::peers::part::{Missing, obtain_python};
use crate::process::run_in_sight;

/// A component, and what it is made of.
pub(super) struct Recipe {
    name: &'static str,
    /// The version of componentize-py.
    version: &'static str,
    wit: &'static str,
    source: &'static str,
}

/// For WASI 0.2.
pub(super) const COMMAND: Recipe =
    Recipe { name: "python", version: "0.25.1", wit: include_str!("command.wit"), source: include_str!("command.py") };

/// For WASI 0.3.
pub(super) const ASYNC_COMMAND: Recipe = Recipe {
    name: "python-async",
    version: "0.25.1",
    wit: include_str!("async_command.wit"),
    source: include_str!("async_command.py"),
};

/// With a version that makes larger ones.
pub(super) const LARGE: Recipe = Recipe { name: "python-large", version: "0.17.2", ..COMMAND };

const TOOL: &str = "componentize-py";
/// Starts it without the script that pip writes, which names a Python by its path.
const START: &str = "import sys; from componentize_py import script; sys.exit(script())";

/// Returns the file of a component.
///
/// # Errors
/// [`Missing`].
pub(super) fn obtain(root: &Path, recipe: &Recipe) -> Result<PathBuf, Missing> {
    let name = format!("{}-{}", recipe.name, recipe.version);
    keep(root, &name, &[("app.wit", recipe.wit), ("main.py", recipe.source)], |folder| {
        let tool = obtain_python(root, TOOL, recipe.version)?;
        let mut python = Command::new("python3");
        python.args(["-c", START, "--wit-path", "app.wit", "--world", "app"]);
        python.args(["componentize", "--python-path", ".", "main", "--output", NEW]);
        Ok(run_in_sight(python.env("PYTHONPATH", tool).current_dir(folder))?)
    })
}
