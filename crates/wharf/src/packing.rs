//! Packs Wasm files in a form: what `push`, `pack` and `copy --as` have in common.
//!
//! ```text
//!   artifact       the file is the layer
//!   image          each file is a layer, and so is each extra one
//!   docker         header + file + padding, one blob in pieces; no copy of the file is made
//!   istio          the runtime config in memory, the file is the second layer
//!   istio-compat   a tar.gz in a temporary file, since its digest is known only when all of it was compressed
//! ```

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempPath;
use wharf_artifact::cncf::{self, BuildOptions};
use wharf_artifact::istio::{self, Filter, FilterOptions};
use wharf_artifact::limits::SEARCHED_BYTES_MAX;
use wharf_artifact::{Built, Content, Entrypoint, ImageOptions, Layer, LayerFile, ManifestFormat, container, runwasi};
use wharf_oci::{Algorithm, Digest, Hasher, MediaType};
use wharf_tar::{WriteError, Writer, decompress, frame};

use crate::blocking::blocking;
use crate::file_sink::temporary_in;
use crate::package::{Package, Piece};
use crate::wasm_file::WasmFile;
use crate::{Cause, Description, Form};

/// How many bytes of a file are hashed at a time.
const READ_BYTES: usize = 256 * 1024;

/// What to pack.
pub(crate) struct Packing<'a> {
    pub(crate) form: Form,
    /// The Wasm; several make an image of several layers.
    pub(crate) files: Vec<WasmFile>,
    /// More layers of an image.
    pub(crate) extra: Vec<(Layer, PathBuf)>,
    /// By what name an image runs the first file, such as `hello.wasm`.
    pub(crate) entrypoint: String,
    pub(crate) description: &'a Description,
    /// Where temporary files are made.
    pub(crate) scratch: &'a Path,
}

impl Packing<'_> {
    /// Packs it; nothing is written but temporary files.
    pub(crate) async fn pack(mut self) -> Result<Package, Cause> {
        self.check_description()?;
        let temporaries: Vec<TempPath> = self.files.iter_mut().filter_map(WasmFile::take_temporary).collect();
        let package = match self.form {
            Form::Artifact => self.artifact(),
            Form::Image => self.image(),
            Form::Docker => self.docker().await,
            Form::Istio => self.istio(),
            Form::IstioCompat => self.istio_compat().await,
        }?;
        Ok(temporaries.into_iter().fold(package, Package::with_temporary))
    }

    fn artifact(&self) -> Result<Package, Cause> {
        let file = self.only_file()?;
        let description = self.description;
        let options = BuildOptions {
            created: description.created,
            file_name: file.name.clone(),
            annotations: description.annotations.clone(),
            author: description.author.clone(),
            target_world: description.world.clone(),
        };
        Ok(with_file(Package::new(cncf::build(&file.wasm, &options)?), file))
    }

    fn image(&self) -> Result<Package, Cause> {
        let [first, ..] = self.files.as_slice() else { return Err(Cause::NothingToPack) };
        let entrypoint = Entrypoint::new(&first.wasm, &self.entrypoint)?;
        let mut layers = Vec::new();
        for file in &self.files {
            let name = file.name.as_deref().unwrap_or(&self.entrypoint);
            layers.push(runwasi::wasm_layer(&file.wasm, name)?);
        }
        layers.extend(self.extra.iter().map(|(layer, _)| layer.clone()));
        let package = Package::new(runwasi::build(&entrypoint, &layers, &self.image_options())?);
        let package = self.files.iter().fold(package, with_file);
        Ok(self.extra.iter().fold(package, |package, (layer, path)| {
            let piece = Piece::File { path: path.clone(), size: layer.descriptor.size };
            package.with_content(layer.descriptor.digest.clone(), vec![piece])
        }))
    }

    async fn docker(&self) -> Result<Package, Cause> {
        let file = self.only_file()?;
        let entrypoint = Entrypoint::new(&file.wasm, &self.entrypoint)?;
        let LayerFile { path, mode, .. } = container::file(&entrypoint);
        let frame = frame(&path, mode, file.wasm.size).map_err(Cause::TarPath)?;
        let pieces = vec![Piece::Bytes(frame.before.into()), file_piece(file), Piece::Bytes(frame.after.into())];
        let size = pieces.iter().map(Piece::size).sum();
        let digest = digest_of(pieces.clone()).await?;
        let options = self.image_options();
        let layer = Layer::new(options.format.tar_layer(), digest.clone(), size);
        Ok(Package::new(container::build(&entrypoint, &layer, &options)?).with_content(digest, pieces))
    }

    fn istio(&self) -> Result<Package, Cause> {
        let file = self.only_file()?;
        let description = self.description;
        let options =
            FilterOptions { root_ids: description.root_ids.clone(), annotations: description.annotations.clone() };
        Ok(with_file(Package::new(istio::build(Filter::new(&file.wasm)?, &options)?), file))
    }

    async fn istio_compat(&self) -> Result<Package, Cause> {
        let file = self.only_file()?;
        let filter = Filter::new(&file.wasm)?;
        let options = self.image_options();
        let files = istio::compat_files(filter, &self.description.root_ids)?;
        let archive = compress(files, file.path.clone(), file.wasm.size, self.scratch.to_owned()).await?;
        let mut layer = Layer::new(options.format.tar_gzip_layer(), archive.digest.clone(), archive.size);
        layer.diff_id = archive.diff_id;
        let built: Built = istio::build_compat(filter, &layer, &options)?;
        let piece = Piece::File { path: archive.path.to_path_buf(), size: archive.size };
        Ok(Package::new(built).with_content(archive.digest, vec![piece]).with_temporary(archive.path))
    }

    fn image_options(&self) -> ImageOptions {
        let Description { created, author, annotations, manifest_format, .. } = self.description.clone();
        ImageOptions { created, author, annotations, format: manifest_format }
    }

    fn only_file(&self) -> Result<&WasmFile, Cause> {
        match self.files.as_slice() {
            [] => Err(Cause::NothingToPack),
            [file] if self.extra.is_empty() => Ok(file),
            _ => Err(Cause::SeveralLayers { form: self.form }),
        }
    }

    /// Fails where something is to be said that the form has no place for, so that nothing is dropped in silence.
    fn check_description(&self) -> Result<(), Cause> {
        let Description { world, author, root_ids, manifest_format, .. } = self.description;
        let (is_filter, is_image) = match self.form {
            Form::Artifact => (false, false),
            Form::Image | Form::Docker => (false, true),
            Form::Istio => (true, false),
            Form::IstioCompat => (true, true),
        };
        let form = self.form;
        let refused = [
            (world.is_some() && form != Form::Artifact, "the world that a component targets"),
            (author.is_some() && form == Form::Istio, "an author"),
            (!root_ids.is_empty() && !is_filter, "the root contexts of a filter"),
            (*manifest_format == ManifestFormat::Docker && !is_image, "a manifest of Docker's type"),
        ];
        match refused.into_iter().find(|(is_refused, _)| *is_refused) {
            Some((_, what)) => Err(Cause::NoPlaceFor { form, what }),
            None => Ok(()),
        }
    }
}

fn file_piece(file: &WasmFile) -> Piece {
    Piece::File { path: file.path.clone(), size: file.wasm.size }
}

fn with_file(package: Package, file: &WasmFile) -> Package {
    package.with_content(file.wasm.digest.clone(), vec![file_piece(file)])
}

/// Returns the digest of a blob in pieces.
async fn digest_of(pieces: Vec<Piece>) -> Result<Digest, Cause> {
    blocking(move || {
        let mut hasher = HashingWriter::new(io::sink());
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => hasher.hasher.update(&bytes),
                Piece::File { path, .. } => {
                    let file = File::open(&path).map_err(Cause::file("open", &path))?;
                    let mut reader = BufReader::with_capacity(READ_BYTES, file);
                    io::copy(&mut reader, &mut hasher).map_err(Cause::file("read", &path))?;
                }
            }
        }
        Ok(hasher.finish().0)
    })
    .await
}

/// Makes an extra layer of a file, whatever is in it.
pub(crate) async fn extra_layer(media_type: MediaType, path: PathBuf) -> Result<(Layer, PathBuf), Cause> {
    let piece = Piece::File { path: path.clone(), size: 0 };
    let size = std::fs::metadata(&path).map_err(Cause::file("open", &path))?;
    if !size.is_file() {
        return Err(Cause::NoFile { path });
    }
    let digest = digest_of(vec![piece]).await?;
    let mut layer = Layer::new(media_type, digest, size.len());
    if layer.descriptor.media_type.is_file_system_layer() {
        layer.diff_id = unpacked_digest(path.clone()).await?;
    }
    Ok((layer, path))
}

/// Returns the digest of what is in a file once its compression, which its bytes tell, is undone.
async fn unpacked_digest(path: PathBuf) -> Result<Digest, Cause> {
    blocking(move || {
        let file = File::open(&path).map_err(Cause::file("open", &path))?;
        let mut hasher = HashingWriter::new(io::sink());
        let unpacked = decompress(BufReader::with_capacity(READ_BYTES, file), SEARCHED_BYTES_MAX);
        let copied = unpacked.and_then(|mut unpacked| io::copy(&mut unpacked, &mut hasher));
        copied.map_err(|error| Cause::Layer { source: error.into() })?;
        Ok(hasher.finish().0)
    })
    .await
}

/// A tar with gzip around it, in a temporary file.
struct Compressed {
    path: TempPath,
    digest: Digest,
    size: u64,
    /// The digest of the tar.
    diff_id: Digest,
}

async fn compress(files: Vec<LayerFile>, wasm: PathBuf, size: u64, scratch: PathBuf) -> Result<Compressed, Cause> {
    blocking(move || {
        let temporary = temporary_in(&scratch, "wharf-")?;
        let failed = |source| Cause::file("write", temporary.path())(source);
        let gzip = GzEncoder::new(HashingWriter::new(temporary.as_file()), Compression::default());
        let mut tar = Writer::new(HashingWriter::new(gzip));
        for file in files {
            let written = match file.content {
                Content::Bytes(bytes) => add(&mut tar, &file.path, file.mode, &bytes),
                Content::Wasm => {
                    let mut content = File::open(&wasm).map_err(Cause::file("open", &wasm))?;
                    tar.file(&file.path, file.mode, size, &mut content)
                }
            };
            written.map_err(Cause::Tar)?;
        }
        let (diff_id, gzip) = tar.finish().map_err(Cause::Tar)?.finish();
        let (digest, file) = gzip.finish().map_err(failed)?.finish();
        let size = file.metadata().map_err(failed)?.len();
        Ok(Compressed { path: temporary.into_temp_path(), digest, size, diff_id })
    })
    .await
}

fn add(tar: &mut Writer<impl Write>, path: &str, mode: u32, bytes: &Bytes) -> Result<(), WriteError> {
    tar.file(path, mode, bytes.len() as u64, &mut bytes.as_ref())
}

/// Hashes what is written through it.
struct HashingWriter<W> {
    inner: W,
    hasher: Hasher,
}

impl<W> HashingWriter<W> {
    fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::new(Algorithm::Sha256) }
    }

    fn finish(self) -> (Digest, W) {
        (self.hasher.finish(), self.inner)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
