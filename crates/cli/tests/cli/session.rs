//! A home, a registry, and a transcript of what was run in them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use wharf::wit::{Document, TextFile, merge};
use wharf_testing::registry::TestRegistry;

/// Returns a package as Wasm, together with the packages that it needs.
pub(crate) fn encode(text: &str, needed: &[&str]) -> Vec<u8> {
    let parse = |text: &str| {
        let file = TextFile { name: "package.wit".to_owned(), text: text.to_owned() };
        Document::parse("package.wit", vec![file]).unwrap()
    };
    merge(parse(text), needed.iter().map(|text| parse(text)).collect()).unwrap().encode().unwrap()
}

/// Runs commands and writes down what they print.
pub(crate) struct Session {
    home: TempDir,
    transcript: String,
    replaced: Vec<(String, &'static str)>,
}

impl Session {
    /// Makes an empty home.
    pub(crate) fn new() -> Self {
        let home = TempDir::new().unwrap();
        let replaced = vec![(home.path().display().to_string(), "[HOME]")];
        Self { home, transcript: String::new(), replaced }
    }

    /// Makes a home whose transcript writes `[REGISTRY]` for the registry's address.
    pub(crate) fn with_registry(registry: &TestRegistry) -> Self {
        let mut session = Self::new();
        session.hide(registry.registry().to_string(), "[REGISTRY]");
        session
    }

    /// Lets the packages of `acme` come from `acme.example`, which keeps them in a registry below `prefix`.
    pub(crate) fn take_packages_from(&self, registry: &TestRegistry, prefix: &str) {
        let host = registry.registry();
        let metadata = format!(r#"{{ oci = {{ registry = "{host}", namespacePrefix = "{prefix}" }} }}"#);
        let home = format!("acme = {{ registry = \"acme.example\", metadata = {metadata} }}");
        std::fs::create_dir_all(self.path(".config/wasm-pkg")).unwrap();
        self.write(".config/wasm-pkg/config.toml", format!("[namespace_registries]\n{home}\n"));
    }

    /// Writes `name` instead of `text` in the transcript.
    pub(crate) fn hide(&mut self, text: String, name: &'static str) {
        self.replaced.push((text, name));
    }

    /// Returns a path below the home.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file below the home.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Returns the names of all files in the home, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.home.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Writes a line above the next command that says what is special about it.
    pub(crate) fn remark(&mut self, text: &str) {
        let _written = writeln!(self.transcript, "# {text}");
    }

    /// Runs `wharf` with the words of `line`, and writes it down.
    pub(crate) fn run(&mut self, line: &str) -> Output {
        self.run_with(line, &[], b"")
    }

    /// Runs `wharf` with more variables and something on standard input, and writes it down.
    pub(crate) fn run_with(&mut self, line: &str, variables: &[(&str, &str)], input: &[u8]) -> Output {
        let output = output(wharf(self.home.path(), line).envs(variables.iter().copied()), input);
        let settings: String = variables.iter().map(|(name, value)| format!("{name}={value} ")).collect();
        self.record(&format!("{settings}wharf {line}"), &output);
        output
    }

    /// Writes down a command that was run elsewhere, and what came of it.
    pub(crate) fn record(&mut self, command: &str, output: &Output) {
        let code = output.status.code().map_or("killed".to_owned(), |code| code.to_string());
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let _written = writeln!(self.transcript, "$ {command}\nexit: {code}\n{stdout}--- stderr\n{stderr}");
    }

    /// Returns all that was written down, with the addresses of this run replaced.
    pub(crate) fn transcript(&self) -> String {
        self.replaced.iter().fold(self.transcript.clone(), |text, (from, to)| text.replace(from, to))
    }
}

/// Returns the command, with nothing of this machine's environment but what is given here.
///
/// Temporary files are made in the home too, where one that is left behind is seen; no test waits for a retry.
pub(crate) fn wharf(home: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wharf"));
    command.args(line.split_whitespace()).current_dir(home).env_clear();
    command.env("HOME", home).env("TMPDIR", home).env("WHARF_RETRY_DELAY_MS", "0");
    command
}

/// Runs a command to its end.
pub(crate) fn output(command: &mut Command, input: &[u8]) -> Output {
    use std::io::Write as _;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads no input has closed it.
    let _written = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Writes `sha256:…` for all digests in the transcript: those of what a tool has built change with the tool.
pub(crate) fn hide_digests(session: &mut Session) {
    let transcript = session.transcript();
    for (start, prefix) in transcript.match_indices("sha256:") {
        let hex = &transcript[start + prefix.len()..];
        let end = hex.find(|character: char| !character.is_ascii_hexdigit()).unwrap_or(hex.len());
        if end == 64 {
            session.hide(transcript[start..start + prefix.len() + end].to_owned(), "sha256:…");
        }
    }
}
