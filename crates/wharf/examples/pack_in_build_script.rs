//! Packs Wasm as a container image from a build script, which is what the library `oci-tar-builder` is used for.
//!
//! Take [`pack_image`] into `build.rs`, with `wharf` and `tokio` among the `build-dependencies`, and call it with the
//! folder that Cargo gives to build scripts:
//!
//! ```text
//! fn main() -> Result<(), Box<dyn Error>> {
//!     println!("cargo::rerun-if-changed=hello.wat");
//!     let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is set by Cargo")?;
//!     pack_image(Path::new("hello.wat"), Path::new(&out))?;
//!     Ok(())
//! }
//! ```
//!
//! The image is then `$OUT_DIR/hello.tar`: `ctr image import --no-unpack` takes it, and `wharf inspect
//! oci-archive:hello.tar` tells what is in it. It changes only when the Wasm does.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use wharf::oci::{NoProgress, Progress};
use wharf::{Form, PackOptions, PackOutcome, Surroundings};

/// Packs a Wasm file, binary or text, as `hello.tar` in `folder`.
fn pack_image(wasm: &Path, folder: &Path) -> Result<PackOutcome, Box<dyn Error>> {
    // Packing asks for no time.
    let surroundings = Surroundings { scratch: folder.to_owned(), now: 0 };
    let mut options = PackOptions::new(wasm, folder.join("hello.tar"), surroundings);
    // For containerd with runwasi; `Form::Docker` is for Docker and podman.
    options.form = Form::Image;
    options.name = Some("ghcr.io/acme/hello".to_owned());
    options.tag = "1.0.0".parse()?;
    // A build script has no terminal to show progress on.
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    // The library is asynchronous, a build script is not; files are read on threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(runtime.block_on(wharf::pack(&options, &progress))?)
}

/// Does what a build would, twice, in a folder that vanishes.
fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let wasm = folder.path().join("hello.wat");
    std::fs::write(&wasm, r#"(module (func (export "_start")))"#)?;

    let first = pack_image(&wasm, folder.path())?;
    let bytes = std::fs::read(&first.path)?;
    assert_eq!(first.name, "ghcr.io/acme/hello:1.0.0");

    let second = pack_image(&wasm, folder.path())?;
    assert_eq!((second.digest, std::fs::read(&second.path)?), (first.digest, bytes), "the same Wasm, the same image");
    Ok(())
}
