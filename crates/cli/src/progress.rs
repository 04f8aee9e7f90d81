//! Progress bars on a terminal, and nothing in a pipe.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use wharf::oci::{Descriptor, Digest, NoProgress, Progress};

use crate::args::Talk;

/// A blob below this size moves before a person could read its bar.
const BAR_BYTES_MIN: u64 = 256 * 1024;

/// Characters of a digest that name a blob beside its bar.
const NAME_CHARACTERS: usize = 12;

/// Returns bars where standard error is a terminal and nobody asked for quiet.
pub(crate) fn progress(verb: &'static str, talk: Talk) -> Arc<dyn Progress> {
    if talk == Talk::Quiet || !std::io::stderr().is_terminal() {
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
        let template =
            "{prefix} {msg} [{bar:30}] {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} eta {eta}";
        let style = ProgressStyle::with_template(template).expect("the template above is well-formed");
        let name: String = descriptor.digest.hex().chars().take(NAME_CHARACTERS).collect();
        let bar = ProgressBar::hidden()
            .with_style(style.progress_chars("=> "))
            .with_prefix(self.verb)
            .with_message(name)
            // A transfer that fails or is interrupted takes its bar along, so that the error stands alone.
            .with_finish(ProgressFinish::AndClear);
        bar.set_length(descriptor.size);
        self.bars.add(bar)
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
