//! The environment variables that Wharf reads, all in one place.
//!
//! | variable | what it does |
//! |---|---|
//! | `WHARF_USERNAME`, `WHARF_PASSWORD` | credential for the registry that a command names |
//! | `WHARF_TOKEN` | bearer token for it, instead of the two above |
//! | `WASH_REG_USER`, `WASH_REG_PASSWORD` | the same as `wash` has it, where neither `WHARF_*` nor a login gives one |
//! | `WASH_REG_URL` | the registry that these two are for, and no other |
//! | `WASH_ISSUER_KEY`, `WASH_SUBJECT_KEY` | keys of a provider: a file, or a seed |
//! | `WASH_KEYS`, `USER` | folder of the keys that are not given, and whose account signs |
//! | `WKG_CONFIG_FILE` | settings of packages, instead of `wasm-pkg/config.toml` in the folder of configurations |
//! | `WKG_PACKAGE` | what `publish` publishes its only path as |
//! | `WKG_REGISTRY` | the registry that a command asks for packages, whatever settings say |
//! | `WKG_REGISTRY_<HOST>_AUTH_BEARER` | bearer token for a registry of packages; in `<HOST>`, all but letters and digits is `_` |
//! | `WHARF_CACHE_DIR`, `XDG_CACHE_HOME` | where packages that were fetched are kept |
//! | `WHARF_STATE_DIR`, `XDG_STATE_HOME` | where the key is that compiled code is sealed with |
//! | `REGISTRY_AUTH_FILE` | credential file to read and write, in podman's format |
//! | `DOCKER_CONFIG` | folder of Docker's `config.json` |
//! | `PATH` | where credential helpers are |
//! | `XDG_RUNTIME_DIR`, `XDG_CONFIG_HOME`, `HOME` | where podman and Docker keep theirs |
//! | `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` | proxies, in upper or lower case |
//! | `WHARF_RETRY_DELAY_MS` | milliseconds (250) before a request that failed in passing is sent again; each further wait is twice as long, up to 8 s |
//! | `SOURCE_DATE_EPOCH` | seconds since 1970 that an artifact says it was created at |

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use wharf::packages::{PackageSpec, RegistryName};

use crate::failure::Failure;

/// What the name of a variable with a token starts and ends with.
const TOKEN: (&str, &str) = ("WKG_REGISTRY_", "_AUTH_BEARER");

/// Returns the name of the variable for the bearer token of a registry of packages.
pub(crate) fn token_variable(host: &str) -> String {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' };
    format!("{}{}{}", TOKEN.0, host.chars().map(plain).collect::<String>(), TOKEN.1)
}

/// A snapshot of the environment, taken once at the start.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) wash_username: Option<String>,
    pub(crate) wash_password: Option<String>,
    pub(crate) wash_url: Option<String>,
    /// The key that signs providers, and that of a provider: a file, or a seed.
    pub(crate) wash_issuer_key: Option<String>,
    pub(crate) wash_subject_key: Option<String>,
    /// Where the keys are that are not given.
    pub(crate) wash_keys: Option<PathBuf>,
    pub(crate) user: Option<String>,
    pub(crate) auth_file: Option<PathBuf>,
    /// Podman's and Docker's credential files, in the order in which they are asked.
    pub(crate) credential_files: Vec<PathBuf>,
    /// Where credential helpers are looked for.
    pub(crate) program_folders: Vec<PathBuf>,
    pub(crate) http_proxy: Option<String>,
    pub(crate) https_proxy: Option<String>,
    pub(crate) all_proxy: Option<String>,
    pub(crate) no_proxy: Option<String>,
    /// The settings of packages, and whether a variable names the file.
    pub(crate) package_config: Option<PathBuf>,
    pub(crate) is_package_config_named: bool,
    /// What the only package is published as.
    pub(crate) package: Option<String>,
    /// The registry to ask for packages.
    pub(crate) package_registry: Option<String>,
    /// Where packages are kept.
    pub(crate) package_cache: Option<PathBuf>,
    /// Where the state is that is no cache.
    pub(crate) state: Option<PathBuf>,
    /// Bearer tokens of registries of packages, by the variable.
    pub(crate) package_tokens: BTreeMap<String, String>,
    pub(crate) retry_delay_ms: Option<String>,
    pub(crate) source_date_epoch: Option<String>,
}

impl Environment {
    /// Returns the token that a variable has for a registry of packages, and the variable.
    pub(crate) fn package_token(&self, host: &str) -> Option<(&str, &str)> {
        self.package_tokens.get_key_value(&token_variable(host)).map(|(name, token)| (name.as_str(), token.as_str()))
    }

    /// Returns what the only package is published as.
    pub(crate) fn package(&self) -> Result<Option<PackageSpec>, Failure> {
        let Some(text) = &self.package else { return Ok(None) };
        text.parse().map(Some).map_err(|invalid| Failure::Usage(format!("WKG_PACKAGE is no package: {invalid}")))
    }

    /// Returns the registry to ask for packages: that of a flag, else that of the variable.
    pub(crate) fn package_registry(&self, flag: Option<RegistryName>) -> Result<Option<RegistryName>, Failure> {
        let (None, Some(text)) = (&flag, &self.package_registry) else { return Ok(flag) };
        text.parse().map(Some).map_err(|invalid| Failure::Usage(format!("WKG_REGISTRY is no registry: {invalid}")))
    }

    /// Returns the value of a variable that a program is granted, where it is text.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub(crate) fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    /// Returns all variables that are text, for a program that is granted all.
    pub(crate) fn variables() -> Vec<(String, String)> {
        let texts = std::env::vars_os();
        texts.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
    }

    /// Reads the process's environment.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub(crate) fn read() -> Self {
        let package_tokens = tokens(std::env::vars_os());
        Self { package_tokens, ..Self::from_lookup(|name| std::env::var_os(name)) }
    }

    /// Reads the variables through `lookup`; an empty one counts as absent.
    fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name: &str| lookup(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let text = |name: &str| lookup(name).and_then(|value| value.into_string().ok()).filter(|it| !it.is_empty());
        // curl and its heirs read both cases; lower case goes first.
        let proxy = |name: &str| text(&name.to_ascii_lowercase()).or_else(|| text(name));
        let home = path("HOME");
        let config_home = path("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
        let package_config = path("WKG_CONFIG_FILE");
        let is_package_config_named = package_config.is_some();
        let usual_config = config_home.as_ref().map(|folder| folder.join("wasm-pkg/config.toml"));
        let cache_home = path("XDG_CACHE_HOME").or_else(|| home.as_ref().map(|home| home.join(".cache")));
        let state_home = path("XDG_STATE_HOME").or_else(|| home.as_ref().map(|home| home.join(".local/state")));
        let podman = [path("XDG_RUNTIME_DIR"), config_home];
        let podman = podman.into_iter().flatten().map(|folder| folder.join("containers/auth.json"));
        let docker = path("DOCKER_CONFIG").or_else(|| home.as_ref().map(|home| home.join(".docker")));
        let docker = docker.into_iter().map(|folder| folder.join("config.json"));
        let programs = lookup("PATH").unwrap_or_default();
        Self {
            username: text("WHARF_USERNAME"),
            password: text("WHARF_PASSWORD"),
            token: text("WHARF_TOKEN"),
            wash_username: text("WASH_REG_USER"),
            wash_password: text("WASH_REG_PASSWORD"),
            wash_url: text("WASH_REG_URL"),
            wash_issuer_key: text("WASH_ISSUER_KEY"),
            wash_subject_key: text("WASH_SUBJECT_KEY"),
            wash_keys: path("WASH_KEYS").or_else(|| home.as_ref().map(|home| home.join(".wash/keys"))),
            user: text("USER"),
            auth_file: path("REGISTRY_AUTH_FILE"),
            credential_files: podman.chain(docker).collect(),
            program_folders: std::env::split_paths(&programs).filter(|folder| folder.is_absolute()).collect(),
            http_proxy: proxy("HTTP_PROXY"),
            https_proxy: proxy("HTTPS_PROXY"),
            all_proxy: proxy("ALL_PROXY"),
            no_proxy: proxy("NO_PROXY"),
            package_config: package_config.or(usual_config),
            is_package_config_named,
            package: text("WKG_PACKAGE"),
            package_registry: text("WKG_REGISTRY"),
            package_cache: path("WHARF_CACHE_DIR").or_else(|| cache_home.map(|folder| folder.join("wharf"))),
            state: path("WHARF_STATE_DIR").or_else(|| state_home.map(|folder| folder.join("wharf"))),
            package_tokens: BTreeMap::new(),
            retry_delay_ms: text("WHARF_RETRY_DELAY_MS"),
            source_date_epoch: text("SOURCE_DATE_EPOCH"),
        }
    }
}

/// Returns the bearer tokens of registries of packages, by the variable; an empty one counts as absent.
fn tokens(variables: impl Iterator<Item = (OsString, OsString)>) -> BTreeMap<String, String> {
    let texts = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let is_token = |name: &str| name.strip_prefix(TOKEN.0).is_some_and(|rest| rest.ends_with(TOKEN.1));
    texts.filter(|(name, value)| is_token(name) && !value.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name);
        Environment::from_lookup(|name| find(name).map(|(_, value)| value.into()))
    }

    #[test]
    fn credential_files_are_looked_for_where_podman_and_docker_keep_them() {
        let found = environment(&[("HOME", "/home/u"), ("XDG_RUNTIME_DIR", "/run/user/1")]);
        let expected =
            ["/run/user/1/containers/auth.json", "/home/u/.config/containers/auth.json", "/home/u/.docker/config.json"];
        assert_eq!(found.credential_files, expected.map(PathBuf::from));
        let moved = environment(&[("DOCKER_CONFIG", "/etc/docker")]);
        assert_eq!(moved.credential_files, [PathBuf::from("/etc/docker/config.json")]);
    }

    #[test]
    fn helpers_are_looked_for_in_absolute_folders_alone() {
        let found = environment(&[("PATH", "/usr/bin:.::bin:/opt/bin")]);
        assert_eq!(found.program_folders, ["/usr/bin", "/opt/bin"].map(PathBuf::from));
    }

    #[test]
    fn an_empty_variable_counts_as_absent_and_lower_case_goes_first() {
        let found = environment(&[("WHARF_TOKEN", ""), ("https_proxy", "http://a"), ("HTTPS_PROXY", "http://b")]);
        assert_eq!(found.token, None);
        assert_eq!(found.https_proxy.as_deref(), Some("http://a"));
    }

    #[test]
    fn settings_and_cache_of_packages_are_where_variables_say_else_in_the_home() {
        for (variables, config, is_named, cache) in [
            (vec![], None, false, None),
            (vec![("HOME", "/h")], Some("/h/.config/wasm-pkg/config.toml"), false, Some("/h/.cache/wharf")),
            (
                vec![("HOME", "/h"), ("XDG_CONFIG_HOME", "/c"), ("XDG_CACHE_HOME", "/k")],
                Some("/c/wasm-pkg/config.toml"),
                false,
                Some("/k/wharf"),
            ),
            (
                vec![("XDG_CACHE_HOME", "/k"), ("WKG_CONFIG_FILE", "my.toml"), ("WHARF_CACHE_DIR", "kept")],
                Some("my.toml"),
                true,
                Some("kept"),
            ),
        ] {
            let found = environment(&variables);
            let paths = (found.package_config.as_deref(), found.package_cache.as_deref());
            assert_eq!(paths, (config.map(Path::new), cache.map(Path::new)), "{variables:?}");
            assert_eq!(found.is_package_config_named, is_named, "{variables:?}");
        }
    }

    #[test]
    fn a_token_is_for_the_registry_that_its_variable_names() {
        let name = "WKG_REGISTRY_REG_1_ACME_EXAMPLE_5000_AUTH_BEARER";
        let package_tokens = BTreeMap::from([(name.to_owned(), "secret".to_owned())]);
        let environment = Environment { package_tokens, ..Environment::default() };
        assert_eq!(environment.package_token("reg-1.acme.example:5000"), Some((name, "secret")));
        for other in ["reg-1.acme.example", "acme.example:5000", ""] {
            assert_eq!(environment.package_token(other), None, "{other}");
        }
    }

    #[test]
    fn tokens_are_the_variables_of_that_name_which_are_text_and_not_empty() {
        let variables = [
            ("WKG_REGISTRY_A_AUTH_BEARER", "a"),
            ("WKG_REGISTRY_B_AUTH_BEARER", ""),
            ("WKG_REGISTRY_C", "c"),
            ("D_AUTH_BEARER", "d"),
            // Start and end of the name overlap.
            ("WKG_REGISTRY_AUTH_BEARER", "e"),
        ];
        let found = tokens(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        assert_eq!(found, BTreeMap::from([("WKG_REGISTRY_A_AUTH_BEARER".to_owned(), "a".to_owned())]));
    }
}
