//! Calls a function of a program.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use wharf_run::call::{Answer, BytesFrom, Call, Docs, Usage, UsageError, functions};
use wharf_run::{Invocation, Outcome};

use super::code::Prepared;
use crate::Cause;
use crate::cause::RunFault;

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
#[derive(Debug, thiserror::Error)]
pub struct InvalidCall {
    /// What is wrong.
    #[source]
    pub source: Box<UsageError>,
    /// How to write it.
    pub usage: String,
}

impl fmt::Display for InvalidCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the call is not as the program has it")
    }
}

/// Calls the function that the words name, with the rest of them. All of them are read before the program starts.
pub(super) async fn call(
    prepared: Prepared,
    program: &str,
    words: &[String],
    open_input: OpenInput,
    invocation: Invocation,
) -> Result<Called, Cause> {
    let Prepared { runtime, code, .. } = prepared;
    let functions = functions(&runtime, &code);
    if functions.is_empty() {
        return Err(RunFault::NothingToRun.into());
    }
    let docs = Docs::new();
    let usage = Usage { program, functions: &functions, docs: &docs };
    let values = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let help = words[..values].iter().position(|word| HELP.contains(&word.as_str()));
    if let Some(at) = help.or(words.is_empty().then_some(0)) {
        return Ok(Called::Usage(usage.text(&words[..at])));
    }
    let mut open = |from: BytesFrom<'_>| -> io::Result<Box<dyn Read>> {
        match from {
            BytesFrom::File(path) => Ok(Box::new(File::open(path)?)),
            BytesFrom::Stdin => Ok(open_input()),
        }
    };
    let call = Call::parse(&functions, words, &mut open).map_err(|source| {
        let (source, usage) = (Box::new(source), usage.text(words));
        RunFault::Call(InvalidCall { source, usage })
    })?;
    let guest = tokio::spawn(async move { wharf_run::call(&runtime, &code, &call, &invocation).await });
    match guest.await {
        Ok(called) => {
            let called = called.map_err(RunFault::from)?;
            Ok(Called::Answered(called.answer, called.outcome))
        }
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}
