//! How far a guest may go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasmtime::ResourceLimiter;

/// Elements of all tables of one guest.
const TABLE_ELEMENTS_MAX: usize = 10_000_000;

/// Resources of the host that one guest holds at once. Each can keep some of the host's memory: the largest, 128 KiB of
/// headers.
pub(crate) const RESOURCES_MAX: usize = 10_000;

/// How far a guest may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all its linear memories together. It is told that there is no more, and may go on.
    pub memory: u64,
    /// Time from its start to its end; nothing is unlimited.
    pub time: Option<Duration>,
    /// What it may compute, in units of fuel: about one for each instruction. Needs an engine that counts.
    pub fuel: Option<u64>,
    /// Elements of all its tables together.
    pub table_elements: usize,
    /// Core instances, tables and memories that it has: each no more than this.
    pub instances: usize,
    /// Bytes that it may write to standard output and standard error together; nothing is unlimited.
    pub output: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 4 * 1024 * 1024 * 1024,
            time: None,
            fuel: None,
            table_elements: TABLE_ELEMENTS_MAX,
            instances: 1_000,
            output: None,
        }
    }
}

/// Keeps count for one guest, and says when it has to stop.
#[derive(Debug)]
pub(crate) struct Meter {
    memory_max: u64,
    memory: u64,
    table_elements_max: usize,
    table_elements: usize,
    instances_max: usize,
    shared: Arc<Watch>,
}

/// The part of a meter that others look at, from other threads.
#[derive(Debug)]
pub(crate) struct Watch {
    deadline: Option<Instant>,
    output_max: u64,
    output: AtomicU64,
    output_exceeded: AtomicBool,
    memory_refused: AtomicBool,
    expired: AtomicBool,
}

impl Meter {
    /// Counts for one guest, of which `shared` tells.
    pub(crate) fn new(limits: &Limits, shared: Arc<Watch>) -> Self {
        Self {
            memory_max: limits.memory,
            memory: 0,
            table_elements_max: limits.table_elements,
            table_elements: 0,
            instances_max: limits.instances,
            shared,
        }
    }

    pub(crate) fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.shared)
    }
}

impl Watch {
    /// Starts the time of a guest.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            deadline: limits.time.and_then(|time| Instant::now().checked_add(time)),
            output_max: limits.output.unwrap_or(u64::MAX),
            output: AtomicU64::new(0),
            output_exceeded: AtomicBool::new(false),
            memory_refused: AtomicBool::new(false),
            expired: AtomicBool::new(false),
        }
    }

    /// Counts output, and says whether it may be written.
    pub(crate) fn may_write(&self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        let before = self.output.fetch_add(bytes, Ordering::Relaxed);
        let may = before.saturating_add(bytes) <= self.output_max;
        if !may {
            self.output_exceeded.store(true, Ordering::Relaxed);
        }
        may
    }

    pub(crate) fn is_output_exceeded(&self) -> bool {
        self.output_exceeded.load(Ordering::Relaxed)
    }

    pub(crate) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Notes that the guest was ended because its time was over.
    pub(crate) fn expire(&self) {
        self.expired.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.expired.load(Ordering::Relaxed)
    }

    /// Whether the guest asked for more memory than it may have.
    pub(crate) fn is_memory_refused(&self) -> bool {
        self.memory_refused.load(Ordering::Relaxed)
    }
}

/// What the system then fails to provide stays counted: the engine also tells of failures that it did not ask about, so that
/// a guest could count down what it has.
impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current) as u64;
        let total = self.memory.saturating_add(growth);
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if total > self.memory_max {
            self.shared.memory_refused.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        let may = total <= self.table_elements_max && maximum.is_none_or(|maximum| desired <= maximum);
        if may {
            self.table_elements = total;
        }
        Ok(may)
    }

    fn instances(&self) -> usize {
        self.instances_max
    }

    fn tables(&self) -> usize {
        self.instances_max
    }

    fn memories(&self) -> usize {
        self.instances_max
    }
}
