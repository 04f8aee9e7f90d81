//! Programs that run in the background, each with a folder of its own.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::process::{PAUSE, end};

/// How long a program may take until it is ready.
const START: Duration = Duration::from_secs(10);

/// A program that runs until this is dropped.
pub(crate) struct Service {
    child: Child,
}

impl Service {
    /// Starts `command` in `directory`, waits until `ready` finds something in what it says, and returns that too.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Start`], and [`Error::Exit`] or [`Error::Late`] where it does not get ready.
    pub(crate) fn start<T>(
        command: Command,
        directory: &Path,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T), Error> {
        Self::start_within(START, command, directory, ready)
    }

    /// Does what [`Service::start`] does, with a limit for a program that has much to do first.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub(crate) fn start_within<T>(
        limit: Duration,
        mut command: Command,
        directory: &Path,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T), Error> {
        let program = command.get_program().to_string_lossy().into_owned();
        let log = directory.join("log");
        let file = File::create(&log).map_err(|source| Error::File { path: log.clone(), source })?;
        command.env_clear().env("HOME", directory).current_dir(directory);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let child = command.spawn().map_err(|source| Error::Start { program: program.clone(), source })?;
        // From here on a program that does not get ready is killed as it is dropped.
        let mut service = Self { child };
        let start = Instant::now();
        while start.elapsed() < limit {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let exit = service.child.try_wait().map_err(|source| Error::Start { program: program.clone(), source })?;
            if let Some(status) = exit {
                return Err(Error::Exit { command: program, status, stderr: end(&said) });
            }
            if let Some(found) = ready(&said) {
                return Ok((service, found));
            }
            std::thread::sleep(PAUSE);
        }
        Err(Error::Late { command: format!("the start of {program}"), limit_seconds: limit.as_secs() })
    }

    /// Returns the number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A child that has ended already is all that can make these fail.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a free port of this machine, for a program that takes no port 0.
///
/// Another program could take the port before that one does, which then ends and says so.
///
/// # Errors
/// [`Error::Start`], which names the program.
pub(crate) fn free_address(program: &str) -> Result<SocketAddr, Error> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.map_err(|source| Error::Start { program: program.to_owned(), source })
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
    fn what_was_waited_for_is_returned_and_the_program_ends_with_the_service() {
        let directory = tempfile::tempdir().unwrap();
        let process = |said: &str| said.strip_suffix(" ready\n").map(|id| Path::new("/proc").join(id));
        let started = Service::start(shell("echo $$ ready >&2; exec sleep 30"), directory.path(), process);
        let (service, process) = started.unwrap();
        assert!(process.exists());
        drop(service);
        assert!(!process.exists());
    }

    #[test]
    fn a_program_that_ends_at_once_is_an_error_with_what_it_said() {
        let directory = tempfile::tempdir().unwrap();
        let started = Service::start(shell("echo no port left >&2; exit 3"), directory.path(), |_| None::<()>);
        let text = started.err().unwrap().to_string();
        assert!(text.ends_with("exit status: 3: no port left"), "{text}");
    }
}
