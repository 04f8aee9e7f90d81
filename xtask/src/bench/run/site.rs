//! The program, those who run it, and what each of them keeps.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Start;
use crate::bench::measure;
use crate::error::Error;
use crate::process::{Output, end, run_successfully, run_within};

/// Someone who runs the program.
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) command: Command,
}

pub(super) struct Site {
    wharf: PathBuf,
    wasmtime: Option<PathBuf>,
    file: PathBuf,
    /// Names the program in a registry by its digest.
    reference: String,
    /// The home of those who start warm.
    home: PathBuf,
    /// The home of those who start cold.
    empty: PathBuf,
    /// The code that wasmtime is given.
    code: PathBuf,
}

impl Site {
    /// Pushes the program in `file` to a registry.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Start`], [`Error::Exit`] and [`Error::Late`].
    pub(super) fn make(
        directory: &Path,
        wharf: &Path,
        wasmtime: Option<PathBuf>,
        file: PathBuf,
        host: &str,
    ) -> Result<Self, Error> {
        let [home, empty, code] = ["home", "empty", "program.cwasm"].map(|name| directory.join(name));
        std::fs::create_dir(&home).map_err(|source| Error::File { path: home.clone(), source })?;
        let mut push = in_home(wharf, &home);
        let printed = run_successfully(push.args(["push", &format!("{host}/bench/program:1.0.0")]).arg(&file))?;
        let printed = String::from_utf8_lossy(&printed);
        let digest = printed.trim_end().rsplit_once('@').map_or("", |(_, digest)| digest);
        let reference = format!("{host}/bench/program@{digest}");
        Ok(Self { wharf: wharf.to_owned(), wasmtime, file, reference, home, empty, code })
    }

    /// Returns the size of the program.
    ///
    /// # Errors
    /// [`Error::File`].
    pub(super) fn megabytes(&self) -> Result<f64, Error> {
        let metadata = std::fs::metadata(&self.file);
        let metadata = metadata.map_err(|source| Error::File { path: self.file.clone(), source })?;
        Ok(metadata.len() as f64 / 1e6)
    }

    /// Lets everybody compile the program once, and says who does not print what the first one prints.
    ///
    /// # Errors
    /// [`Error::Start`], [`Error::Exit`] and [`Error::Late`].
    pub(super) fn warm(&self) -> Result<(), Error> {
        if let Some(wasmtime) = &self.wasmtime {
            let mut compile = in_home(wasmtime, &self.home);
            run_within(compile.arg("compile").arg(&self.file).arg("-o").arg(&self.code), measure::LIMIT)?;
        }
        let contenders = [Start::ByFile, Start::ByDigest].into_iter().flat_map(|start| self.contenders(start));
        let mut first: Option<Vec<u8>> = None;
        for Contender { name, mut command } in contenders {
            let Output { status, stdout, stderr } = run_within(&mut command, measure::LIMIT)?;
            if !status.success() || first.get_or_insert_with(|| stdout.clone()) != &stdout {
                println!("  {name} ended with {status}, and does not print the same: {}", end(&stderr));
            }
        }
        Ok(())
    }

    /// Brings what is kept to where `start` starts.
    ///
    /// # Errors
    /// [`Error::File`].
    pub(super) fn prepare(&self, start: Start) -> Result<(), Error> {
        if start != Start::Cold {
            return Ok(());
        }
        match std::fs::remove_dir_all(&self.empty) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                Err(Error::File { path: self.empty.clone(), source })
            }
            _ => Ok(()),
        }
    }

    /// Returns who runs the program from there, wasmtime before Wharf.
    pub(super) fn contenders(&self, start: Start) -> Vec<Contender> {
        let home = if start == Start::Cold { &self.empty } else { &self.home };
        let by_wasmtime = self.wasmtime.as_ref().map(|wasmtime| {
            let mut command = in_home(wasmtime, home);
            command.arg("run");
            let name = match start {
                Start::Cold => "wasmtime run",
                Start::ByFile => {
                    command.args(["-C", "cache=y"]);
                    "wasmtime run -C cache=y"
                }
                Start::ByDigest | Start::Alone => {
                    command.arg("--allow-precompiled");
                    "wasmtime run --allow-precompiled"
                }
            };
            command.arg(if matches!(start, Start::ByDigest | Start::Alone) { &self.code } else { &self.file });
            Contender { name, command }
        });
        let mut command = in_home(&self.wharf, home);
        command.arg("run");
        match start {
            Start::Cold | Start::ByFile => command.arg(&self.file),
            Start::ByDigest | Start::Alone => command.arg(&self.reference),
        };
        by_wasmtime.into_iter().chain([Contender { name: "wharf run", command }]).collect()
    }
}

/// Keeps what others keep out of it.
fn in_home(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home);
    command
}
