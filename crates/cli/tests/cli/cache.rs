//! `wharf cache`.

use std::os::unix::fs::PermissionsExt as _;

use crate::session::{Session, output, wharf};

/// A program that does nothing.
const NOTHING: &str = r#"(module (func (export "_start")))"#;

#[test]
fn cache() {
    let mut session = Session::new();
    session.write("nothing.wat", NOTHING);
    session.remark("nothing has run yet");
    session.run("cache verify");
    session.run("run nothing.wat");
    let folder = session.path(".cache/wharf/_code/v1");
    let code = || {
        let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|end| end == "code")).collect::<Vec<_>>()
    };
    let [kept] = &code()[..] else { panic!("{:?}", code()) };
    let size = std::fs::metadata(kept).unwrap().len();
    let name = kept.file_stem().unwrap().to_str().unwrap().to_owned();
    session.hide(name, "[NAME]");
    let verified = output(&mut wharf(&session.path(""), "cache verify --json"), b"");
    let verified: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(verified["verified"]["sound"]["bytes"], size);
    std::fs::set_permissions(kept, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut bytes = std::fs::read(kept).unwrap();
    bytes[100] ^= 1;
    std::fs::write(kept, bytes).unwrap();
    session.remark("somebody wrote to the code");
    session.run("cache verify");
    session.run("cache verify");
    session.run("run nothing.wat");
    assert_eq!(code().len(), 1);
    session.remark("how large code is depends on the engine");
    let cleared = output(&mut wharf(&session.path(""), "cache clear"), b"");
    assert!(cleared.status.success() && cleared.stdout.starts_with(b"removed 2 files, "), "{cleared:?}");
    session.run("cache clear");
    insta::assert_snapshot!("cache", session.transcript());
}
