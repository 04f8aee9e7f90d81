//! What to do about a program that does not run.

use std::io::ErrorKind;

use wharf::artifact::{InvalidWasm, Kind, Packing, Role};
use wharf::running::{Error as EngineError, MissingImport};
use wharf::{Cause, RunFault};

use super::{composing, packages};
use crate::exit;

/// Who provides what Wharf does not, by what the names of interfaces start with.
const PROVIDERS: &[(&str, &str)] = &[
    ("wasi:nn/", "`wasmtime run -S nn` provides wasi:nn"),
    ("wasi:keyvalue/", "wasmCloud and Spin provide wasi:keyvalue"),
    ("wasi:config/", "wasmCloud and Spin provide wasi:config"),
    ("wasi:messaging/", "wasmCloud provides wasi:messaging"),
    ("wasi:blobstore/", "wasmCloud provides wasi:blobstore"),
    ("wasi:logging/", "wasmCloud provides wasi:logging"),
    ("wasi:tls/", "`wasmtime run -S tls` provides wasi:tls"),
    ("wasi:", "it was built for a version of WASI that is no release: build it anew for 0.2 or 0.3"),
    ("wasmcloud:", "wasmCloud provides it"),
    ("wrpc:", "wasmCloud provides it"),
    ("fermyon:", "Spin provides it"),
    ("spin:", "Spin provides it"),
    ("env", "a core module gets `env` from the program that embeds it; Emscripten and JavaScript do that"),
    ("wbg", "wasm-bindgen made it for JavaScript, which has to load it"),
    ("__wbindgen", "wasm-bindgen made it for JavaScript, which has to load it"),
    ("wasix_", "Wasmer provides WASIX"),
];

/// Returns what to do about a program that did not run; nothing where that is not about running.
pub(super) fn run_hint(program: &str, cause: &Cause) -> Option<String> {
    match cause {
        Cause::RunFault(fault) => fault_hint(program, fault),
        Cause::ComposeFault(fault) => composing::fault_hint(fault),
        Cause::File { operation: "open", source, .. } if source.kind() == ErrorKind::NotFound => {
            Some("a package is named as NAMESPACE:NAME, and a reference as HOST/REPOSITORY".to_owned())
        }
        Cause::Wasm(InvalidWasm::Packed { packing: Packing::Tar }) => {
            Some(format!("`wharf run oci-archive:{program}` runs what is in an archive"))
        }
        Cause::Offline { .. } => Some("leave --offline out once, or name it by its digest".to_owned()),
        // What there is to say of a reference is said wherever there is one.
        _ if program.contains('/') => None,
        cause => packages::get_hint(cause),
    }
}

/// Returns the exit code.
pub(super) fn code(fault: &RunFault) -> u8 {
    match fault {
        RunFault::Engine(EngineError::Engine { .. }) | RunFault::Listen { .. } | RunFault::Cache(_) => {
            exit::ENVIRONMENT
        }
        RunFault::Interrupted => exit::INTERRUPTED,
        _ => exit::USAGE,
    }
}

fn fault_hint(program: &str, fault: &RunFault) -> Option<String> {
    let hint = match fault {
        RunFault::NotRunnable { role: Some(Role::ProxyWasmFilter), .. } => {
            format!("`wharf deploy {program} --to envoy` prints what Envoy needs to run it")
        }
        RunFault::NotRunnable { role: Some(Role::KubewardenPolicy), .. } => "`kwctl run` tries it out".to_owned(),
        RunFault::NotRunnable { kind: Kind::WitPackage, .. } => {
            format!("`wharf inspect --wit {program}` prints it")
        }
        RunFault::Provider => {
            "`wharf deploy REFERENCE --to wasmcloud` prints what wasmCloud needs to run one from a registry".to_owned()
        }
        RunFault::HandlerArguments => {
            "options of wharf go before the program; --call calls one of its functions".to_owned()
        }
        RunFault::Call(invalid) => invalid.usage.trim_end().to_owned(),
        RunFault::Listen { .. } => "--listen ADDRESS takes another address; port 0 takes a free one".to_owned(),
        RunFault::Engine(EngineError::Missing { missing }) => return missing.first().map(provider),
        RunFault::Engine(EngineError::Folder { .. }) => "--dir takes a folder that is there".to_owned(),
        _ => return None,
    };
    Some(hint)
}

/// Says who provides an import.
fn provider(missing: &MissingImport) -> String {
    let MissingImport { interface, provided, .. } = missing;
    if provided.is_some() {
        return "it was built for a later version of WASI than this Wharf has".to_owned();
    }
    let known = PROVIDERS.iter().find(|(start, _)| interface.starts_with(start));
    known.map_or_else(
        || match interface.split_once('/') {
            Some((package, _)) => format!("`wharf compose COMPONENT --plug {package} -o WHOLE.wasm` plugs it in"),
            None => "whoever embeds the program provides it".to_owned(),
        },
        |(_, provider)| (*provider).to_owned(),
    )
}
