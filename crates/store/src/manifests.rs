//! The manifests of a repository, and what refers to them.

use bytes::Bytes;
use wharf_oci::limits::MANIFEST_BYTES_MAX;
use wharf_oci::{Descriptor, Digest, Manifest, MediaType, Selector, TagName};

use crate::files::Lock;
use crate::paths::file_name;
use crate::{Error, Repository, documents};

/// A part of the referrers of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferrersPage {
    /// Only those after this one, in the order of digests.
    pub after: Option<Digest>,
    /// Only those of this artifact type.
    pub artifact_type: Option<MediaType>,
    /// No more than this many.
    pub count_max: usize,
    /// No more after these have taken more than this many bytes as JSON, but two at least.
    pub bytes_max: u64,
}

impl ReferrersPage {
    /// All of them.
    const WHOLE: Self = Self { after: None, artifact_type: None, count_max: usize::MAX, bytes_max: u64::MAX };

    fn wants(&self, referrer: &Descriptor) -> bool {
        self.artifact_type.is_none() || self.artifact_type == referrer.artifact_type
    }
}

impl Repository {
    /// Stores a manifest, byte for byte, and lists it among the referrers of its subject, which need not be there.
    ///
    /// Whether what it names is there is the caller's to check.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn put_manifest(&self, manifest: &Manifest) -> Result<(), Error> {
        let manifest = manifest.clone();
        self.changing(move |it| it.store_manifest(&manifest)).await
    }

    /// Returns a manifest; `None` where this repository does not have it.
    ///
    /// # Errors
    /// [`Error::Content`] where the disk has changed its bytes, [`Error::File`], [`Error::Json`].
    pub async fn manifest(&self, digest: &Digest) -> Result<Option<Manifest>, Error> {
        let digest = digest.clone();
        self.blocking(move |it| it.read_manifest(&digest)).await
    }

    /// Returns what names a manifest; `None` where this repository does not have it.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Json`].
    pub async fn manifest_descriptor(&self, selector: &Selector) -> Result<Option<Descriptor>, Error> {
        let selector = selector.clone();
        self.blocking(move |it| match &selector {
            Selector::Tag(name) => it.find_tag(name),
            Selector::Digest(digest) => it.find_manifest(digest),
        })
        .await
    }

    /// Returns a manifest as its bytes, verified but not parsed, and what names it; `None` where this repository does
    /// not have it.
    ///
    /// # Errors
    /// [`Error::Content`] where the disk has changed its bytes, [`Error::File`], [`Error::Json`].
    pub async fn manifest_bytes(&self, selector: &Selector) -> Result<Option<(Descriptor, Bytes)>, Error> {
        let selector = selector.clone();
        self.blocking(move |it| match &selector {
            Selector::Tag(name) => it.read_by_tag(name),
            Selector::Digest(digest) => it.read_by_digest(digest),
        })
        .await
    }

    /// Removes a manifest, its tags, and its entry among the referrers of its subject; whether it was there.
    ///
    /// What it names stays. This looks at each tag of the repository.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Json`].
    pub async fn delete_manifest(&self, digest: &Digest) -> Result<bool, Error> {
        let digest = digest.clone();
        self.changing(move |it| it.remove_manifest(&digest)).await
    }

    /// Returns the descriptors of all manifests whose subject is `subject`, with their artifact type and their
    /// annotations, sorted by digest.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Json`].
    pub async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        self.referrers_page(subject, ReferrersPage::WHOLE).await
    }

    /// As [`Repository::referrers`], for a part of them.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Json`].
    pub async fn referrers_page(&self, subject: &Digest, page: ReferrersPage) -> Result<Vec<Descriptor>, Error> {
        let subject = subject.clone();
        self.blocking(move |it| it.list_referrers(&subject, &page)).await
    }

    /// Returns the descriptor of a manifest; `None` where this repository does not have it.
    pub(crate) fn find_manifest(&self, digest: &Digest) -> Result<Option<Descriptor>, Error> {
        // A deletion that was interrupted takes the bytes before the entry.
        if !self.has_blob(digest)? {
            return Ok(None);
        }
        documents::read(&self.shared.files, &self.paths.manifest(digest))
    }

    /// Whether this repository has the manifest.
    pub(crate) fn has_manifest(&self, digest: &Digest) -> Result<bool, Error> {
        Ok(self.has_blob(digest)? && self.shared.files.exists(&self.paths.manifest(digest))?)
    }

    /// The entry that makes the bytes a manifest comes last: before it, nobody sees any of this.
    fn store_manifest(&self, manifest: &Manifest) -> Result<(), Error> {
        let digest = manifest.digest();
        if self.find_manifest(digest)? == Some(manifest.descriptor()) {
            return Ok(());
        }
        let mut draft = self.shared.ingest.temporary(digest.algorithm())?;
        draft.write(manifest.bytes())?;
        let verified = draft.verify(digest)?;
        self.create()?;
        let _lock = self.lock(Lock::Shared)?;
        self.link(verified)?;
        if let Some(subject) = manifest.subject() {
            let mut referrer = manifest.descriptor();
            referrer.artifact_type = manifest.artifact_type().cloned();
            referrer.annotations.clone_from(manifest.annotations());
            self.write(&self.paths.referrer(&subject.digest, digest), &referrer)?;
        }
        self.write(&self.paths.manifest(digest), &manifest.descriptor())
    }

    fn read_manifest(&self, digest: &Digest) -> Result<Option<Manifest>, Error> {
        let Some((descriptor, bytes)) = self.read_by_digest(digest)? else { return Ok(None) };
        let manifest = Manifest::parse_as(bytes, Some(&descriptor.media_type), digest.algorithm());
        Ok(Some(manifest.map_err(|source| wharf_oci::Error::Manifest { digest: digest.clone(), source })?))
    }

    fn read_by_digest(&self, digest: &Digest) -> Result<Option<(Descriptor, Bytes)>, Error> {
        let Some(descriptor) = self.find_manifest(digest)? else { return Ok(None) };
        Ok(self.read_verified(digest)?.map(|bytes| (descriptor, bytes)))
    }

    fn read_by_tag(&self, name: &TagName) -> Result<Option<(Descriptor, Bytes)>, Error> {
        let mut missing = None;
        // The tag may be moved, and what it pointed at deleted, after the one and before the other is read.
        while let Some(descriptor) = self.find_tag(name)?
            && missing.as_ref() != Some(&descriptor.digest)
        {
            if let Some(bytes) = self.read_verified(&descriptor.digest)? {
                return Ok(Some((descriptor, bytes)));
            }
            missing = Some(descriptor.digest);
        }
        Ok(None)
    }

    /// Reads the bytes of a manifest, and compares them with its digest.
    fn read_verified(&self, expected: &Digest) -> Result<Option<Bytes>, Error> {
        let handle = match self.open_blob(expected) {
            Err(Error::BlobUnknown { .. }) => return Ok(None),
            opened => opened?,
        };
        let bytes = handle.read_whole(MANIFEST_BYTES_MAX as usize)?;
        let (read, actual) = (bytes.len() as u64, Digest::of(expected.algorithm(), &bytes));
        if actual != *expected {
            return Err(wharf_oci::Error::Digest { expected: expected.clone(), actual, read }.into());
        }
        Ok(Some(bytes))
    }

    /// The entry goes last: until then, the same can be done again after a fault.
    fn remove_manifest(&self, digest: &Digest) -> Result<bool, Error> {
        let files = &self.shared.files;
        let Some(_lock) = self.lock(Lock::Exclusive)? else { return Ok(false) };
        let entry = self.paths.manifest(digest);
        if !files.exists(&entry)? {
            return Ok(false);
        }
        self.remove_tags_of(digest)?;
        let subject = match self.read_manifest(digest) {
            Ok(manifest) => manifest.and_then(|manifest| manifest.subject().cloned()),
            // Whatever its subject was: an entry of a manifest that is not there is never listed.
            Err(Error::Content(_)) => None,
            Err(error) => return Err(error),
        };
        if let Some(subject) = subject {
            files.remove(&self.paths.referrer(&subject.digest, digest))?;
        }
        self.remove_blob(digest)?;
        files.remove(&entry)?;
        files.sync_directory(entry.parent().unwrap_or(&entry))?;
        Ok(true)
    }

    fn list_referrers(&self, subject: &Digest, page: &ReferrersPage) -> Result<Vec<Descriptor>, Error> {
        let files = &self.shared.files;
        let directory = self.paths.referrers(subject);
        let mut names = files.names(&directory)?;
        // `<algorithm>-<hex>` sorts as `<algorithm>:<hex>` does.
        names.sort_unstable();
        let after = page.after.as_ref().map(file_name);
        let (mut referrers, mut bytes) = (Vec::new(), 0_u64);
        for name in names.iter().filter(|name| after.as_ref().is_none_or(|after| *name > after)) {
            if referrers.len() >= page.count_max || (bytes > page.bytes_max && referrers.len() > 1) {
                break;
            }
            let Some(referrer) = documents::read::<Descriptor>(files, &directory.join(name))? else { continue };
            if !page.wants(&referrer) || !self.has_manifest(&referrer.digest)? {
                continue;
            }
            bytes += serde_json::to_vec(&referrer).map_or(0, |text| text.len() as u64);
            referrers.push(referrer);
        }
        Ok(referrers)
    }
}

#[cfg(test)]
mod tests {
    use wharf_oci::{Algorithm, ImageIndex};

    use super::*;
    use crate::fixtures::{Fixture, manifest, put, referrer, run};

    #[test]
    fn a_manifest_comes_back_byte_for_byte_with_its_type() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let bytes = manifest("one").bytes().to_vec();
            let spaced = [b" \n".as_slice(), &bytes].concat();
            for algorithm in Algorithm::ALL {
                let manifest = Manifest::parse_as(spaced.clone().into(), None, algorithm).unwrap();
                repository.put_manifest(&manifest).await.unwrap();
                let found = repository.manifest(manifest.digest()).await.unwrap().unwrap();
                assert_eq!(found.bytes(), &spaced);
                assert_eq!(found.descriptor(), manifest.descriptor());
            }
            let other = fixture.repository("acme/other");
            assert!(other.manifest(manifest("one").digest()).await.unwrap().is_none());
            assert!(fixture.ingest().is_empty());
        });
    }

    #[test]
    fn a_manifest_is_read_by_its_digest_and_by_its_tag() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let manifest = manifest("one");
            let name: TagName = "1.0.0".parse().unwrap();
            repository.put_manifest(&manifest).await.unwrap();
            repository.put_tag(&name, manifest.digest()).await.unwrap();
            for selector in [Selector::Digest(manifest.digest().clone()), Selector::Tag(name.clone())] {
                let found = repository.manifest_bytes(&selector).await.unwrap();
                assert_eq!(found, Some((manifest.descriptor(), manifest.bytes().clone())));
                assert_eq!(repository.manifest_descriptor(&selector).await.unwrap(), Some(manifest.descriptor()));
            }
            repository.delete_manifest(manifest.digest()).await.unwrap();
            for selector in [Selector::Digest(manifest.digest().clone()), Selector::Tag(name)] {
                assert_eq!(repository.manifest_bytes(&selector).await.unwrap(), None);
                assert_eq!(repository.manifest_descriptor(&selector).await.unwrap(), None);
            }
        });
    }

    #[test]
    fn a_type_that_only_its_transport_gave_is_kept() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let text = r#"{"schemaVersion":2,"manifests":[]}"#;
            for declared in [MediaType::DOCKER_LIST, MediaType::OCI_INDEX] {
                let list = Manifest::parse(text.into(), Some(&declared)).unwrap();
                repository.put_manifest(&list).await.unwrap();
                let found = repository.manifest(list.digest()).await.unwrap().unwrap();
                assert_eq!(*found.media_type(), declared);
            }
        });
    }

    #[test]
    fn a_blob_is_no_manifest_and_a_manifest_is_not_deleted_as_a_blob() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let digest = put(&repository, b"{}").await;
            assert!(repository.manifest(&digest).await.unwrap().is_none());
            assert!(!repository.delete_manifest(&digest).await.unwrap());
            let manifest = manifest("one");
            repository.put_manifest(&manifest).await.unwrap();
            assert!(!repository.delete_blob(manifest.digest()).await.unwrap());
            assert!(repository.manifest(manifest.digest()).await.unwrap().is_some());
        });
    }

    #[test]
    fn bytes_that_the_disk_changed_are_not_served_as_a_manifest() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let manifest = manifest("one");
            repository.put_manifest(&manifest).await.unwrap();
            let path = fixture.path().join("repositories/acme/hello/_layout/blobs/sha256");
            let path = path.join(manifest.digest().hex());
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, crate::fixtures::manifest("two").bytes()).unwrap();
            let changed = repository.manifest(manifest.digest()).await;
            assert!(matches!(changed, Err(Error::Content(wharf_oci::Error::Digest { .. }))), "{changed:?}");
            let read = repository.manifest_bytes(&Selector::Digest(manifest.digest().clone())).await;
            assert!(matches!(read, Err(Error::Content(wharf_oci::Error::Digest { .. }))), "{read:?}");
            assert!(repository.delete_manifest(manifest.digest()).await.unwrap());
        });
    }

    #[test]
    fn referrers_are_listed_with_type_and_annotations_also_before_their_subject() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let subject = manifest("subject");
            let mut expected = Vec::new();
            for note in ["a", "b", "c"] {
                let referrer = referrer(note, &subject);
                repository.put_manifest(&referrer).await.unwrap();
                let mut descriptor = referrer.descriptor().with_annotation("note", note);
                descriptor.artifact_type = Some(MediaType::from("application/vnd.example.note"));
                expected.push(descriptor);
            }
            expected.sort_by(|one, other| one.digest.cmp(&other.digest));
            assert_eq!(repository.referrers(subject.digest()).await.unwrap(), expected);
            let gone = expected.remove(1);
            assert!(repository.delete_manifest(&gone.digest).await.unwrap());
            assert_eq!(repository.referrers(subject.digest()).await.unwrap(), expected);
            assert!(!repository.paths.referrer(subject.digest(), &gone.digest).exists());
            assert!(repository.referrers(&gone.digest).await.unwrap().is_empty());
            assert!(fixture.repository("acme/other").referrers(subject.digest()).await.unwrap().is_empty());
        });
    }

    #[test]
    fn referrers_are_listed_page_by_page() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let subject = manifest("subject");
            for note in ["a", "b", "c", "d", "e"] {
                repository.put_manifest(&referrer(note, &subject)).await.unwrap();
            }
            let index = ImageIndex { subject: Some(subject.descriptor()), ..ImageIndex::new(Vec::new()) };
            repository.put_manifest(&Manifest::from_index(&index).unwrap()).await.unwrap();
            let all = repository.referrers(subject.digest()).await.unwrap();
            let typed: Vec<_> = all.iter().filter(|referrer| referrer.artifact_type.is_some()).cloned().collect();
            assert_eq!((all.len(), typed.len()), (6, 5));
            let note = typed[0].artifact_type.clone();
            let of = |after: usize| Some(all[after].digest.clone());
            let bytes = serde_json::to_vec(&all[0]).unwrap().len() as u64;
            let whole = ReferrersPage::WHOLE;
            let table = [
                (ReferrersPage { count_max: 2, ..whole.clone() }, &all[..2]),
                (ReferrersPage { after: of(1), count_max: 3, ..whole.clone() }, &all[2..5]),
                (ReferrersPage { after: of(5), ..whole.clone() }, &[]),
                (ReferrersPage { count_max: 0, ..whole.clone() }, &[]),
                (ReferrersPage { bytes_max: 0, ..whole.clone() }, &all[..2]),
                (ReferrersPage { bytes_max: 2 * bytes, ..whole.clone() }, &all[..3]),
                (ReferrersPage { artifact_type: note, count_max: 4, ..whole.clone() }, &typed[..4]),
                (ReferrersPage { artifact_type: Some(MediaType::WASM), ..whole.clone() }, &[]),
            ];
            for (page, expected) in table {
                let found = repository.referrers_page(subject.digest(), page.clone()).await.unwrap();
                assert_eq!(found, expected, "{page:?}");
            }
        });
    }

    #[test]
    fn a_tag_of_what_is_gone_points_at_nothing() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let manifest = manifest("one");
            let name: TagName = "1".parse().unwrap();
            repository.put_manifest(&manifest).await.unwrap();
            repository.put_tag(&name, manifest.digest()).await.unwrap();
            assert!(repository.remove_blob(manifest.digest()).unwrap());
            assert_eq!(repository.manifest_bytes(&Selector::Tag(name)).await.unwrap(), None);
        });
    }

    #[test]
    fn an_entry_without_bytes_is_no_manifest_and_can_be_deleted() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let manifest = manifest("one");
            repository.put_manifest(&manifest).await.unwrap();
            // As a crash leaves it in the midst of a deletion.
            assert!(repository.remove_blob(manifest.digest()).unwrap());
            assert!(repository.manifest(manifest.digest()).await.unwrap().is_none());
            let tagged = repository.put_tag(&"1".parse().unwrap(), manifest.digest()).await;
            assert!(matches!(tagged, Err(Error::ManifestUnknown { .. })), "{tagged:?}");
            assert!(repository.delete_manifest(manifest.digest()).await.unwrap());
            assert!(!repository.paths.manifest(manifest.digest()).exists());
        });
    }
}
