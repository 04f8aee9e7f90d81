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
mod guests;
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
    run: Run,
}

/// How to do it. Each gets the root of the repository.
#[derive(Clone, Copy)]
enum Run {
    Alone(fn(&Path) -> Result<Verdict, Error>),
    /// It takes a file, and has one of its own where none is given.
    OnFile(fn(&Path, Option<&Path>) -> Result<Verdict, Error>),
}

/// What a task found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Bad,
}

impl Verdict {
    /// Returns what was found in two parts.
    fn and(self, other: Self) -> Self {
        if self == Self::Good { other } else { self }
    }
}

const TASKS: [Task; 8] = [
    Task {
        name: "bench",
        summary: "compare time, memory, requests and bytes with curl, oci-tar-builder, wkg and wasmtime",
        run: Run::Alone(bench::run),
    },
    Task {
        name: "bench fetch",
        summary: "the part of it that fetches WIT packages",
        run: Run::Alone(bench::run_fetch),
    },
    Task {
        name: "bench run",
        summary: "the part that runs a large command, or FILE",
        run: Run::OnFile(bench::run_run),
    },
    Task {
        name: "bench serve",
        summary: "the part that serves a handler of HTTP, or FILE",
        run: Run::OnFile(bench::run_serve),
    },
    Task { name: "ci", summary: "run what continuous integration runs", run: Run::Alone(ci::run) },
    Task { name: "demo", summary: "show what Wharf does, on a registry of its own", run: Run::Alone(demo::run) },
    Task {
        name: "peers",
        summary: "check Wharf against the registries, clients and hosts of others",
        run: Run::Alone(peers::run),
    },
    Task { name: "tidy", summary: "check the repository's own rules", run: Run::Alone(tidy::run) },
];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let Some((task, file)) = find(&arguments) else {
        eprint!("{}", usage());
        return ExitCode::from(2);
    };
    let outcome = match task.run {
        Run::Alone(run) => run(&root()),
        Run::OnFile(run) => run(&root(), file),
    };
    match outcome {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}", error::chain(&error));
            ExitCode::from(2)
        }
    }
}

/// Returns the task that is asked for, and the file that is given to it.
fn find(arguments: &[String]) -> Option<(&'static Task, Option<&Path>)> {
    let named = |words: &[String]| TASKS.iter().find(|task| task.name == words.join(" "));
    if let Some(task) = named(arguments) {
        return Some((task, None));
    }
    let (file, words) = arguments.split_last()?;
    let task = named(words).filter(|task| matches!(task.run, Run::OnFile(_)))?;
    Some((task, Some(Path::new(file))))
}

fn usage() -> String {
    let name = |task: &Task| match task.run {
        Run::Alone(_) => task.name.to_owned(),
        Run::OnFile(_) => format!("{} [FILE]", task.name),
    };
    let tasks: Vec<_> = TASKS.iter().map(|task| format!("  {:<18}  {}\n", name(task), task.summary)).collect();
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
            let lines = usage().lines().filter(|line| line.trim_start().starts_with(task.name)).count();
            let longer = TASKS.iter().filter(|other| other.name.starts_with(task.name)).count();
            assert_eq!(lines, longer, "{}", task.name);
        }
    }

    #[test]
    fn a_file_is_given_only_to_a_task_that_takes_one() {
        let find = |words: &str| {
            let arguments: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
            find(&arguments).map(|(task, file)| (task.name, file.map(Path::to_owned)))
        };
        assert_eq!(find("bench run"), Some(("bench run", None)));
        assert_eq!(find("bench run it.wasm"), Some(("bench run", Some("it.wasm".into()))));
        for wrong in ["", "it.wasm", "bench it.wasm", "bench run it.wasm other.wasm", "tidy it.wasm"] {
            assert_eq!(find(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_bad_part_makes_the_whole_bad() {
        for (one, other, expected) in [
            (Verdict::Good, Verdict::Good, Verdict::Good),
            (Verdict::Good, Verdict::Bad, Verdict::Bad),
            (Verdict::Bad, Verdict::Good, Verdict::Bad),
        ] {
            assert_eq!(one.and(other), expected);
        }
    }

    #[test]
    fn the_root_is_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }
}
