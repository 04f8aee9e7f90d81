//! Calls a function of a program.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use wharf_run::call::{Answer, BytesFrom, Call, Function, Usage, UsageError, functions};
use wharf_run::{Invocation, Outcome};

use super::code::Prepared;
use super::{apart, late};
use crate::Cause;
use crate::blocking::blocking;
use crate::cause::RunFault;
use crate::diff::read_text;
use crate::project::wit_of;

/// What a word asks for that wants to know what there is.
const HELP: [&str; 2] = ["--help", "-h"];

/// Opens standard input, for an argument that is read from there.
pub type OpenInput = fn() -> Box<dyn Read>;

/// What came of a call.
pub(super) enum Called {
    /// Its answer, and how the program ended.
    Answered(Option<Answer>, Outcome),
    /// What can be called, and how.
    Usage(String),
}

/// A call that was written wrongly.
#[derive(Debug)]
pub struct InvalidCall {
    /// What is wrong.
    pub fault: Box<UsageError>,
    /// How to write it.
    pub usage: String,
}

impl fmt::Display for InvalidCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(formatter)
    }
}

impl Error for InvalidCall {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.fault.source()
    }
}

/// A function to call, as people write it.
pub(super) struct Request<'a> {
    /// The words that lead to the program.
    pub(super) program: &'a str,
    /// The function, and what it is given.
    pub(super) words: &'a [String],
    /// A folder of the project whose WIT says what functions do.
    pub(super) folder: &'a Path,
    /// Opens standard input, for an argument that is read from there.
    pub(super) open_input: OpenInput,
}

/// Calls the function that the words name, with the rest of them. All of them are read before the program starts.
pub(super) async fn call(prepared: Prepared, request: Request<'_>, invocation: Invocation) -> Result<Called, Cause> {
    let Prepared { runtime, code, .. } = prepared;
    let Request { words, open_input, .. } = request;
    let functions = functions(&runtime, &code);
    if functions.is_empty() {
        return Err(RunFault::NothingToRun.into());
    }
    let values = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let help = words[..values].iter().position(|word| HELP.contains(&word.as_str()));
    if let Some(at) = help.or(words.is_empty().then_some(0)) {
        return Ok(Called::Usage(request.usage(&functions, &words[..at]).await));
    }
    let mut open = |from: BytesFrom<'_>| -> io::Result<Box<dyn Read>> {
        match from {
            BytesFrom::File(path) => Ok(Box::new(File::open(path)?)),
            BytesFrom::Stdin => Ok(open_input()),
        }
    };
    let call = match Call::parse(&functions, words, &mut open) {
        Ok(call) => call,
        Err(fault) => {
            let usage = request.usage(&functions, words).await;
            return Err(RunFault::Call(InvalidCall { fault: Box::new(fault), usage }).into());
        }
    };
    let time = invocation.limits.time;
    let guest = apart(time, async move { wharf_run::call(&runtime, &code, &call, &invocation).await }).await;
    Ok(match guest {
        Some(called) => {
            let called = called.map_err(RunFault::from)?;
            Called::Answered(called.answer, called.outcome)
        }
        None => Called::Answered(None, late(time)),
    })
}

impl Request<'_> {
    /// Says how to call what the words lead to. What functions do is told by the WIT of the project, where there is one
    /// that can be read.
    async fn usage(&self, functions: &[Function], words: &[String]) -> String {
        let wit = wit_of(self.folder);
        let docs = blocking(move || read_text(&wit).map(|resolved| resolved.docs())).await.unwrap_or_default();
        Usage { program: self.program, functions, docs: &docs }.text(words)
    }
}
