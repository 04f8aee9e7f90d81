//! One artifact of every dialect, as its own tools write it, with what a reader should find in it.

use bytes::Bytes;
use serde_json::{Value, json};
use wharf_oci::{Descriptor, Digest, ImageIndex, ImageManifest, Manifest, MediaType, MemoryStore, Platform};

use crate::fixtures::{component, filter, module, policy, wit_package};
use crate::packing::{gzip, tar, zstd};

const OCI_IMAGE: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER_IMAGE: &str = "application/vnd.docker.container.image.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const UNKNOWN: &str = "application/vnd.unknown.config.v1+json";
const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const TAR_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
const DOCKER_TAR_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const CONTENT: &str = "application/vnd.wasm.content.layer.v1+wasm";
const MODULE: &str = "application/vnd.module.wasm.content.layer.v1+wasm";
const PROVIDER: &str = "application/vnd.wasmcloud.provider.archive.layer.v1+par";
const WASM: &str = "application/wasm";

/// An artifact of one dialect.
#[derive(Debug, Clone)]
pub struct Specimen {
    /// What it is, for messages.
    pub name: &'static str,
    /// Its manifest, or an index.
    pub manifest: Manifest,
    /// All that is below the manifest: blobs, and the manifests of an index.
    pub content: Vec<(Descriptor, Bytes)>,
    /// The name of the layer to take, where there are several.
    pub choice: Option<&'static str>,
    /// The name of the dialect; nothing for what holds no Wasm.
    pub dialect: Option<&'static str>,
    /// The kind of the Wasm, such as `core module`; for what is none, what it is.
    pub kind: &'static str,
    /// The digest of the Wasm, where there is any.
    pub wasm: Option<Digest>,
}

impl Specimen {
    /// Returns the manifest and all below it, to be copied from.
    #[must_use]
    pub fn store(&self) -> MemoryStore {
        let store = MemoryStore::new();
        store.insert_manifest(&self.manifest);
        for (descriptor, bytes) in &self.content {
            store.insert(descriptor.media_type.clone(), bytes.clone());
        }
        store
    }
}

/// Returns a specimen of every dialect, and of what is in registries beside Wasm.
#[must_use]
pub fn specimens() -> Vec<Specimen> {
    [companions(), spin_apps(), providers(), artifacts(), filters(), images(), bundles(), untyped(), documents()]
        .concat()
}

/// Signatures and attestations.
fn companions() -> Vec<Specimen> {
    const SIGNATURE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
    const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let signature = Draft::new(OCI_IMAGE, &json!({}), vec![blob(SIGNATURE, "{}")]);
    let mut bundle = Draft::new(EMPTY, &json!({}), vec![blob(BUNDLE, "{}")]).of_type(BUNDLE);
    bundle.image.subject = Some(Descriptor::of(MediaType::OCI_MANIFEST, b"{}"));
    let attestation = Draft::new(OCI_IMAGE, &json!({}), vec![blob("application/vnd.in-toto+json", "{}")]);
    vec![
        signature.without_wasm("signature of cosign", "a cosign signature"),
        bundle.without_wasm("bundle of Sigstore", "a Sigstore bundle"),
        attestation.without_wasm("attestation of buildx", "an in-toto attestation"),
    ]
}

fn spin_apps() -> Vec<Specimen> {
    const APP: &str = "application/vnd.fermyon.spin.application.v1+config";
    let wasm = [component("cart"), component("front")];
    let source = |bytes: &[u8]| json!({ "content_type": WASM, "digest": Digest::sha256(bytes) });
    let app = json!({
        "spin_lock_version": 1, "triggers": [], "metadata": { "name": "shop" },
        "components": [
            { "id": "cart", "source": source(&wasm[0]), "files": [{ "path": "a", "content": { "inline": "eA==" } }] },
            { "id": "front", "source": source(&wasm[1]) },
        ],
    });
    let config = json!({
        "architecture": "wasm", "os": "Wasip1", "rootfs": { "type": "layers", "diff_ids": [] },
        "config": { "Labels": { "com.fermyon.spin.lockedAppDigest": Digest::sha256(app.to_string().as_bytes()) } },
    });
    let assets = blob("application/vnd.wasm.content.layer.v1+data", "<html>");
    let layers = vec![blob(CONTENT, wasm[0].clone()), blob(WASM, wasm[1].clone()), assets, blob(APP, app.to_string())];
    let now = Draft::new(OCI_IMAGE, &config, layers);
    let once = Draft::new(APP, &app, vec![blob(CONTENT, wasm[0].clone())]);
    let mut now = now.with_wasm("application of Spin", "spin-app", "component", &wasm[1]);
    now.choice = Some("front");
    vec![now, once.with_wasm("application of an early Spin", "spin-app", "component", &wasm[0])]
}

/// The claims of a provider with [`PROVIDER_BINARY`] for `x86_64-linux`, signed with the key of which every byte is 1,
/// for the provider with the key of which every byte is 2. They do not expire.
const CLAIMS: &str = "\
    eyJ0eXAiOiJqd3QiLCJhbGciOiJFZDI1NTE5In0.eyJqdGkiOiJzcGVjaW1lbjAwMDAwMDAwMDAwMDAiLCJpYXQiOjAsImlzcyI6\
    IkFDRklSWTY1T1FFN0RGUDVLTE5TMlBGMkxWWk1VWllKWDRPWklFUTM2TjJJUUFOVUI1WFZZWU9VIiwic3ViIjoiVkNBVFM1WU9W\
    QjZST1gyV1VOS0dOUTJNUDNHTVhETUtTRzJPNE41Q0xYM0E2VzRQWkdaWkpXSUEiLCJ3YXNjYXAiOnsibmFtZSI6InNwZWNpbWVu\
    IiwidmVuZG9yIjoiYWNtZSIsInJldiI6MSwidmVyIjoiMC4xLjAiLCJ0YXJnZXRfaGFzaGVzIjp7Ing4Nl82NC1saW51eCI6IkUz\
    MjcxOTA0REM5MDY2REM0NTVDMzhERkZFRTBFRjQxNzYwOTkwODgyRUMzRTMxOTlBRTVCNTMxOEJGRkQzQzYifX0sIndhc2NhcF9y\
    ZXZpc2lvbiI6M30.yCY-J2iIYOcLdjrJsqu9ZJ5xgiLplXLCX6I-ko65EbVL5iqNjDQek4kXo8Nb6mXcNsPqvuYFiIWZLZctNLlO\
    Dw";

const PROVIDER_BINARY: &[u8] = b"\x7fELF of a provider";

fn providers() -> Vec<Specimen> {
    const CONFIG: &str = "application/vnd.wasmcloud.provider.archive.config";
    let archive = gzip(&tar(&[("claims.jwt", CLAIMS.as_bytes()), ("x86_64-linux.bin", PROVIDER_BINARY)]));
    let (head, tail) = archive.split_at(archive.len() / 2);
    let whole = Draft::new(CONFIG, &json!({}), vec![blob(PROVIDER, archive.clone())]);
    let chunks = Draft::new(CONFIG, &json!({}), vec![blob(PROVIDER, head.to_vec()), blob(PROVIDER, tail.to_vec())]);
    let bare = Draft::new(EMPTY, &json!({}), vec![blob(TAR, archive.clone())]);
    vec![
        whole.with_provider("provider of wasmCloud"),
        chunks.with_provider("provider of wasmCloud in chunks"),
        bare.with_provider("provider of wasmCloud, pushed by ORAS"),
    ]
}

/// What is known by the type of its layer or its config, and is Wasm as it stands.
fn artifacts() -> Vec<Specimen> {
    const CNCF: &str = "application/vnd.wasm.config.v0+json";
    const TYPED: &str = "application/vnd.wasm.component.v1+wasm";
    const GADGET: &str = "application/vnd.gadget.config.v1+yaml";
    let cncf = |wasm: &[u8]| Draft::new(CNCF, &json!({ "os": "wasip2" }), vec![blob(WASM, wasm.to_vec())]);
    let plain =
        |config: &str, layer: &str, wasm: &[u8]| Draft::new(config, &json!({}), vec![blob(layer, wasm.to_vec())]);
    let component = component("artifact");
    let (module, package, policy) = (module(), wit_package(), policy());
    let (head, tail) = module.split_at(10);
    let actor_config = "application/vnd.wasmcloud.actor.archive.config";
    let actor = Draft::new(actor_config, &json!({}), vec![blob(MODULE, head.to_vec()), blob(MODULE, tail.to_vec())]);
    let kubewarden = plain("application/vnd.wasm.config.v1+json", CONTENT, &policy);
    let rules = blob("application/vnd.wasm.policy.v1+yaml", "permissions: {}");
    let wassette = Draft::new(OCI_IMAGE, &json!({}), vec![rules, blob(TYPED, component.clone())]);
    let declared = plain(EMPTY, "application/octet-stream", &component).of_type("application/vnd.wasm.component.v1");
    let ebpf = blob("application/vnd.gadget.ebpf.program.v1+binary", "\x7fELF");
    let operator = blob("application/vnd.gadget.wasm.program.v1+binary", module.clone());
    let gadget = Draft::new(GADGET, &json!({}), vec![ebpf, operator]).of_type("application/vnd.gadget.v1+binary");
    let announced = kubewarden.clone().annotated("io.kubewarden.policy.title", "pods");
    vec![
        cncf(&component).with_wasm("component of wkg", "cncf-wasm", "component", &component),
        cncf(&module).with_wasm("module in the CNCF's layout", "cncf-wasm", "core module", &module),
        cncf(&package).with_wasm("WIT package of wkg", "cncf-wasm", "WIT package", &package),
        actor.with_wasm("actor of wasmCloud in chunks", "wasmcloud-actor", "core module", &module),
        plain(UNKNOWN, MODULE, &module).with_wasm("module of Trivy", "module-layer", "core module", &module),
        announced.with_wasm("policy of kwctl", "kubewarden-policy", "core module", &policy),
        kubewarden.with_wasm("policy without annotations", "kubewarden-policy", "core module", &policy),
        plain("application/vnd.wasm.config.v1+json", "application/vnd.wasm.content.layer.v1.wasm", &module).with_wasm(
            "module of wasm-to-oci",
            "wasm-to-oci",
            "core module",
            &module,
        ),
        wassette.with_wasm("component of Wassette", "typed-wasm", "component", &component),
        declared.with_wasm("component by its artifact type", "typed-wasm", "component", &component),
        gadget.with_wasm("gadget", "gadget", "core module", &module),
        plain(EMPTY, WASM, &module).with_wasm("module of ORAS", "plain-wasm", "core module", &module),
    ]
}

/// Filters for Envoy.
fn filters() -> Vec<Specimen> {
    const RUNTIME: &str = "application/vnd.module.wasm.config.v1+json";
    let wasm = filter();
    let runtime = json!({ "type": "envoy_proxy", "abiVersions": ["v0.2.1"], "config": { "rootIds": ["my_root"] } });
    let layers = vec![blob(RUNTIME, runtime.to_string()), blob(MODULE, wasm.clone())];
    let solo = Draft::new(RUNTIME, &runtime, layers).annotated("module.wasm.runtime/type", "envoy_proxy");
    let plugin = gzip(&tar(&[("./", b""), ("./plugin.wasm", &wasm), ("runtime-config.json", b"{}")]));
    let compat = Draft::new(OCI_IMAGE, &json!({}), vec![blob(TAR_GZIP, plugin.clone())]);
    let docker = Draft::new(DOCKER_IMAGE, &json!({}), vec![blob(DOCKER_TAR_GZIP, plugin)]).of_docker();
    let papers = [
        blob("application/vnd.module.wasm.spec.v1+yaml", "apiVersion: 1.0.0"),
        blob("application/vnd.module.wasm.doc.v1.en+markdown", "# Filter"),
    ];
    let main = blob(TAR_GZIP, gzip(&tar(&[("main.wasm", &wasm)])));
    let higress = Draft::new(UNKNOWN, &json!({}), papers.into_iter().chain([main]).collect());
    let bare = Draft::new(UNKNOWN, &json!({}), vec![blob(MODULE, wasm.clone())]);
    let compat = compat.annotated("module.wasm.image/variant", "compat");
    vec![
        solo.with_wasm("filter of wasme", "istio", "core module", &wasm),
        bare.with_wasm("filter without its runtime config", "module-layer", "core module", &wasm),
        compat.with_wasm("filter in an image", "istio-compat", "core module", &wasm),
        docker.with_wasm("filter in a Docker image", "istio-compat", "core module", &wasm),
        higress.with_wasm("plugin of Higress", "higress", "core module", &wasm),
    ]
}

/// Container images.
fn images() -> Vec<Specimen> {
    const RUNWASI: &str = "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm";
    let run = |path: &str, layers| {
        let config = json!({
            "architecture": "wasm", "os": "wasip1", "rootfs": { "type": "layers", "diff_ids": [] },
            "config": { "Entrypoint": [path], "Cmd": null, "WorkingDir": "/srv" },
        });
        Draft::new(OCI_IMAGE, &config, layers)
    };
    let (module, old, component) = (module(), component("old"), component("image"));
    let lower = blob(TAR, tar(&[("srv/app.wasm", &old), ("srv/gone.wasm", &old), ("opt/a.wasm", &old)]));
    let upper = blob(TAR_ZSTD, zstd(&tar(&[("srv/", b""), ("srv/app.wasm", &component), ("srv/.wh.gone.wasm", b"")])));
    let top = blob(TAR_GZIP, gzip(&tar(&[("opt/.wh..wh..opq", b""), ("etc/motd", b"hello")])));
    let layered = run("app.wasm#run", vec![lower.clone(), upper.clone(), top.clone()]);
    let merged = run("/bin/sh", vec![lower, upper, top]);
    let text = run("/app.wat", vec![blob(TAR, tar(&[("app.wat", b"\n (module)")]))]);
    let raw = run("app.wasm", vec![blob(TAR, module.clone())]);
    let runwasi = run("app.wasm", vec![blob(RUNWASI, component.clone()), blob(TAR, tar(&[]))]);
    vec![
        runwasi.with_wasm("image of oci-tar-builder", "runwasi-image", "component", &component),
        layered.with_wasm("image that runs Wasm", "container-image", "component", &component),
        merged.with_wasm("image with one Wasm file left", "container-image", "component", &component),
        text.with_wasm("image that runs text", "container-image", "core module", b"\0asm\x01\0\0\0"),
        raw.with_wasm("image whose layer is Wasm", "container-image", "core module", &module),
    ]
}

/// Archives of other tools.
fn bundles() -> Vec<Specimen> {
    let wasm = module();
    let files: [(&str, &[u8]); 3] =
        [("hello/plugin.yaml", b"name: hello"), ("hello/plugin.wasm", &wasm), ("hello/other.wasm", &wasm)];
    let layers = vec![blob(TAR, gzip(&tar(&files))), blob("application/octet-stream", "-----BEGIN PGP SIGNED MESSAGE")];
    let helm = Draft::new(EMPTY, &json!({}), layers).of_type("application/vnd.helm.plugin.v1+json");
    vec![helm.with_wasm("plugin of Helm", "helm-plugin", "core module", &wasm)]
}

/// Pushes of which nothing is said.
fn untyped() -> Vec<Specimen> {
    let wasm = component("untyped");
    let raw = Draft::new(UNKNOWN, &json!({}), vec![blob(TAR, wasm.clone())]);
    let folder = tar(&[("dist/", b""), ("dist/app.wasm", &wasm), ("dist/README.md", b"# App")]);
    let folder = Draft::new(EMPTY, &json!({}), vec![blob("text/markdown", "# App"), blob(TAR_ZSTD, zstd(&folder))]);
    let text = Draft::new(EMPTY, &json!({}), vec![blob("text/plain", "hello")]);
    vec![
        raw.with_wasm("file of ORAS that is called a tar", "untyped", "component", &wasm),
        folder.with_wasm("folder of ORAS", "untyped", "component", &wasm),
        text.without_wasm("text of ORAS", "of no known kind"),
    ]
}

/// Manifests of other forms.
fn documents() -> Vec<Specimen> {
    let wasm = component("document");
    let (layer, bytes) = blob(WASM, wasm.clone());
    let text = json!({
        "mediaType": MediaType::OCI_ARTIFACT, "artifactType": "application/vnd.example", "blobs": [layer],
    });
    let withdrawn = Manifest::parse(text.to_string().into(), None).expect("the manifest above is valid");
    let withdrawn = Specimen {
        name: "withdrawn artifact manifest",
        manifest: withdrawn,
        content: vec![(layer, bytes)],
        choice: None,
        dialect: Some("plain-wasm"),
        kind: "component",
        wasm: Some(Digest::sha256(&wasm)),
    };
    vec![withdrawn, index(&wasm)]
}

/// An index with Wasm for two platforms, a native image, and an attestation.
fn index(wasm: &[u8]) -> Specimen {
    let image = |bytes: &[u8]| {
        let layers = vec![blob(TAR_GZIP, gzip(&tar(&[("app.wasm", bytes)])))];
        Draft::new(OCI_IMAGE, &json!({ "config": { "Entrypoint": ["/app.wasm"] } }), layers)
    };
    let attestation = Draft::new(OCI_IMAGE, &json!({}), vec![blob("application/vnd.in-toto+json", "{}")]);
    let children = [
        (image(b"\x7fELF"), "linux", "amd64"),
        (image(&component("older")), "wasip1", "wasm"),
        (image(wasm), "wasip2", "wasm"),
        (attestation, "unknown", "unknown"),
    ];
    let (mut manifests, mut content) = (Vec::new(), Vec::new());
    for (draft, os, architecture) in children {
        let child = draft.without_wasm("", "");
        let mut descriptor = child.manifest.descriptor();
        content.extend(child.content);
        content.push((descriptor.clone(), child.manifest.bytes().clone()));
        let (os, architecture) = (os.to_owned(), architecture.to_owned());
        descriptor.platform = Some(Platform { os, architecture, ..Platform::default() });
        manifests.push(descriptor);
    }
    let marked =
        manifests.pop().expect("there are four").with_annotation("vnd.docker.reference.type", "attestation-manifest");
    manifests.push(marked);
    Specimen {
        name: "index of buildx",
        manifest: Manifest::from_index(&ImageIndex::new(manifests)).expect("a small index can be written"),
        content,
        choice: None,
        dialect: Some("container-image"),
        kind: "component",
        wasm: Some(Digest::sha256(wasm)),
    }
}

/// A specimen that is not labelled yet.
#[derive(Clone)]
struct Draft {
    image: ImageManifest,
    content: Vec<(Descriptor, Bytes)>,
}

impl Draft {
    fn new(config_type: &str, config: &Value, layers: Vec<(Descriptor, Bytes)>) -> Self {
        let config = blob(config_type, config.to_string());
        let descriptors = layers.iter().map(|(descriptor, _)| descriptor.clone()).collect();
        let image = ImageManifest::new(config.0.clone(), descriptors);
        Self { image, content: [vec![config], layers].concat() }
    }

    fn of_type(mut self, artifact_type: &str) -> Self {
        self.image.artifact_type = Some(artifact_type.into());
        self
    }

    fn annotated(mut self, key: &str, value: &str) -> Self {
        self.image.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    fn of_docker(mut self) -> Self {
        self.image.media_type = Some(MediaType::DOCKER_MANIFEST);
        self
    }

    fn with_wasm(self, name: &'static str, dialect: &'static str, kind: &'static str, wasm: &[u8]) -> Specimen {
        let wasm = Some(Digest::sha256(wasm));
        Specimen { dialect: Some(dialect), wasm, ..self.without_wasm(name, kind) }
    }

    fn with_provider(self, name: &'static str) -> Specimen {
        Specimen { dialect: Some("wasmcloud-provider"), ..self.without_wasm(name, "provider archive") }
    }

    fn without_wasm(self, name: &'static str, kind: &'static str) -> Specimen {
        let manifest = Manifest::from_image(&self.image).expect("a small manifest can be written");
        Specimen { name, manifest, content: self.content, choice: None, dialect: None, kind, wasm: None }
    }
}

fn blob(media_type: &str, bytes: impl Into<Bytes>) -> (Descriptor, Bytes) {
    let bytes = bytes.into();
    (Descriptor::of(media_type.into(), &bytes), bytes)
}
