//! Foreign programs, none of which may keep a task waiting for ever.

use std::io::{Read as _, Seek as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::error::Error;

/// How long a program of a check may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How long to wait before looking again.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// Bytes of what a program prints that are read.
const OUTPUT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Characters of what a program said that an error repeats.
const SAID_CHARACTERS_MAX: usize = 1000;

/// What a program did.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Runs a program to its end, whatever that is.
///
/// # Errors
/// [`Error::Start`], and [`Error::Late`] where it had to be killed.
pub(crate) fn run(command: &mut Command) -> Result<Output, Error> {
    run_within(command, LIMIT)
}

/// Runs a program that has to succeed, and returns what it printed.
///
/// # Errors
/// [`Error::Exit`] where it fails, and those of [`run`].
pub(crate) fn run_successfully(command: &mut Command) -> Result<Vec<u8>, Error> {
    let output = run(command)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::Exit { command: shown(command), status: output.status, stderr: end(&output.stderr) })
}

/// Runs a program that talks to the person who started the task, and takes the time it needs.
///
/// # Errors
/// [`Error::Start`] and [`Error::Exit`].
pub(crate) fn run_in_sight(command: &mut Command) -> Result<(), Error> {
    let status = command.status().map_err(|source| Error::Start { program: program(command), source })?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Exit { command: shown(command), status, stderr: "see above".to_owned() })
}

/// Returns the last part of what a program said, on one line.
pub(crate) fn end(said: &str) -> String {
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let start = said.char_indices().rev().nth(SAID_CHARACTERS_MAX - 1).map_or(0, |(at, _)| at);
    said[start..].to_owned()
}

/// Runs a program to its end, which has to come within `limit`.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<Output, Error> {
    let program = program(command);
    let failed = |source| Error::Start { program: program.clone(), source };
    // Files and not pipes: a pipe that nobody reads in time makes the program wait for us.
    let mut stdout = tempfile::tempfile().map_err(failed)?;
    let mut stderr = tempfile::tempfile().map_err(failed)?;
    command.stdin(Stdio::null());
    command.stdout(stdout.try_clone().map_err(failed)?).stderr(stderr.try_clone().map_err(failed)?);
    let mut child = command.spawn().map_err(failed)?;
    let Some(status) = wait(&mut child, limit).map_err(failed)? else {
        return Err(Error::Late { command: shown(command), limit_seconds: limit.as_secs() });
    };
    let said = read(&mut stderr).map_err(failed)?;
    let stdout = read(&mut stdout).map_err(failed)?;
    Ok(Output { status, stdout, stderr: String::from_utf8_lossy(&said).into_owned() })
}

/// Waits for `child`, which is killed where it takes longer than `limit`.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(PAUSE);
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

fn read(file: &mut std::fs::File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn shown(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    let program = program(command);
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    [name].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_a_program_prints_is_returned() {
        let output = run(&mut shell("echo out; echo said >&2; exit 3")).unwrap();
        assert_eq!((output.stdout.as_slice(), output.stderr.as_str()), (b"out\n".as_slice(), "said\n"));
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(run_successfully(&mut shell("echo out")).unwrap(), b"out\n");
    }

    #[test]
    fn a_failure_names_the_command_and_repeats_what_it_said() {
        let error = run_successfully(&mut shell("echo no such tag >&2; exit 3")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("sh -c echo no such tag"), "{text}");
        assert!(text.ends_with("exit status: 3: no such tag"), "{text}");
    }

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let error = run_within(&mut shell("exec sleep 30"), Duration::from_millis(50)).err().unwrap();
        assert!(matches!(error, Error::Late { .. }), "{error}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("/no/such/program")).err().unwrap();
        assert_eq!(error.to_string(), "cannot start /no/such/program");
    }

    #[test]
    fn the_end_of_what_was_said_is_short() {
        assert_eq!(end("a\n  b\n"), "a b");
        assert_eq!(end(&"é".repeat(2000)).chars().count(), SAID_CHARACTERS_MAX);
    }
}
