//! Names, versions and homes of WIT packages, and the files of a project that tell of them.
//!
//! A package is named `namespace:name`, has versions by the rules of semver, and has one home, a package registry. Which
//! one that is, settings say; where its packages are, the registry says of itself.
//!
//! ```text
//!                  wharf.toml          config.toml           registry.json
//!                 (the project)        (the user)           (the registry)
//!                        │                  │                      │
//!   wasi:http ──────> home: ────────────────┴──> wasi.dev ──> location:
//!                     which registry, and why                 ghcr.io/webassembly/wasi/http:0.2.3
//!                                                                  │
//!                  wkg.toml                                        v
//!         (overrides of dependencies)                    wkg.lock: version, digest
//! ```
//!
//! | file | is | is read by | format |
//! |---|---|---|---|
//! | `config.toml` | a user's settings | [`Config::parse`] | that of `wkg`, all of it |
//! | `wharf.toml` | a project's registries and mirrors | [`Project::parse`] | Wharf's own |
//! | `registry.json` | what a registry says of itself | [`RegistryMetadata::parse`] | that of `wkg`, older keys too |
//! | `wkg.toml` | what a package or workspace says of itself | [`Manifest::parse`] | that of `wkg` |
//! | `wkg.lock` | the versions chosen | [`Lock::parse`], [`Lock::to_text`] | that of `wkg`, byte for byte |
//! | `wharf.lock` | where they came from, and what was composed | [`WharfLock::parse`], [`WharfLock::to_text`] | Wharf's own |
//! | `wit.toml` | what a package said of itself | [`WitToml::parse`] | that of the retired `wit` |
//!
//! The type of each draws its format, and [`Settings::home`] the order in which settings count. All of them are foreign: they have [size limits](limits), and a fault in one is
//! told with its place.
//!
//! This crate opens no file and no socket; it is handed texts, and hands out names.
//!
//! ```
//! use wharf_package::{Location, RegistryMetadata, Settings};
//!
//! let package = "wasi:http".parse().unwrap();
//! let settings = Settings::default();
//! let home = settings.home(&package).unwrap();
//! assert_eq!(home.registry.as_str(), "wasi.dev");
//! assert_eq!(home.rule.to_string(), "the namespaces that Wharf knows");
//!
//! // What wasi.dev serves as `/.well-known/wasm-pkg/registry.json`:
//! let served = br#"{"oci":{"registry":"ghcr.io","namespacePrefix":"webassembly/"}}"#;
//! let served = RegistryMetadata::parse(served).unwrap();
//! let Location::Oci(oci) = settings.location(&home, Some(&served)).unwrap() else { unreachable!() };
//! let reference = oci.reference(&package, Some(&"0.2.3".parse().unwrap())).unwrap();
//! assert_eq!(reference.to_string(), "ghcr.io/webassembly/wasi/http:0.2.3");
//! ```

mod config;
mod document;
pub mod edit;
mod home;
pub mod limits;
mod location;
mod lock;
mod manifest;
mod member_pattern;
mod metadata;
mod name;
mod near;
mod project;
mod registry;
mod request;
pub mod resolve;
mod settings;
mod spec;
mod version;
mod wharf_lock;
mod wit_toml;

pub use config::{BasicCredential, Config, OciSettings, RegistrySettings, Scheme};
pub use document::{DocumentKind, InvalidDocument};
pub use home::{Home, HomeRule};
pub use location::{LocalHome, Location, OciHome};
pub use lock::{Lock, Locked};
pub use manifest::{Manifest, Override, PackageManifest, PackageMetadata, WorkspaceManifest};
pub use member_pattern::{InvalidMemberPattern, MemberPattern};
pub use metadata::{Protocol, RegistryMetadata};
pub use name::{InvalidName, Label, PackageName};
pub use near::{near, well_known};
pub use project::Project;
pub use registry::RegistryName;
pub use request::PackageRequest;
pub use semver::{Version, VersionReq};
pub use settings::{Settings, UnusableRegistry};
pub use spec::{InvalidSpec, PackageSpec};
pub use version::{exactly, newest, tag_of, version_of_tag};
pub use wharf_lock::{ChosenComponent, ComponentOrigin, Content, Origin, WharfLock};
pub use wit_toml::{WitDependency, WitToml};
