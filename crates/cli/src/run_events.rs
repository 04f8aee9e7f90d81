//! Tells on standard error how a run goes on.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use wharf::running::{Denied, Ended, Frame, Outcome, Trap};
use wharf::{Introduction, Need, RunWatcher};

use crate::args::Talk;
use crate::output::{printable, size};

/// How often the mark turns that says that something goes on.
const TURN: Duration = Duration::from_millis(100);
/// Frames of a trap that are shown.
const FRAMES_MAX: usize = 16;
/// Characters of a digest that name a program.
const NAME_CHARACTERS: usize = 19;

/// Writes to standard error.
#[derive(Debug)]
pub(crate) struct RunEvents {
    talk: Talk,
    /// Turns while code is compiled.
    spinner: Mutex<Option<ProgressBar>>,
}

impl RunEvents {
    pub(crate) fn new(talk: Talk) -> Self {
        Self { talk, spinner: Mutex::default() }
    }

    fn is_watched(&self) -> bool {
        self.talk == Talk::Normal && std::io::stderr().is_terminal()
    }

    fn tell(&self, text: &str) {
        if self.talk == Talk::Normal {
            say(text);
        }
    }
}

/// Writes lines of our own, in which nothing of afar is left as it came.
pub(crate) fn say(text: &str) {
    let lines: String = text.lines().map(|line| format!("{}\n", printable(line))).collect();
    // A note that nobody can read changes nothing.
    let _written = std::io::stderr().write_all(lines.as_bytes());
}

impl RunWatcher for RunEvents {
    fn introduce(&self, introduction: &Introduction) {
        if self.is_watched() && !introduction.needs.is_empty() {
            self.tell(&introduced(introduction));
        }
    }

    fn compiling(&self, bytes: u64) {
        if !self.is_watched() {
            return;
        }
        let spinner = ProgressBar::new_spinner().with_message(format!("compiling {}, once", size(bytes)));
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("the template is well-formed");
        spinner.set_style(style);
        spinner.enable_steady_tick(TURN);
        *self.spinner.lock().unwrap_or_else(PoisonError::into_inner) = Some(spinner);
    }

    fn compiled(&self) {
        if let Some(spinner) = self.spinner.lock().unwrap_or_else(PoisonError::into_inner).take() {
            spinner.finish_and_clear();
        }
    }

    fn listening(&self, address: SocketAddr) {
        self.tell(&format!("serving on http://{address}"));
    }

    fn ended(&self, ended: &Ended) {
        if let Some(text) = self::ended(ended) {
            self.tell(&text);
        }
    }

    fn denied(&self, denied: &Denied) {
        self.tell(&refused(denied));
    }

    fn note(&self, text: &str) {
        self.tell(&format!("note: {text}"));
    }
}

/// Says what a program asks for.
fn introduced(introduction: &Introduction) -> String {
    let name: String = introduction.wasm_digest.to_string().chars().take(NAME_CHARACTERS).collect();
    let mut text = format!("the first run of {name} here; it can ask for:\n");
    for Need { what, flag, imports } in &introduction.needs {
        match flag {
            Some(flag) => text.push_str(&format!("  {what:<30} {flag}\n")),
            None => text.push_str(&format!("  {what:<30} {}\n", imports.join(", "))),
        }
    }
    text
}

/// Says how a program ended that did not succeed, and what it was refused on the way.
pub(crate) fn ending(outcome: &Outcome) -> Option<String> {
    let mut text = ended(&outcome.ended).unwrap_or_default();
    for denied in &outcome.denials {
        text.push_str(&refused(denied));
    }
    if let (Some(suspected), true) = (&outcome.suspected, outcome.denials.is_empty()) {
        // It is a guess: nobody was asked for anything.
        text.push_str(&format!("note: {}", refused(suspected)));
    }
    (!text.is_empty()).then_some(text)
}

fn refused(denied: &Denied) -> String {
    format!("it may not {}\nhint: {}\n", denied.what, denied.flag)
}

fn ended(ended: &Ended) -> Option<String> {
    match ended {
        Ended::Exit(_) => None,
        Ended::Stopped(stop) => Some(format!("stopped: {stop}\n")),
        Ended::Trap(trap) => Some(trapped(trap)),
    }
}

fn trapped(trap: &Trap) -> String {
    let mut text = format!("trap: {}\n", printable(&trap.message));
    let mut frames: Vec<(String, usize)> = Vec::new();
    for frame in &trap.frames {
        let line = framed(frame);
        match frames.last_mut() {
            Some((last, times)) if *last == line => *times += 1,
            _ => frames.push((line, 1)),
        }
    }
    for (line, times) in frames.iter().take(FRAMES_MAX) {
        match times {
            1 => text.push_str(&format!("  {line}\n")),
            times => text.push_str(&format!("  {line}, {times} times and maybe more\n")),
        }
    }
    if trap.memory_refused {
        text.push_str("it had asked for more memory than it may have\nhint: --memory SIZE\n");
    }
    text
}

/// Says where a guest was, in one line whatever names its author chose.
fn framed(frame: &Frame) -> String {
    let Frame { function, module, offset, source } = frame;
    let module = module.as_ref().map(|module| format!("{module}!")).unwrap_or_default();
    let place = match (source, offset) {
        (Some(source), _) => format!(" at {source}"),
        (None, Some(offset)) => format!(" at {offset:#x}"),
        (None, None) => String::new(),
    };
    printable(&format!("in {module}{function}{place}"))
}
