//! What a program is granted, and how far it may go, on the command line.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use wharf::running::{Folder, Grants, HttpRule, Limits, Network, Rule};

use crate::environment::Environment;
use crate::failure::Failure;

/// What a program may reach: nothing of this by default.
#[derive(Debug, Args)]
#[command(next_help_heading = "Grants")]
pub(crate) struct GrantArgs {
    /// Folder that the program sees, under another path where GUEST names one; :ro to read only; can be given several times
    #[arg(long = "dir", value_name = "HOST[::GUEST][:ro]")]
    folders: Vec<Folder>,
    /// Variable of the environment, with a value or with the one that it has here; can be given several times
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    variables: Vec<String>,
    /// Host that it may connect to, over sockets and HTTP: a name, *.NAME, an address or a block, and a port or *;
    /// listen:PORT to take connections; can be given several times
    #[arg(long = "net", value_name = "HOST:PORT")]
    network: Vec<Rule>,
    /// Let it send HTTP requests to this host, or to all that are not on a private network; can be given several times
    #[arg(long, value_name = "HOST[:PORT]", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    http: Vec<HttpRule>,
    /// Grant all of this machine: every file, the environment, the network
    #[arg(long, conflicts_with_all = ["folders", "variables", "network", "http"])]
    allow_all: bool,
}

/// How far a program may go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Memory that it may have, such as 64MB or 2GiB
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = bytes)]
    memory: u64,
    /// Time that it may take, such as 500ms, 10s or 2m; of a handler of HTTP, for each request
    #[arg(long, value_name = "TIME", value_parser = time)]
    timeout: Option<Duration>,
    /// How much it may compute, in units of about one instruction; makes it slower
    #[arg(long, value_name = "UNITS")]
    fuel: Option<u64>,
    /// How much it may print
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    output_max: Option<u64>,
    /// Core instances, tables and memories that it may have, each
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().instances)]
    instances: usize,
}

impl GrantArgs {
    pub(crate) fn grants(self) -> Result<Grants, Failure> {
        if self.allow_all {
            return Ok(Grants::all(Environment::variables()));
        }
        let mut guests: Vec<&str> = self.folders.iter().map(|folder| folder.guest.as_str()).collect();
        guests.sort_unstable();
        if let Some(pair) = guests.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Failure::Usage(format!(
                "--dir: two folders are called `{}`; name one of them otherwise",
                pair[0]
            )));
        }
        let variables = self.variables.into_iter().map(|text| match text.split_once('=') {
            Some(("", _)) => Err(Failure::Usage(format!("--env {text}: the variable has no name"))),
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => match Environment::variable(&text) {
                Some(value) => Ok((text, value)),
                None => Err(Failure::Usage(format!("--env {text}: there is no such variable here; give it a value"))),
            },
        });
        let network = Network { rules: self.network, http: self.http };
        // Of a variable that is granted twice, the last value counts.
        let variables = variables.collect::<Result<BTreeMap<_, _>, Failure>>()?;
        Ok(Grants { folders: self.folders, environment: variables.into_iter().collect(), network })
    }
}

impl From<LimitArgs> for Limits {
    fn from(args: LimitArgs) -> Self {
        let LimitArgs { memory, timeout: time, fuel, output_max: output, instances } = args;
        Self { memory, time, fuel, output, instances, ..Self::default() }
    }
}

/// Reads a size: a number of bytes, or one with a unit, of which `kB` is 1000 bytes and `KiB` 1024.
fn bytes(text: &str) -> Result<u64, &'static str> {
    const FORM: &str = "it is a number of bytes, or one with a unit such as 64MB or 2GiB";
    let at = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1000,
        "m" | "mb" => 1000 * 1000,
        "g" | "gb" => 1000 * 1000 * 1000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(FORM),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).ok_or(FORM)
}

/// Reads a time: a number of seconds, or one with a unit.
fn time(text: &str) -> Result<Duration, &'static str> {
    const FORM: &str = "it is a time such as 500ms, 10s or 2m";
    let at = text.find(|character: char| character.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let unit = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(FORM),
    };
    let number: f64 = number.parse().map_err(|_| FORM)?;
    let time = Duration::try_from_secs_f64(number * unit).map_err(|_| FORM)?;
    if time.is_zero() { Err("it has no time at all") } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, size) in [
            ("0", Ok(0)),
            ("65536", Ok(65536)),
            ("64MB", Ok(64_000_000)),
            ("64mb", Ok(64_000_000)),
            ("2GiB", Ok(2 << 30)),
            ("1k", Ok(1000)),
        ] {
            assert_eq!(bytes(text), size, "{text}");
        }
        for text in ["", "MB", "1.5GB", "-1", "1 MB", "99999999999GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read_with_their_units() {
        for (text, milliseconds) in
            [("500ms", 500), ("10s", 10_000), ("10", 10_000), ("1.5s", 1_500), ("2m", 120_000), ("1h", 3_600_000)]
        {
            assert_eq!(time(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "0", "0ms", "-1s", "1d", "nan", "1e400s"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
