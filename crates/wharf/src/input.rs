//! The file that a verb is given: Wasm, or a provider archive of wasmCloud.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use wharf_artifact::provider::{self, ArchiveOptions, InvalidProvider, Provider};
use wharf_artifact::search::What;
use wharf_artifact::{InvalidWasm, Packing as Compressed};
use wharf_oci::{Algorithm, Digest, Hashed, Hashing};

use crate::blocking::blocking;
use crate::extract::Extracted;
use crate::package::{Package, Piece};
use crate::packing::Packing;
use crate::wasm_file::{WasmFile, open_file};
use crate::{Cause, Description, Form, Thing};

/// How many bytes of a file are read at a time.
const READ_BYTES: usize = 256 * 1024;

/// A file that can be packed or told of.
pub(crate) enum Input {
    Wasm(Box<WasmFile>),
    Provider(Box<ProviderFile>),
}

/// A provider archive in a file.
pub(crate) struct ProviderFile {
    pub(crate) path: PathBuf,
    pub(crate) provider: Provider,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

impl Input {
    /// Examines a file; `now`, in seconds since 1970, is when the claims of a provider have to hold.
    pub(crate) async fn open(path: &Path, scratch: &Path, now: u64) -> Result<Self, Cause> {
        let wasm = match WasmFile::open(path, scratch).await {
            Ok(file) => return Ok(Self::Wasm(Box::new(file))),
            Err(cause) => cause,
        };
        let packing = match &wasm {
            Cause::Wasm(InvalidWasm::Packed { packing }) => *packing,
            _ => return Err(wasm),
        };
        if !matches!(packing, Compressed::Gzip | Compressed::Tar) {
            return Err(wasm);
        }
        match ProviderFile::open(path.to_owned(), now).await {
            Ok(file) => Ok(Self::Provider(Box::new(file))),
            Err(cause) if is_of_something_else(&cause) && !is_named_provider(path) => Err(wasm),
            Err(cause) => Err(cause),
        }
    }

    /// Examines what was taken out of an artifact; where that was told to be a provider archive, it has to be one.
    pub(crate) async fn open_extracted(extracted: &Extracted, scratch: &Path, now: u64) -> Result<Self, Cause> {
        let path = extracted.file.path();
        match extracted.what {
            What::Wasm | What::Text => Self::open(path, scratch, now).await,
            What::Provider => Ok(Self::Provider(Box::new(ProviderFile::open(path.to_owned(), now).await?))),
        }
    }

    /// Returns what it is.
    pub(crate) fn thing(&self) -> Thing {
        match self {
            Self::Wasm(file) => Thing::Wasm(file.wasm.kind),
            Self::Provider(_) => Thing::Provider,
        }
    }

    /// Returns the digest of the binary, or of the archive.
    pub(crate) fn digest(&self) -> &Digest {
        match self {
            Self::Wasm(file) => &file.wasm.digest,
            Self::Provider(file) => &file.digest,
        }
    }

    /// Returns the size in bytes.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Wasm(file) => file.wasm.size,
            Self::Provider(file) => file.size,
        }
    }

    /// Packs it; an image runs it as `entrypoint`.
    pub(crate) async fn pack(
        self,
        form: Form,
        entrypoint: String,
        description: &Description,
        scratch: &Path,
    ) -> Result<Package, Cause> {
        match self {
            Self::Wasm(file) => {
                Packing { form, files: vec![*file], extra: Vec::new(), entrypoint, description, scratch }.pack().await
            }
            Self::Provider(file) => {
                check_provider_form(form)?;
                let name = file.path.file_name().map(|name| name.to_string_lossy().into_owned());
                file.pack(name, description)
            }
        }
    }
}

/// Fails where a provider archive is to be packed as anything but what it is packed as.
pub(crate) fn check_provider_form(form: Form) -> Result<(), Cause> {
    match form {
        Form::Artifact => Ok(()),
        _ => Err(Cause::OneForm { what: "a provider archive of wasmCloud" }),
    }
}

impl ProviderFile {
    /// Reads a provider archive and checks its claims and all of its hashes.
    pub(crate) async fn open(path: PathBuf, now: u64) -> Result<Self, Cause> {
        blocking(move || {
            let mut reader = Hashing::new(Algorithm::Sha256, open_file(&path)?);
            let provider = provider::read(BufReader::with_capacity(READ_BYTES, &mut reader), now)?;
            // What stands behind the end of the tar belongs to the file too.
            let Hashed { digest, size } = reader.read_rest().map_err(Cause::file("read", &path))?;
            Ok(Self { path, provider, digest, size })
        })
        .await
    }

    /// Packs it under this file name.
    pub(crate) fn pack(self, file_name: Option<String>, description: &Description) -> Result<Package, Cause> {
        let Description { annotations, author, world, root_ids, .. } = description;
        if author.is_some() || world.is_some() || !root_ids.is_empty() {
            return Err(Cause::ProviderDescription);
        }
        let Self { path, provider, digest, size } = self;
        let options = ArchiveOptions { digest: digest.clone(), size, file_name, annotations: annotations.clone() };
        let package = Package::new(provider::build(&provider.claims, &options)?);
        Ok(package.with_content(digest, vec![Piece::File { path, size }]))
    }
}

/// Whether nothing in an archive tells that it was meant as that of a provider.
fn is_of_something_else(cause: &Cause) -> bool {
    use InvalidProvider::{NoClaims, Tar, Unexpected};
    matches!(cause, Cause::Provider(Tar(_) | NoClaims | Unexpected { .. }))
}

/// Whether a file goes by a name that provider archives have.
fn is_named_provider(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".par") || name.ends_with(".par.gz")
}
