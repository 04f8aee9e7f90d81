//! What is told of the Wasm in a file or an artifact, whoever says so.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use serde::Serialize;
use wharf_artifact::cncf::{DeclaredKind, WasmConfig};
use wharf_artifact::dialect::spin;
use wharf_artifact::limits::PACKAGE_BYTES_MAX;
use wharf_artifact::provider::Provider;
use wharf_artifact::{Abi, Kind, Role, Wasm, world_wit};
use wharf_oci::{Descriptor, Digest};

use crate::blocking::blocking;
use crate::input::{Input, ProviderFile};
use crate::inspect::{Source, Wit};
use crate::{Cause, Thing};

/// Bytes of a binary that is read into memory to print its WIT.
const WIT_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// What is told of it.
pub(crate) struct Facts {
    pub(crate) thing: Thing,
    pub(crate) role: Option<Role>,
    pub(crate) abi_versions: Vec<Abi>,
    pub(crate) digest: Option<Digest>,
    pub(crate) size: u64,
    pub(crate) wasi: Option<String>,
    pub(crate) package: Option<String>,
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
    pub(crate) provider: Option<ProviderFacts>,
    pub(crate) components: Vec<spin::Component>,
    pub(crate) wit: Option<String>,
    pub(crate) source: Source,
}

/// What a provider says of itself. Its claims were checked: they are signed, valid now, and true of every file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderFacts {
    /// The name, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who makes it.
    pub vendor: String,
    /// The version, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// A number that grows with each release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<i32>,
    /// The account that signed it.
    pub issuer: String,
    /// The provider's own key.
    pub subject: String,
    /// From when on the claims are no longer valid (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Its binaries, sorted by target.
    pub targets: Vec<TargetFacts>,
}

/// A binary of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetFacts {
    /// The platform, such as `x86_64-linux`.
    pub name: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl Facts {
    /// Tells what bytes say.
    pub(crate) async fn of_input(input: &Input, wit: Wit) -> Result<Self, Cause> {
        match input {
            Input::Wasm(file) => {
                let wit = print_file(&file.path, wit).await?;
                Ok(Self { wit, ..Self::of_wasm(&file.wasm) })
            }
            Input::Provider(file) => Self::of_provider(file, wit),
        }
    }

    fn of_wasm(wasm: &Wasm) -> Self {
        Self {
            role: wasm.role(),
            abi_versions: wasm.proxy_wasm_abis(),
            digest: Some(wasm.digest.clone()),
            size: wasm.size,
            wasi: wasm.wasi_version().map(|version| version.to_string()),
            package: wasm.package.clone(),
            imports: wasm.imports.clone(),
            exports: wasm.exports.clone(),
            ..Self::empty(Thing::Wasm(wasm.kind), Source::Bytes)
        }
    }

    fn of_provider(file: &ProviderFile, wit: Wit) -> Result<Self, Cause> {
        let world = file.provider.world.as_deref();
        let wit = match (wit, world) {
            (Wit::Omit, _) => None,
            (Wit::Print, Some(world)) => Some(world_wit(world)?),
            (Wit::Print, None) => return Err(Cause::NoWorld),
        };
        Ok(Self {
            digest: Some(file.digest.clone()),
            size: file.size,
            provider: Some(ProviderFacts::of(&file.provider)),
            wit,
            ..Self::empty(Thing::Provider, Source::Bytes)
        })
    }

    /// Tells what a locked app says.
    pub(crate) fn of_application(components: Vec<spin::Component>, layers: &[Descriptor]) -> Self {
        let size = layers.iter().map(|layer| layer.size).fold(0, u64::saturating_add);
        Self { size, components, ..Self::empty(Thing::Application, Source::Config) }
    }

    /// Takes the maker's word where it is clear. A core module's config names no imports, so its bytes are read.
    pub(crate) fn of_config(config: &WasmConfig, layer: &Descriptor) -> Option<Self> {
        let component = config.component.as_ref()?;
        let is_component = match config.declared_kind() {
            DeclaredKind::Component => true,
            DeclaredKind::ComponentOrWitPackage => layer.size > PACKAGE_BYTES_MAX,
            DeclaredKind::Module | DeclaredKind::Unclear => false,
        };
        if !is_component {
            return None;
        }
        let wasi = wharf_artifact::wasi_of_interfaces(component.imports.iter().chain(&component.exports));
        Some(Self {
            digest: Some(layer.digest.clone()),
            size: layer.size,
            wasi: wasi.map(|version| version.to_string()),
            imports: component.imports.clone(),
            exports: component.exports.clone(),
            ..Self::empty(Thing::Wasm(Kind::Component), Source::Config)
        })
    }

    fn empty(thing: Thing, source: Source) -> Self {
        Self {
            thing,
            role: None,
            abi_versions: Vec::new(),
            digest: None,
            size: 0,
            wasi: None,
            package: None,
            imports: Vec::new(),
            exports: Vec::new(),
            provider: None,
            components: Vec::new(),
            wit: None,
            source,
        }
    }
}

impl ProviderFacts {
    fn of(provider: &Provider) -> Self {
        let claims = &provider.claims;
        let description = &claims.description;
        let targets = provider.targets.iter().map(|target| TargetFacts {
            name: target.name.clone(),
            digest: target.digest.clone(),
            size: target.size,
        });
        Self {
            name: description.name.clone(),
            vendor: description.vendor.clone(),
            version: description.version.clone(),
            revision: description.revision,
            issuer: claims.issuer.to_string(),
            subject: claims.subject.to_string(),
            expires: claims.expires_text(),
            targets: targets.collect(),
        }
    }
}

/// Reads a binary whole and prints its world, where that was asked for.
async fn print_file(path: &Path, wit: Wit) -> Result<Option<String>, Cause> {
    if wit == Wit::Omit {
        return Ok(None);
    }
    let path = path.to_owned();
    blocking(move || {
        let mut file = File::open(&path).map_err(Cause::file("open", &path))?;
        let size = file.seek(std::io::SeekFrom::End(0)).map_err(Cause::file("read", &path))?;
        if size > WIT_BYTES_MAX {
            return Err(Cause::TooLargeForWit { size, limit: WIT_BYTES_MAX });
        }
        file.rewind().map_err(Cause::file("read", &path))?;
        let mut bytes = Vec::new();
        file.take(WIT_BYTES_MAX).read_to_end(&mut bytes).map_err(Cause::file("read", &path))?;
        Ok(Some(world_wit(&bytes)?))
    })
    .await
}
