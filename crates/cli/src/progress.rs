//! Progress bars on a terminal, and nothing in a pipe.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use wharf::oci::{Descriptor, Digest, NoProgress, Progress};

/// A blob below this size moves before a person could read its bar.
const BAR_BYTES_MIN: u64 = 256 * 1024;

/// Returns bars where standard error is a terminal and nobody asked for quiet.
pub(crate) fn progress(verb: &'static str, quiet: crate::args::Talk) -> Arc<dyn Progress> {
    if quiet == crate::args::Talk::Quiet || !std::io::stderr().is_terminal() {
        return Arc::new(NoProgress);
    }
    let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
    Arc::new(Bars { verb, bars, by_digest: Mutex::default() })
}

/// One bar for each blob on its way.
struct Bars {
    verb: &'static str,
    bars: MultiProgress,
    by_digest: Mutex<HashMap<Digest, ProgressBar>>,
}

impl Bars {
    fn start(&self, descriptor: &Descriptor) -> ProgressBar {
        let template = "{prefix} {msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} eta {eta}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = self.bars.add(ProgressBar::new(descriptor.size).with_style(style.progress_chars("=> ")));
        bar.set_prefix(self.verb);
        bar.set_message(descriptor.digest.hex().chars().take(12).collect::<String>());
        bar
    }
}

impl Progress for Bars {
    fn at(&self, descriptor: &Descriptor, position: u64) {
        if descriptor.size < BAR_BYTES_MIN {
            return;
        }
        let mut bars = self.by_digest.lock().unwrap_or_else(PoisonError::into_inner);
        bars.entry(descriptor.digest.clone()).or_insert_with(|| self.start(descriptor)).set_position(position);
    }

    fn finished(&self, descriptor: &Descriptor) {
        let mut bars = self.by_digest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = bars.remove(&descriptor.digest) {
            bar.finish_and_clear();
        }
    }
}
