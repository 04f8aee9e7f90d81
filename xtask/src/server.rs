//! Registries as child processes, each on a free port of this machine with a folder of its own.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::error::Error;
use crate::process::{PAUSE, end};

/// How often to look whether a server answers: 10 s in all.
const TRIES_MAX: u32 = 500;

/// How long a server may take for one answer.
const ANSWER: Duration = Duration::from_secs(2);

/// A registry that runs until this is dropped.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    storage: PathBuf,
}

impl Server {
    /// Starts Debian's `docker-registry`, which allows deletion, on the folder `directory`.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Start`], and [`Error::Exit`] or [`Error::Late`] where it does not answer.
    pub(crate) fn docker_registry(program: &Path, directory: &Path) -> Result<Self, Error> {
        // It takes no port 0, so that another program could take this one before it does; then it ends, and says so.
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = address.map_err(|source| Error::File { path: directory.to_owned(), source })?;
        let storage = directory.join("storage");
        let configuration = directory.join("configuration.yml");
        write(&configuration, &docker_configuration(address, &storage))?;
        let mut command = Command::new(program);
        command.arg("serve").arg(&configuration);
        Self::start(command, directory, &storage, &|_| Some(address))
    }

    /// Starts `wharf hub` on the folder `directory`.
    ///
    /// # Errors
    /// As [`Server::docker_registry`].
    pub(crate) fn wharf_hub(program: &Path, directory: &Path) -> Result<Self, Error> {
        let storage = directory.join("storage");
        let mut command = Command::new(program);
        command.args(["hub", "--listen", "127.0.0.1:0", "--storage"]).arg(&storage);
        Self::start(command, directory, &storage, &announced)
    }

    /// Returns where it listens, as references have it: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Returns where it listens.
    pub(crate) fn socket_address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the folder that holds everything.
    pub(crate) fn storage(&self) -> &Path {
        &self.storage
    }

    /// Starts `command` and waits until it answers at the address that `address_in` finds in what it says.
    fn start(
        mut command: Command,
        directory: &Path,
        storage: &Path,
        address_in: &dyn Fn(&str) -> Option<SocketAddr>,
    ) -> Result<Self, Error> {
        let program = command.get_program().to_string_lossy().into_owned();
        let log = directory.join("log");
        let file = || File::create(&log).map_err(|source| Error::File { path: log.clone(), source });
        command.env_clear().env("HOME", directory).current_dir(directory);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file()?);
        let child = command.spawn().map_err(|source| Error::Start { program: program.clone(), source })?;
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        // From here on a server that does not answer is killed as it is dropped.
        let mut server = Self { child, address: unknown, storage: storage.to_owned() };
        for _ in 0..TRIES_MAX {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let exit = server.child.try_wait().map_err(|source| Error::Start { program: program.clone(), source })?;
            if let Some(status) = exit {
                return Err(Error::Exit { command: program, status, stderr: end(&said) });
            }
            match address_in(&said) {
                Some(address) if answers(address) => {
                    server.address = address;
                    return Ok(server);
                }
                _ => std::thread::sleep(PAUSE),
            }
        }
        let limit_seconds = (PAUSE * TRIES_MAX).as_secs();
        Err(Error::Late { command: format!("the start of {program}"), limit_seconds })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A child that has ended already is all that can make these fail.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Finds the address in the line that `wharf hub` says when it listens.
fn announced(said: &str) -> Option<SocketAddr> {
    let (_, rest) = said.split_once("http://")?;
    // Without the end of the line the port may not be all there yet.
    let (address, _) = rest.split_once(char::is_whitespace)?;
    address.trim_end_matches('/').parse().ok()
}

fn docker_configuration(address: SocketAddr, storage: &Path) -> String {
    let storage = storage.display();
    format!(
        "version: 0.1\n\
         log:\n  level: warn\n\
         storage:\n  filesystem:\n    rootdirectory: {storage}\n  delete:\n    enabled: true\n\
         http:\n  addr: {address}\n"
    )
}

/// Whether `GET /v2/` is answered with 200.
fn answers(address: SocketAddr) -> bool {
    status_line(address).is_ok_and(|line| line.ends_with(b" 200"))
}

/// Returns the first bytes of the answer: `HTTP/1.1 200`.
fn status_line(address: SocketAddr) -> std::io::Result<[u8; 12]> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.set_write_timeout(Some(ANSWER))?;
    write!(stream, "GET /v2/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut line = [0; 12];
    stream.read_exact(&mut line)?;
    Ok(line)
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|source| Error::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hub_is_found_where_it_says_it_is() {
        let said = "warning: x\nserving /tmp/hub on http://127.0.0.1:40123\n";
        assert_eq!(announced(said), Some(SocketAddr::from(([127, 0, 0, 1], 40123))));
        assert_eq!(announced("serving on http://127.0.0.1:401"), None);
        assert_eq!(announced("starting\n"), None);
    }

    #[test]
    fn only_200_is_an_answer() {
        for (answer, expected) in [("HTTP/1.1 200 OK\r\n\r\n", true), ("HTTP/1.1 503 No\r\n\r\n", false), ("", false)] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                stream.read_exact(&mut [0; 16]).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            });
            assert_eq!(answers(address), expected, "{answer}");
            server.join().unwrap();
        }
    }

    #[test]
    fn a_server_that_ends_at_once_is_an_error_with_what_it_said() {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo no port left >&2; exit 3"]);
        let started = Server::start(command, directory.path(), directory.path(), &announced);
        let text = started.err().unwrap().to_string();
        assert!(text.ends_with("exit status: 3: no port left"), "{text}");
    }

    #[test]
    fn the_configuration_names_address_and_folder_and_allows_deletion() {
        let text = docker_configuration(SocketAddr::from(([127, 0, 0, 1], 5000)), Path::new("/srv/registry"));
        for line in ["    rootdirectory: /srv/registry", "  delete:\n    enabled: true", "  addr: 127.0.0.1:5000"] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
