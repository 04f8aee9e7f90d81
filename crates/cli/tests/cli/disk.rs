//! Places where a file cannot be written.

use std::path::Path;
use std::process::Command;

use wharf_testing::fixtures;
use wharf_testing::script::{Reply, ScriptServer};

use crate::scene::Scene;
use crate::session::{output, wharf};

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_takes_no_file_is_named() {
    let mut scene = Scene::new();
    let line = "pull HOST/acme/hello:1.0.0 --output";
    let output = scene.run("a folder that is a file", &format!("{line} kept.wasm/new.wasm"), Vec::new()).await;
    scene.assert_failed(&output);
    let steps = scene.blob([Reply::new(200).body(scene.component.clone())]);
    let name = "x".repeat(300);
    scene.session.hide(name.clone(), "[LONG]");
    let output = scene.run("a name that is too long", &format!("{line} {name}"), steps).await;
    scene.assert_failed(&output);
    insta::assert_snapshot!("disk_places", scene.session.transcript());
}

/// A limit on the size of files stands for a disk that is full.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_named_and_gets_its_space_back() {
    let mut scene = Scene::with_component(fixtures::component_of_size(64 * 1024));
    let server = ScriptServer::start(scene.blob([Reply::new(200).body(scene.component.clone())])).await;
    let host = server.address().to_string();
    scene.session.hide(host.clone(), "[REGISTRY]");
    let line = format!("pull {host}/acme/hello:1.0.0 --force --output kept.wasm");
    let output = output(&mut limited(&scene.session.path(""), &line), b"");
    scene.session.record(&format!("wharf {line}"), &output);
    scene.assert_failed(&output);
    insta::assert_snapshot!("disk_full", scene.session.transcript());
}

/// Returns the command, for a process that can write no file of more than a few KiB.
fn limited(home: &Path, line: &str) -> Command {
    let command = wharf(home, line);
    let variables = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "ulimit -f 8; exec \"$@\"", "sh"]);
    shell.arg(command.get_program()).args(command.get_args()).current_dir(home).env_clear().envs(variables);
    shell
}
