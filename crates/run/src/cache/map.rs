//! The one place where bytes of a file become code that runs.

use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use super::check::Checked;
use super::error::CacheError;
use super::seal::Kind;
use crate::Code;
use crate::code::{CompiledComponent, CompiledModule};

/// Where a process finds the files that it has open, by number.
const OPEN_FILES: &str = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };

/// Maps code. It is not read but where it runs.
#[expect(unsafe_code, reason = "the engine takes no compiled code without a promise of what it is")]
pub(super) fn map(engine: &Engine, checked: &Checked) -> Result<Code, CacheError> {
    let path = path_of(checked);
    // SAFETY: the engine must be given what `serialize` of the same kind gave, and the file must not change while it is
    // mapped.
    //
    // * `Checked` is made by the checks alone. They compared an HMAC, whose key only this user has, over the SHA-256 of the
    //   bytes and the kind; `CodeCache::keep`, which makes such an HMAC of new bytes, takes them from `serialize`. That the
    //   file still holds these bytes was seen in its hash, or in a change time that a write would have moved.
    // * The engine compares its version and settings with those in the file.
    // * The file is the one that was checked: `path` names the open file. Where the system has no such names, it is in a
    //   folder that only this user writes in.
    // * The file is this user's, writable by nobody else, and read-only. This crate never writes to a file that has its
    //   name: it replaces or removes the name, and what is mapped stays. A program of the same user that does write to it
    //   could write to this process as well.
    let mapped = unsafe {
        match checked.kind() {
            Kind::Module => Module::deserialize_file(engine, path).map(|it| Code::Module(CompiledModule(it))),
            Kind::Component => {
                Component::deserialize_file(engine, path).map(|it| Code::Component(CompiledComponent(it)))
            }
        }
    };
    mapped.map_err(|source| CacheError::Map { path: checked.path().to_owned(), source: source.into() })
}

/// Returns the name of the open file, so that no other can take its place.
fn path_of(checked: &Checked) -> PathBuf {
    let open = PathBuf::from(format!("{OPEN_FILES}/{}", checked.file().as_raw_fd()));
    match open.symlink_metadata() {
        Ok(_) => open,
        Err(_) => checked.path().to_owned(),
    }
}
