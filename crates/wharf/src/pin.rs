//! `pin`: puts digests behind the tags of the images that YAML names.
//!
//! ```text
//!   files ──find──> images ──> tags, each once ──resolve──> digests ──splice──> texts ──> files, when all is known
//!                     └ what is left alone, and why
//! ```
//!
//! YAML is read for where its images stand, and never written: every byte stays, and digests are put between them.

mod find;
mod splice;
mod text;
mod tree;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use wharf_client::Client;
use wharf_oci::{Digest, Reference, Resolve as _};

use self::find::Reader;
use self::text::PinText;
use self::write::{Source, read, replace};
use crate::locate::{Choice, locate};
use crate::place::{Place, explain, repository};
use crate::{Cause, Error, PinFault};

/// Tags that are asked for at the same time.
const TAGS_AT_ONCE: usize = 32;

/// What to pin, and how.
#[derive(Debug, Clone)]
pub struct PinOptions {
    /// The texts.
    pub inputs: Vec<PinInput>,
    /// What to do.
    pub mode: PinMode,
}

/// YAML to pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinInput {
    /// A file of this machine, which is replaced.
    File(PathBuf),
    /// A text, which is returned.
    Text(String),
}

/// What to do with tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PinMode {
    /// Pin them.
    #[default]
    Write,
    /// Tell what they would be pinned to.
    DryRun,
    /// Tell where they are, without asking anybody.
    Check,
}

/// What was pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PinOutcome {
    /// What is in each text.
    pub files: Vec<PinnedFile>,
}

/// What is in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PinnedFile {
    /// The file; `-` for a text that was given.
    pub name: String,
    /// The images that had no digest, in the order in which they stand there.
    pub images: Vec<PinnedImage>,
    /// How many had a digest before.
    pub pinned_before: usize,
    /// What stands where an image should, and was left alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedImage>,
    /// A text that was given, with the digests in it, where they were to be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

impl PinnedFile {
    /// Counts a tag as one, though it stands where no digest can be put behind it.
    fn with_all_tags(mut self) -> Self {
        let is_tag = |skipped: &mut SkippedImage| skipped.reason == SkipReason::Style;
        let tags = self.skipped.extract_if(.., is_tag);
        self.images.extend(tags.map(|SkippedImage { line, text, .. }| PinnedImage { line, text, digest: None }));
        self.images.sort_by_key(|image| image.line);
        self
    }
}

/// An image without a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PinnedImage {
    /// The line, counted from one.
    pub line: usize,
    /// The image, as it stands there.
    pub text: String,
    /// The digest that was put behind it; absent where none was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// What was left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SkippedImage {
    /// The line, counted from one.
    pub line: usize,
    /// What stands there.
    pub text: String,
    /// Why.
    pub reason: SkipReason,
}

/// Why something was left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SkipReason {
    /// It is to be filled in by somebody else: `${…}`, `{{ … }}`.
    Template,
    /// It has a tag, and is written as a block, over several lines, or with escapes.
    Style,
    /// It is the name of what is built there from sources.
    Built,
    /// It names nothing in a registry.
    NoReference,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Template => "it has to be filled in first",
            Self::Style => "it is no plain text on one line",
            Self::Built => "it is the name of what is built there",
            Self::NoReference => "it names nothing in a registry",
        })
    }
}

/// Puts digests behind the tags of the images that YAML names: manifests of Kubernetes, wadm, Istio, Envoy Gateway,
/// `SpinKube` and wasmCloud, and files of Docker Compose.
///
/// All tags are known before the first file is replaced.
///
/// # Errors
/// [`Error::Pin`].
pub async fn pin(client: &Client, options: &PinOptions) -> Result<PinOutcome, Error> {
    let mut sources = Vec::new();
    for input in &options.inputs {
        sources.push(read(input).await?);
    }
    let digests = match options.mode {
        PinMode::Check => Digests::new(),
        PinMode::Write | PinMode::DryRun => resolve(client, &sources).await?,
    };
    let written = if options.mode == PinMode::Write { replace(&sources, &digests).await? } else { Vec::new() };
    let mut written = written.into_iter();
    let files = sources.iter().map(|source| {
        let file = told(source, &digests, written.next().flatten());
        if options.mode == PinMode::Check { file.with_all_tags() } else { file }
    });
    Ok(PinOutcome { files: files.collect() })
}

/// Returns YAML with digests behind the images without one that `digest` gives one for. Each byte of the text stays.
///
/// # Errors
/// [`PinFault`].
pub fn pin_text(text: &str, digest: impl Fn(&Reference) -> Option<Digest>) -> Result<String, PinFault> {
    Ok(PinText::parse(text.to_owned())?.with_digests(|tag| digest(&tag.reference)))
}

/// What tags point at, for each kind of reader.
type Digests = BTreeMap<(String, Reader), Digest>;

/// Asks for each tag once.
async fn resolve(client: &Client, sources: &[Source]) -> Result<Digests, Error> {
    let mut seen = BTreeSet::new();
    let mut wanted = Vec::new();
    for source in sources {
        for tag in &source.text.tags {
            let key = tag.key();
            if seen.insert(key.clone()) {
                wanted.push((key, &tag.reference, format!("{}:{}", source.name, tag.line)));
            }
        }
    }
    let asked = wanted.into_iter().map(async |(key, reference, place)| {
        let digest = digest(client, reference, key.1).await.map_err(|source| Error::Pin { place, source })?;
        Ok((key, digest))
    });
    stream::iter(asked).buffered(TAGS_AT_ONCE).try_collect().await
}

/// Asks what a reference points at.
async fn digest(client: &Client, reference: &Reference, reader: Reader) -> Result<Digest, Cause> {
    let repository = repository(client, reference);
    let found = match repository.resolve(&reference.selector()).await {
        Ok(found) => found,
        Err(error) => return Err(explain(&repository, reference, error.into()).await),
    };
    match reader {
        Reader::Filters if found.media_type.is_index() => {
            let place = Place::in_registry(client, &reference.with_digest(found.digest));
            Ok(locate(&place, &Choice::default()).await?.manifest.digest().clone())
        }
        Reader::Filters | Reader::Any => Ok(found.digest),
    }
}

fn told(source: &Source, digests: &Digests, content: Option<String>) -> PinnedFile {
    let PinText { tags, pinned, skipped, .. } = &source.text;
    let images = tags.iter().map(|tag| PinnedImage {
        line: tag.line,
        text: tag.text.clone(),
        digest: digests.get(&tag.key()).cloned(),
    });
    PinnedFile {
        name: source.name.clone(),
        images: images.collect(),
        pinned_before: *pinned,
        skipped: skipped.clone(),
        content,
    }
}
