//! A program in C, of clang and wasi-libc.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{NEW, keep};
use crate::error::Error;
use crate::peers::part::{Missing, install_packages};
use crate::process::run_successfully;

const SOURCE: (&str, &str) = ("files.c", include_str!("files.c"));
/// What Debian has the compiler, the linker and the libraries in.
const PACKAGES: [&str; 4] = ["clang", "lld", "wasi-libc", "libclang-rt-dev-wasm32"];

/// Returns the file of the program.
///
/// # Errors
/// [`Missing`].
pub(super) fn obtain(root: &Path) -> Result<PathBuf, Missing> {
    keep(root, "c", &[SOURCE], |folder| {
        // Of what it takes only the compiler has a name on the `PATH`, so that trying is the test of what is there.
        if compile(folder).is_err() {
            install_packages(&PACKAGES)?;
            compile(folder)?;
        }
        Ok(())
    })
}

fn compile(folder: &Path) -> Result<(), Error> {
    let mut clang = Command::new("clang");
    clang.args(["--target=wasm32-wasi", "--sysroot=/usr", "-Os", "-Wall", "-o", NEW, SOURCE.0]).current_dir(folder);
    run_successfully(&mut clang).map(drop)
}
