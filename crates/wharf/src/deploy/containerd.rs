//! Commands for containerd's own client, on a machine that has the shim of runwasi for wasmtime.
//!
//! ```text
//!   ctr images pull ──> content store      ctr run ──> shim ──> Wasm
//! ```

use std::num::NonZeroU16;

use super::workload::Workload;

/// Where it takes requests unless told otherwise.
const PORT: NonZeroU16 = NonZeroU16::new(8080).expect("it is not zero");

/// Writes the commands.
pub(super) fn commands(workload: &Workload<'_>) -> String {
    let settings = workload.settings;
    let namespace = settings.namespace.as_ref().map(|namespace| format!(" --namespace {namespace}"));
    // The client speaks HTTPS to this machine too, unless it is told otherwise.
    let plain = if workload.reference.registry().is_loopback() { " --plain-http" } else { "" };
    let http = workload.serves_http().then(|| {
        let port = settings.port.unwrap_or(PORT);
        // Without the network of the host, nothing reaches it; other machines are not to either.
        format!(" --net-host --env WASMTIME_HTTP_PROXY_SOCKET_ADDR=127.0.0.1:{port}")
    });
    format!(
        r"ctr{namespace} images pull{plain} '{image}'
ctr{namespace} run --rm --runtime io.containerd.wasmtime.v1{http} '{image}' {name}
",
        namespace = namespace.unwrap_or_default(),
        image = workload.image_without_tag(),
        http = http.unwrap_or_default(),
        name = workload.name,
    )
}
