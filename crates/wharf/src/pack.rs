//! `pack`: packs Wasm files as an archive that hosts and container tools load.

use std::ffi::OsStr;
use std::fs::read_dir;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use wharf_archive::{ArchiveWriter, Flavor, ImageName, WriteOptions};
use wharf_oci::{CopyOptions, Digest, MediaType, Progress, TagName, copy};

use crate::blocking::blocking;
use crate::file_sink::{check_inputs, check_output};
use crate::location::{Container, LocalLocation};
use crate::packing::{Packing, extra_layer};
use crate::wasm_file::WasmFile;
use crate::{Cause, Description, Error, Existing, Form, Location, Surroundings};

/// What to pack, as what, and where to.
///
/// ```no_run
/// use std::sync::Arc;
/// use wharf::oci::{NoProgress, Progress};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let progress: Arc<dyn Progress> = Arc::new(NoProgress);
/// let surroundings = wharf::Surroundings { scratch: std::env::temp_dir(), now: 1_800_000_000 };
/// let mut options = wharf::PackOptions::new("hello.wasm", "hello.tar", surroundings);
/// options.form = wharf::Form::Docker;
/// let packed = wharf::pack(&options, &progress).await?;
/// assert_eq!(packed.name, "hello:latest");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct PackOptions {
    /// Wasm files, binary or text. Several make an image of several layers, whose entrypoint is the first.
    pub files: Vec<PathBuf>,
    /// A folder of which every `.wasm` file is packed, in the order of their names, after `files`.
    pub folder: Option<PathBuf>,
    /// More layers of an image.
    pub layers: Vec<ExtraLayer>,
    /// What to pack it as.
    pub form: Form,
    /// What the image is called, with or without a registry; by default as the first file, without its ending. An
    /// image runs its last part with `.wasm` behind it.
    pub name: Option<String>,
    /// What stands before the name: `prefix/name:tag`.
    pub prefix: Option<String>,
    /// The tag.
    pub tag: TagName,
    /// The archive; one that is there already is replaced, when the new one is complete.
    pub output: PathBuf,
    /// What to say of it.
    pub description: Description,
    /// Where temporary files go, and what time it is.
    pub surroundings: Surroundings,
}

/// A layer of an image that is no Wasm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraLayer {
    /// What is in it.
    pub media_type: MediaType,
    /// The file that is the layer.
    pub path: PathBuf,
}

impl PackOptions {
    /// Packs one file as [`Form::Image`] into the archive `output`, under its own name and the tag `latest`.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>, output: impl Into<PathBuf>, surroundings: Surroundings) -> Self {
        Self {
            files: vec![file.into()],
            folder: None,
            layers: Vec::new(),
            form: Form::Image,
            name: None,
            prefix: None,
            tag: TagName::latest(),
            output: output.into(),
            description: Description::default(),
            surroundings,
        }
    }
}

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackOutcome {
    /// The artifact in the archive, pinned: `oci-archive:FILE@digest`.
    pub reference: String,
    /// The archive.
    pub path: PathBuf,
    /// The digest of the manifest.
    pub digest: Digest,
    /// What the image is called: `repository:tag`.
    pub name: String,
    /// What it was packed as.
    pub form: Form,
    /// The size of the archive in bytes.
    pub size: u64,
}

/// Packs Wasm files as an OCI archive, which for a container image is a docker archive as well.
///
/// Nothing but the options and the files goes into it: the same input gives the same bytes. A file of any size streams
/// through a few hundred KiB of memory.
///
/// # Errors
/// [`Error::PackFile`] where one of the files is at fault, else [`Error::Pack`]. The archive is then as it was before.
pub async fn pack(options: &PackOptions, progress: &Arc<dyn Progress>) -> Result<PackOutcome, Error> {
    let output = || options.output.clone();
    let failed = |source| Error::Pack { output: output(), source };
    let mut files = Vec::new();
    let asked = options.clone();
    for path in blocking(move || asked.paths()).await.map_err(failed)? {
        match WasmFile::open(&path, &options.surroundings.scratch).await {
            Ok(file) => files.push(file),
            Err(source) => return Err(Error::PackFile { file: path, output: output(), source }),
        }
    }
    pack_archive(options, files, progress).await.map_err(failed)
}

async fn pack_archive(
    options: &PackOptions,
    files: Vec<WasmFile>,
    progress: &Arc<dyn Progress>,
) -> Result<PackOutcome, Cause> {
    let PackOptions { form, output, description, surroundings, .. } = options;
    let scratch = surroundings.scratch.as_path();
    let mut extra = Vec::new();
    for ExtraLayer { media_type, path } in &options.layers {
        extra.push(extra_layer(media_type.clone(), path.clone()).await?);
    }
    let name = options.image_name(&files)?;
    let entrypoint = entrypoint(&name);
    let package = Packing { form: *form, files, extra, entrypoint, description, scratch }.pack().await?;
    let write = WriteOptions { flavor: Flavor::Oci, existing: Existing::Replace };
    let archive = ArchiveWriter::create(output, write).await?;
    // One after the other: the same input gives the same archive.
    let in_order = CopyOptions { concurrency: 1, ..CopyOptions::default() };
    copy(&package, &archive, &package.manifest, &in_order, progress).await?;
    archive.add(&package.manifest, Some(&name)).await?;
    archive.finish().await?;
    let digest = package.manifest.digest().clone();
    let location = LocalLocation {
        container: Container::OciArchive,
        path: output.clone(),
        name: None,
        digest: Some(digest.clone()),
    };
    Ok(PackOutcome {
        reference: Location::Local(location).to_string(),
        path: output.clone(),
        digest,
        name: name.qualified(),
        form: *form,
        size: size_of(output).await?,
    })
}

impl PackOptions {
    /// Returns all Wasm files, once it is known that the archive has a place to be, and takes that of none of them.
    fn paths(&self) -> Result<Vec<PathBuf>, Cause> {
        check_output(&self.output, Existing::Replace)?;
        let mut paths = self.files.clone();
        if let Some(folder) = &self.folder {
            paths.extend(wasm_files(folder)?);
        }
        let layers = self.layers.iter().map(|layer| &layer.path);
        check_inputs(&self.output, paths.iter().chain(layers).map(PathBuf::as_path))?;
        if paths.is_empty() { Err(Cause::NothingToPack) } else { Ok(paths) }
    }

    /// Returns `prefix/name:tag`.
    fn image_name(&self, files: &[WasmFile]) -> Result<ImageName, Cause> {
        let stem = files.first().map(|file| Path::new(&file.name).with_extension(""));
        let name = match (&self.name, stem) {
            (Some(name), _) => name.clone(),
            // A repository has no capitals.
            (None, stem) => stem.unwrap_or_default().to_string_lossy().to_lowercase(),
        };
        let repository = match &self.prefix {
            Some(prefix) => format!("{}/{name}", prefix.trim_end_matches('/')),
            None => name,
        };
        ImageName::new(&repository, self.tag.clone()).map_err(|source| Cause::ImageName { name: repository, source })
    }
}

async fn size_of(path: &Path) -> Result<u64, Cause> {
    let path = path.to_owned();
    let found = blocking(move || path.metadata().map_err(Cause::file("read", &path))).await?;
    Ok(found.len())
}

/// Returns the name that an image runs its Wasm by: the last part of its own name.
pub(crate) fn entrypoint(name: &ImageName) -> String {
    let repository = name.repository().unwrap_or_else(|| name.tag().as_str());
    let last = repository.rsplit('/').next().unwrap_or(repository);
    // The host of a repository that is nothing else may have a port.
    let last = last.split(':').next().unwrap_or(last);
    format!("{}.wasm", last.strip_suffix(".wasm").unwrap_or(last))
}

/// Returns the `.wasm` files of a folder, in the order of their names.
fn wasm_files(folder: &Path) -> Result<Vec<PathBuf>, Cause> {
    let failed = || Cause::file("read the folder", folder);
    let mut files = Vec::new();
    for entry in read_dir(folder).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        if path.extension() == Some(OsStr::new("wasm")) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(Cause::EmptyFolder { path: folder.to_owned() }) } else { Ok(files) }
}
