//! Real programs that `wharf run` runs: what they print, what they reach, and what they do not.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{Check, Error, Failure, World, read, same};
use crate::guests::Guest;
use crate::http;
use crate::process::Output;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "wharf runs a command of componentize-py with its arguments",
        run: |world| greets(world, Guest::Python, "hello from Python one two words\n"),
    },
    Check {
        name: "wharf runs an async command of componentize-py, for WASI 0.3",
        run: |world| greets(world, Guest::PythonAsync, "hello from async Python one two words\n"),
    },
    Check { name: "wharf serves a component of componentize-js, which imports what is unstable", run: serves },
    Check { name: "a program of clang reads the folder that it is granted, and no other", run: reads_granted },
    Check { name: "a program of clang gets out of a folder neither by `..` nor by a link", run: stays_inside },
    Check { name: "a program of clang writes to a folder unless that is for reading", run: writes_granted },
    Check { name: "a program of clang sees the variables that it is granted, and no other", run: sees_variables },
    Check { name: "wharf refuses to run a filter, and says what runs it", run: refuses_filter },
];

fn greets(world: &World, guest: Guest, greeting: &str) -> Result<(), Failure> {
    ends(&world.run_guest(&[], guest, &["one", "two words"])?, greeting)
}

fn serves(world: &World) -> Result<(), Failure> {
    let file = world.guest(Guest::JavaScript)?.to_string_lossy();
    let wit = world.wharf(&["inspect", "--wit", &file])?;
    same("whether its WIT has the function", &true, &wit.contains("network-error-code: func("))?;
    let (_service, address) = world.serve_guest("javascript", Guest::JavaScript)?;
    for path in ["/", "/again", "/and/again"] {
        let failed = |source| Error::Start { program: format!("a request for {path}"), source };
        let head = http::head(address, path).map_err(failed)?;
        same(&format!("whether {head:?} is 200"), &true, &http::is_ok(&head))?;
    }
    Ok(())
}

fn reads_granted(world: &World) -> Result<(), Failure> {
    let folders = Folders::make(world, "read")?;
    let run = |file| world.run_guest(&["--dir", &folders.grant(":ro")], Guest::C, &["read", file]);
    ends(&run("/granted/file")?, "granted\n")?;
    is_refused(&run("/other/file")?)?;
    is_refused(&run(&folders.secret.to_string_lossy())?)?;
    let output = world.run_guest(&[], Guest::C, &["read", "/granted/file"])?;
    is_refused(&output)?;
    says(&output, "hint: --dir .")
}

fn stays_inside(world: &World) -> Result<(), Failure> {
    let folders = Folders::make(world, "escape")?;
    let links = [("relative", Path::new("../secret")), ("absolute", &folders.secret), ("above", Path::new(".."))];
    for (name, target) in links {
        let link = folders.granted.join(name);
        symlink(target, &link).map_err(|source| Error::File { path: link, source })?;
    }
    let run = |words: &[&str]| world.run_guest(&["--dir", &folders.grant("")], Guest::C, words);
    let ways = ["../secret", "/granted/../secret", "/granted/below/../../secret"].into_iter();
    let links = ["/granted/relative", "/granted/absolute", "/granted/above/secret"];
    for way in ways.chain(links) {
        is_refused(&run(&["read", way])?)?;
        is_refused(&run(&["write", way])?)?;
    }
    // Whether it makes the link or not, it must not lead out.
    run(&["link", "../secret", "/granted/own"])?;
    is_refused(&run(&["read", "/granted/own"])?)?;
    is_refused(&run(&["link", &folders.secret.to_string_lossy(), "/granted/own-absolute"])?)?;
    is_unharmed(&folders)
}

fn writes_granted(world: &World) -> Result<(), Failure> {
    let folders = Folders::make(world, "write")?;
    let run = |access, file| world.run_guest(&["--dir", &folders.grant(access)], Guest::C, &["write", file]);
    for file in ["/granted/file", "/granted/new"] {
        let output = run(":ro", file)?;
        is_refused(&output)?;
        says(&output, &format!("hint: --dir {}", folders.grant("")))?;
    }
    same("the file that is for reading", "granted\n", &text(&folders.granted.join("file"))?)?;
    same("whether there is a new file", &false, &folders.granted.join("new").exists())?;
    ends(&run("", "/granted/new")?, "")?;
    same("the new file", "written\n", &text(&folders.granted.join("new"))?)
}

fn sees_variables(world: &World) -> Result<(), Failure> {
    ends(&world.run_guest(&[], Guest::C, &["environment"])?, "")?;
    ends(&world.run_guest(&["--env", "COLOR=blue"], Guest::C, &["environment"])?, "COLOR=blue\n")?;
    // That one is there for wharf itself.
    let file = world.component_file();
    let home = format!("HOME={}\n", file.parent().unwrap_or(&file).display());
    ends(&world.run_guest(&["--env", "HOME"], Guest::C, &["environment"])?, &home)
}

fn refuses_filter(world: &World) -> Result<(), Failure> {
    let output = world.try_wharf(&["run", &world.filter_file().to_string_lossy()])?;
    same("the exit code", &Some(2), &output.status.code())?;
    ["filter", "Envoy", "wharf deploy"].into_iter().try_for_each(|word| says(&output, word))
}

/// A folder to grant, in one that holds a file which is not granted.
struct Folders {
    granted: PathBuf,
    secret: PathBuf,
}

const SECRET: &str = "secret\n";

impl Folders {
    fn make(world: &World, name: &str) -> Result<Self, Failure> {
        let folder = world.file(name);
        let folders = Self { granted: folder.join("granted"), secret: folder.join("secret") };
        let below = folders.granted.join("below");
        std::fs::create_dir_all(&below).map_err(|source| Error::File { path: below, source })?;
        for (path, text) in [(&folders.granted.join("file"), "granted\n"), (&folders.secret, SECRET)] {
            std::fs::write(path, text).map_err(|source| Error::File { path: path.clone(), source })?;
        }
        Ok(folders)
    }

    /// Returns what `--dir` takes.
    fn grant(&self, access: &str) -> String {
        format!("{}::/granted{access}", self.granted.display())
    }
}

/// Checks that a program ended well and printed `expected`.
fn ends(output: &Output, expected: &str) -> Result<(), Failure> {
    same(&format!("the exit code, after {:?},", output.stderr), &Some(0), &output.status.code())?;
    same("what it printed", expected, &String::from_utf8_lossy(&output.stdout))
}

/// Checks that a program failed by itself, and printed nothing.
fn is_refused(output: &Output) -> Result<(), Failure> {
    same(&format!("the exit code, after {:?},", output.stderr), &Some(1), &output.status.code())?;
    same("what it printed", "", &String::from_utf8_lossy(&output.stdout))
}

/// Checks that `expected` is in what was said beside what a program printed.
fn says(output: &Output, expected: &str) -> Result<(), Failure> {
    same(&format!("whether {expected:?} is in {:?}", output.stderr), &true, &output.stderr.contains(expected))
}

fn is_unharmed(folders: &Folders) -> Result<(), Failure> {
    same("the file outside", SECRET, &text(&folders.secret)?)
}

fn text(file: &Path) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&read(file)?).into_owned())
}
