//! The layers that are looked into, one after the other, and how much of them may be.

use wharf_oci::Descriptor;

use crate::limits::{SEARCHED_BYTES_MAX, SEARCHED_ENTRIES_MAX};

/// How much may still be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Budget {
    /// Entries of tars.
    pub(super) entries: u64,
    /// Bytes, unpacked.
    pub(super) bytes: u64,
}

impl Budget {
    pub(super) const WHOLE: Self = Self { entries: SEARCHED_ENTRIES_MAX, bytes: SEARCHED_BYTES_MAX };
}

/// The layers of an artifact, and which of them are still to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queue {
    pub(super) layers: Vec<Descriptor>,
    /// The indices of the layers that are still to be seen, the next one last.
    pub(super) pending: Vec<usize>,
    pub(super) left: Budget,
}

impl Queue {
    pub(super) fn new(layers: Vec<Descriptor>, pending: Vec<usize>) -> Self {
        Self { layers, pending, left: Budget::WHOLE }
    }

    /// Returns the index of the next layer; nothing where there is none, or it is too large.
    pub(super) fn wants(&self) -> Option<usize> {
        self.pending.last().copied().filter(|&index| self.layers[index].size <= self.left.bytes)
    }

    /// Takes the next layer, which has to be this one, and tells whether there are more.
    pub(super) fn take(&mut self, index: usize) -> (Descriptor, bool) {
        assert_eq!(self.wants(), Some(index), "layers are looked into as the search wants them");
        self.pending.pop();
        (self.layers[index].clone(), !self.pending.is_empty())
    }
}
