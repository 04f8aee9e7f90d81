//! What a guest was refused, and the flag that grants it.

use std::fmt;

use serde::Serialize;
use wasmtime::component::types::ComponentItem;

use crate::code::{CompiledComponent, CompiledModule};
use crate::{Access, Code, Ended, Grants, Runtime};

/// The functions that open files, of WASI 0.1, and of 0.2 and 0.3.
const OPEN_MODULE: &str = "path_open";
const OPEN_COMPONENT: &str = "[method]descriptor.open-at";

/// Something that a guest was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Denied {
    /// What it asked for, as the end of "it may not …".
    pub what: String,
    /// The flag of the command line that grants it.
    pub flag: String,
}

impl fmt::Display for Denied {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

/// Tells what a guest that failed may have lacked. That is a guess: a file outside of all granted folders is refused
/// inside of the guest, by its own library, which asks nobody.
pub(crate) fn suspected(code: &Code, runtime: &Runtime, grants: &Grants, ended: &Ended) -> Option<Denied> {
    let failed = matches!(ended, Ended::Exit(code) if *code != 0);
    if failed && opens_files(code, runtime) { lacking(grants) } else { None }
}

/// Tells which folders a guest that opens files may lack.
fn lacking(grants: &Grants) -> Option<Denied> {
    let denied = |what: &str, flag| Some(Denied { what: what.to_owned(), flag });
    match grants.folders.as_slice() {
        [] => denied("open files: it was granted no folder", "--dir .".to_owned()),
        [folder, ..] if grants.folders.iter().all(|folder| folder.access == Access::Read) => {
            let host = folder.host.display();
            let flag = if folder.host.as_os_str() == folder.guest.as_str() {
                format!("--dir {host}")
            } else {
                format!("--dir {host}::{}", folder.guest)
            };
            denied("write files: it may only read in its folders", flag)
        }
        _ => None,
    }
}

fn opens_files(code: &Code, runtime: &Runtime) -> bool {
    match code {
        Code::Module(CompiledModule(module)) => module.imports().any(|import| import.name() == OPEN_MODULE),
        Code::Component(CompiledComponent(component)) => {
            component.component_type().imports(&runtime.engine).any(|(_, import)| match import.ty {
                ComponentItem::ComponentInstance(instance) => {
                    instance.exports(&runtime.engine).any(|(name, _)| name == OPEN_COMPONENT)
                }
                _ => false,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EngineOptions, Stop, Trap};

    const MODULE: &str = r#"(module (import "wasi_snapshot_preview1" "path_open"
        (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32))))"#;
    const COMPONENT: &str = r#"(component (import "wasi:filesystem/types@0.2.0" (instance
        (export "descriptor" (type $descriptor (sub resource)))
        (export "[method]descriptor.open-at" (func (param "self" (borrow $descriptor)))))))"#;

    fn grants(folders: &[&str]) -> Grants {
        Grants { folders: folders.iter().map(|folder| folder.parse().unwrap()).collect(), ..Grants::default() }
    }

    fn flag(guest: &str, folders: &[&str], ended: &Ended) -> Option<String> {
        let runtime = Runtime::new(EngineOptions::default()).unwrap();
        let code = runtime.compile(&wat::parse_str(guest).unwrap()).unwrap();
        suspected(&code, &runtime, &grants(folders), ended).map(|denied| denied.flag)
    }

    #[test]
    fn a_guest_that_failed_without_a_folder_may_lack_one() {
        let failed = Ended::Exit(1);
        for guest in [MODULE, COMPONENT] {
            assert_eq!(flag(guest, &[], &failed).as_deref(), Some("--dir ."));
            assert_eq!(flag(guest, &["data:ro", "more:ro"], &failed).as_deref(), Some("--dir data"));
            assert_eq!(flag(guest, &["data::/data:ro"], &failed).as_deref(), Some("--dir data::/data"));
            assert_eq!(flag(guest, &["data:ro", "more"], &failed), None);
        }
    }

    #[test]
    fn a_guest_that_did_well_or_trapped_or_opens_no_files_lacks_nothing() {
        let trap = Trap { message: "gone".to_owned(), frames: Vec::new(), memory_refused: false };
        assert_eq!(flag(MODULE, &[], &Ended::Trap(trap)), None);
        assert_eq!(flag(MODULE, &[], &Ended::Exit(0)), None);
        assert_eq!(flag(MODULE, &[], &Ended::Stopped(Stop::Fuel(1))), None);
        assert_eq!(flag("(module)", &[], &Ended::Exit(1)), None);
        assert_eq!(flag("(component)", &[], &Ended::Exit(1)), None);
    }
}
