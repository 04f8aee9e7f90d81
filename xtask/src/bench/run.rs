//! The part about running: how long a large program takes to start, next to wasmtime.
//!
//! `wharf run` and `wasmtime run` run the same command in turns. Cold, both compile it. Warm, `wharf run` of the file
//! stands against `wasmtime run -C cache=y`, which looks at the file too, and `wharf run` of a reference with a digest
//! against `wasmtime run --allow-precompiled`, which is given the code. A ratio to wasmtime that is too high is an error,
//! and so is a request for a program that is here.

mod site;

use std::path::Path;

use super::counter::Counter;
use super::measure::{Cost, measure, median};
use super::{temporary_folder, wasmtime};
use crate::Verdict;
use crate::error::{Error, chain};
use crate::guests::obtain_large;
use crate::server::Server;
use site::Site;

/// How often each contender runs where it compiles.
const RUNS_COLD: usize = 5;
/// How often each runs where it does not: milliseconds, so that it takes more of them for a median that stays.
const RUNS_WARM: usize = 21;

/// From where a program starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Cold,
    ByFile,
    ByDigest,
    /// By its digest, and the registry is gone.
    Alone,
}

impl Start {
    fn name(self) -> &'static str {
        match self {
            Self::Cold => "cold: it is compiled",
            Self::ByFile => "warm, by file",
            Self::ByDigest => "warm, by reference with a digest",
            Self::Alone => "warm, by reference with a digest, without the registry",
        }
    }

    /// Returns how many times as long as wasmtime Wharf may take.
    fn ratio_max(self) -> Option<f64> {
        match self {
            Self::Cold => None,
            Self::ByFile => Some(1.3),
            Self::ByDigest | Self::Alone => Some(2.0),
        }
    }
}

/// Runs the part with the command in `file`, or with one in Python that is made for it, and judges Wharf's times and
/// requests.
pub(super) fn run(root: &Path, wharf: &Path, file: Option<&Path>) -> Result<Verdict, Error> {
    let file = match file {
        Some(file) => std::path::absolute(file).map_err(|source| Error::File { path: file.to_owned(), source })?,
        None => match obtain_large(root) {
            Ok(file) => file,
            Err(missing) => {
                println!("there is no component in Python to run: {}", chain(&missing));
                return Ok(Verdict::Good);
            }
        },
    };
    let directory = temporary_folder()?;
    let hub = Server::wharf_hub(wharf, directory.path())?;
    let counter = Counter::start(hub.socket_address())?;
    let site = Site::make(directory.path(), wharf, wasmtime::obtain(root), file, &counter.address())?;
    println!("{RUNS_COLD} runs each cold and {RUNS_WARM} warm, of a command of {:.1} MB", site.megabytes()?);
    let cold = judge_all(&site, &[Start::Cold], RUNS_COLD)?;
    site.warm()?;
    counter.take();
    let warm = judge_all(&site, &[Start::ByFile, Start::ByDigest], RUNS_WARM)?;
    let requests = counter.take().requests;
    println!("  wharf made {requests} requests, of at most 0");
    drop(hub);
    let alone = judge_all(&site, &[Start::Alone], RUNS_WARM)?;
    let silent = if requests == 0 { Verdict::Good } else { Verdict::Bad };
    Ok(cold.and(warm).and(alone).and(silent))
}

/// Lets all contenders run from each start in turns, prints what it took, and judges it.
fn judge_all(site: &Site, starts: &[Start], runs: usize) -> Result<Verdict, Error> {
    let mut verdict = Verdict::Good;
    for (start, rows) in starts.iter().zip(contest(site, starts, runs)?) {
        println!("\n{}", start.name());
        print!("{}", table(&rows));
        if let Some(excess) = excess(*start, &rows) {
            println!("  {excess}");
            verdict = Verdict::Bad;
        }
    }
    Ok(verdict)
}

/// What one contender took to run.
struct Row {
    name: &'static str,
    cost: Cost,
}

/// Returns the rows of each start: wasmtime, where it is there, before Wharf.
fn contest(site: &Site, starts: &[Start], runs: usize) -> Result<Vec<Vec<Row>>, Error> {
    let mut contenders: Vec<_> = starts.iter().map(|start| site.contenders(*start)).collect();
    let mut costs: Vec<_> = contenders.iter().map(|contenders| vec![Vec::new(); contenders.len()]).collect();
    for _ in 0..runs {
        for ((start, contenders), costs) in starts.iter().zip(&mut contenders).zip(&mut costs) {
            for (contender, costs) in contenders.iter_mut().zip(costs) {
                site.prepare(*start)?;
                costs.push(measure(&mut contender.command)?);
            }
        }
    }
    let rows = contenders.iter().zip(costs).map(|(contenders, costs)| {
        let rows = contenders.iter().zip(costs);
        rows.filter_map(|(contender, costs)| Some(Row { name: contender.name, cost: median(costs)? })).collect()
    });
    Ok(rows.collect())
}

/// Says what Wharf took that it may not.
fn excess(start: Start, rows: &[Row]) -> Option<String> {
    let ([wasmtime, wharf], Some(ratio_max)) = (rows, start.ratio_max()) else { return None };
    let ratio = wharf.cost.seconds / wasmtime.cost.seconds;
    (ratio > ratio_max).then(|| format!("wharf takes {ratio:.2} times as long as wasmtime, of at most {ratio_max}"))
}

fn table(rows: &[Row]) -> String {
    let mut text = format!("  {:<34} {:>9} {:>7} {:>11}\n", "", "seconds", "ratio", "memory MiB");
    let Some(first) = rows.first() else { return text };
    for Row { name, cost } in rows {
        let (ratio, memory_mib) = (cost.seconds / first.cost.seconds, cost.memory_kib as f64 / 1024.0);
        text.push_str(&format!("  {name:<34} {:>9.4} {ratio:>7.2} {memory_mib:>11.1}\n", cost.seconds));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(seconds: [f64; 2]) -> [Row; 2] {
        let row = |name, seconds| Row { name, cost: Cost { seconds, memory_kib: 2048 } };
        [row("wasmtime run", seconds[0]), row("wharf run", seconds[1])]
    }

    #[test]
    fn ratios_are_to_the_first_row() {
        let text = table(&rows([0.01, 0.015]));
        let words: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(words, ["wharf", "run", "0.0150", "1.50", "2.0"]);
    }

    #[test]
    fn more_than_is_allowed_is_said() {
        for (start, seconds, is_allowed) in [
            (Start::Cold, 9.0, true),
            (Start::ByFile, 1.29, true),
            (Start::ByFile, 1.31, false),
            (Start::ByDigest, 1.99, true),
            (Start::ByDigest, 2.01, false),
            (Start::Alone, 2.01, false),
        ] {
            assert_eq!(excess(start, &rows([1.0, seconds])).is_none(), is_allowed, "{start:?} {seconds}");
        }
    }

    #[test]
    fn without_wasmtime_nothing_is_too_much() {
        let [_, wharf] = rows([1.0, 9.0]);
        assert_eq!(excess(Start::ByFile, &[wharf]), None);
    }
}
