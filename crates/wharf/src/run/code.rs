//! Finds the program, and makes code of it unless that is here already.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use wharf_artifact::dialect::Place as Inside;
use wharf_artifact::{Kind, Wasm};
use wharf_oci::{Algorithm, Digest, Hashing, Progress, Reference, Selector, TagName};
use wharf_package::resolve::Requirement;
use wharf_package::{ChosenComponent, PackageRequest, Settings, VersionReq, tag_of};
use wharf_run::{Code, CodeCache, EngineOptions, Lookup, MemoKey, Runtime, WasmDigest};
use wharf_wit::limits::WASM_BYTES_MAX;

use super::{Introduction, RunOptions, RunWatcher, capability};
use crate::blocking::blocking;
use crate::cause::RunFault;
use crate::compose::lock::ComponentLock;
use crate::compose::supply::{bring_component, choose_for};
use crate::extract::extract;
use crate::homes::{Connect, Network};
use crate::input::Input;
use crate::locate::{Artifact, Choice, locate};
use crate::package_cache::{CachedRepository, PackageCache};
use crate::package_source::{PackagePlace, Wanted, in_package};
use crate::place::Place;
use crate::wasm_file::open_file;
use crate::{Cause, ComponentSource, Location};

/// A program that can be started.
pub(super) struct Prepared {
    pub(super) digest: Digest,
    pub(super) runtime: Runtime,
    pub(super) code: Code,
    cache: Option<CodeCache>,
}

impl Prepared {
    /// Takes the program to another engine, where its code is kept; else leaves it as it is.
    pub(super) fn on(self, runtime: Runtime) -> Self {
        let kept = wasm_digest(&self.digest).zip(self.cache.as_ref()).map(|(wasm, cache)| cache.find(&runtime, &wasm));
        match kept {
            Some(Lookup::Kept(kept)) => Self { runtime, code: kept.code, ..self },
            _ => self,
        }
    }
}

/// What it takes to find a program.
pub(super) struct Preparation<'a> {
    pub(super) connect: &'a dyn Connect,
    pub(super) options: &'a RunOptions,
    pub(super) watcher: &'a dyn RunWatcher,
    pub(super) progress: &'a Arc<dyn Progress>,
}

/// An engine, and where code for it is kept.
struct Workshop<'a> {
    options: &'a RunOptions,
    watcher: &'a dyn RunWatcher,
    runtime: Runtime,
    cache: Option<CodeCache>,
}

impl Preparation<'_> {
    pub(super) async fn prepare(&self) -> Result<Prepared, Cause> {
        let fuel = self.options.limits.fuel.is_some();
        let runtime = Runtime::new(EngineOptions { fuel, ..EngineOptions::default() }).map_err(RunFault::from)?;
        let cache = self.options.code.clone().map(CodeCache::new);
        let workshop = Workshop { options: self.options, watcher: self.watcher, runtime, cache };
        let (digest, code) = match &self.options.program {
            ComponentSource::File(path) => workshop.of_file(path).await?,
            ComponentSource::Package(request) => self.of_package(&workshop, request).await?,
            ComponentSource::Artifact(Location::Registry(reference)) => self.of_reference(&workshop, reference).await?,
            ComponentSource::Artifact(Location::Local(local)) => {
                let place = Place::open_local(local).await?;
                let artifact = locate(&place, &self.options.choice).await?;
                self.of_artifact(&workshop, &place, artifact, None).await?
            }
        };
        Ok(Prepared { digest, runtime: workshop.runtime, code, cache: workshop.cache })
    }

    async fn of_package(&self, workshop: &Workshop<'_>, request: &PackageRequest) -> Result<(Digest, Code), Cause> {
        let options = self.options;
        let lock = ComponentLock::read(&options.folder).await?;
        // Whoever names a registry means that one; a lock of another is then told of.
        let locked = locked(&lock, request).filter(|_| options.registry.is_none());
        if let Some(ChosenComponent { content, .. }) = locked
            && let Some(code) = workshop.kept(&content.wasm)
        {
            return Ok((content.wasm.clone(), code));
        }
        let cache = PackageCache::open(&options.sources.cache).await?;
        let settings = Settings { flag: options.registry.clone(), ..options.sources.settings(&lock.settings) };
        let source = options.sources.open(self.connect, &settings, &cache, &lock.locks);
        let wanted = match locked.cloned() {
            Some(ChosenComponent { requirement, version, .. }) => {
                Wanted { name: request.package.clone(), requirement, version }
            }
            None => choose_for(&source, request).await?,
        };
        if locked.is_some() || options.sources.network == Network::Offline {
            let brought = bring_component(&source, &wanted).await?;
            return workshop.of_bytes(brought.wasm).await;
        }
        match source.place(&wanted.name).await? {
            PackagePlace::Folder(folder) => workshop.of_file(&folder.version_file(&wanted.name, &wanted.version)).await,
            PackagePlace::Remote(remote) => {
                let Wanted { name, version, .. } = &wanted;
                let place = remote.open(version).await?;
                let found = remote.locate(&place, &wanted).await;
                let artifact = found.map_err(|cause| in_package(cause, name, &remote.asked))?;
                let repository = cache.repository(remote.repository.registry(), remote.repository.repository());
                self.of_artifact(workshop, &place, artifact, Some((repository, Some(tag_of(version)?)))).await
            }
        }
    }

    /// A reference with a digest says by itself what is meant: where that has run before, nobody is asked.
    async fn of_reference(&self, workshop: &Workshop<'_>, reference: &Reference) -> Result<(Digest, Code), Cause> {
        let is_offline = self.options.sources.network == Network::Offline;
        let selector = reference.selector();
        if let Selector::Digest(manifest) = &selector
            && let Some(digest) = workshop.noted(manifest)
            && let Some(code) = workshop.kept(&digest)
        {
            return Ok((digest, code));
        }
        let cache = PackageCache::open(&self.options.sources.cache).await?;
        let repository = cache.repository(reference.registry(), reference.repository());
        let (manifest, tag) = match selector {
            Selector::Digest(manifest) => (Some(manifest), None),
            // Without a registry, a tag is what it was when it ran last.
            Selector::Tag(tag) if is_offline => {
                (repository.manifest(&tag).await?.map(|manifest| manifest.digest().clone()), Some(tag))
            }
            Selector::Tag(tag) => (None, Some(tag)),
        };
        if let Some(digest) = manifest.and_then(|manifest| workshop.noted(&manifest))
            && let Some(found) = workshop.of_known(&digest, Some(&repository)).await?
        {
            return Ok(found);
        }
        if is_offline {
            return Err(Cause::Offline { what: format!("`{reference}`") });
        }
        let place = Place::in_registry(&self.connect.client(reference.registry(), None)?, reference);
        let artifact = locate(&place, &self.options.choice).await?;
        self.of_artifact(workshop, &place, artifact, Some((repository, tag))).await
    }

    /// Takes the Wasm out of an artifact, unless what it is is known and its code is here.
    async fn of_artifact(
        &self,
        workshop: &Workshop<'_>,
        place: &Place,
        artifact: Artifact,
        kept: Option<(CachedRepository, Option<TagName>)>,
    ) -> Result<(Digest, Code), Cause> {
        let root = artifact.root.digest();
        let known = match &artifact.located.place {
            Inside::Layer(layer) if self.options.choice.layer.is_none() => Some(layer.digest.clone()),
            _ => workshop.noted(root),
        };
        if let Some(digest) = known
            && let Some(found) = workshop.of_known(&digest, kept.as_ref().map(|(repository, _)| repository)).await?
        {
            workshop.note(root, &digest);
            return Ok(found);
        }
        let scratch = &self.options.surroundings.scratch;
        let extracted = extract(place, &artifact, &self.options.choice, scratch, self.progress).await?;
        let input = Input::open_extracted(&extracted, scratch, self.options.surroundings.now).await?;
        let (wasm, bytes) = wasm_in(input).await?;
        let (digest, code) = workshop.compile(&wasm, bytes.clone()).await?;
        workshop.note(root, &digest);
        match kept {
            Some((repository, Some(tag))) => repository.keep(&tag, &artifact.root, (&digest, bytes)).await?,
            Some((repository, None)) => repository.keep_wasm(&digest, bytes).await?,
            None => {}
        }
        Ok((digest, code))
    }
}

impl Workshop<'_> {
    async fn of_file(&self, path: &Path) -> Result<(Digest, Code), Cause> {
        let hashed = path.to_owned();
        let digest = blocking(move || hash(&hashed)).await?;
        if let Some(code) = self.kept(&digest) {
            return Ok((digest, code));
        }
        let surroundings = &self.options.surroundings;
        let input = Input::open(path, &surroundings.scratch, surroundings.now).await?;
        let (wasm, bytes) = wasm_in(input).await?;
        // The code of a text is kept by the digest of its binary.
        match self.kept(&wasm.digest) {
            Some(code) => Ok((wasm.digest, code)),
            None => self.compile(&wasm, bytes).await,
        }
    }

    /// Returns code that is kept, or makes it of bytes that are; nothing where neither is here.
    async fn of_known(
        &self,
        digest: &Digest,
        repository: Option<&CachedRepository>,
    ) -> Result<Option<(Digest, Code)>, Cause> {
        if let Some(code) = self.kept(digest) {
            return Ok(Some((digest.clone(), code)));
        }
        let Some(repository) = repository else { return Ok(None) };
        match repository.wasm_of(digest, WASM_BYTES_MAX as u64).await? {
            Some(bytes) => self.of_bytes(bytes).await.map(Some),
            None => Ok(None),
        }
    }

    /// Makes code of bytes of which no more is known.
    async fn of_bytes(&self, bytes: Bytes) -> Result<(Digest, Code), Cause> {
        let examined = bytes.clone();
        let wasm = blocking(move || wharf_artifact::examine(&mut Cursor::new(examined))).await?;
        self.compile(&wasm, bytes).await
    }

    /// Compiles a binary, if it may run, and keeps the code.
    async fn compile(&self, wasm: &Wasm, bytes: Bytes) -> Result<(Digest, Code), Cause> {
        check_runnable(wasm)?;
        let digest = wasm.digest.clone();
        self.watcher.introduce(&Introduction { wasm_digest: digest.clone(), needs: capability::needs(wasm) });
        self.watcher.compiling(wasm.size);
        let runtime = self.runtime.clone();
        let compiled = blocking(move || runtime.compile(&bytes)).await;
        self.watcher.compiled();
        let code = compiled.map_err(RunFault::from)?;
        let code = self.keep(&digest, code).await;
        Ok((digest, code))
    }

    /// Keeps code for the next time. It is as good without that.
    async fn keep(&self, digest: &Digest, code: Code) -> Code {
        let Some((cache, wasm)) = self.cache.clone().zip(wasm_digest(digest)) else { return code };
        let (runtime, compiled) = (self.runtime.clone(), code.clone());
        blocking(move || cache.keep(&runtime, &wasm, &compiled)).await.unwrap_or_else(|error| {
            self.watcher.note(&format!("the compiled code is not kept: {}", with_causes(&error)));
            code
        })
    }

    /// Returns code that is kept. It takes no time worth a thread, unless the file has to be read to be believed.
    fn kept(&self, digest: &Digest) -> Option<Code> {
        match self.cache.as_ref()?.find(&self.runtime, &wasm_digest(digest)?) {
            Lookup::Kept(kept) => Some(kept.code),
            Lookup::Absent => None,
            Lookup::Discarded(discarded) => {
                self.watcher.note(&format!("compiled code was discarded: {discarded}"));
                None
            }
            Lookup::Unusable(error) => {
                self.watcher.note(&format!("compiled code is not used: {}", with_causes(&error)));
                None
            }
        }
    }

    /// Returns what the Wasm in an artifact was found to be, in an earlier run.
    fn noted(&self, manifest: &Digest) -> Option<Digest> {
        let wasm = self.cache.as_ref()?.recall(&self.key(manifest))?;
        Some(Digest::from_sha256_bytes(wasm.0))
    }

    fn note(&self, manifest: &Digest, wasm: &Digest) {
        if let Some((cache, wasm)) = self.cache.as_ref().zip(wasm_digest(wasm)) {
            // The note saves requests, and nothing else.
            let _noted = cache.remember(&self.key(manifest), &wasm);
        }
    }

    /// Returns what names a Wasm in an artifact: its manifest, and which of several is meant.
    fn key(&self, manifest: &Digest) -> MemoKey {
        let Choice { layer, platform } = &self.options.choice;
        let choice = match (layer, platform) {
            (None, None) => String::new(),
            chosen => format!("{chosen:?}"),
        };
        MemoKey::new(&manifest.to_string(), &choice)
    }
}

/// Returns the component that a lock has for a request: what the very same one has led to, else the newest that meets it.
fn locked<'a>(lock: &'a ComponentLock, request: &PackageRequest) -> Option<&'a ChosenComponent> {
    let requirement = request.requirement.clone().unwrap_or(Requirement::Open(VersionReq::STAR));
    let origin = lock.before.origins.components.get(&request.package)?;
    origin.chosen.get(&requirement.to_version_req().to_string()).or_else(|| {
        let fitting = origin.chosen.values().filter(|chosen| requirement.is_met_by(&chosen.version));
        fitting.max_by(|one, other| one.version.cmp(&other.version))
    })
}

/// Fails where something else than Wharf runs a binary, or nothing does.
fn check_runnable(wasm: &Wasm) -> Result<(), Cause> {
    match (wasm.kind, wasm.role()) {
        (Kind::Component | Kind::Module, None) => Ok(()),
        (kind, role) => Err(RunFault::NotRunnable { kind, role }.into()),
    }
}

/// Reads the binary that was found.
async fn wasm_in(input: Input) -> Result<(Wasm, Bytes), Cause> {
    let file = match input {
        Input::Wasm(file) => *file,
        Input::Provider(_) => return Err(RunFault::Provider.into()),
    };
    blocking(move || {
        let bytes = file.read()?;
        Ok((file.wasm, bytes))
    })
    .await
}

fn hash(path: &Path) -> Result<Digest, Cause> {
    let hashed = Hashing::new(Algorithm::Sha256, open_file(path)?).read_rest();
    Ok(hashed.map_err(Cause::file("read", path))?.digest)
}

/// Returns the digest that code is kept by: SHA-256, which all Wasm is examined with.
fn wasm_digest(digest: &Digest) -> Option<WasmDigest> {
    digest.sha256_bytes().map(WasmDigest)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
