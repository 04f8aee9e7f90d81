//! The tasks of the repository: `cargo xtask TASK`. The name of a task can have two words.
//!
//! A task ends with 0 where all is well, with 1 where it found something wrong, and with 2 where it could not run.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to the person who started it")]
#![allow(clippy::disallowed_methods, reason = "a task reads the environment and waits for foreign processes")]

mod bench;
mod binary;
mod ci;
mod demo;
mod error;
mod http;
mod peers;
mod process;
mod server;
mod service;
mod tidy;

use std::path::Path;
use std::process::ExitCode;

use error::Error;

/// One thing that `cargo xtask` does.
struct Task {
    name: &'static str,
    summary: &'static str,
    /// Gets the root of the repository.
    run: fn(&Path) -> Result<Verdict, Error>,
}

/// What a task found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Bad,
}

const TASKS: [Task; 6] = [
    Task {
        name: "bench",
        summary: "compare time, memory, requests and bytes with curl, oci-tar-builder and wkg",
        run: bench::run,
    },
    Task { name: "bench fetch", summary: "the part of it that fetches WIT packages", run: bench::run_fetch },
    Task { name: "ci", summary: "run what continuous integration runs", run: ci::run },
    Task { name: "demo", summary: "show what Wharf does, on a registry of its own", run: demo::run },
    Task { name: "peers", summary: "check Wharf against the registries, clients and hosts of others", run: peers::run },
    Task { name: "tidy", summary: "check the repository's own rules", run: tidy::run },
];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let name = arguments.join(" ");
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprint!("{}", usage());
        return ExitCode::from(2);
    };
    match (task.run)(&root()) {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}", error::chain(&error));
            ExitCode::from(2)
        }
    }
}

fn usage() -> String {
    let tasks: Vec<_> = TASKS.iter().map(|task| format!("  {:<11}  {}\n", task.name, task.summary)).collect();
    format!("usage: cargo xtask TASK\n\n{}", tasks.concat())
}

fn root() -> std::path::PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the package lies in a directory of the repository").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usage_names_every_task_once() {
        for task in &TASKS {
            assert_eq!(usage().matches(&format!("  {}  ", task.name)).count(), 1, "{}", task.name);
        }
    }

    #[test]
    fn the_root_is_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }
}
