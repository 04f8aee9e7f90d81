//! A program that runs: the streams that it is given, and how its end becomes ours.

use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;

use wharf::RunOutcome;
use wharf::running::call::{Answer, Form};
use wharf::running::{Ended, Input, Outcome, Output, Stdio, Stop};

use crate::args::Format;
use crate::context::Context;
use crate::exit;
use crate::failure::Failure;
use crate::output::{Render, printable};
use crate::run_events::ending;

/// Returns the streams of this process, for a guest. Where standard output has JSON, that is alone there, and the guest
/// prints to standard error.
pub(crate) fn stdio(format: Format) -> io::Result<Stdio> {
    let own = |stream: BorrowedFd<'_>| Ok::<_, io::Error>(Output::File(Arc::new(stream.try_clone_to_owned()?.into())));
    let stderr = own(io::stderr().as_fd())?;
    let stdout = match format {
        Format::Text => own(io::stdout().as_fd())?,
        Format::Json => stderr.clone(),
    };
    Ok(Stdio { stdin: Input::Process, stdout, stderr })
}

/// Prints what came of a program, and turns its end into ours.
pub(crate) fn finish(outcome: &RunOutcome, context: &Context) -> Result<(), Failure> {
    match (&outcome.answer, context.format) {
        (Some(answer @ Answer::Err(_)), Format::Text) => {
            answer.print(form(&io::stderr()), io::stderr().lock()).map_err(Failure::Output)
        }
        _ => context.print(outcome),
    }?;
    outcome.outcome.as_ref().map_or(Ok(()), ended)
}

/// Turns the end of a program into that of ours.
fn ended(outcome: &Outcome) -> Result<(), Failure> {
    let code = match &outcome.ended {
        Ended::Exit(0) => return Ok(()),
        // A process has eight bits for it.
        Ended::Exit(code) => code.to_le_bytes()[0],
        Ended::Stopped(Stop::Time(_)) => exit::GUEST_TIMEOUT,
        Ended::Stopped(_) | Ended::Trap(_) => exit::GUEST_FAILED,
    };
    Err(Failure::Guest { code, text: ending(outcome) })
}

/// Returns how an answer is written: JSON in lines where somebody reads it.
fn form(out: &impl IsTerminal) -> Form {
    if out.is_terminal() { Form::Pretty } else { Form::Plain }
}

impl Render for RunOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        match (&self.usage, &self.answer) {
            // Programs choose the names of what they export.
            (Some(usage), _) => usage.lines().try_for_each(|line| writeln!(out, "{}", printable(line))),
            (None, Some(answer)) => answer.print(form(&io::stdout()), out),
            (None, None) => Ok(()),
        }
    }
}
