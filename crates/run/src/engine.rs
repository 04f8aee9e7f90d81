//! The engine and its settings.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::code::CompiledComponent;
use crate::{Code, Error};

/// Bytes of a memory, and of a table, that are cleared in place when an instance ends: that is quicker than to give them
/// back and to be given them again.
const KEEP_RESIDENT: (usize, usize) = (8 * 1024 * 1024, 100 * 1024);
/// Memories in a pool; each takes address space, of which there is an end.
const MEMORIES: u32 = 1_000;
/// Tables in a pool; a component has a few for each memory.
const TABLES: u32 = 2_000;
/// Elements that a table in a pool may grow to.
const TABLE_ELEMENTS: usize = 50_000;
/// Stacks in a pool: an instance of WASI 0.3 can be at several things at once.
const STACKS: u32 = 2_000;
/// Memories, and tables, of one core module.
const OF_ONE_MODULE_MAX: u32 = 16;
/// Bytes of the records of one instance.
const INSTANCE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Places in the pool that keep what they had for the next instance of the same component.
const WARM_MAX: u32 = 100;

/// How an engine is set up. Code that was compiled with one setting of `fuel` does not run with the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EngineOptions {
    /// Whether to count what a guest computes, for [`Limits::fuel`](crate::Limits::fuel); it makes guests slower.
    pub fuel: bool,
    /// How memory for instances is had. Code that was compiled with the one runs with the other.
    pub allocation: Allocation,
}

/// How memory for instances is had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Allocation {
    /// From the system, for each instance: best for one.
    #[default]
    OnDemand,
    /// From a pool that is reserved before, and used again: best for a server. Where the system has no address space for
    /// that, as under `ulimit -v`, it is as [`Allocation::OnDemand`]. Not every program fits: see [`Runtime::places_for`].
    Pool {
        /// Bytes that one memory may grow to.
        memory: u64,
    },
}

/// An engine.
#[derive(Debug, Clone)]
pub struct Runtime {
    pub(crate) engine: Engine,
    is_pooled: bool,
}

impl Runtime {
    /// Starts an engine.
    ///
    /// # Errors
    /// [`Error::Engine`] where the machine lacks what it takes.
    pub fn new(options: EngineOptions) -> Result<Self, Error> {
        let mut config = Config::new();
        // Epochs are always on, so that one compiled form serves runs with and without a time limit.
        config.epoch_interruption(true);
        config.consume_fuel(options.fuel);
        config.wasm_component_model_async(true);
        config.wasm_component_model_map(true);
        if let Allocation::Pool { memory } = options.allocation {
            config.allocation_strategy(pool(memory));
            if let Ok(engine) = Engine::new(&config) {
                return Ok(Self { engine, is_pooled: true });
            }
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        }
        let engine = Engine::new(&config).map_err(|source| Error::Engine { source: source.into() })?;
        Ok(Self { engine, is_pooled: false })
    }

    /// Returns how many instances of a program have place at the same time: none where one alone needs more than the whole
    /// pool has, and any number without a pool.
    #[must_use]
    pub fn places_for(&self, code: &Code) -> usize {
        let required = match code {
            Code::Module(module) => Some(module.0.resources_required()),
            // One that is given modules, and needs what nobody knows, finds nobody here who gives it any.
            Code::Component(CompiledComponent(component)) => component.resources_required(),
        };
        let places = |all: u32, each: u32| all.checked_div(each).map_or(usize::MAX, |places| places as usize);
        match required {
            Some(required) if self.is_pooled => {
                places(MEMORIES, required.num_memories).min(places(TABLES, required.num_tables))
            }
            _ => usize::MAX,
        }
    }

    /// Compiles a binary, on all cores. It blocks.
    ///
    /// # Errors
    /// [`Error::Compile`].
    pub fn compile(&self, wasm: &[u8]) -> Result<Code, Error> {
        Code::compile(&self.engine, wasm).map_err(|source| Error::Compile { source: source.into() })
    }
}

/// A pool that memories, tables and stacks bound; instances are only counted, and one component can have many.
fn pool(memory: u64) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(u32::MAX).total_core_instances(u32::MAX);
    pool.total_memories(MEMORIES).total_tables(TABLES).table_elements(TABLE_ELEMENTS);
    pool.total_stacks(STACKS);
    pool.max_memories_per_module(OF_ONE_MODULE_MAX).max_tables_per_module(OF_ONE_MODULE_MAX);
    pool.max_component_instance_size(INSTANCE_BYTES_MAX).max_core_instance_size(INSTANCE_BYTES_MAX);
    pool.max_memory_size(usize::try_from(memory).unwrap_or(usize::MAX));
    pool.max_unused_warm_slots(WARM_MAX);
    pool.linear_memory_keep_resident(KEEP_RESIDENT.0).table_keep_resident(KEEP_RESIDENT.1);
    pool.pagemap_scan(Enabled::Auto);
    pool
}
