//! `wharf completions`.

use crate::session::Session;

#[test]
fn completions_know_the_commands() {
    let mut session = Session::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = session.run(&format!("completions {shell}"));
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains("inspect"), "{shell}: {script}");
    }
}
