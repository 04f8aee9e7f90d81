//! Commands of core modules and of components.

use std::time::Duration;

use wharf_run::{Ended, EngineOptions, Frame, Stop};

use crate::setup::Run;

/// A command of WASI 0.1 that prints `hello`.
const HELLO: &str = include_str!("../guests/hello.wat");

fn module(start: &str) -> String {
    format!(
        r#"(module $guest
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\10\00\00\00\05\00\00\00")
            (data (i32.const 16) "lots\n")
            (func $start (export "_start") {start}))"#
    )
}

#[tokio::test]
async fn a_command_of_a_core_module_prints_and_ends() {
    let run = Run::new();
    assert_eq!(run.command(HELLO).await.unwrap(), Ended::Exit(0));
    assert_eq!((run.stdout().as_str(), run.stderr().as_str()), ("hello\n", ""));
}

#[tokio::test]
async fn the_exit_code_is_the_guests() {
    for code in [7, 125, 126, 255, -1] {
        let ended = Run::new().command(&module(&format!("(call $exit (i32.const {code}))"))).await.unwrap();
        assert_eq!(ended, Ended::Exit(code));
    }
}

#[tokio::test]
async fn a_trap_names_the_functions_that_ran() {
    let ended = Run::new().command(&module("unreachable")).await.unwrap();
    let Ended::Trap(trap) = ended else { panic!("{ended:?}") };
    assert_eq!(trap.message, "wasm `unreachable` instruction executed");
    let Frame { function, module, .. } = &trap.frames[0];
    assert_eq!((function.as_str(), module.as_deref()), ("start", Some("guest")));
}

#[tokio::test]
async fn an_endless_loop_is_stopped_in_time() {
    let mut run = Run::new();
    run.invocation.limits.time = Some(Duration::from_millis(50));
    let ended = run.command(&module("(loop (br 0))")).await.unwrap();
    assert_eq!(ended, Ended::Stopped(Stop::Time(Duration::from_millis(50))));
}

#[tokio::test]
async fn an_endless_loop_is_stopped_by_fuel() {
    let mut run = Run::with_engine(EngineOptions { fuel: true, ..EngineOptions::default() });
    run.invocation.limits.fuel = Some(10_000);
    let ended = run.command(&module("(loop (br 0))")).await.unwrap();
    assert_eq!(ended, Ended::Stopped(Stop::Fuel(10_000)));
}

#[tokio::test]
async fn endless_output_is_stopped() {
    let mut run = Run::new();
    run.invocation.limits.output = Some(1_000);
    let write = "(loop (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64))) (br 0))";
    let ended = run.command(&module(write)).await.unwrap();
    assert_eq!(ended, Ended::Stopped(Stop::Output(1_000)));
    assert_eq!(run.stdout(), "lots\n".repeat(200));
}

#[tokio::test]
async fn more_memory_than_granted_is_refused_to_the_guest() {
    let mut run = Run::new();
    run.invocation.limits.memory = 1024 * 1024;
    let grow = "(if (i32.eq (memory.grow (i32.const 65535)) (i32.const -1)) (then unreachable))";
    let ended = run.command(&module(grow)).await.unwrap();
    assert!(matches!(&ended, Ended::Trap(trap) if trap.memory_refused), "{ended:?}");
}

#[tokio::test]
async fn larger_tables_than_granted_are_refused_to_the_guest() {
    let mut run = Run::new();
    run.invocation.limits.table_elements = 110;
    let grow = |elements| {
        format!("(if (i32.eq (table.grow (ref.null func) (i32.const {elements})) (i32.const -1)) (then unreachable))")
    };
    let guest = |elements| module(&grow(elements)).replace("(memory", "(table 60 funcref) (table 10 funcref) (memory");
    assert_eq!(run.command(&guest(40)).await.unwrap(), Ended::Exit(0));
    assert!(matches!(run.command(&guest(41)).await.unwrap(), Ended::Trap(_)));
}

#[tokio::test]
async fn memory_is_counted_over_all_memories_and_attempts() {
    let mut run = Run::new();
    run.invocation.limits.memory = 4 * 65_536;
    // The failed attempts between them give nothing back.
    let fail = "(drop (memory.grow $one (i32.const -1)))";
    let grow = |memory| format!("(if (i32.eq (memory.grow {memory} (i32.const 1)) (i32.const -1)) (then unreachable))");
    let guest = |rest: &str| {
        let start = format!("{}{fail}{}{fail}{rest}", grow("$one"), grow("$two"));
        module(&start).replace("(memory (export", "(memory $two 1) (memory $one (export")
    };
    assert_eq!(run.command(&guest("")).await.unwrap(), Ended::Exit(0));
    assert!(matches!(run.command(&guest(&grow("$two"))).await.unwrap(), Ended::Trap(_)));
}

#[tokio::test]
async fn a_guest_that_ends_well_after_output_that_was_cut_has_not_ended_well() {
    let mut run = Run::new();
    run.invocation.limits.output = Some(7);
    let write = "(drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 64)))";
    let ended = run.command(&module(&format!("{write}{write}(call $exit (i32.const 0))"))).await.unwrap();
    assert_eq!(ended, Ended::Stopped(Stop::Output(7)));
    assert_eq!(run.stderr(), "lots\n");
}

#[tokio::test]
async fn a_time_that_no_clock_reaches_is_none() {
    let mut run = Run::new();
    run.invocation.limits.time = Some(Duration::MAX);
    assert_eq!(run.command(HELLO).await.unwrap(), Ended::Exit(0));
}
