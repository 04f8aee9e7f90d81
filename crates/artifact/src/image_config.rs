//! The config of a container image (image-spec, config.md; Docker's has the same shape).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wharf_oci::Digest;

use crate::document::{self, InvalidDocument, null_as_default};

/// What an image says of itself: for what it is made, and what it runs.
///
/// Whoever wrote it, a key that is absent or `null` is empty, and unknown keys are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageConfig {
    /// When the image was made (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The CPU architecture that it is for, such as `wasm` or `amd64`.
    #[serde(deserialize_with = "null_as_default")]
    pub architecture: String,
    /// The operating system that it is for, such as `wasip1` or `linux`.
    #[serde(deserialize_with = "null_as_default")]
    pub os: String,
    /// How it is run.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub config: ExecutionConfig,
    /// What its layers are.
    #[serde(deserialize_with = "null_as_default")]
    pub rootfs: RootFs,
}

/// How an image is run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ExecutionConfig {
    /// The program and its first arguments.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// The arguments that follow; where there is no entrypoint, the program stands first.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub cmd: Vec<String>,
    /// The environment variables, as `NAME=value`.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// The folder that it runs in; empty for the root.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// Free-form notes.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// All other keys, such as `User`, `Volumes` and `ExposedPorts`.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

impl ExecutionConfig {
    /// Returns the names of the other keys that say something; tools write many of them empty.
    pub fn other_settings(&self) -> impl Iterator<Item = &str> {
        let says = |value: &Value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            Value::Object(map) => !map.is_empty(),
            Value::Bool(true) | Value::Number(_) => true,
        };
        self.others.iter().filter(move |(_, value)| says(value)).map(|(name, _)| name.as_str())
    }
}

/// What the layers of an image are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The digest of each layer before it was compressed, the lowest first.
    #[serde(deserialize_with = "null_as_default")]
    pub diff_ids: Vec<Digest>,
}

impl Default for RootFs {
    fn default() -> Self {
        Self { kind: "layers".to_owned(), diff_ids: Vec::new() }
    }
}

impl ImageConfig {
    /// Reads a config.
    ///
    /// # Errors
    /// [`InvalidDocument`], for each way in which the bytes fall short; see there.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidDocument> {
        document::parse("image config", bytes)
    }

    /// Returns the path of the program that the image runs, as it stands in a layer: without a `/` before it, and
    /// without `.`, `..` and empty parts. Nothing where the image names none.
    ///
    /// It is the first of entrypoint and command, resolved against the working directory; a function that runwasi
    /// lets one name behind a `#` is left off.
    #[must_use]
    pub fn executable(&self) -> Option<String> {
        let argument = self.config.entrypoint.iter().chain(&self.config.cmd).next()?;
        let path = argument.split_once('#').map_or(argument.as_str(), |(path, _function)| path);
        let folder = if path.starts_with('/') { "" } else { self.config.working_dir.as_str() };
        let mut parts = Vec::new();
        for part in folder.split('/').chain(path.split('/')) {
            match part {
                "" | "." => {}
                // Above the root is the root.
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        (!path.is_empty() && !parts.is_empty()).then(|| parts.join("/"))
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_executable_is_the_first_argument_from_the_working_directory() {
        let table: [(&[&str], &[&str], _, _); 12] = [
            (&["/app.wasm"], &[], "", Some("app.wasm")),
            (&["app.wasm", "-v"], &["x"], "", Some("app.wasm")),
            (&[], &["app.wasm"], "/srv/./bin/", Some("srv/bin/app.wasm")),
            (&["./app.wasm#run"], &[], "/srv", Some("srv/app.wasm")),
            (&["/opt/app.wasm#run#x"], &[], "/srv", Some("opt/app.wasm")),
            (&["../app.wasm"], &[], "/srv/bin", Some("srv/app.wasm")),
            (&["../../../app.wasm"], &[], "/srv", Some("app.wasm")),
            (&["//a///b.wasm"], &[], "/srv", Some("a/b.wasm")),
            (&["#run"], &[], "/srv", None),
            (&["/"], &[], "/srv", None),
            (&[""], &["app.wasm"], "", None),
            (&[], &[], "/srv", None),
        ];
        for (entrypoint, cmd, working_dir, expected) in table {
            let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
            let working_dir = working_dir.to_owned();
            let config = ExecutionConfig {
                entrypoint: texts(entrypoint),
                cmd: texts(cmd),
                working_dir,
                ..ExecutionConfig::default()
            };
            let config = ImageConfig { config, ..ImageConfig::default() };
            assert_eq!(config.executable().as_deref(), expected, "{config:?}");
        }
    }

    #[test]
    fn configs_of_other_writers_are_read() {
        let table = [
            json!({}),
            json!({ "config": null, "rootfs": null, "architecture": null, "history": [{ "empty_layer": true }] }),
            json!({ "config": { "Entrypoint": null, "Cmd": null, "Labels": null, "WorkingDir": null, "Env": null } }),
            json!({ "rootfs": { "type": "layers", "diff_ids": null }, "docker_version": "20" }),
        ];
        for value in table {
            let config = ImageConfig::parse(value.to_string().as_bytes());
            assert_eq!(config.unwrap(), ImageConfig::default(), "{value}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let value = json!({
            "created": "1970-01-01T00:00:00Z", "author": "Alyssa", "architecture": "wasm", "os": "wasip1",
            "config": { "Entrypoint": ["app.wasm"], "Cmd": ["-v"], "Env": ["A=b"], "WorkingDir": "/", "Labels": { "a": "b" } },
            "rootfs": { "type": "layers", "diff_ids": [Digest::sha256(b"").to_string()] },
        });
        let config = ImageConfig::parse(value.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&config).unwrap(), value);
        let empty = json!({ "architecture": "", "os": "", "rootfs": { "type": "layers", "diff_ids": [] } });
        assert_eq!(serde_json::to_value(ImageConfig::default()).unwrap(), empty);
    }

    #[test]
    fn other_settings_are_named_where_they_say_something() {
        let value = json!({ "config": {
            "User": "1000", "Volumes": { "/data": {} }, "ExposedPorts": {}, "Tty": false, "Hostname": "", "OnBuild": null,
            "ArgsEscaped": true, "Cmd": ["x"],
        } });
        let config = ImageConfig::parse(value.to_string().as_bytes()).unwrap().config;
        assert_eq!(config.other_settings().collect::<Vec<_>>(), ["ArgsEscaped", "User", "Volumes"]);
    }

    #[test]
    fn what_is_no_config_is_refused() {
        for text in [
            "",
            "[]",
            "null",
            r#"{"os":1}"#,
            r#"{"os":"a","os":"b"}"#,
            r#"{"x":{"y":1,"y":1}}"#,
            r#"{"config":{"Cmd":"sh"}}"#,
            "{} {}",
        ] {
            assert!(matches!(ImageConfig::parse(text.as_bytes()), Err(InvalidDocument::Json { .. })), "{text}");
        }
        let large = " ".repeat(crate::limits::CONFIG_BYTES_MAX + 1);
        assert!(matches!(ImageConfig::parse(large.as_bytes()), Err(InvalidDocument::TooLarge { .. })));
    }
}
