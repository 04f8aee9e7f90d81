//! Progress on a terminal.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::process::{Child, Command};
use wharf_testing::fixtures;
use wharf_testing::script::{Fault, Reply, ScriptServer};

use crate::scene::{PULL, Scene};
use crate::session::wharf;
use crate::signals::{stop, until};

/// Goes back to the start of the line, and clears it.
const CLEAR: &str = "\r\u{1b}[2K";

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_sees_a_bar_which_makes_room_for_the_outcome() {
    let scene = large();
    let server = ScriptServer::start(scene.blob([Reply::new(200).body(scene.component.clone())])).await;
    let terminal = Terminal::open();
    let output = start(&scene, &server, PULL, &terminal).wait_with_output().await.unwrap();
    assert!(output.status.success() && output.stdout == b"kept.wasm\n", "{output:?}");
    until(|| terminal.text().ends_with(", 1.0 MB\r\n")).await;
    let text = terminal.text();
    let (bars, rest) = text.rsplit_once(CLEAR).unwrap();
    assert!(bars.starts_with("pulling ") && bars.contains("=>") && bars.contains("/1.00 MB"), "{text:?}");
    assert!(rest.starts_with("pulled "), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_leaves_no_bar_on_a_terminal() {
    let scene = large();
    let stalled = Reply::new(200).body(scene.component.clone()).fault(Fault::Stall(500_000));
    let server = ScriptServer::start(scene.blob([stalled])).await;
    let terminal = Terminal::open();
    let child = start(&scene, &server, PULL, &terminal);
    until(|| terminal.text().contains("=>")).await;
    let output = stop(child, Signal::INT).await;
    assert!(output.status.code() == Some(130) && output.stdout.is_empty(), "{output:?}");
    until(|| terminal.text().ends_with(&format!("{CLEAR}error: interrupted\r\n"))).await;
    scene.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_sees_nothing_where_quiet_is_asked_for() {
    let scene = large();
    let server = ScriptServer::start(scene.blob([Reply::new(200).body(scene.component.clone())])).await;
    let terminal = Terminal::open();
    let child = start(&scene, &server, &format!("{PULL} --quiet"), &terminal);
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success() && output.stdout == b"kept.wasm\n", "{output:?}");
    // What comes after the output of the command shows that there was none.
    writeln!(&terminal.device, "end").unwrap();
    until(|| terminal.text().ends_with("end\r\n")).await;
    assert_eq!(terminal.text(), "end\r\n");
}

/// Makes a component that takes long enough for a bar.
fn large() -> Scene {
    Scene::with_component(fixtures::component_of_size(1_000_000))
}

/// Starts `wharf` with its standard error at a terminal.
fn start(scene: &Scene, server: &ScriptServer, line: &str, terminal: &Terminal) -> Child {
    let line = line.replace("HOST", &server.address().to_string());
    let mut command = Command::from(wharf(&scene.session.path(""), &line));
    command.env("TERM", "xterm").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(terminal.device());
    command.kill_on_drop(true).spawn().unwrap()
}

/// A terminal with 24 lines of 100 columns, and what was written to it.
struct Terminal {
    device: File,
    text: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn open() -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let device = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        tcsetwinsize(&device, Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let text = Arc::new(Mutex::new(Vec::new()));
        let (mut screen, kept) = (File::from(controller), Arc::clone(&text));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // The end of a terminal is an error.
            while let Ok(count @ 1..) = screen.read(&mut piece) {
                kept.lock().unwrap().extend_from_slice(&piece[..count]);
            }
        });
        Self { device, text }
    }

    /// Returns its device, for a process to write to.
    fn device(&self) -> Stdio {
        self.device.try_clone().unwrap().into()
    }

    /// Returns all that was written so far.
    fn text(&self) -> String {
        String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
    }
}
