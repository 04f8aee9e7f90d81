//! The schemas that hosts' makers and others publish, and what checks YAML with them.
//!
//! | host | package | where |
//! |---|---|---|
//! | Kubernetes | `kubernetes-validate` | Python |
//! | wasmCloud | `wadm`, its source | crates |
//! | Istio, Envoy Gateway | `@kubernetes-models/…` | npm |

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::checks::Failure;
use super::part::{Missing, obtain_python};
use crate::error::{Error, chain};
use crate::process::{run_in_sight, run_successfully};

/// Checks manifests of Kubernetes, and has with it what reads YAML and JSON schemas.
const VALIDATOR: (&str, &str) = ("kubernetes-validate", "1.37.0");
/// The version of Kubernetes, of which the validator has many.
const KUBERNETES: &str = "1.37";
/// The last release that has the schema of applications.
const WADM: (&str, &str) = ("wadm", "0.12.2");
/// The last release for the Node that Debian has.
const ISTIO: Model = Model {
    package: "@kubernetes-models/istio",
    version: "2.3.0",
    module: "extensions.istio.io/v1alpha1",
    class: "WasmPlugin",
};
const ENVOY_GATEWAY: Model = Model {
    package: "@kubernetes-models/envoy-gateway",
    version: "2.0.0",
    module: "gateway.envoyproxy.io/v1alpha1",
    class: "EnvoyExtensionPolicy",
};

const JSON_SCHEMA: &str = "\
import sys, json, yaml, jsonschema
jsonschema.validate(yaml.safe_load(open(sys.argv[2])), json.load(open(sys.argv[1])))";

const YAML_TO_JSON: &str = "\
import sys, json, yaml
json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";

const CLASS: &str = "\
import { readFileSync } from 'node:fs';
const [module, name, file] = process.argv.slice(1);
const models = await import(module);
new models[name](JSON.parse(readFileSync(file))).validate();";

/// A class of JavaScript that was made of a schema.
#[derive(Clone, Copy)]
struct Model {
    package: &'static str,
    version: &'static str,
    /// The folder of the class in its package.
    module: &'static str,
    class: &'static str,
}

/// The schemas that are there.
pub(crate) struct Schemas {
    /// The folder of the validator.
    validator: Option<PathBuf>,
    wadm: Option<PathBuf>,
    /// The folders that the packages are installed in.
    istio: Option<PathBuf>,
    envoy_gateway: Option<PathBuf>,
}

impl Schemas {
    /// Finds or downloads each, and says in a line which are missing.
    pub(crate) fn obtain(root: &Path) -> Self {
        Self {
            validator: said(VALIDATOR.0, obtain_python(root, VALIDATOR.0, VALIDATOR.1)),
            wadm: said(WADM.0, obtain_source(WADM.0, WADM.1, "oam.schema.json")),
            istio: said(ISTIO.package, ISTIO.obtain(root)),
            envoy_gateway: said(ENVOY_GATEWAY.package, ENVOY_GATEWAY.obtain(root)),
        }
    }

    /// Checks manifests of Kubernetes.
    ///
    /// # Errors
    /// [`Failure::Missing`] and [`Failure::Task`], as for all others here.
    pub(crate) fn check_kubernetes(&self, manifests: &Path) -> Result<(), Failure> {
        let mut python = self.python()?;
        python.args(["-m", "kubernetes_validate", "--strict", "--kubernetes-version", KUBERNETES]).arg(manifests);
        run_successfully(&mut python)?;
        Ok(())
    }

    /// Checks an application of wadm.
    pub(crate) fn check_wadm(&self, application: &Path) -> Result<(), Failure> {
        let schema = self.wadm.as_ref().ok_or(Failure::Missing { part: WADM.0 })?;
        run_successfully(self.python()?.args(["-c", JSON_SCHEMA]).arg(schema).arg(application))?;
        Ok(())
    }

    /// Checks a plugin of Istio.
    pub(crate) fn check_istio(&self, plugin: &Path) -> Result<(), Failure> {
        self.check_model(ISTIO, self.istio.as_deref(), plugin)
    }

    /// Checks a policy of Envoy Gateway.
    pub(crate) fn check_envoy_gateway(&self, policy: &Path) -> Result<(), Failure> {
        self.check_model(ENVOY_GATEWAY, self.envoy_gateway.as_deref(), policy)
    }

    fn check_model(&self, model: Model, folder: Option<&Path>, manifest: &Path) -> Result<(), Failure> {
        let folder = folder.ok_or(Failure::Missing { part: model.package })?;
        let json = run_successfully(self.python()?.args(["-c", YAML_TO_JSON]).arg(manifest))?;
        let file = manifest.with_extension("json");
        std::fs::write(&file, json).map_err(|source| Error::File { path: file.clone(), source })?;
        let module = format!("{}/{}/{}", model.package, model.module, model.class);
        let mut node = Command::new("node");
        // Packages are looked for from the folder on that it runs in.
        node.current_dir(folder).args(["--input-type=module", "--eval", CLASS, "--", &module, model.class]).arg(file);
        run_successfully(&mut node)?;
        Ok(())
    }

    /// Returns a Python that has the validator, and what that needs.
    fn python(&self) -> Result<Command, Failure> {
        let folder = self.validator.as_ref().ok_or(Failure::Missing { part: VALIDATOR.0 })?;
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", folder);
        Ok(python)
    }
}

impl Model {
    /// Returns the folder that holds this version of the package, and what it needs. It is installed where it is missing.
    fn obtain(self, root: &Path) -> Result<PathBuf, Missing> {
        let Self { package, version, .. } = self;
        let name = package.replace(['@', '/'], "-");
        let folder = root.join("target/peers").join(format!("npm{name}-{version}"));
        if folder.join("node_modules").join(package).join("package.json").is_file() {
            return Ok(folder);
        }
        println!("installing {package} {version} into {}", folder.display());
        let mut npm = Command::new("npm");
        // Nothing of a package runs when it is installed.
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(&folder);
        std::fs::create_dir_all(&folder).map_err(|source| Error::File { path: folder.clone(), source })?;
        run_in_sight(npm.arg(format!("{package}@{version}")))?;
        Ok(folder)
    }
}

/// Returns a file in the source of a crate, which is not built.
fn obtain_source(package: &str, version: &str, file: &str) -> Result<PathBuf, Missing> {
    if let Some(path) = find_source(package, version, file) {
        return Ok(path);
    }
    // It downloads the source of this crate alone.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run_successfully(Command::new(cargo).args(["info", "--quiet", &format!("{package}@{version}")]))?;
    find_source(package, version, file).ok_or(Missing::NotFound)
}

/// Looks where Cargo keeps sources, which has a folder for each registry.
fn find_source(package: &str, version: &str, file: &str) -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| value != OsStr::new("")).map(PathBuf::from);
    let home = variable("CARGO_HOME").or_else(|| Some(variable("HOME")?.join(".cargo")))?;
    let registries = std::fs::read_dir(home.join("registry/src")).ok()?;
    let files = registries.filter_map(|entry| Some(entry.ok()?.path().join(format!("{package}-{version}")).join(file)));
    files.into_iter().find(|path| path.is_file())
}

fn said(name: &str, found: Result<PathBuf, Missing>) -> Option<PathBuf> {
    found.map_err(|missing| println!("missing {name}: {}", chain(&missing))).ok()
}
