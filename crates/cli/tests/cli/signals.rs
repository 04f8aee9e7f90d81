//! Ctrl-C, and other requests to stop, in the middle of things.

use std::process::{Output, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncReadExt as _;
use tokio::process::Child;
use wharf::oci::{Descriptor, MediaType, Push as _};
use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;
use wharf_testing::script::{Fault, Reply, ScriptServer};

use crate::scene::{PULL, Scene};
use crate::session::{Session, wharf};

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_is_interrupted_leaves_nothing() {
    let mut scene = Scene::new();
    let half = scene.component.len() / 2;
    for (name, signal) in [("Ctrl-C", Signal::INT), ("SIGTERM", Signal::TERM), ("SIGHUP", Signal::HUP)] {
        let stalled = Reply::new(200).body(scene.component.clone()).fault(Fault::Stall(half));
        let server = ScriptServer::start(scene.blob([stalled])).await;
        let host = server.address().to_string();
        scene.session.hide(host.clone(), "[REGISTRY]");
        let line = PULL.replace("HOST", &host);
        let child = start(&scene.session, &line);
        until(|| has_half(&scene.session, half)).await;
        let output = stop(child, signal).await;
        scene.session.remark(name);
        scene.session.record(&format!("wharf {line}"), &output);
        scene.assert_failed(&output);
    }
    insta::assert_snapshot!("signals_pull", scene.session.transcript());
}

/// Whether the first `half` bytes are in a temporary file.
fn has_half(session: &Session, half: usize) -> bool {
    let size = |name: &String| std::fs::metadata(session.path(name)).map_or(0, |metadata| metadata.len());
    session.files().iter().any(|name| name.starts_with(".wharf-") && size(name) == half as u64)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_interrupted_leaves_neither_blob_nor_tag() {
    push_until(Signal::INT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_terminated_leaves_neither_blob_nor_tag() {
    push_until(Signal::TERM).await;
}

/// Pushes until a signal comes, while the registry takes the bytes of the component.
async fn push_until(signal: Signal) {
    // More than fits between the two processes, so that not all of it is sent when the interruption comes.
    let component = fixtures::component_of_size(16_000_000);
    let layer = Descriptor::of(MediaType::WASM, &component);
    let upload = format!("digest=sha256%3A{}", layer.digest.hex());
    // What takes the upload waits until the other end of the gate is gone.
    let (closed, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let held = upload.clone();
    let registry = TestRegistry::with(move |request| {
        if request.uri.query() == Some(&held) {
            tokio::task::block_in_place(|| gate.lock().unwrap().recv().unwrap_err());
        }
        None
    });
    let registry = registry.await;
    let mut session = Session::with_registry(&registry);
    session.write("large.wasm", &component);
    let line = format!("push {}/acme/large:1.0.0 large.wasm", registry.registry());
    let child = start(&session, &line);
    let answer = || {
        let log = registry.log();
        log.into_iter().find(|exchange| exchange.target.ends_with(&upload)).map(|exchange| exchange.status)
    };
    until(|| answer().is_some()).await;
    let output = stop(child, signal).await;
    session.record(&format!("wharf {line}"), &output);
    drop(closed);
    // The registry learns from the end of the connection that no more comes.
    until(|| answer().flatten().is_some()).await;
    session.run(&format!("tags {}/acme/large", registry.registry()));
    assert!(!registry.store().repository(&"acme/large".parse().unwrap()).contains(&layer).await.unwrap());
    assert_eq!(session.files(), ["large.wasm"]);
    insta::assert_snapshot!("signals_push", session.transcript());
}

/// How much is worked on, so that the signal comes before the end.
const LARGE_BYTES: usize = 48_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_is_unpacked_leaves_nothing() {
    let mut session = Session::new();
    session.write("large.wasm", fixtures::component_of_size(LARGE_BYTES));
    session.run("pack large.wasm -o large.tar --as docker");
    interrupt_work(&session, "pull oci-archive:large.tar -o new.wasm", ".wharf-").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_is_compressed_leaves_nothing() {
    let session = Session::new();
    let name = b"filling";
    let size = u32::try_from(1 + name.len() + LARGE_BYTES).unwrap();
    // A custom section, whose size stands in five bytes of LEB128.
    let leb = [0, 7, 14, 21].map(|shift| (size >> shift) as u8 | 0x80);
    let filling: Vec<u8> =
        (0_u32..).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).take(LARGE_BYTES).collect();
    let head = [&[0], &leb[..], &[(size >> 28) as u8, 7], name].concat();
    session.write("large.wasm", [fixtures::filter(), head, filling].concat());
    interrupt_work(&session, "pack large.wasm -o new.tar --as istio-compat", "wharf-").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_packed_leaves_nothing() {
    let session = Session::new();
    session.write("store", fixtures::component_of_size(LARGE_BYTES));
    let line = "pack provider --vendor acme --name store --binary x86_64-linux=store -d keys -o new.par.gz";
    interrupt_work(&session, line, ".wharf-").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_written_leaves_nothing() {
    let session = Session::new();
    session.write("large.wasm", fixtures::component_of_size(LARGE_BYTES));
    interrupt_work(&session, "pack large.wasm -o new.tar", ".wharf-").await;
}

/// Terminates a command while a thread of it fills a file whose name starts with `prefix`, which goes with it.
async fn interrupt_work(session: &Session, line: &str, prefix: &str) {
    let before = session.files();
    let child = start(session, line);
    let size = |name: &String| std::fs::metadata(session.path(name)).map_or(0, |metadata| metadata.len());
    until(|| session.files().iter().any(|name| name.starts_with(prefix) && size(name) > 0)).await;
    let output = stop(child, Signal::TERM).await;
    assert!(!output.status.success(), "it came to its end before the signal");
    assert_eq!(session.files(), before);
}

/// A program that writes for ever, and so blocks when nobody reads.
const FLOOD: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\40\00\00\00\06\00\00\00")
    (data (i32.const 64) "hello\n")
    (func (export "_start")
        (loop (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))) (br 0))))"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_nobody_reads_from_ends_in_its_time_and_at_a_signal() {
    let session = Session::new();
    session.write("flood.wat", FLOOD);
    let mut late = start(&session, "run --timeout 100ms flood.wat");
    assert_eq!(ended(&mut late).await, Some(124));
    let mut interrupted = start(&session, "run flood.wat");
    // It runs when it has written.
    interrupted.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).await.unwrap();
    kill_process(id(&interrupted), Signal::TERM).unwrap();
    assert_eq!(ended(&mut interrupted).await, Some(130));
}

/// Waits for the end of a process, and returns its exit code.
async fn ended(child: &mut Child) -> Option<i32> {
    tokio::time::timeout(Duration::from_secs(10), child.wait()).await.unwrap().unwrap().code()
}

fn id(child: &Child) -> Pid {
    child.id().and_then(|id| Pid::from_raw(id.cast_signed())).unwrap()
}

/// Starts `wharf` with the words of `line`.
fn start(session: &Session, line: &str) -> Child {
    let mut command = tokio::process::Command::from(wharf(&session.path(""), line));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
}

/// Waits until something is so.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    for _ in 0..2000 {
        if is_so() {
            return;
        }
        pace.tick().await;
    }
    panic!("waited in vain");
}

/// Sends a signal, and waits for the end of the process.
pub(crate) async fn stop(child: Child, signal: Signal) -> Output {
    kill_process(id(&child), signal).unwrap();
    tokio::time::timeout(Duration::from_secs(10), child.wait_with_output()).await.unwrap().unwrap()
}
