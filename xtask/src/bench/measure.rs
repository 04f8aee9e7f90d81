//! Runs a program and takes its time and its memory.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::Error;

/// How often to look at a program's memory. Its high-water mark never falls, so that only the last moment is missed.
const PAUSE: Duration = Duration::from_millis(1);
/// A program that takes longer is ended.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// What one run of a program took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// From its start to its end.
    pub(crate) seconds: f64,
    /// The most memory that it held at once, in KiB.
    pub(crate) memory_kib: u64,
}

/// Runs a program that has to succeed.
///
/// # Errors
/// [`Error::Start`], [`Error::Exit`] and [`Error::Late`].
pub(crate) fn measure(command: &mut Command) -> Result<Cost, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |source| Error::Start { program: program.clone(), source };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn().map_err(failed)?;
    let mut memory_kib = 0;
    let status = loop {
        memory_kib = memory_kib.max(family_kib(&child));
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if start.elapsed() > LIMIT {
            child.kill().map_err(failed)?;
            child.wait().map_err(failed)?;
            return Err(Error::Late { command: program, limit_seconds: LIMIT.as_secs() });
        }
        std::thread::sleep(PAUSE);
    };
    let seconds = start.elapsed().as_secs_f64();
    if !status.success() {
        return Err(Error::Exit { command: program, status, stderr: "its output was not kept".to_owned() });
    }
    Ok(Cost { seconds, memory_kib })
}

/// Returns the high-water mark of a program, and of the programs that it started, added up.
fn family_kib(child: &Child) -> u64 {
    let process = Path::new("/proc").join(child.id().to_string());
    let children = std::fs::read_to_string(process.join(format!("task/{}/children", child.id()))).unwrap_or_default();
    let children = children.split_whitespace().map(|id| high_water_kib(&Path::new("/proc").join(id)));
    high_water_kib(&process) + children.sum::<u64>()
}

fn high_water_kib(process: &Path) -> u64 {
    kib(process, "VmHWM:")
}

/// Reads a field of `status` of a process; 0 for one that has just ended.
pub(crate) fn kib(process: &Path, field: &str) -> u64 {
    let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// Returns the middle one by time.
pub(crate) fn median(mut costs: Vec<Cost>) -> Option<Cost> {
    costs.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    costs.get(costs.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_a_time_and_memory() {
        let cost = measure(Command::new("/bin/sh").args(["-c", "exec sleep 0.05"])).unwrap();
        assert!(cost.seconds >= 0.05 && cost.memory_kib > 100, "{cost:?}");
    }

    #[test]
    fn a_program_that_fails_has_no_cost() {
        let error = measure(Command::new("/bin/sh").args(["-c", "exit 3"])).err().unwrap();
        assert!(matches!(error, Error::Exit { .. }), "{error}");
    }

    #[test]
    fn the_median_is_the_middle_one() {
        let cost = |seconds| Cost { seconds, memory_kib: 0 };
        let middle = median(vec![cost(3.0), cost(1.0), cost(2.0)]).unwrap();
        assert!((middle.seconds - 2.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_none());
    }
}
