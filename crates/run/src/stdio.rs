//! Where a guest reads and writes: files that it was handed, or memory.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::limits::Watch;

/// Bytes that a guest may hand over in one write.
const WRITE_BYTES_MAX: usize = 64 * 1024;

/// Standard input, output and error of a guest.
#[derive(Debug)]
pub struct Stdio {
    /// What it reads.
    pub stdin: Input,
    /// Where it writes.
    pub stdout: Output,
    /// Where it writes what goes wrong.
    pub stderr: Output,
}

/// What a guest reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Nothing: it is at its end.
    Empty,
    /// These bytes.
    Bytes(Bytes),
    /// Standard input of this process, read as the guest asks for it.
    Process,
}

/// Where a guest writes.
#[derive(Debug, Clone)]
pub enum Output {
    /// To a file, at once: every write of the guest is one of the file.
    File(Arc<File>),
    /// Into memory.
    Memory(Arc<Mutex<Vec<u8>>>),
}

/// An [`Output`] that counts.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    output: Output,
    watch: Arc<Watch>,
}

/// The guest wrote more than it may.
#[derive(Debug, thiserror::Error)]
#[error("the limit of output is reached")]
pub(crate) struct OutputExceeded;

impl Counted {
    pub(crate) fn new(output: Output, watch: Arc<Watch>) -> Self {
        Self { output, watch }
    }

    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        if !self.watch.may_write(bytes.len()) {
            return Err(io::Error::other(OutputExceeded));
        }
        match &self.output {
            Output::File(file) => (&**file).write_all(bytes),
            Output::Memory(memory) => memory.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes),
        }
    }
}

impl IsTerminal for Counted {
    fn is_terminal(&self) -> bool {
        matches!(&self.output, Output::File(file) if file.is_terminal())
    }
}

impl StdoutStream for Counted {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Counted {
    async fn ready(&mut self) {}
}

impl OutputStream for Counted {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.put(&bytes).map_err(|error| match self.watch.is_output_exceeded() {
            true => StreamError::Trap(error.into()),
            false => StreamError::LastOperationFailed(error.into()),
        })
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.put(bytes).map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
