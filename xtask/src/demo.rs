//! `cargo xtask demo`: a tour of Wharf on a registry of its own, each command as a person would type it.

use std::path::Path;
use std::process::Command;

use crate::Verdict;
use crate::binary::{Profile, build};
use crate::error::Error;
use crate::process;
use crate::server::Server;

/// The component of the tour: it answers HTTP requests, and imports what that takes.
const COMPONENT: &str = include_str!("demo.wat");

pub(crate) fn run(root: &Path) -> Result<Verdict, Error> {
    let wharf = build(root, Profile::Debug)?;
    let directory = tempfile::tempdir().map_err(|source| Error::File { path: std::env::temp_dir(), source })?;
    let component = wat::parse_str(COMPONENT).expect("a test parses the component");
    let file = directory.path().join("hello.wasm");
    std::fs::write(&file, component).map_err(|source| Error::File { path: file.clone(), source })?;
    let hub = Server::wharf_hub(&wharf, directory.path())?;
    let host = hub.address();
    println!("$ wharf hub --listen {host} --storage storage &");
    println!("serving storage on http://{host}");
    let tour = Tour { wharf: &wharf, directory: directory.path() };
    let steps = [
        "inspect hello.wasm".to_owned(),
        format!("push {host}/acme/hello:1.0.0 hello.wasm"),
        format!("push {host}/acme/hello:latest hello.wasm"),
        format!("tags {host}/acme/hello"),
        format!("inspect {host}/acme/hello:1.0.0"),
        format!("inspect {host}/acme/hello:1.0.0 --wit"),
        format!("pull {host}/acme/hello:1.0.0 --output copy.wasm"),
        format!("copy {host}/acme/hello:1.0.0 {host}/mirror/hello"),
    ];
    for step in &steps {
        if tour.step(step)? == Verdict::Bad {
            return Ok(Verdict::Bad);
        }
    }
    tour.compare(&file, &directory.path().join("copy.wasm"))
}

struct Tour<'a> {
    wharf: &'a Path,
    directory: &'a Path,
}

impl Tour<'_> {
    /// Runs one command and prints it with all that it says.
    fn step(&self, line: &str) -> Result<Verdict, Error> {
        println!("\n$ wharf {line}");
        let mut command = Command::new(self.wharf);
        command.args(line.split(' ')).env_clear().env("HOME", self.directory).current_dir(self.directory);
        let output = process::run(&mut command)?;
        print!("{}{}", output.stderr, String::from_utf8_lossy(&output.stdout));
        Ok(if output.status.success() { Verdict::Good } else { Verdict::Bad })
    }

    /// Compares what was pushed with what was pulled.
    fn compare(&self, pushed: &Path, pulled: &Path) -> Result<Verdict, Error> {
        println!("\n$ cmp hello.wasm copy.wasm && echo the same");
        let read = |path: &Path| std::fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source });
        if read(pushed)? != read(pulled)? {
            println!("they differ");
            return Ok(Verdict::Bad);
        }
        println!("the same");
        Ok(Verdict::Good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_one() {
        assert_eq!(wat::parse_str(COMPONENT).unwrap()[..8], *b"\0asm\x0d\0\x01\0");
    }
}
