//! What is in layers beside the Wasm that was found there.

use std::io::{self, Read};

use wharf_oci::{Descriptor, Digest};
use wharf_tar::{EntryKind, Walk};

use super::layer::{self, Content, File};
use super::names::{Names, is_whiteout};
use super::queue::Queue;
use super::{Found, InvalidLayer};
use crate::dialect::Unreadable;
use crate::istio::RUNTIME_CONFIG_FILE;
use crate::limits::CONFIG_BYTES_MAX;

/// How many files are named; more are counted.
const NAMED_MAX: usize = 5;

/// A list of what is in the layers of a [`Search`](super::Search) beside what was found; of an image, what is in the
/// file system that its layers make.
///
/// Show it each layer that it [wants](Others::wants), then let it [finish](Others::finish).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Others {
    pub(super) queue: Queue,
    /// What the layers above hide, where layers are changes of one file system.
    above: Option<Names>,
    taken: Taken,
    rest: Rest,
}

/// What is in layers beside the Wasm.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rest {
    /// How many files and links there are.
    pub count: u64,
    /// The paths of the first few, as their tars give them.
    pub names: Vec<String>,
    /// The layers that are no tars.
    pub layers: Vec<Descriptor>,
    /// The content of `runtime-config.json`, which is not among the files.
    pub runtime_config: Option<Vec<u8>>,
}

/// What was found, and is not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Taken {
    layer: Digest,
    path: Option<String>,
}

impl Others {
    /// Starts on a list; layers that are one file system are seen from the highest down.
    pub(super) fn new(layers: Vec<Descriptor>, is_stack: bool, found: &Found) -> Self {
        let taken = Taken { layer: found.layer.digest.clone(), path: found.path.clone() };
        let is_all_taken = |index: &usize| taken.path.is_none() && layers[*index].digest == taken.layer;
        let mut pending: Vec<_> = (0..layers.len()).filter(|index| !is_all_taken(index)).collect();
        if !is_stack {
            pending.reverse();
        }
        let above = is_stack.then(Names::default);
        Self { queue: Queue::new(layers, pending), above, taken, rest: Rest::default() }
    }

    /// Returns the layers that may be looked into.
    #[must_use]
    pub fn layers(&self) -> &[Descriptor] {
        &self.queue.layers
    }

    /// Returns the index of the layer to look into next; nothing where all were seen, or the next one is too large.
    #[must_use]
    pub fn wants(&self) -> Option<usize> {
        self.queue.wants()
    }

    /// Looks into the layer that [`Others::wants`] named, whose verified bytes `reader` gives from the start.
    ///
    /// # Errors
    /// [`InvalidLayer`].
    ///
    /// # Panics
    /// Where no layer is wanted, or another one.
    pub fn look(&mut self, index: usize, reader: &mut dyn Read) -> Result<(), InvalidLayer> {
        let (layer, has_lower) = self.queue.take(index);
        let mut own = Names::default();
        let names_max = self.above.as_ref().map_or(usize::MAX, Names::left);
        let (above, rest, taken) = (self.above.as_ref(), &mut self.rest, &self.taken);
        let content = layer::look(&layer, reader, &mut self.queue.left, &mut |file, content| {
            if above.is_some() && has_lower {
                own.add(file, |_| true);
            }
            if own.is_over(names_max) {
                return Ok(Walk::Stop);
            }
            let is_hidden = above.is_some_and(|names| is_whiteout(file) || names.hides(file.path));
            if file.kind != EntryKind::Directory && !is_hidden && !taken.is(&layer, file.path) {
                rest.add(file, content)?;
            }
            Ok(Walk::Continue)
        })?;
        if own.is_over(names_max) {
            return Err(InvalidLayer::TooManyNames { digest: layer.digest });
        }
        if content != Content::Tar {
            self.rest.layers.push(layer);
        }
        if let Some(above) = &mut self.above {
            above.extend(own);
        }
        Ok(())
    }

    /// Returns what there is.
    ///
    /// # Errors
    /// [`Unreadable::TooLarge`] where not all layers could be seen.
    pub fn finish(self) -> Result<Rest, Unreadable> {
        match self.queue.pending.is_empty() {
            true => Ok(self.rest),
            false => Err(Unreadable::TooLarge),
        }
    }
}

impl Rest {
    fn add(&mut self, file: &File<'_>, content: &mut dyn Read) -> io::Result<()> {
        if file.kind == EntryKind::File
            && file.path == RUNTIME_CONFIG_FILE
            && let Some(bytes) = whole(file, content)?
        {
            self.runtime_config = Some(bytes);
            return Ok(());
        }
        self.count += 1;
        if self.names.len() < NAMED_MAX {
            self.names.push(file.path.to_owned());
        }
        Ok(())
    }
}

impl Taken {
    fn is(&self, layer: &Descriptor, path: &str) -> bool {
        layer.digest == self.layer && self.path.as_deref() == Some(path)
    }
}

/// Reads a file, unless it is larger than a config may be.
fn whole(file: &File<'_>, content: &mut dyn Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = file.head.to_vec();
    content.take(CONFIG_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= CONFIG_BYTES_MAX).then_some(bytes))
}
