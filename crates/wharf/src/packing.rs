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
use std::io::{self, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::{NamedTempFile, TempPath};
use wharf_artifact::cncf::{self, BuildOptions};
use wharf_artifact::istio::{self, Filter, FilterOptions};
use wharf_artifact::limits::SEARCHED_BYTES_MAX;
use wharf_artifact::{Built, Content, Entrypoint, ImageOptions, Layer, LayerFile, ManifestFormat, container, runwasi};
use wharf_oci::{Algorithm, Digest, Hashed, Hashing, MediaType};
use wharf_tar::{WriteError, Writer, decompress, frame, is_tar};

use crate::blocking::blocking;
use crate::file_sink::scratch_file;
use crate::package::{Package, Piece};
use crate::wasm_file::{WasmFile, open_file};
use crate::{Cause, Description, Form};

/// How many bytes of a file are hashed at a time.
const READ_BYTES: usize = 256 * 1024;
/// Bytes that tell a tar: its first header.
const BLOCK_BYTES: u64 = 512;

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
            created: description.created.unwrap_or_default(),
            file_name: Some(file.name.clone()),
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
            layers.push(runwasi::wasm_layer(&file.wasm, &file.name)?);
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
        let digest = digest_of(pieces.clone(), &file.wasm.digest).await?;
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
        let archive = scratch_file(self.scratch).await?;
        let Compressed { digest, size, diff_id } = compress(files, file, &archive, self.scratch).await?;
        let layer = Layer { diff_id, ..Layer::new(options.format.tar_gzip_layer(), digest.clone(), size) };
        let built: Built = istio::build_compat(filter, &layer, &options)?;
        let archive = archive.into_temp_path();
        let piece = Piece::File { path: archive.to_path_buf(), size };
        Ok(Package::new(built).with_content(digest, vec![piece]).with_temporary(archive))
    }

    fn image_options(&self) -> ImageOptions {
        let Description { created, author, annotations, manifest_format, .. } = self.description.clone();
        ImageOptions { created: created.unwrap_or_default(), author, annotations, format: manifest_format }
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

/// Returns the digest of a blob in pieces, of which the file has to be the one that was examined.
async fn digest_of(pieces: Vec<Piece>, examined: &Digest) -> Result<Digest, Cause> {
    let examined = examined.clone();
    blocking(move || {
        let mut blob = Hashing::new(Algorithm::Sha256, io::sink());
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => blob.write_all(&bytes).map_err(|error| Cause::Tar(WriteError::Write(error)))?,
                Piece::File { path, .. } => {
                    let mut file = Hashing::new(Algorithm::Sha256, open_file(&path)?);
                    let mut reader = BufReader::with_capacity(READ_BYTES, &mut file);
                    io::copy(&mut reader, &mut blob).map_err(Cause::file("read", &path))?;
                    check_unchanged(&path, file, &examined)?;
                }
            }
        }
        Ok(blob.finish().0.digest)
    })
    .await
}

/// Fails where a file that was read to its end is not the one that was examined.
pub(crate) fn check_unchanged(path: &Path, read: Hashing<File>, examined: &Digest) -> Result<(), Cause> {
    match read.finish().0.digest == *examined {
        true => Ok(()),
        false => Err(Cause::Changed { path: path.to_owned() }),
    }
}

/// Makes an extra layer of a file: one that is to be unpacked has to be a tar, others may hold anything.
pub(crate) async fn extra_layer(media_type: MediaType, path: PathBuf) -> Result<(Layer, PathBuf), Cause> {
    blocking(move || {
        // All that is said of the file comes from one reading of it.
        let mut file = Hashing::new(Algorithm::Sha256, open_file(&path)?);
        let unpacked = match media_type.is_file_system_layer() {
            true => Some(unpacked_digest(&mut file, &path, &media_type)?),
            false => None,
        };
        let Hashed { digest, size } = file.read_rest().map_err(Cause::file("read", &path))?;
        let layer = Layer::new(media_type, digest, size);
        let diff_id = unpacked.unwrap_or_else(|| layer.diff_id.clone());
        Ok((Layer { diff_id, ..layer }, path))
    })
    .await
}

/// Returns the digest of a tar once its compression, which its bytes tell, is undone.
fn unpacked_digest(file: &mut Hashing<File>, path: &Path, media_type: &MediaType) -> Result<Digest, Cause> {
    let failed = |error: io::Error| Cause::Layer { source: error.into() };
    let reader = BufReader::with_capacity(READ_BYTES, file);
    let mut tar = Hashing::new(Algorithm::Sha256, decompress(reader, SEARCHED_BYTES_MAX).map_err(failed)?);
    let mut first = Vec::new();
    (&mut tar).take(BLOCK_BYTES).read_to_end(&mut first).map_err(failed)?;
    // A tar with nothing in it starts with its end.
    let is_empty = first.len() as u64 == BLOCK_BYTES && first.iter().all(|&byte| byte == 0);
    if !is_tar(&first) && !is_empty {
        return Err(Cause::NoTar { path: path.to_owned(), media_type: media_type.clone() });
    }
    Ok(tar.read_rest().map_err(failed)?.digest)
}

/// A tar with gzip around it.
struct Compressed {
    digest: Digest,
    size: u64,
    /// The digest of the tar.
    diff_id: Digest,
}

/// Packs files, one of which is the Wasm, into `target`, which is in `scratch`.
async fn compress(
    files: Vec<LayerFile>,
    wasm: &WasmFile,
    target: &NamedTempFile,
    scratch: &Path,
) -> Result<Compressed, Cause> {
    let target = target.as_file().try_clone().map_err(Cause::file("write a layer to", scratch))?;
    let (path, size, examined) = (wasm.path.clone(), wasm.wasm.size, wasm.wasm.digest.clone());
    let scratch = scratch.to_owned();
    blocking(move || {
        let gzip = GzEncoder::new(Hashing::new(Algorithm::Sha256, target), Compression::default());
        let mut tar = Writer::new(Hashing::new(Algorithm::Sha256, gzip));
        for LayerFile { path: name, mode, content } in files {
            match content {
                Content::Bytes(bytes) => {
                    tar.file(&name, mode, bytes.len() as u64, &mut bytes.as_ref()).map_err(Cause::Tar)?;
                }
                Content::Wasm => {
                    let mut content = Hashing::new(Algorithm::Sha256, open_file(&path)?);
                    tar.file(&name, mode, size, &mut content).map_err(|error| match error {
                        WriteError::Size { .. } => Cause::Changed { path: path.clone() },
                        error => Cause::Tar(error),
                    })?;
                    check_unchanged(&path, content, &examined)?;
                }
            }
        }
        let (tar, gzip) = tar.finish().map_err(Cause::Tar)?.finish();
        let packed = gzip.finish().map_err(Cause::file("write a layer to", &scratch))?;
        let (Hashed { digest, size }, _) = packed.finish();
        Ok(Compressed { digest, size, diff_id: tar.digest })
    })
    .await
}

#[cfg(test)]
mod tests {
    use wharf_testing::{fixtures, packing};

    use super::*;

    #[tokio::test]
    async fn a_file_that_changed_since_it_was_examined_is_not_packed_in_a_tar() {
        let folder = tempfile::tempdir().unwrap();
        let (wasm, scratch) = (folder.path().join("filter.wasm"), folder.path().join("scratch"));
        std::fs::create_dir(&scratch).unwrap();
        let filter = fixtures::filter();
        let mut other = filter.clone();
        *other.last_mut().unwrap() ^= 1;
        for form in [Form::Docker, Form::IstioCompat] {
            for changed in [other.as_slice(), &filter[1..], b""] {
                std::fs::write(&wasm, &filter).unwrap();
                let files = vec![WasmFile::open(&wasm, &scratch).await.unwrap()];
                std::fs::write(&wasm, changed).unwrap();
                let (entrypoint, description) = ("filter.wasm".to_owned(), &Description::default());
                let packing = Packing { form, files, extra: Vec::new(), entrypoint, description, scratch: &scratch };
                let refused = packing.pack().await.err().unwrap();
                assert!(matches!(&refused, Cause::Changed { path } if *path == wasm), "{form}: {refused:?}");
                assert!(std::fs::read_dir(&scratch).unwrap().next().is_none());
            }
        }
    }

    #[tokio::test]
    async fn a_layer_that_is_to_be_unpacked_is_a_tar_by_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("layer");
        let tar = packing::tar(&[("file", b"content")]);
        let (gzip, empty) = (packing::gzip(&tar), vec![0; 1024]);
        let table = [
            (MediaType::OCI_LAYER, tar.clone(), Some(&tar)),
            (MediaType::OCI_LAYER_GZIP, gzip.clone(), Some(&tar)),
            (MediaType::OCI_LAYER, empty.clone(), Some(&empty)),
            (MediaType::OCI_LAYER, b"notes".to_vec(), None),
            (MediaType::OCI_LAYER_GZIP, packing::gzip(b"notes"), None),
            (MediaType::OCI_LAYER, Vec::new(), None),
            (MediaType::OCTET_STREAM, gzip.clone(), Some(&gzip)),
        ];
        for (media_type, bytes, unpacked) in table {
            std::fs::write(&path, &bytes).unwrap();
            let made = extra_layer(media_type.clone(), path.clone()).await;
            let Some(unpacked) = unpacked else {
                assert!(matches!(made, Err(Cause::NoTar { .. })), "{media_type}");
                continue;
            };
            let (layer, _) = made.unwrap();
            assert_eq!(layer.descriptor, wharf_oci::Descriptor::of(media_type, &bytes));
            assert_eq!(layer.diff_id, Digest::sha256(unpacked));
        }
    }
}
