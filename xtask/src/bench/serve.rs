//! The part about serving: how many requests a second a component answers, next to `wasmtime serve`.
//!
//! Both serve the same component all the time, and `wrk` asks them in turns, so that what else the machine does meets
//! both. Fewer than wasmtime is an error, and so is an answer that is none.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::measure::kib;
use super::{temporary_folder, wasmtime};
use crate::Verdict;
use crate::error::{Error, chain};
use crate::guests::obtain_javascript;
use crate::peers::part::obtain_debian;
use crate::process::run_successfully;
use crate::server::announced;
use crate::service::Service;

/// How often each server is asked.
const ROUNDS: usize = 7;
/// How long it is asked then.
const SECONDS: u32 = 4;
const CONNECTIONS: u32 = 16;
/// How long a server may compile.
const COMPILE: Duration = Duration::from_secs(120);

/// Runs the part with the component in `file`, or with one in JavaScript, and judges what Wharf answers.
pub(super) fn run(root: &Path, wharf: &Path, file: Option<&Path>) -> Result<Verdict, Error> {
    let file = match file {
        Some(file) => Ok(std::path::absolute(file).map_err(|source| Error::File { path: file.to_owned(), source })?),
        None => obtain_javascript(root),
    };
    let (file, wrk) = match file.and_then(|file| Ok((file, obtain_debian(root, "wrk", "wrk")?))) {
        Ok(found) => found,
        Err(missing) => {
            println!("there is nothing to serve, or nobody who asks: {}", chain(&missing));
            return Ok(Verdict::Good);
        }
    };
    let directory = temporary_folder()?;
    let mut servers = Vec::new();
    if let Some(program) = wasmtime::obtain(root) {
        let arguments = ["serve", "--addr", "127.0.0.1:0", "-Scli", "-Snetwork-error-code"];
        servers.push(Server::start("wasmtime serve", &program, &arguments, &file, directory.path())?);
    }
    servers.push(Server::start("wharf run", wharf, &["run", "--listen", "127.0.0.1:0"], &file, directory.path())?);
    println!("{ROUNDS} rounds each of {SECONDS} s, {CONNECTIONS} connections\n");
    let rows = contest(&wrk, &servers)?;
    print!("{}", table(&rows));
    let excess = excess(&rows);
    if let Some(excess) = &excess {
        println!("  {excess}");
    }
    Ok(if excess.is_none() { Verdict::Good } else { Verdict::Bad })
}

/// Someone who serves the component.
struct Server {
    name: &'static str,
    address: SocketAddr,
    service: Service,
}

impl Server {
    fn start(
        name: &'static str,
        program: &Path,
        arguments: &[&str],
        file: &Path,
        directory: &Path,
    ) -> Result<Self, Error> {
        let home = directory.join(name.replace(' ', "-"));
        std::fs::create_dir(&home).map_err(|source| Error::File { path: home.clone(), source })?;
        let mut command = Command::new(program);
        command.args(arguments).arg(file);
        let (service, address) = Service::start_within(COMPILE, command, &home, announced)?;
        Ok(Self { name, address, service })
    }
}

/// What `wrk` got in one round.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Round {
    requests_a_second: f64,
    /// Answers that say that something failed, and connections without one.
    failures: u64,
}

/// What one server answered in all rounds.
struct Row {
    name: &'static str,
    /// In the middle one.
    requests_a_second: f64,
    failures: u64,
    /// What it holds after all rounds, and held at most.
    memory_kib: [u64; 2],
}

fn contest(wrk: &Path, servers: &[Server]) -> Result<Vec<Row>, Error> {
    let mut rounds = vec![Vec::new(); servers.len()];
    for server in servers {
        // The first answers find nothing where later ones find it.
        ask(wrk, server.address, 1)?;
    }
    for _ in 0..ROUNDS {
        for (server, rounds) in servers.iter().zip(&mut rounds) {
            rounds.push(ask(wrk, server.address, SECONDS)?);
        }
    }
    Ok(servers.iter().zip(rounds).map(|(server, rounds)| row(server, rounds)).collect())
}

fn row(server: &Server, mut rounds: Vec<Round>) -> Row {
    let process = PathBuf::from(format!("/proc/{}", server.service.process()));
    rounds.sort_by(|one, other| one.requests_a_second.total_cmp(&other.requests_a_second));
    Row {
        name: server.name,
        requests_a_second: rounds.get(rounds.len() / 2).map_or(0.0, |round| round.requests_a_second),
        failures: rounds.iter().map(|round| round.failures).sum(),
        memory_kib: ["VmRSS:", "VmHWM:"].map(|field| kib(&process, field)),
    }
}

fn ask(wrk: &Path, address: SocketAddr, seconds: u32) -> Result<Round, Error> {
    let (connections, duration) = (CONNECTIONS.to_string(), format!("{seconds}s"));
    let mut command = Command::new(wrk);
    command.args(["-t", "1", "-c", &connections, "-d", &duration, &format!("http://{address}/")]);
    Ok(round(&String::from_utf8_lossy(&run_successfully(&mut command)?)))
}

/// Reads what `wrk` prints.
fn round(printed: &str) -> Round {
    let after = |label: &str| printed.lines().find_map(|line| line.trim_start().strip_prefix(label)).map(str::trim);
    let number = |word: &str| word.trim_end_matches(',').parse::<u64>().unwrap_or_default();
    // `connect 0, read 0, write 0, timeout 0`
    let broken = after("Socket errors:").map_or(0, |errors| errors.split_whitespace().map(number).sum());
    Round {
        requests_a_second: after("Requests/sec:").and_then(|word| word.parse().ok()).unwrap_or_default(),
        failures: after("Non-2xx or 3xx responses:").map_or(0, number) + broken,
    }
}

/// Says what Wharf did that it may not.
fn excess(rows: &[Row]) -> Option<String> {
    let wharf = rows.last()?;
    if wharf.failures > 0 {
        return Some(format!("wharf failed {} times", wharf.failures));
    }
    let first = rows.first().filter(|first| wharf.requests_a_second < first.requests_a_second)?;
    Some(format!("wharf answers fewer requests than {}", first.name))
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "  {:<18} {:>11} {:>7} {:>9} {:>11} {:>9}\n",
        "", "requests/s", "ratio", "failures", "memory MiB", "at most"
    );
    let Some(first) = rows.first() else { return text };
    for Row { name, requests_a_second, failures, memory_kib } in rows {
        let ratio = requests_a_second / first.requests_a_second;
        let [held, most] = memory_kib.map(|kib| kib as f64 / 1024.0);
        text.push_str(&format!(
            "  {name:<18} {requests_a_second:>11.1} {ratio:>7.2} {failures:>9} {held:>11.1} {most:>9.1}\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(requests_a_second: [f64; 2], failures: u64) -> [Row; 2] {
        let row =
            |name, requests_a_second, failures| Row { name, requests_a_second, failures, memory_kib: [1024, 2048] };
        [row("wasmtime serve", requests_a_second[0], 9), row("wharf run", requests_a_second[1], failures)]
    }

    #[test]
    fn what_wrk_prints_is_read() {
        let good = "Running 4s test @ http://127.0.0.1:1/\n  1 threads and 16 connections\n  \
                    5364 requests in 4.00s, 0.98MB read\nRequests/sec:   1340.51\nTransfer/sec:    251.34KB\n";
        assert_eq!(round(good), Round { requests_a_second: 1340.51, failures: 0 });
        let bad =
            format!("  Socket errors: connect 1, read 20, write 0, timeout 3\n  Non-2xx or 3xx responses: 100\n{good}");
        assert_eq!(round(&bad), Round { requests_a_second: 1340.51, failures: 124 });
    }

    #[test]
    fn fewer_answers_than_wasmtime_and_failures_are_said() {
        assert_eq!(excess(&rows([1000.0, 1000.0], 0)), None);
        assert!(excess(&rows([1000.0, 999.0], 0)).is_some());
        assert!(excess(&rows([1000.0, 2000.0], 1)).is_some());
        let [_, wharf] = rows([1000.0, 1.0], 0);
        assert_eq!(excess(&[wharf]), None);
    }

    #[test]
    fn ratios_are_to_the_first_row() {
        let text = table(&rows([1000.0, 1500.0], 0));
        let words: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(words, ["wharf", "run", "1500.0", "1.50", "0", "1.0", "2.0"]);
    }
}
