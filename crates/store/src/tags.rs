//! The tags of a repository.

use wharf_oci::{Descriptor, Digest, TagName};

use crate::files::Lock;
use crate::{Error, Repository, documents, view};

impl Repository {
    /// Points a tag at a manifest of this repository.
    ///
    /// # Errors
    /// [`Error::ManifestUnknown`], [`Error::File`], [`Error::Json`].
    pub async fn put_tag(&self, name: &TagName, manifest: &Digest) -> Result<(), Error> {
        self.put_tags(std::slice::from_ref(name), manifest).await
    }

    /// Points tags at a manifest of this repository, which takes little longer than one.
    ///
    /// # Errors
    /// As for [`Repository::put_tag`]; after [`Error::File`], some of them may point at it.
    pub async fn put_tags(&self, names: &[TagName], manifest: &Digest) -> Result<(), Error> {
        let (names, digest) = (names.to_vec(), manifest.clone());
        self.changing(move |it| {
            let unknown = || Error::ManifestUnknown { digest: digest.clone() };
            let _lock = it.lock(Lock::Exclusive)?.ok_or_else(unknown)?;
            let descriptor = it.find_manifest(&digest)?.ok_or_else(unknown)?;
            view::change(it, |it| {
                for name in &names {
                    it.write(&it.paths.tag(name), &descriptor)?;
                }
                Ok(names.into_iter().map(|name| (name, Some(descriptor.clone()))).collect())
            })
        })
        .await
    }

    /// Returns what a tag points at; `None` where there is no such tag.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Json`].
    pub async fn resolve_tag(&self, name: &TagName) -> Result<Option<Descriptor>, Error> {
        let name = name.clone();
        self.blocking(move |it| it.find_tag(&name)).await
    }

    /// Removes a tag; whether it was there. What it points at stays.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Json`].
    pub async fn delete_tag(&self, name: &TagName) -> Result<bool, Error> {
        let name = name.clone();
        self.changing(move |it| {
            let Some(_lock) = it.lock(Lock::Exclusive)? else { return Ok(false) };
            let is_there = it.shared.files.exists(&it.paths.tag(&name))?;
            if is_there || !view::is_current(it)? {
                it.remove_tags(vec![name])?;
            }
            Ok(is_there)
        })
        .await
    }

    /// Returns the tags that come after `after`, at most `limit` of them, sorted bytewise.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn tags(&self, after: Option<&str>, limit: usize) -> Result<Vec<TagName>, Error> {
        let after = after.map(str::to_owned);
        self.blocking(move |it| {
            let mut tags = it.tag_names()?;
            tags.retain(|tag| after.as_deref().is_none_or(|after| tag.as_str() > after));
            tags.sort_unstable();
            tags.truncate(limit);
            Ok(tags)
        })
        .await
    }

    /// Returns what a tag points at.
    pub(crate) fn find_tag(&self, name: &TagName) -> Result<Option<Descriptor>, Error> {
        documents::read(&self.shared.files, &self.paths.tag(name))
    }

    /// Returns all tags, in no order.
    pub(crate) fn tag_names(&self) -> Result<Vec<TagName>, Error> {
        let names = self.shared.files.names(&self.paths.tags())?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Removes all tags of a manifest, under the lock of the caller.
    pub(crate) fn remove_tags_of(&self, manifest: &Digest) -> Result<(), Error> {
        let mut tags = Vec::new();
        for tag in self.tag_names()? {
            if self.find_tag(&tag)?.is_some_and(|descriptor| descriptor.digest == *manifest) {
                tags.push(tag);
            }
        }
        if tags.is_empty() && view::is_current(self)? { Ok(()) } else { self.remove_tags(tags) }
    }

    fn remove_tags(&self, tags: Vec<TagName>) -> Result<(), Error> {
        view::change(self, |it| {
            for tag in &tags {
                it.shared.files.remove(&it.paths.tag(tag))?;
            }
            it.shared.files.sync_directory(&it.paths.tags())?;
            Ok(tags.into_iter().map(|tag| (tag, None)).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{Fixture, manifest, run};

    fn tag(text: &str) -> TagName {
        text.parse().unwrap()
    }

    #[test]
    fn a_tag_moves_and_goes_and_its_manifest_stays() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let (one, two) = (manifest("one"), manifest("two"));
            for manifest in [&one, &two] {
                repository.put_manifest(manifest).await.unwrap();
                repository.put_tag(&tag("latest"), manifest.digest()).await.unwrap();
                assert_eq!(repository.resolve_tag(&tag("latest")).await.unwrap(), Some(manifest.descriptor()));
            }
            assert!(repository.delete_tag(&tag("latest")).await.unwrap());
            assert!(!repository.delete_tag(&tag("latest")).await.unwrap());
            assert_eq!(repository.resolve_tag(&tag("latest")).await.unwrap(), None);
            assert!(repository.manifest(two.digest()).await.unwrap().is_some());
        });
    }

    #[test]
    fn many_tags_are_put_at_once_and_the_view_has_all() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let (one, two) = (manifest("one"), manifest("two"));
            let names = ["a", "b", "c"].map(tag);
            for (manifest, names) in [(&one, &names[..2]), (&two, &names[1..])] {
                repository.put_manifest(manifest).await.unwrap();
                repository.put_tags(names, manifest.digest()).await.unwrap();
            }
            let expected = [("a", &one), ("b", &two), ("c", &two)];
            assert_eq!(
                view::tests::entries(&repository),
                expected.map(|(tag, it)| (tag.to_owned(), it.digest().clone()))
            );
            for (name, manifest) in expected {
                assert_eq!(repository.resolve_tag(&tag(name)).await.unwrap(), Some(manifest.descriptor()));
            }
        });
    }

    #[test]
    fn a_tag_needs_a_manifest_of_its_repository() {
        run(async {
            let fixture = Fixture::new().await;
            let (repository, other) = (fixture.repository("acme/hello"), fixture.repository("acme/other"));
            let manifest = manifest("one");
            other.put_manifest(&manifest).await.unwrap();
            for _ in 0..2 {
                let unknown = repository.put_tag(&tag("1"), manifest.digest()).await;
                assert!(matches!(unknown, Err(Error::ManifestUnknown { .. })), "{unknown:?}");
                // The second time, the repository is there and has the bytes, but as a blob.
                repository.mount_blob(manifest.digest(), &other).await.unwrap();
            }
            assert!(repository.tags(None, 9).await.unwrap().is_empty());
        });
    }

    #[test]
    fn tags_go_with_their_manifest_and_others_stay() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let (one, two) = (manifest("one"), manifest("two"));
            for (name, manifest) in [("a", &one), ("b", &two), ("c", &one)] {
                repository.put_manifest(manifest).await.unwrap();
                repository.put_tag(&tag(name), manifest.digest()).await.unwrap();
            }
            assert!(repository.delete_manifest(one.digest()).await.unwrap());
            assert_eq!(repository.tags(None, 9).await.unwrap(), [tag("b")]);
            assert_eq!(view::tests::entries(&repository), [("b".to_owned(), two.digest().clone())]);
        });
    }

    #[test]
    fn tags_are_listed_bytewise_page_by_page() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let manifest = manifest("one");
            repository.put_manifest(&manifest).await.unwrap();
            for name in ["b", "B", "a.1", "a-1", "_", "10", "9"] {
                repository.put_tag(&tag(name), manifest.digest()).await.unwrap();
            }
            let sorted = ["10", "9", "B", "_", "a-1", "a.1", "b"].map(tag);
            assert_eq!(repository.tags(None, 100).await.unwrap(), sorted);
            assert_eq!(repository.tags(None, 2).await.unwrap(), sorted[..2]);
            assert_eq!(repository.tags(Some("9"), 2).await.unwrap(), sorted[2..4]);
            assert_eq!(repository.tags(Some("a"), 1).await.unwrap(), sorted[4..5]);
            assert!(repository.tags(Some("b"), 9).await.unwrap().is_empty());
            assert!(repository.tags(None, 0).await.unwrap().is_empty());
        });
    }

    #[test]
    fn two_processes_tag_at_the_same_time_and_the_view_has_all() {
        let fixture = run(Fixture::new());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async {
            let one = fixture.repository("acme/hello");
            let two = fixture.other_process().await.repository(one.name());
            let tagged = (0..40).map(|number| {
                let repository = if number % 2 == 0 { one.clone() } else { two.clone() };
                tokio::spawn(async move {
                    let manifest = manifest(&number.to_string());
                    repository.put_manifest(&manifest).await.unwrap();
                    repository.put_tag(&tag(&format!("{number:02}")), manifest.digest()).await.unwrap();
                })
            });
            for task in tagged.collect::<Vec<_>>() {
                task.await.unwrap();
            }
            let tags: Vec<_> = one.tags(None, 100).await.unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(tags.len(), 40);
            let seen: Vec<_> = view::tests::entries(&two).into_iter().map(|(tag, _)| tag).collect();
            assert_eq!(seen, tags);
        });
    }
}
