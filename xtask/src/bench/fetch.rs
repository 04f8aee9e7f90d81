//! The part about WIT packages: a project that needs many of them, from a registry that is far away.
//!
//! `wharf fetch` and `wkg fetch` do the same project in turns, each with a folder of its own, with the same settings.
//! Unlike time, the number of requests and of rounds does not depend on the machine, so that too many are an error.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::far::{Far, Traffic};
use super::measure::{Cost, measure, median};
use super::{RUNS, temporary_folder};
use crate::Verdict;
use crate::error::Error;
use crate::peers::part::find;
use crate::process::run_successfully;
use crate::server::Server;

/// How many packages the project needs, none of which needs another.
const PACKAGES: u64 = 20;
/// How long a request is on its way.
const DELAY: Duration = Duration::from_millis(50);

/// Where the project is when it fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Nothing was fetched before.
    Cold,
    /// All was fetched before, and is locked and kept.
    Warm,
    /// The same, and the registry turns everybody away.
    Alone,
}

impl Work {
    /// In this order each is ready for the next.
    const ALL: [Self; 3] = [Self::Cold, Self::Warm, Self::Alone];

    fn name(self) -> &'static str {
        match self {
            Self::Cold => "fetch cold",
            Self::Warm => "fetch warm: locked and kept",
            Self::Alone => "fetch warm, without the registry",
        }
    }

    /// Returns how many requests and rounds Wharf may take.
    fn allowed(self) -> (u64, u64) {
        match self {
            // Where the registry has its packages, all manifests, all Wasm.
            Self::Cold => (1 + 2 * PACKAGES, 3),
            Self::Warm | Self::Alone => (0, 0),
        }
    }
}

/// Lets all contenders fetch in turns, prints what it took, and judges Wharf's requests.
pub(super) fn run(root: &Path, wharf: &Path) -> Result<Verdict, Error> {
    let directory = temporary_folder()?;
    let hub = Server::wharf_hub(wharf, directory.path())?;
    publish(wharf, directory.path(), &hub.address())?;
    let far = Far::start(hub.socket_address(), DELAY)?;
    let contenders = contenders(root, wharf, directory.path(), &far.address())?;
    let delay_ms = DELAY.as_millis();
    println!("{RUNS} runs each, {PACKAGES} WIT packages, on `wharf hub` {delay_ms} ms a request away");
    let rows = contest(&contenders, &far)?;
    let mut verdict = Verdict::Good;
    for (work, rows) in Work::ALL.into_iter().zip(&rows) {
        println!("\n{}", work.name());
        print!("{}", table(rows));
        if let Some(excess) = rows.first().and_then(|wharf| excess(work, wharf)) {
            println!("  {excess}");
            verdict = Verdict::Bad;
        }
    }
    Ok(verdict)
}

/// A program, and the project that it fetches for.
struct Contender {
    name: &'static str,
    program: PathBuf,
    /// Holds the project, what the program keeps, and nothing else.
    folder: PathBuf,
    settings: PathBuf,
}

/// Returns all contenders that are on this machine, Wharf first.
fn contenders(root: &Path, wharf: &Path, directory: &Path, host: &str) -> Result<Vec<Contender>, Error> {
    let settings = directory.join("config.toml");
    write(&settings, &config(host))?;
    let wkg = find(root, "wkg");
    if wkg.is_none() {
        println!("wkg is not here; `cargo xtask peers` installs it");
    }
    let programs = [("wharf", Some(wharf.to_owned())), ("wkg", wkg)].into_iter();
    let contenders = programs.filter_map(|(name, program)| {
        Some(Contender { name, program: program?, folder: directory.join(name), settings: settings.clone() })
    });
    Ok(contenders.collect())
}

impl Contender {
    /// Brings the project to where `work` starts.
    fn prepare(&self, work: Work) -> Result<(), Error> {
        if work != Work::Cold {
            return Ok(());
        }
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)
                .map_err(|source| Error::File { path: self.folder.clone(), source })?;
        }
        write(&self.project().join("wit/world.wit"), &world())?;
        // Both tools write their lock file beside it.
        write(&self.project().join("wkg.toml"), "")
    }

    fn command(&self) -> Command {
        let cache = self.folder.join("cache");
        let mut command = Command::new(&self.program);
        command.arg("fetch").current_dir(self.project());
        command.env_clear().env("HOME", &self.folder).env("WKG_CONFIG_FILE", &self.settings);
        command.env("WHARF_CACHE_DIR", &cache).env("WKG_CACHE_DIR", &cache);
        command
    }

    fn project(&self) -> PathBuf {
        self.folder.join("project")
    }
}

/// What one contender took for one work.
struct Row {
    name: &'static str,
    /// Nothing where it failed.
    cost: Option<Cost>,
    traffic: Traffic,
}

/// One run of a program.
type Run = (Option<Cost>, Traffic);

/// Lets all contenders do each work in turns; returns the rows of each work.
fn contest(contenders: &[Contender], far: &Far) -> Result<[Vec<Row>; Work::ALL.len()], Error> {
    let mut runs = Work::ALL.map(|_| vec![Vec::new(); contenders.len()]);
    for _ in 0..RUNS {
        for (at, contender) in contenders.iter().enumerate() {
            for (work, runs) in Work::ALL.into_iter().zip(&mut runs) {
                runs[at].push(run_once(contender, work, far)?);
            }
        }
    }
    Ok(runs.map(|runs| contenders.iter().zip(runs).map(|(contender, runs)| row(contender.name, runs)).collect()))
}

fn run_once(contender: &Contender, work: Work, far: &Far) -> Result<Run, Error> {
    contender.prepare(work)?;
    match work {
        Work::Cold | Work::Warm => far.open(),
        Work::Alone => far.close(),
    }
    far.take();
    let cost = match measure(&mut contender.command()) {
        Ok(cost) => Some(cost),
        Err(Error::Exit { .. }) if work == Work::Alone => None,
        Err(error) => return Err(error),
    };
    Ok((cost, far.take()))
}

/// Sums up several runs of a program: one that failed once fails.
fn row(name: &'static str, runs: Vec<Run>) -> Row {
    // A round too many is an accident of this machine, and one too few cannot be.
    let traffic = runs.iter().map(|(_, traffic)| *traffic).min_by_key(|traffic| traffic.rounds).unwrap_or_default();
    let costs: Option<Vec<_>> = runs.into_iter().map(|(cost, _)| cost).collect();
    Row { name, cost: costs.and_then(median), traffic }
}

/// Says what Wharf took that it may not.
fn excess(work: Work, Row { cost, traffic, .. }: &Row) -> Option<String> {
    let Traffic { requests, rounds, .. } = traffic;
    let (requests_max, rounds_max) = work.allowed();
    if cost.is_none() {
        return Some("wharf fails, and should not".to_owned());
    }
    (*requests > requests_max || *rounds > rounds_max).then(|| {
        format!("wharf made {requests} requests in {rounds} rounds, of at most {requests_max} in {rounds_max}")
    })
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "  {:<18} {:>9} {:>7} {:>11} {:>9} {:>7} {:>8} {:>8} {:>11}\n",
        "", "seconds", "ratio", "memory MiB", "requests", "rounds", "at once", "kB sent", "kB received"
    );
    let first = rows.first().and_then(|row| row.cost);
    for Row { name, cost, traffic } in rows {
        let spent = match (cost, first) {
            (Some(cost), Some(first)) => {
                let (seconds, memory_mib) = (cost.seconds, cost.memory_kib as f64 / 1024.0);
                format!("{seconds:>9.3} {:>7.2} {memory_mib:>11.1}", seconds / first.seconds)
            }
            _ => format!("{:>9} {:>7} {:>11}", "fails", "", ""),
        };
        let Traffic { requests, most_at_once, rounds, up_bytes, down_bytes } = traffic;
        let [sent, received] = [up_bytes, down_bytes].map(|bytes| format!("{:.1}", *bytes as f64 / 1e3));
        text.push_str(&format!(
            "  {name:<18} {spent} {requests:>9} {rounds:>7} {most_at_once:>8} {sent:>8} {received:>11}\n"
        ));
    }
    text
}

/// Pushes the packages.
fn publish(wharf: &Path, directory: &Path, host: &str) -> Result<(), Error> {
    for name in names() {
        let file = directory.join(format!("{name}.wat"));
        write(&file, &package(&name))?;
        let target = format!("{host}/bench/{name}:0.1.0");
        run_successfully(Command::new(wharf).args(["push", &target]).arg(&file).env("HOME", directory))?;
    }
    Ok(())
}

fn names() -> impl Iterator<Item = String> {
    (1..=PACKAGES).map(|number| format!("p{number:02}"))
}

/// Returns the Wasm, as text, of a WIT package with one function in one interface.
fn package(name: &str) -> String {
    format!(
        r#"(component
  (type (component
    (type (instance
      (type (func (param "name" string) (result string)))
      (export "call" (func (type 0)))))
    (export "bench:{name}/api@0.1.0" (instance (type 0)))))
  (export "api" (type 0)))
"#
    )
}

/// Returns the WIT of the project.
fn world() -> String {
    let imports: Vec<_> = names().map(|name| format!("  import bench:{name}/api@0.1.0;\n")).collect();
    format!("package bench:app@0.1.0;\n\nworld app {{\n{}}}\n", imports.concat())
}

/// Returns the settings, by which the registry has to be asked where its packages are.
fn config(host: &str) -> String {
    format!("[namespace_registries]\nbench = {host:?}\n\n[registry.{host:?}.oci]\nprotocol = \"http\"\n")
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(path, text));
    written.map_err(|source| Error::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(seconds: f64) -> Option<Cost> {
        Some(Cost { seconds, memory_kib: 2048 })
    }

    fn traffic(requests: u64, rounds: u64) -> Traffic {
        Traffic { requests, rounds, most_at_once: 2, up_bytes: 1000, down_bytes: 2500 }
    }

    #[test]
    fn the_packages_are_components_and_the_project_imports_each() {
        let wasm = wat::parse_str(package("p01")).unwrap();
        assert_eq!(wasm[..8], *b"\0asm\x0d\0\x01\0");
        assert_eq!(world().matches("import bench:p").count() as u64, PACKAGES);
        assert!(world().contains("  import bench:p01/api@0.1.0;\n"));
        assert!(package("p01").contains("\"bench:p01/api@0.1.0\""));
    }

    #[test]
    fn a_row_has_the_middle_time_and_the_fewest_rounds() {
        let runs = vec![(cost(3.0), traffic(41, 4)), (cost(1.0), traffic(41, 3)), (cost(2.0), traffic(41, 5))];
        let row = row("wharf", runs);
        assert_eq!((row.cost.unwrap().seconds, row.traffic), (2.0, traffic(41, 3)));
    }

    #[test]
    fn what_fails_once_fails() {
        let row = row("wkg", vec![(cost(1.0), traffic(1, 0)), (None, traffic(1, 0))]);
        assert!(row.cost.is_none());
        let text = table(&[Row { name: "wharf", cost: cost(0.5), traffic: traffic(0, 0) }, row]);
        let words: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(words, ["wkg", "fails", "1", "0", "2", "1.0", "2.5"]);
    }

    #[test]
    fn ratios_are_to_the_first_row() {
        let row = |name, seconds| Row { name, cost: cost(seconds), traffic: traffic(41, 3) };
        let text = table(&[row("wharf", 0.5), row("wkg", 8.0)]);
        let words: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(words, ["wkg", "8.000", "16.00", "2.0", "41", "3", "2", "1.0", "2.5"]);
    }

    #[test]
    fn more_than_is_allowed_is_said() {
        let excess = |work, cost, traffic| excess(work, &Row { name: "wharf", cost, traffic });
        assert_eq!(excess(Work::Cold, cost(1.0), traffic(41, 3)), None);
        assert_eq!(excess(Work::Warm, cost(1.0), traffic(0, 0)), None);
        for (work, cost, traffic) in [
            (Work::Cold, cost(1.0), traffic(42, 3)),
            (Work::Cold, cost(1.0), traffic(41, 4)),
            (Work::Warm, cost(1.0), traffic(1, 1)),
            (Work::Alone, cost(1.0), traffic(1, 0)),
            (Work::Alone, None, traffic(0, 0)),
        ] {
            assert!(excess(work, cost, traffic).is_some(), "{work:?} {traffic:?}");
        }
    }
}
