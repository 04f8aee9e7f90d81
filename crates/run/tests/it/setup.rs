//! What the tests share: guests as text, and a run whose output is kept.

use std::sync::{Arc, Mutex};

use wharf_run::{
    Code, Ended, EngineOptions, Error, Grants, Input, Invocation, Limits, Outcome, Output, Runtime, Stdio,
};

/// A run whose output is kept.
pub(crate) struct Run {
    pub(crate) runtime: Runtime,
    pub(crate) invocation: Invocation,
    stdout: Arc<Mutex<Vec<u8>>>,
    stderr: Arc<Mutex<Vec<u8>>>,
}

impl Run {
    pub(crate) fn new() -> Self {
        Self::with_engine(EngineOptions::default())
    }

    pub(crate) fn with_engine(options: EngineOptions) -> Self {
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let stdio = Stdio {
            stdin: Input::Empty,
            stdout: Output::Memory(Arc::clone(&stdout)),
            stderr: Output::Memory(Arc::clone(&stderr)),
        };
        let arguments = vec!["guest".to_owned()];
        let invocation = Invocation { arguments, grants: Grants::default(), limits: Limits::default(), stdio };
        Self { runtime: Runtime::new(options).unwrap(), invocation, stdout, stderr }
    }

    pub(crate) fn compile(&self, guest: &str) -> Code {
        self.runtime.compile(&wat::parse_str(guest).unwrap()).unwrap()
    }

    pub(crate) async fn command(&self, guest: &str) -> Result<Ended, Error> {
        self.outcome(&self.compile(guest)).await.map(|outcome| outcome.ended)
    }

    pub(crate) async fn outcome(&self, code: &Code) -> Result<Outcome, Error> {
        wharf_run::command(&self.runtime, code, &self.invocation).await
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.stdout.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.stderr.lock().unwrap().clone()).unwrap()
    }
}
