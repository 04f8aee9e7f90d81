//! A component in JavaScript, of componentize-js: a handler of HTTP with an engine for its language inside.
//!
//! It imports `network-error-code` of `wasi:sockets/network`, which is marked unstable. That is so with all that is
//! built from WIT which lost its marks on the way, as what is fetched from a registry did.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{NEW, keep, write};
use crate::error::Error;
use crate::peers::part::Missing;
use crate::process::run_in_sight;

/// One that may lie beside the repository.
const READY: &str = "../shared/corpus/js-http-v1.wasm";
/// Where the tool goes, below the root.
const TOOL: &str = "target/peers/componentize-js-0.18.1";
/// The tool, what it needs in a version that is small, and the WIT of the WASI that its engine is built for.
const PACKAGES: [&str; 3] =
    ["@bytecodealliance/componentize-js@0.18.1", "@bytecodealliance/jco@1.9.1", "@spinframework/wasi-http-proxy@1.0.1"];
/// What npm writes last.
const INSTALLED: &str = "node_modules/.package-lock.json";
const MAIN: &str = "node_modules/@bytecodealliance/componentize-js/src/cli.js";
const WASI: &str = "node_modules/@spinframework/wasi-http-proxy/wit/wasi-http@0.2.3.wit";

const SOURCE: (&str, &str) = ("site.js", include_str!("site.js"));
const WORLD: (&str, &str) = ("world.wit", include_str!("site.wit"));

/// Returns the file of the component.
///
/// # Errors
/// [`Missing`].
pub(crate) fn obtain(root: &Path) -> Result<PathBuf, Missing> {
    let ready = root.join(READY);
    if ready.is_file() {
        return Ok(ready);
    }
    keep(root, "javascript", &[SOURCE, WORLD], |folder| {
        let tool = root.join(TOOL);
        if !tool.join(INSTALLED).is_file() {
            install(&tool)?;
        }
        let wasi = tool.join(WASI);
        let text = std::fs::read_to_string(&wasi).map_err(|source| Error::File { path: wasi, source })?;
        write(&folder.join("site.wit"), &with_unstable(&text).ok_or(Missing::NotFound)?)?;
        let mut node = Command::new("node");
        node.arg(tool.join(MAIN)).args([SOURCE.0, "--wit", "site.wit", "--world-name", "site", "--out", NEW]);
        Ok(run_in_sight(node.current_dir(folder))?)
    })
}

fn install(tool: &Path) -> Result<(), Error> {
    println!("installing {} into {TOOL}", PACKAGES[0]);
    std::fs::create_dir_all(tool).map_err(|source| Error::File { path: tool.to_owned(), source })?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]);
    // The package of the WIT names a tool to use it with, which is four times as large as all the rest.
    npm.arg("--legacy-peer-deps");
    npm.arg("--prefix").arg(tool).args(PACKAGES).current_dir(tool);
    run_in_sight(&mut npm)
}

/// Puts our world before the packages of WASI in `wasi`, and into them the function that they leave out; nothing where
/// they are not as they should be.
fn with_unstable(wasi: &str) -> Option<String> {
    let (_, packages) = wasi.split_once("\npackage wasi:")?;
    let (before, after) = packages.split_once("  interface network {\n")?;
    let function = "    network-error-code: func(err: borrow<error>) -> option<error-code>;\n";
    let (world, network) = (WORLD.1, "  interface network {\n    use wasi:io/error@0.2.3.{error};\n");
    Some(format!("{world}package wasi:{before}{network}{function}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_is_ours_and_the_network_has_the_function() {
        let wasi = "package other:proxy@0.2.3;\n\nworld other {\n}\n\npackage wasi:io@0.2.3 {\n}\n\
                    package wasi:sockets@0.2.3 {\n  interface network {\n    resource network;\n  }\n}\n";
        let text = with_unstable(wasi).unwrap();
        assert!(text.starts_with("package acme:site;\n"), "{text}");
        assert!(!text.contains("other"), "{text}");
        assert!(text.contains("\npackage wasi:io@0.2.3 {\n"), "{text}");
        let at = |wanted: &str| text.find(wanted).unwrap();
        assert!(at("interface network {") < at("network-error-code:") && at("network-error-code:") < at("resource"));
        assert_eq!(with_unstable("package wasi:io@0.2.3;\n"), None);
    }
}
