//! What a program asks for, in plain words.

use serde::Serialize;
use wharf_artifact::Wasm;

/// Something that a program asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Need {
    /// What it is, in plain words.
    pub what: &'static str,
    /// The flag that grants it; nothing where no flag does.
    pub flag: Option<&'static str>,
    /// The imports that ask for it.
    pub imports: Vec<String>,
}

/// What imports start with, what that is in plain words, and the flag that grants it.
const NEEDS: &[(&[&str], &str, &str)] = &[
    (&["wasi:filesystem/", "wasi_snapshot_preview1.path_"], "files in folders", "--dir FOLDER"),
    (&["wasi:cli/environment@", "wasi_snapshot_preview1.environ_get"], "variables of the environment", "--env NAME"),
    (
        &["wasi:http/outgoing-handler@", "wasi:http/client@", "wasi:http/handler@"],
        "HTTP requests to others",
        "--http HOST",
    ),
    (&["wasi:sockets/"], "network connections", "--net HOST:PORT"),
];

/// What every program has: it ends, tells the time, rolls dice, and uses the standard streams.
const FREE: &[&str] = &[
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:http/types@",
    "wasi:io/",
    "wasi:random/",
    "wasi_snapshot_preview1.",
    "wasi_unstable.",
];

/// Returns what a program asks for beyond what every program has.
pub(super) fn needs(wasm: &Wasm) -> Vec<Need> {
    let starts = |import: &str, starts: &[&str]| starts.iter().any(|start| import.starts_with(start));
    let of = |is_it: &dyn Fn(&str) -> bool| -> Vec<String> {
        wasm.imports.iter().filter(|import| is_it(import)).cloned().collect()
    };
    let granted = NEEDS.iter().map(|(prefixes, what, flag)| Need {
        what,
        flag: Some(flag),
        imports: of(&|import| starts(import, prefixes)),
    });
    let is_known = |import: &str| starts(import, FREE) || NEEDS.iter().any(|(prefixes, ..)| starts(import, prefixes));
    let other = Need { what: "what is not of WASI", flag: None, imports: of(&|import| !is_known(import)) };
    granted.chain([other]).filter(|need| !need.imports.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_told_with_the_flag_that_grants_it() {
        let wat = r#"(component
            (import "wasi:http/types@0.2.0" (instance))
            (import "wasi:http/outgoing-handler@0.2.0" (instance))
            (import "wasi:cli/stdout@0.2.0" (instance))
            (import "wasi:cli/environment@0.2.0" (instance))
            (import "wasi:filesystem/types@0.2.0" (instance))
            (import "wasi:sockets/tcp@0.2.0" (instance))
            (import "acme:shop/cart@1.0.0" (instance)))"#;
        let binary = wharf_artifact::from_text(wat.as_bytes()).unwrap();
        let wasm = wharf_artifact::examine(&mut std::io::Cursor::new(binary)).unwrap();
        let told: Vec<String> = needs(&wasm).iter().map(|need| format!("{} {:?}", need.what, need.flag)).collect();
        assert_eq!(
            told,
            [
                "files in folders Some(\"--dir FOLDER\")",
                "variables of the environment Some(\"--env NAME\")",
                "HTTP requests to others Some(\"--http HOST\")",
                "network connections Some(\"--net HOST:PORT\")",
                "what is not of WASI None",
            ]
        );
    }

    #[test]
    fn a_core_module_asks_by_its_functions() {
        let wat = r#"(module
            (import "wasi_snapshot_preview1" "path_open" (func))
            (import "wasi_snapshot_preview1" "environ_get" (func))
            (import "wasi_snapshot_preview1" "fd_write" (func)))"#;
        let binary = wharf_artifact::from_text(wat.as_bytes()).unwrap();
        let wasm = wharf_artifact::examine(&mut std::io::Cursor::new(binary)).unwrap();
        let flags: Vec<_> = needs(&wasm).iter().map(|need| need.flag).collect();
        assert_eq!(flags, [Some("--dir FOLDER"), Some("--env NAME")]);
    }
}
