//! `cargo xtask bench`: pulls, pushes and packs large components, fetches many WIT packages, runs a large program and
//! serves a component with Wharf and with its peers, in turns. `cargo xtask bench fetch`, `run` and `serve` do a part alone.
//!
//! Seconds and memory are medians of several runs; requests and bytes are counted in one run more, which is not timed.
//! Ratios are to the first row. Seconds drift with the machine; ratios less so, and counts not at all.

mod contenders;
mod counter;
mod far;
mod fetch;
mod measure;
mod run;
mod serve;
mod wasmtime;

use std::path::Path;

use tempfile::TempDir;

use crate::Verdict;
use crate::binary::{Profile, build};
use crate::error::Error;
use crate::server::Server;
use contenders::{Contender, Site, Work};
use counter::{Counter, Passed};
use measure::{Cost, measure, median};

/// How often each contender does each work.
const RUNS: usize = 5;
/// Megabytes of the components: what a Python one has, and one on which memory that grows with the size shows.
const SIZES_MB: [usize; 2] = [36, 300];

/// Runs all parts.
pub(crate) fn run(root: &Path) -> Result<Verdict, Error> {
    let wharf = build(root, Profile::Release)?;
    compare_components(root, &wharf)?;
    println!();
    let fetched = fetch::run(root, &wharf)?;
    println!();
    let ran = run::run(root, &wharf, None)?;
    println!();
    Ok(fetched.and(ran).and(serve::run(root, &wharf, None)?))
}

/// Runs the part about WIT packages.
pub(crate) fn run_fetch(root: &Path) -> Result<Verdict, Error> {
    fetch::run(root, &build(root, Profile::Release)?)
}

/// Runs the part about running, with the command in `file` where one is given.
pub(crate) fn run_run(root: &Path, file: Option<&Path>) -> Result<Verdict, Error> {
    run::run(root, &build(root, Profile::Release)?, file)
}

/// Runs the part about serving, with the component in `file` where one is given.
pub(crate) fn run_serve(root: &Path, file: Option<&Path>) -> Result<Verdict, Error> {
    serve::run(root, &build(root, Profile::Release)?, file)
}

fn compare_components(root: &Path, wharf: &Path) -> Result<(), Error> {
    let directory = temporary_folder()?;
    let hub = Server::wharf_hub(wharf, directory.path())?;
    let counter = Counter::start(hub.socket_address())?;
    let contenders = contenders::all(root, wharf);
    println!("{RUNS} runs each, on `wharf hub` over loopback");
    for megabytes in SIZES_MB {
        let site = Site::make(directory.path(), megabytes)?;
        contenders::prepare(wharf, &site, &hub.address())?;
        for work in Work::ALL {
            println!("\n{} {megabytes} MB", work.name());
            let rows = contest(&contenders, work, &site, &hub.address(), &counter)?;
            print!("{}", table(&rows));
        }
    }
    Ok(())
}

fn temporary_folder() -> Result<TempDir, Error> {
    tempfile::tempdir().map_err(|source| Error::File { path: std::env::temp_dir(), source })
}

/// What one contender took for one work.
struct Row {
    name: &'static str,
    cost: Cost,
    passed: Passed,
}

/// Lets all contenders do the same work in turns, so that what else the machine does meets them all.
fn contest(
    contenders: &[Contender],
    work: Work,
    site: &Site,
    host: &str,
    counter: &Counter,
) -> Result<Vec<Row>, Error> {
    let mut costs = vec![Vec::new(); contenders.len()];
    for _ in 0..RUNS {
        for (contender, costs) in contenders.iter().zip(&mut costs) {
            if let Some(mut command) = contender.command(work, site, host) {
                costs.push(measure(&mut command)?);
            }
        }
    }
    let mut rows = Vec::new();
    for (contender, costs) in contenders.iter().zip(costs) {
        let (Some(cost), Some(mut command)) = (median(costs), contender.command(work, site, &counter.address())) else {
            continue;
        };
        counter.take();
        measure(&mut command)?;
        rows.push(Row { name: contender.name, cost, passed: counter.take() });
    }
    Ok(rows)
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "  {:<18} {:>9} {:>7} {:>11} {:>9} {:>9} {:>10}\n",
        "", "seconds", "ratio", "memory MiB", "requests", "MB sent", "MB received"
    );
    let Some(first) = rows.first() else { return text };
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
    for Row { name, cost, passed } in rows {
        text.push_str(&format!(
            "  {name:<18} {:>9.3} {:>7.2} {:>11.1} {:>9} {:>9} {:>10}\n",
            cost.seconds,
            cost.seconds / first.cost.seconds,
            cost.memory_kib as f64 / 1024.0,
            passed.requests,
            megabytes(passed.up_bytes),
            megabytes(passed.down_bytes),
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_to_the_first_row() {
        let row = |name, seconds| Row {
            name,
            cost: Cost { seconds, memory_kib: 2048 },
            passed: Passed { requests: 2, up_bytes: 0, down_bytes: 36_000_000 },
        };
        let text = table(&[row("curl", 0.5), row("wharf", 1.0)]);
        let last = text.lines().last().unwrap();
        let words: Vec<_> = last.split_whitespace().collect();
        assert_eq!(words, ["wharf", "1.000", "2.00", "2.0", "2", "0.0", "36.0"]);
    }
}
