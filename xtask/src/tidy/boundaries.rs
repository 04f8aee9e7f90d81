//! What only some places may name: invariants 2 and 3 of `ARCHITECTURE.md`.

use super::finding::Finding;
use super::mentions::{Kind, Mention};
use super::tree::Source;

/// Something that only some places may name.
struct Boundary {
    kind: Kind,
    /// Paths from their crate on, or the names of macros.
    names: &'static [&'static str],
    /// What the paths of files begin with that may; tests may everywhere.
    allowed: &'static [&'static str],
    mend: &'static str,
}

/// Facts of the target that the compiler puts in, beside the environment and not in it.
const NOT_ENVIRONMENT: [&str; 3] = ["std", "env", "consts"];

const BOUNDARIES: &[Boundary] = &[
    Boundary {
        kind: Kind::Macro,
        names: &["print", "println", "eprint", "eprintln", "dbg"],
        allowed: &["crates/cli/", "xtask/"],
        mend: "only the command line prints; return the value",
    },
    Boundary {
        kind: Kind::Path,
        names: &["std::io::stdout", "std::io::stderr", "std::io::stdin"],
        allowed: &["crates/cli/", "xtask/"],
        mend: "only the command line has a terminal; take a reader or return the value",
    },
    Boundary {
        kind: Kind::Path,
        names: &["std::env"],
        allowed: &["crates/cli/", "xtask/"],
        mend: "only the command line reads the environment; take the value as an argument",
    },
    Boundary {
        kind: Kind::Path,
        names: &["std::process::exit", "std::process::abort"],
        allowed: &["crates/cli/", "xtask/"],
        mend: "only the command line ends the process; return an error",
    },
    Boundary {
        kind: Kind::Path,
        names: &["reqwest", "rustls", "hyper::client", "hyper_util::client"],
        allowed: &["crates/client/", "crates/run/src/http_out"],
        mend: "only `client` speaks HTTP outwards, and `run` for a guest; go through them",
    },
    Boundary {
        kind: Kind::Path,
        names: &["std::net::TcpListener", "tokio::net::TcpListener"],
        allowed: &[
            "crates/run/src/serve",
            "crates/testing/",
            "crates/wharf/src/hub",
            "crates/wharf/src/run",
            "fuzz/",
            "xtask/",
        ],
        mend: "only `wharf::hub` and `wharf::run` bind a listener; hand them the address",
    },
    Boundary {
        kind: Kind::Path,
        names: &["wasmtime", "wasmtime_wasi", "wasmtime_wasi_http"],
        // The benches have a module of that name, for the peer.
        allowed: &["crates/run/", "xtask/"],
        mend: "only `run` knows the engine; go through it",
    },
];

/// Finds what stands in the wrong place.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let code = source.mentions.iter().filter(|mention| !mention.in_test);
    code.filter_map(|mention| {
        let crossed = BOUNDARIES.iter().find(|boundary| boundary.is_crossed(&source.path, mention))?;
        let mark = if mention.kind == Kind::Macro { "!" } else { "" };
        let what = format!("`{}{mark}` does not belong here", mention.path.join("::"));
        Some(Finding { path: source.path.clone(), line: mention.line, what, mend: crossed.mend })
    })
    .collect()
}

impl Boundary {
    fn is_crossed(&self, path: &str, mention: &Mention) -> bool {
        let is_named = match self.kind {
            Kind::Macro => self.names.contains(&mention.name()),
            _ => self.names.iter().any(|name| mention.is_in(name)),
        };
        let is_named = is_named && !mention.path.iter().take(NOT_ENVIRONMENT.len()).eq(NOT_ENVIRONMENT);
        mention.kind == self.kind && is_named && !self.allowed.iter().any(|allowed| path.starts_with(allowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let source = Source::parse(path, text.to_owned()).unwrap();
        check(&source).into_iter().map(|finding| finding.line).collect()
    }

    /// Something that crosses a boundary, a place where it may stand, and one where it may not.
    const CASES: &[(&str, &str, &str)] = &[
        ("fn f() { println!(); }", "crates/cli/src/main.rs", "crates/oci/src/lib.rs"),
        ("fn f() { std::eprint!(\"\"); }", "xtask/src/main.rs", "crates/wharf/src/push.rs"),
        ("fn f() -> u8 { g(dbg!(1)) }", "xtask/src/main.rs", "crates/testing/src/lib.rs"),
        ("fn f() { vec![println!()]; }", "xtask/src/main.rs", "crates/testing/src/lib.rs"),
        ("fn f() { std::io::stdout(); }", "crates/cli/src/main.rs", "crates/oci/src/lib.rs"),
        ("fn f() { std::env::var(\"A\"); }", "crates/cli/src/main.rs", "crates/client/src/lib.rs"),
        ("use std::env::*;", "crates/cli/src/main.rs", "crates/client/src/lib.rs"),
        ("use std::{env};", "crates/cli/src/main.rs", "crates/client/src/lib.rs"),
        ("fn f() { std::process::exit(1) }", "crates/cli/src/main.rs", "crates/wharf/src/lib.rs"),
        ("fn f(_: reqwest::Client) {}", "crates/client/src/lib.rs", "crates/wharf/src/lib.rs"),
        ("use rustls::ClientConfig as C;", "crates/client/src/tls.rs", "crates/cli/src/main.rs"),
        ("use hyper_util::client::legacy;", "crates/client/src/lib.rs", "crates/wharf/src/hub.rs"),
        ("use tokio::net::TcpListener;", "crates/wharf/src/hub.rs", "crates/wharf/src/push.rs"),
        ("fn f(_: std::net::TcpListener) {}", "crates/testing/src/lib.rs", "crates/registry/src/lib.rs"),
        ("use tokio::net::*;", "crates/wharf/src/hub/mod.rs", "crates/cli/src/main.rs"),
        ("use wasmtime::Engine;", "crates/run/src/engine.rs", "crates/wharf/src/run.rs"),
        ("use wasmtime_wasi::WasiCtx;", "crates/run/src/host.rs", "crates/cli/src/main.rs"),
    ];

    #[test]
    fn what_belongs_elsewhere_is_found_there_only() {
        for (text, allowed, forbidden) in CASES {
            assert!(lines(allowed, text).is_empty(), "{allowed}: {text}");
            assert_eq!(lines(forbidden, text), [1], "{forbidden}: {text}");
        }
        assert_eq!(lines("crates/cli/src/main.rs", "use wasmtime::Engine;"), [1]);
    }

    #[test]
    fn tests_may_name_anything() {
        for (text, _, forbidden) in CASES {
            let text = format!("#[cfg(test)]\nmod tests {{\n{text}\n}}");
            assert!(lines(forbidden, &text).is_empty(), "{text}");
        }
    }

    #[test]
    fn what_only_looks_alike_is_left_alone() {
        let text = "use std::process::Command;\nuse std::env::consts::OS;\nuse hyper_util::server::conn;\nuse crate::env;\nfn f() { env!(\"A\"); env::println(); \"std::env\"; }";
        assert!(lines("crates/oci/src/lib.rs", text).is_empty());
    }
}
