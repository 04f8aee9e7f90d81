//! `cargo xtask ci`: runs `.ci/run`, which is what continuous integration runs.

use std::path::Path;
use std::process::Command;

use crate::Verdict;
use crate::error::Error;

pub(crate) fn run(root: &Path) -> Result<Verdict, Error> {
    let script = root.join(".ci/run");
    let status = Command::new(&script)
        .status()
        .map_err(|source| Error::Start { program: script.display().to_string(), source })?;
    Ok(if status.success() { Verdict::Good } else { Verdict::Bad })
}
