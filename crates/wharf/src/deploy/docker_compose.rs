//! A service of Docker Compose, on an engine that has the shim of runwasi for wasmtime.
//!
//! ```text
//!   port of this machine ──> container ─ runtime ─> shim ──> Wasm
//! ```

use std::num::NonZeroU16;

use super::workload::Workload;
use super::yaml::quoted;

/// Where the shim takes requests.
const SHIM_PORT: u16 = 8080;
/// Where this machine takes them unless told otherwise.
const PORT: NonZeroU16 = NonZeroU16::new(8080).expect("it is not zero");

/// Writes the file.
pub(super) fn file(workload: &Workload<'_>) -> String {
    let platform = workload.platform().map(|platform| format!("    platform: {}\n", quoted(&platform)));
    let ports = workload.serves_http().then(|| {
        // Other machines do not reach it.
        let published = format!("127.0.0.1:{}:{SHIM_PORT}", workload.settings.port.unwrap_or(PORT));
        format!("    ports:\n      - {}\n", quoted(&published))
    });
    format!(
        r#"services:
  {name}:
    image: {image}
{platform}    runtime: "io.containerd.wasmtime.v1"
{ports}"#,
        name = quoted(workload.name.as_str()),
        image = quoted(&workload.image()),
        platform = platform.unwrap_or_default(),
        ports = ports.unwrap_or_default(),
    )
}
