//! `index.json` of a repository's image layout: what other tools see of its tags.
//!
//! The files of the tags are the truth, and this is derived from them. A change first leaves a mark beside the tags,
//! and takes it away when the view is up to date; who finds the mark, or no view that can be read, makes it anew.

use wharf_oci::{Descriptor, ImageIndex, TagName};

use crate::{Error, Repository, documents};

/// The annotation that names a descriptor of an image layout (image-spec, annotations.md).
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// What tags are to stand for; `None` where they are gone.
type Changes = Vec<(TagName, Option<Descriptor>)>;

/// Runs a change of tags, which returns what it changed, and brings the view up to date.
///
/// The caller holds the lock of the repository.
pub(crate) fn change(
    repository: &Repository,
    tags: impl FnOnce(&Repository) -> Result<Changes, Error>,
) -> Result<(), Error> {
    let files = &repository.shared.files;
    let mark = repository.paths.tags_changed();
    files.make_directory(&repository.paths.tags())?;
    let was_interrupted = files.create(&mark)?.is_none();
    let changes = tags(repository)?;
    // Whatever is wrong with the view, it can be made anew.
    let current: Option<ImageIndex> = documents::read(files, &repository.paths.index()).ok().flatten();
    let current = current.filter(|_| !was_interrupted);
    let index = match current {
        Some(index) => changed(index, changes),
        None => derived(repository)?,
    };
    repository.write(&repository.paths.index(), &index)?;
    files.remove(&mark)?;
    Ok(())
}

/// Whether no change of tags was interrupted before the view followed.
pub(crate) fn is_current(repository: &Repository) -> Result<bool, Error> {
    Ok(!repository.shared.files.exists(&repository.paths.tags_changed())?)
}

/// Makes the view from the tags.
fn derived(repository: &Repository) -> Result<ImageIndex, Error> {
    let mut entries = Vec::new();
    for tag in repository.tag_names()? {
        entries.extend(repository.find_tag(&tag)?.map(|descriptor| descriptor.with_annotation(REF_NAME, tag.as_str())));
    }
    Ok(sorted(ImageIndex::new(entries)))
}

fn changed(mut index: ImageIndex, changes: Changes) -> ImageIndex {
    for (tag, descriptor) in changes {
        index.manifests.retain(|entry| entry.annotations.get(REF_NAME).is_none_or(|name| name != tag.as_str()));
        index.manifests.extend(descriptor.map(|descriptor| descriptor.with_annotation(REF_NAME, tag.as_str())));
    }
    sorted(index)
}

fn sorted(mut index: ImageIndex) -> ImageIndex {
    index.manifests.sort_by(|one, other| one.annotations.get(REF_NAME).cmp(&other.annotations.get(REF_NAME)));
    index
}

#[cfg(test)]
pub(crate) mod tests {
    use wharf_oci::Digest;

    use super::*;
    use crate::fixtures::{Fixture, manifest, run};

    /// Returns what another tool would read in the view.
    pub(crate) fn entries(repository: &Repository) -> Vec<(String, Digest)> {
        let bytes = std::fs::read(repository.paths.index()).unwrap();
        let index: ImageIndex = serde_json::from_slice(&bytes).unwrap();
        index.manifests.into_iter().map(|entry| (entry.annotations[REF_NAME].clone(), entry.digest)).collect()
    }

    #[test]
    fn other_tools_see_each_tag_with_its_manifest() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let (one, two) = (manifest("one"), manifest("two"));
            for (tag, manifest) in [("b", &one), ("a", &one), ("c", &one), ("b", &two)] {
                repository.put_manifest(manifest).await.unwrap();
                repository.put_tag(&tag.parse().unwrap(), manifest.digest()).await.unwrap();
            }
            assert!(repository.delete_tag(&"c".parse().unwrap()).await.unwrap());
            let expected = [("a".to_owned(), one.digest().clone()), ("b".to_owned(), two.digest().clone())];
            assert_eq!(entries(&repository), expected);
            let marker = std::fs::read_to_string(repository.paths.layout_marker()).unwrap();
            assert_eq!(marker, r#"{"imageLayoutVersion":"1.0.0"}"#);
            let blob = repository.paths.blobs().join("sha256").join(two.digest().hex());
            assert_eq!(std::fs::read(blob).unwrap(), two.bytes().to_vec());
        });
    }

    #[test]
    fn a_view_that_is_missing_or_broken_is_made_anew_with_the_next_tag() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let manifest = manifest("one");
            repository.put_manifest(&manifest).await.unwrap();
            repository.put_tag(&"a".parse().unwrap(), manifest.digest()).await.unwrap();
            let index = repository.paths.index();
            let breaks: [fn(&std::path::Path); 3] = [
                |index| std::fs::remove_file(index).unwrap(),
                |index| std::fs::write(index, "{").unwrap(),
                |index| {
                    std::fs::remove_file(index).unwrap();
                    std::os::unix::fs::symlink("elsewhere", index).unwrap();
                },
            ];
            for broken in breaks {
                broken(&index);
                repository.put_tag(&"b".parse().unwrap(), manifest.digest()).await.unwrap();
                let tags: Vec<_> = entries(&repository).into_iter().map(|(tag, _)| tag).collect();
                assert_eq!(tags, ["a", "b"]);
            }
        });
    }
}
