//! An artifact, a registry that serves it by a script, and a home to pull it into.

use std::process::Output;

use wharf::oci::{Descriptor, ImageManifest, Manifest, MediaType};
use wharf_testing::fixtures;
use wharf_testing::script::{Reply, ScriptServer, Step};

use crate::session::Session;

/// The request for the manifest.
pub(crate) const MANIFEST: &str = "GET /v2/acme/hello/manifests/1.0.0";
/// Pulls over a file that is there already, which a command that fails must leave as it is.
pub(crate) const PULL: &str = "pull HOST/acme/hello:1.0.0 --force --output kept.wasm";
/// The file that is there already.
const KEPT: &[u8] = b"what was there before";

/// A component as an artifact, and the session of whoever wants it.
pub(crate) struct Scene {
    pub(crate) session: Session,
    pub(crate) component: Vec<u8>,
    pub(crate) manifest: Manifest,
    /// The names of the files in the home.
    files: Vec<String>,
}

impl Scene {
    /// Makes a small artifact, and a home with the file `kept.wasm`.
    pub(crate) fn new() -> Self {
        Self::with_component(fixtures::component("hello"))
    }

    /// Makes an artifact of this component, and a home with the file `kept.wasm`.
    pub(crate) fn with_component(component: Vec<u8>) -> Self {
        let session = Session::new();
        session.write("kept.wasm", KEPT);
        let config = Descriptor::of(MediaType::OCI_EMPTY, b"{}");
        let layer = Descriptor::of(MediaType::WASM, &component);
        let manifest = Manifest::from_image(&ImageManifest::new(config, vec![layer])).unwrap();
        Self { session, component, manifest, files: vec!["kept.wasm".to_owned()] }
    }

    /// Writes one more file into the home.
    pub(crate) fn write(&mut self, name: &str, bytes: impl AsRef<[u8]>) {
        self.session.write(name, bytes);
        self.files.push(name.to_owned());
        self.files.sort();
    }

    /// Returns the request for the component.
    pub(crate) fn blob_line(&self) -> String {
        format!("GET /v2/acme/hello/blobs/{}", Descriptor::of(MediaType::WASM, &self.component).digest)
    }

    /// Serves the manifest as it is.
    pub(crate) fn manifest(&self) -> Step {
        Step::new(MANIFEST, serve(&self.manifest))
    }

    /// Serves the manifest as it is, and something for the component.
    pub(crate) fn blob(&self, replies: impl IntoIterator<Item = Reply>) -> Vec<Step> {
        let line = self.blob_line();
        let blobs = replies.into_iter().map(|reply| Step::new(&line, reply));
        std::iter::once(self.manifest()).chain(blobs).collect()
    }

    /// Runs `line` against a registry of its own, which must be asked for all of `steps` and nothing else.
    ///
    /// `HOST` in the line stands for the registry.
    pub(crate) async fn run(&mut self, remark: &str, line: &str, steps: Vec<Step>) -> Output {
        let server = ScriptServer::start(steps).await;
        let output = self.run_at(&server, remark, line, &[]);
        server.assert_finished();
        output
    }

    /// Runs `line` against a registry, with more variables.
    pub(crate) fn run_at(
        &mut self,
        server: &ScriptServer,
        remark: &str,
        line: &str,
        variables: &[(&str, &str)],
    ) -> Output {
        let host = server.address().to_string();
        self.session.hide(host.clone(), "[REGISTRY]");
        self.session.remark(remark);
        self.session.run_with(&line.replace("HOST", &host), variables, b"")
    }

    /// Lets [`PULL`] fail against a registry of its own, and checks that it leaves nothing behind.
    pub(crate) async fn fail(&mut self, remark: &str, steps: Vec<Step>) {
        let output = self.run(remark, PULL, steps).await;
        self.assert_failed(&output);
    }

    /// Checks that a command failed, said nothing on standard output, and left the home as it was.
    pub(crate) fn assert_failed(&self, output: &Output) {
        let transcript = self.session.transcript();
        assert!(!output.status.success() && output.stdout.is_empty(), "{transcript}");
        self.assert_untouched();
    }

    /// Checks that the home is as it was.
    pub(crate) fn assert_untouched(&self) {
        let transcript = self.session.transcript();
        assert_eq!(self.session.files(), self.files, "{transcript}");
        assert_eq!(std::fs::read(self.session.path("kept.wasm")).unwrap(), KEPT, "{transcript}");
    }
}

/// A registry's reply with a manifest.
pub(crate) fn serve(manifest: &Manifest) -> Reply {
    Reply::new(200)
        .header("content-type", manifest.media_type().as_str())
        .header("docker-content-digest", manifest.digest().to_string())
        .body(manifest.bytes().clone())
}
