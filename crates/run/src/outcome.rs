//! How a guest ended.

use std::fmt::{self, Write as _};
use std::time::Duration;

use serde::Serialize;
use wasmtime::WasmBacktrace;
use wasmtime_wasi::I32Exit;

use crate::limits::Watch;
use crate::{Denied, Limits};

/// Frames of a trap that are told.
const FRAMES_MAX: usize = 32;

/// Bytes of the name of a function that are told.
const NAME_BYTES_MAX: usize = 1_000;

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// How it ended.
    pub ended: Ended,
    /// What it was refused, each once and in the order in which it asked; of many, the first.
    pub denials: Vec<Denied>,
    /// What it may have lacked when it failed: a guess, as a guest that finds no folder does not ask for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspected: Option<Denied>,
}

/// How a guest ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Ended {
    /// It said so itself, with its exit code; 0 is success.
    Exit(i32),
    /// It did what it must not, or gave up.
    Trap(Trap),
    /// It was stopped at a limit.
    Stopped(Stop),
}

/// What a guest did that it must not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trap {
    /// What happened, in the words of the engine.
    pub message: String,
    /// Where, the innermost first.
    pub frames: Vec<Frame>,
    /// Whether it had asked for more memory than [`Limits::memory`] before.
    pub memory_refused: bool,
}

/// A function of a guest that was running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    /// Its name, demangled; without one, its number in the module.
    pub function: String,
    /// The name of its module, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Where in the module, in bytes from its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// The line of the source, as `file:line`, where the binary has that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// A limit that a guest reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
pub enum Stop {
    /// [`Limits::time`]; written as milliseconds.
    #[error("it ran for longer than {}", seconds(.0))]
    Time(#[serde(serialize_with = "as_milliseconds")] Duration),
    /// [`Limits::fuel`].
    #[error("it used more than {0} units of fuel")]
    Fuel(u64),
    /// [`Limits::output`].
    #[error("it wrote more than {0} bytes")]
    Output(u64),
}

fn as_milliseconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn seconds(time: &Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

impl Ended {
    /// Tells how a guest ended from the error that ended it.
    pub(crate) fn of(error: &wasmtime::Error, limits: &Limits, watch: &Watch) -> Self {
        if let Some(stop) = Self::stopped(limits, watch) {
            return stop;
        }
        if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
            return Self::Exit(*code);
        }
        if let Some(stop) = error.downcast_ref::<Stop>() {
            return Self::Stopped(*stop);
        }
        if let (Some(wasmtime::Trap::OutOfFuel), Some(fuel)) = (error.downcast_ref::<wasmtime::Trap>(), limits.fuel) {
            return Self::Stopped(Stop::Fuel(fuel));
        }
        Self::Trap(Trap::of(error, watch))
    }

    /// Tells at which limit a guest was stopped, whatever it made of that: it may go on after a write that failed.
    pub(crate) fn stopped(limits: &Limits, watch: &Watch) -> Option<Self> {
        match (watch.is_output_exceeded(), watch.is_expired()) {
            (true, _) => limits.output.map(|output| Self::Stopped(Stop::Output(output))),
            (false, true) => limits.time.map(|time| Self::Stopped(Stop::Time(time))),
            (false, false) => None,
        }
    }
}

impl Trap {
    fn of(error: &wasmtime::Error, watch: &Watch) -> Self {
        let message = match error.downcast_ref::<wasmtime::Trap>() {
            Some(trap) => trap.to_string().trim_start_matches("wasm trap: ").to_owned(),
            None => error.root_cause().to_string(),
        };
        let backtrace = error.downcast_ref::<WasmBacktrace>();
        let frames = backtrace.map_or(&[][..], WasmBacktrace::frames);
        let frames = frames.iter().take(FRAMES_MAX).map(|frame| Frame {
            function: frame.func_name().map_or_else(|| format!("function {}", frame.func_index()), demangled),
            module: frame.module().name().map(str::to_owned),
            offset: frame.module_offset(),
            source: frame.symbols().first().and_then(|symbol| Some(format!("{}:{}", symbol.file()?, symbol.line()?))),
        });
        Self { message, frames: frames.collect(), memory_refused: watch.is_memory_refused() }
    }
}

/// Returns a name as its author wrote it, where it is one of Rust or C++.
fn demangled(name: &str) -> String {
    // Mangled names can say themselves again and again, and come to more than there is memory.
    let mut text = Bounded(String::new());
    if let Ok(name) = rustc_demangle::try_demangle(name) {
        // What does not fit is left out.
        let _written = write!(text, "{name:#}");
        return text.0;
    }
    if let Ok(symbol) = cpp_demangle::Symbol::new(name) {
        let _written = symbol.structured_demangle(&mut text, &cpp_demangle::DemangleOptions::default());
    }
    if text.0.is_empty() {
        let _written = text.write_str(name);
    }
    text.0
}

/// A text that grows to [`NAME_BYTES_MAX`] and no further.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = text.floor_char_boundary(NAME_BYTES_MAX - self.0.len());
        self.0.push_str(&text[..end]);
        if end == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_source() {
        for (name, expected) in [
            ("main", "main"),
            ("", ""),
            ("_ZN4core9panicking5panic17h0123456789abcdefE", "core::panicking::panic"),
            ("_RNvC6guests4main", "guests::main"),
            ("_ZN3foo3barEi", "foo::bar(int)"),
        ] {
            assert_eq!(demangled(name), expected);
        }
    }

    #[test]
    fn a_name_that_grows_without_end_is_cut() {
        // Each parameter is a template of the one before it, twice.
        let digit = |number| char::from_digit(number, 36).unwrap().to_ascii_uppercase();
        let doubling: String = (0..30).map(digit).map(|last| format!("S_IS{last}_S{last}_E")).collect();
        let doubling = format!("_Z1f1pIiiE{doubling}");
        assert!(demangled(&doubling).starts_with("f(p<int, int>, p<p<int, int>, p<int, int> >, p<"));
        let names = [doubling, "a".repeat(1 << 20), format!("{}é", "a".repeat(NAME_BYTES_MAX - 1))];
        for name in names {
            assert!(demangled(&name).len() <= NAME_BYTES_MAX, "{name}");
        }
    }
}
