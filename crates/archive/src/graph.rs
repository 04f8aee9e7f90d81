//! The manifests below others, and what they say of one another.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::Mutex;
use wharf_oci::limits::{GRAPH_BYTES_MAX, GRAPH_DEPTH_MAX, GRAPH_MANIFESTS_MAX};
use wharf_oci::{Descriptor, Digest, Error, Fetch, Manifest, fetch_manifest};

/// Reads all manifests from `roots` down, each once, with what names it. What is missing is left out: a layout need
/// not hold all that an index in it names.
pub(crate) async fn manifests_below(
    source: &dyn Fetch,
    roots: &[Descriptor],
) -> Result<Vec<(Descriptor, Manifest)>, Error> {
    let mut seen = HashSet::new();
    let mut found: Vec<(Descriptor, Manifest)> = Vec::new();
    let mut bytes = 0;
    let mut level = roots.to_vec();
    for depth in 0.. {
        level.retain(|it| it.media_type.is_manifest() && seen.insert(it.digest.clone()));
        let Some(first) = level.first() else { break };
        let over = |limit, unit| Err(Error::Graph { root: first.digest.clone(), limit, unit });
        if depth >= GRAPH_DEPTH_MAX {
            return over(GRAPH_DEPTH_MAX as u64, "levels");
        }
        let mut next = Vec::new();
        for descriptor in &level {
            let manifest = match fetch_manifest(source, descriptor).await {
                Err(Error::NotFound { .. }) => continue,
                fetched => fetched?,
            };
            bytes += manifest.bytes().len() as u64;
            if manifest.media_type().is_index() {
                next.extend(manifest.children().cloned());
            }
            found.push((descriptor.clone(), manifest));
            if found.len() > GRAPH_MANIFESTS_MAX {
                return over(GRAPH_MANIFESTS_MAX as u64, "manifests");
            }
            if bytes > GRAPH_BYTES_MAX {
                return over(GRAPH_BYTES_MAX, "bytes of manifests");
            }
        }
        level = next;
    }
    Ok(found)
}

/// Which manifests have which subject, worked out once for the same list of manifests.
#[derive(Debug, Default)]
pub(crate) struct Subjects(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    roots: Vec<Descriptor>,
    referrers: Arc<HashMap<Digest, Vec<Descriptor>>>,
}

impl Subjects {
    /// Returns what refers to `digest` among the manifests from `roots` down.
    pub(crate) async fn referrers(
        &self,
        source: &dyn Fetch,
        roots: Vec<Descriptor>,
        digest: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        let mut known = self.0.lock().await;
        let referrers = match &*known {
            Some(known) if known.roots == roots => Arc::clone(&known.referrers),
            _ => {
                let referrers = Arc::new(by_subject(source, &roots).await?);
                *known = Some(Known { roots, referrers: Arc::clone(&referrers) });
                referrers
            }
        };
        Ok(referrers.get(digest).cloned().unwrap_or_default())
    }
}

async fn by_subject(source: &dyn Fetch, roots: &[Descriptor]) -> Result<HashMap<Digest, Vec<Descriptor>>, Error> {
    let mut referrers: HashMap<_, Vec<_>> = HashMap::new();
    for (_, manifest) in manifests_below(source, roots).await? {
        let Some(subject) = manifest.subject() else { continue };
        // What a list of referrers gives of each (distribution-spec, "Listing Referrers").
        let mut descriptor = manifest.descriptor();
        descriptor.artifact_type = manifest.artifact_type().cloned();
        descriptor.annotations = manifest.annotations().clone();
        referrers.entry(subject.digest.clone()).or_default().push(descriptor);
    }
    for list in referrers.values_mut() {
        list.sort_by(|one, other| one.digest.cmp(&other.digest));
    }
    Ok(referrers)
}
