//! Takes the Wasm out of an artifact and packs it as another kind of host wants it.

use std::collections::BTreeSet;
use std::sync::Arc;

use wharf_archive::ImageName;
use wharf_artifact::cncf::{TITLE, WasmConfig};
use wharf_artifact::dialect::Dialect;
use wharf_artifact::istio::{RuntimeConfig, is_runtime_config};
use wharf_artifact::limits::CONFIG_BYTES_MAX;
use wharf_artifact::search::What;
use wharf_artifact::{ImageConfig, created_seconds, runwasi};
use wharf_oci::{Annotations, Descriptor, Document, MediaType, Progress, fetch_verified};

use crate::extract::{Extracted, extract};
use crate::input::{ProviderFile, check_provider_form};
use crate::locate::{Artifact, Choice, locate};
use crate::pack::entrypoint;
use crate::package::Package;
use crate::packing::Packing;
use crate::place::Place;
use crate::remains::{Remains, remains};
use crate::wasm_file::WasmFile;
use crate::{Cause, Description, Form, Surroundings};

/// How to pack an artifact anew.
#[derive(Debug, Clone)]
pub struct Conversion {
    /// What to pack it as.
    pub form: Form,
    /// What to do about what that form has no place for.
    pub losses: Losses,
    /// Which Wasm is meant where there are several.
    pub choice: Choice,
    /// What to say of it; where it says nothing, what the artifact said before stays.
    pub description: Description,
    /// Where temporary files go, and what time it is.
    pub surroundings: Surroundings,
}

/// What to do about what a form has no place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Losses {
    /// Fail, and say what it is.
    #[default]
    Refuse,
    /// Leave it behind, and say what it was.
    Accept,
}

/// What tools that build images put into each, asked or not; Wasm has no use for it.
const USUAL_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An artifact in another form.
pub(crate) struct Converted {
    pub(crate) package: Package,
    /// What was left behind.
    pub(crate) lost: Vec<String>,
}

/// Annotations that name an image or its form, and are wrong for another.
const NAMES: [&str; 5] = [
    "io.containerd.image.name",
    "org.opencontainers.image.ref.name",
    "module.wasm.image/variant",
    "module.wasm.runtime/type",
    "module.wasm.runtime/abi_version",
];

/// Packs the Wasm of an artifact anew, into memory and temporary files.
pub(crate) async fn convert(
    place: &Place,
    conversion: &Conversion,
    name: Option<&ImageName>,
    progress: &Arc<dyn Progress>,
) -> Result<Converted, Cause> {
    let Conversion { form, choice, description, surroundings, .. } = conversion;
    let scratch = &surroundings.scratch;
    let artifact = locate(place, choice).await?;
    if artifact.located.dialect == Dialect::WasmcloudProvider {
        check_provider_form(*form)?;
    }
    let extracted = extract(place, &artifact, choice, scratch, progress).await?;
    if extracted.what == What::Provider {
        // One that was pushed as something else is known only when it is there.
        check_provider_form(*form)?;
    }
    let mut remains = remains(place, &artifact, &extracted, scratch).await?;
    remains.lost.extend(other_platforms(&artifact, choice));
    if extracted.what == What::Provider {
        refuse_losses(conversion, &remains)?;
        let package = pack_provider(extracted, &artifact, description, surroundings.now).await?;
        return Ok(Converted { package, lost: remains.lost });
    }
    let description = describe(place, &artifact, *form, description, &mut remains).await?;
    refuse_losses(conversion, &remains)?;
    let file_name = extracted.name().map(as_binary).filter(|name| is_runnable(name));
    let run_as = file_name.or_else(|| name.map(entrypoint)).unwrap_or_else(|| "app.wasm".to_owned());
    let file = WasmFile::fetched(extracted.file.into_temp_path(), run_as.clone(), scratch).await?;
    let packing = Packing {
        form: *form,
        files: vec![file],
        extra: Vec::new(),
        entrypoint: run_as,
        description: &description,
        scratch,
    };
    Ok(Converted { package: packing.pack().await?, lost: remains.lost })
}

/// Packs a provider archive as Wharf does, whatever it was pushed as.
async fn pack_provider(
    extracted: Extracted,
    artifact: &Artifact,
    asked: &Description,
    now: u64,
) -> Result<Package, Cause> {
    let mut description = Description { annotations: kept_annotations(artifact), ..asked.clone() };
    description.annotations.extend(asked.annotations.clone());
    let name = extracted.name().map(str::to_owned);
    let file = extracted.file.into_temp_path();
    let archive = ProviderFile::open(file.to_path_buf(), now).await?;
    Ok(archive.pack(name, &description)?.with_temporary(file))
}

fn refuse_losses(conversion: &Conversion, remains: &Remains) -> Result<(), Cause> {
    match conversion.losses {
        Losses::Refuse if !remains.lost.is_empty() => {
            Err(Cause::Losses { form: conversion.form, lost: remains.lost.clone() })
        }
        Losses::Refuse | Losses::Accept => Ok(()),
    }
}

/// Returns what a manifest says beyond its name and its form.
fn kept_annotations(artifact: &Artifact) -> Annotations {
    artifact.image.annotations.clone().into_iter().filter(|(key, _)| !NAMES.contains(&key.as_str())).collect()
}

/// Returns what to call the binary of a file; one of text is made anew.
fn as_binary(name: &str) -> String {
    match name.strip_suffix(".wat") {
        Some(stem) => format!("{stem}.wasm"),
        None => name.to_owned(),
    }
}

/// Whether a name from afar is one that an image can run its Wasm by.
fn is_runnable(name: &str) -> bool {
    let is_plain = |stem: &str| !stem.is_empty() && !stem.starts_with('.') && !stem.contains('#');
    !name.contains(char::is_control) && name.strip_suffix(".wasm").is_some_and(is_plain)
}

/// Says what else an index has, where nobody said which of it is meant.
fn other_platforms(artifact: &Artifact, choice: &Choice) -> Option<String> {
    let Document::Index(index) = artifact.root.document() else { return None };
    let is_other = |child: &&Descriptor| {
        let is_unknown = child.platform.as_ref().is_some_and(|platform| platform.os == "unknown");
        child.digest != *artifact.manifest.digest() && !is_unknown
    };
    let others = index.manifests.iter().filter(is_other);
    let platform = |child: &Descriptor| match &child.platform {
        Some(platform) => format!("{}/{}", platform.os, platform.architecture),
        None => child.digest.to_string(),
    };
    let names: Vec<_> = others.map(platform).collect();
    let is_open = choice.platform.is_none() && !names.is_empty();
    is_open.then(|| format!("what the index has for other platforms: {}", names.join(", ")))
}

/// Adds what the artifact says of itself to what is asked for, and to `remains` what the new form cannot say.
async fn describe(
    place: &Place,
    artifact: &Artifact,
    form: Form,
    asked: &Description,
    remains: &mut Remains,
) -> Result<Description, Cause> {
    let mut description = Description { annotations: Annotations::new(), ..asked.clone() };
    let config = &artifact.image.config;
    if config.media_type == MediaType::WASM_CONFIG {
        let stated = WasmConfig::parse(&fetch_verified(place.content(), config, CONFIG_BYTES_MAX as u64).await?)?;
        description.author = description.author.or(stated.author);
        description.created = description.created.or(stated.created.as_deref().and_then(created_seconds));
        description.world = description.world.or(stated.component.and_then(|component| component.target));
    } else if [MediaType::OCI_CONFIG, MediaType::DOCKER_CONFIG].contains(&config.media_type) {
        let stated = match &artifact.config {
            Some(read) => read.clone(),
            None => ImageConfig::parse(&fetch_verified(place.content(), config, CONFIG_BYTES_MAX as u64).await?)?,
        };
        remains.lost.extend(unexpressed(&stated));
        description.author = description.author.or(stated.author);
        description.created = description.created.or(stated.created.as_deref().and_then(created_seconds));
        let labels = stated.config.labels.into_iter().filter(|(key, _)| key != runwasi::LAYERS_LABEL);
        description.annotations.extend(labels);
    } else if is_runtime_config(&config.media_type) {
        let bytes = fetch_verified(place.content(), config, CONFIG_BYTES_MAX as u64).await?;
        remains.runtime_config.get_or_insert(RuntimeConfig::parse(&bytes)?);
    } else if !is_told(artifact) {
        remains.lost.push(format!("the config of type {} ({} bytes)", config.media_type, config.size));
    }
    description.annotations.extend(kept_annotations(artifact));
    description.annotations.extend(asked.annotations.clone());
    carry_runtime_config(&mut description, form, remains);
    remains.lost.extend(attached(artifact));
    // What is asked for and has no place is refused by whoever packs it.
    if form != Form::Artifact && asked.world.is_none() {
        lose(&mut description.world, "the target world", remains);
    }
    if form == Form::Istio && asked.author.is_none() {
        lose(&mut description.author, "the author", remains);
    }
    Ok(description)
}

/// Returns what a manifest says of its place among others and of its layers.
fn attached(artifact: &Artifact) -> Vec<String> {
    let subject = artifact.image.subject.as_ref();
    let mut lost: Vec<_> = subject.map(|subject| format!("that it is about {}", subject.digest)).into_iter().collect();
    let notes = artifact.image.layers.iter().flat_map(|layer| layer.annotations.keys()).filter(|key| *key != TITLE);
    let notes: BTreeSet<_> = notes.map(String::as_str).collect();
    if !notes.is_empty() {
        lost.push(format!("the annotations {} of layers", notes.into_iter().collect::<Vec<_>>().join(", ")));
    }
    lost
}

/// Whether the config says nothing, or is a layer too.
fn is_told(artifact: &Artifact) -> bool {
    const EMPTY: &[u8] = b"{}";
    let config = &artifact.image.config;
    let is_layer = artifact.image.layers.iter().any(|layer| layer.digest == config.digest);
    config.size <= EMPTY.len() as u64 || is_layer
}

/// Takes the root contexts of a filter along where there is a place for them; the rest is made anew from the bytes.
fn carry_runtime_config(description: &mut Description, form: Form, remains: &mut Remains) {
    let Some(RuntimeConfig { config, .. }) = remains.runtime_config.take() else { return };
    if !description.root_ids.is_empty() || config.root_ids.is_empty() {
        return;
    }
    match form {
        Form::Istio | Form::IstioCompat => description.root_ids = config.root_ids,
        _ => remains.lost.push(format!("the root contexts {} of the runtime config", config.root_ids.join(", "))),
    }
}

fn lose(value: &mut Option<String>, what: &str, remains: &mut Remains) {
    if let Some(value) = value.take() {
        remains.lost.push(format!("{what}, {value}"));
    }
}

/// Returns what an image says of how it is run that no new form takes over.
fn unexpressed(config: &ImageConfig) -> Vec<String> {
    let run = &config.config;
    let mut words = run.entrypoint.iter().chain(&run.cmd).map(String::as_str);
    let function = words.next().and_then(|program| program.split_once('#')).map(|(_, function)| function);
    let arguments: Vec<_> = words.collect();
    let mut lost = Vec::new();
    if let Some(function) = function {
        lost.push(format!("the function {function}, which the image starts"));
    }
    // What they are is the business of whoever made the image: one may be a secret.
    match arguments.len() {
        0 => {}
        1 => lost.push("the argument of the image".to_owned()),
        count => lost.push(format!("the {count} arguments of the image")),
    }
    let env = run.env.iter().filter(|variable| *variable != USUAL_PATH);
    let names: Vec<_> = env.map(|variable| variable.split('=').next().unwrap_or_default()).collect();
    if !names.is_empty() {
        lost.push(format!("the environment variables {}", names.join(", ")));
    }
    let settings: Vec<_> = run.other_settings().collect();
    if !settings.is_empty() {
        lost.push(format!("the settings {}", settings.join(", ")));
    }
    if !["", "/"].contains(&run.working_dir.as_str()) {
        lost.push(format!("the working directory {}", run.working_dir));
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_image_says_of_how_it_is_run_is_told_with_all_that_it_says() {
        let config = |json: &str| ImageConfig::parse(json.as_bytes()).unwrap();
        let table = [
            (r#"{"config":{"Entrypoint":["/app.wasm"],"WorkingDir":"/"}}"#, vec![]),
            (r#"{"config":{"Entrypoint":["app.wasm"],"Cmd":["serve","--all"]}}"#, vec!["the 2 arguments of the image"]),
            (r#"{"config":{"Cmd":["app.wasm","x"]}}"#, vec!["the argument of the image"]),
            (r#"{"config":{"Env":["A=1","B=2"]}}"#, vec!["the environment variables A, B"]),
            (&format!(r#"{{"config":{{"Env":["{USUAL_PATH}"]}}}}"#), vec![]),
            (r#"{"config":{"User":"1000","Volumes":{"/data":{}},"Tty":false}}"#, vec!["the settings User, Volumes"]),
            (
                r#"{"config":{"Entrypoint":["app.wasm#run"],"WorkingDir":"/srv"}}"#,
                vec!["the function run, which the image starts", "the working directory /srv"],
            ),
        ];
        for (json, expected) in table {
            assert_eq!(unexpressed(&config(json)), expected, "{json}");
        }
    }

    #[test]
    fn an_image_runs_no_name_that_a_host_reads_otherwise() {
        for (name, expected) in [
            ("app.wasm", true),
            ("my app-1.0.wasm", true),
            (".wasm", false),
            (".hidden.wasm", false),
            ("a#b.wasm", false),
            ("a\u{1b}.wasm", false),
            ("app", false),
        ] {
            assert_eq!(is_runnable(name), expected, "{name:?}");
        }
    }
}
