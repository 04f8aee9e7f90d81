//! Work that waits for a disk or hashes, on threads where that keeps nobody from the network.

use std::panic::resume_unwind;

use tokio::task::spawn_blocking;

/// Runs `work` on a thread of its own. A panic in it goes on here, with what it said.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => resume_unwind(failed.into_panic()),
    }
}
