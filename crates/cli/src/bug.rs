//! Panics, which are bugs: kept until it is clear that one ended the command, then told as any other failure.

use std::panic::PanicHookInfo;
use std::sync::{Arc, Mutex, PoisonError};

/// What panics said.
///
/// Not each of them ends a command: the decoder of WIT panics on some binaries that nobody should have made, and that
/// is told as what is wrong with the binary.
pub(crate) struct Reports(Arc<Mutex<String>>);

impl Reports {
    /// Keeps what panics say from now on, instead of writing it to standard error.
    pub(crate) fn install() -> Self {
        let last = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&last);
        std::panic::set_hook(Box::new(move |panic| {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = describe(panic);
        }));
        Self(last)
    }

    /// Returns what the last one said, and where.
    pub(crate) fn last(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let said = panic.payload_as_str().unwrap_or("it panicked");
    match panic.location() {
        Some(place) => format!("{said} ({}:{})", place.file(), place.line()),
        None => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_kept_with_its_place() {
        let reports = Reports::install();
        let thread = std::thread::spawn(|| panic!("out of cheese"));
        assert!(thread.join().is_err());
        drop(std::panic::take_hook());
        let last = reports.last();
        assert!(last.starts_with("out of cheese (") && last.contains("bug.rs:"), "{last}");
    }
}
