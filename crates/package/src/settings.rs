//! The settings of a user and of a project together, and where they lead.

use wharf_oci::Registry;

use crate::home::built_in;
use crate::{
    Config, Home, HomeRule, LocalHome, Location, OciHome, PackageName, Project, Protocol, RegistryMetadata,
    RegistryName, RegistrySettings,
};

/// All that is set for the one who runs Wharf in a project: where packages come from, and how to get there.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The registry that the command line names: the home of all packages, whatever else is set.
    pub flag: Option<RegistryName>,
    /// The settings of the project.
    pub project: Project,
    /// The settings of the user.
    pub config: Config,
}

/// Why the packages of a registry cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnusableRegistry {
    /// The settings say that the packages are in a folder, and not in which.
    #[error("the packages of `{registry}` are in a folder that `[registry.\"{registry}\".local]` does not name")]
    NoFolder {
        /// The registry.
        registry: RegistryName,
    },
    /// The packages are kept in a way that Wharf does not know.
    #[error("the packages of `{registry}` are kept by the protocol `{protocol}`; Wharf knows `oci` and `local`")]
    UnknownProtocol {
        /// The registry.
        registry: RegistryName,
        /// The protocol.
        protocol: String,
    },
    /// The packages are at a host that cannot stand in a reference, as it has neither a dot nor a port.
    #[error(
        "the packages of `{registry}` are at the host `{host}`, which is read as the name of a repository where a \
         reference starts with it"
    )]
    NoReference {
        /// The registry.
        registry: RegistryName,
        /// The host.
        host: Registry,
    },
    /// What a registry says of itself puts its packages into a folder of this machine, which is for the user to say.
    #[error(
        "the metadata of `{registry}` put its packages into a folder of this machine, which only \
         `[registry.\"{registry}\"]` of config.toml may"
    )]
    ForeignFolder {
        /// The registry.
        registry: RegistryName,
    },
}

impl Settings {
    /// Returns the home of a package; nothing where no rule speaks of it.
    ///
    /// The first of these that speaks of the package decides:
    ///
    /// ```text
    /// --registry                                     all packages
    /// wharf.toml    [packages]                       the package
    /// wharf.toml    [registries]                     its namespace
    /// wharf.toml    default                          all packages
    /// config.toml   [package_registry_overrides]     the package
    /// config.toml   [namespace_registries]           its namespace
    /// config.toml   default_registry                 all packages
    /// built in      wasi                             wasi.dev
    ///               ba, wrpc                         bytecodealliance.org
    ///               wasmcloud                        wasmcloud.com
    /// ```
    ///
    /// What a rule says of the registry it names counts for that registry alone: where the command line names another
    /// one, that is asked what it says of itself.
    #[must_use]
    pub fn home(&self, package: &PackageName) -> Option<Home> {
        let given = self.project.home(package).or_else(|| self.config.home(package));
        let by_rule = given.or_else(|| built_in(package.namespace()));
        match &self.flag {
            Some(flag) if by_rule.as_ref().is_none_or(|home| home.registry != *flag) => {
                Some(Home { registry: flag.clone(), metadata: None, rule: HomeRule::Flag })
            }
            _ => by_rule,
        }
    }

    /// Returns how the registry of a home is reached, where the user has set that.
    ///
    /// Nothing where a project leads the name of the registry to another host: else the files of a stranger could send
    /// the user's credentials wherever they like.
    #[must_use]
    pub fn registry(&self, home: &Home) -> Option<&RegistrySettings> {
        let is_led_away = |metadata: &RegistryMetadata| leads_away(metadata, &home.registry);
        if home.rule.is_of_project() && home.metadata.as_ref().is_some_and(is_led_away) {
            return None;
        }
        self.config.registries.get(&home.registry)
    }

    /// Whether the registry has to be asked what it says of itself, before [`location`](Self::location) can tell where
    /// its packages are.
    #[must_use]
    pub fn needs_metadata(&self, home: &Home) -> bool {
        let protocol = self.registry(home).and_then(|settings| settings.protocol.clone());
        home.metadata.is_none() && protocol != Some(Protocol::Local)
    }

    /// Returns where the packages of a home are.
    ///
    /// `served` is what the registry says of itself, and counts where the settings say nothing. The protocol is that of
    /// the settings, else the one that the registry prefers, else OCI.
    ///
    /// # Errors
    /// [`UnusableRegistry`], for each way in which settings and registry can fail to lead anywhere.
    pub fn location(&self, home: &Home, served: Option<&RegistryMetadata>) -> Result<Location, UnusableRegistry> {
        let settings = self.registry(home);
        let metadata = home.metadata.as_ref().or(served);
        let registry = home.registry.clone();
        let (protocol, is_set) = match settings.and_then(|settings| settings.protocol.clone()) {
            Some(protocol) => (protocol, true),
            None => (preferred_protocol(metadata), false),
        };
        match protocol {
            Protocol::Oci => match oci_home(&registry, metadata) {
                home if home.has_references() => Ok(Location::Oci(home)),
                home => Err(UnusableRegistry::NoReference { registry, host: home.registry().clone() }),
            },
            Protocol::Local if !is_set => Err(UnusableRegistry::ForeignFolder { registry }),
            Protocol::Local => match settings.and_then(|settings| settings.folder.clone()) {
                Some(root) => Ok(Location::Local(LocalHome::new(root))),
                None => Err(UnusableRegistry::NoFolder { registry }),
            },
            Protocol::Unknown(protocol) => Err(UnusableRegistry::UnknownProtocol { registry, protocol }),
        }
    }
}

fn leads_away(metadata: &RegistryMetadata, registry: &RegistryName) -> bool {
    metadata.oci_home(registry).registry() != registry.host()
}

fn preferred_protocol(metadata: Option<&RegistryMetadata>) -> Protocol {
    metadata.and_then(RegistryMetadata::preferred_protocol).cloned().unwrap_or(Protocol::Oci)
}

fn oci_home(registry: &RegistryName, metadata: Option<&RegistryMetadata>) -> OciHome {
    match metadata {
        Some(metadata) => metadata.oci_home(registry),
        None => RegistryMetadata::default().oci_home(registry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OCI: &str = r#"{"oci":{"registry":"ghcr.io","namespacePrefix":"acme/"}}"#;

    fn settings(project: &str, config: &str) -> Settings {
        let (project, config) = (Project::parse(project).unwrap(), Config::parse(config).unwrap());
        Settings { project, config, flag: None }
    }

    fn location_of(project: &str, config: &str, served: Option<&str>) -> Result<String, UnusableRegistry> {
        place(&settings(project, config), served)
    }

    fn place(settings: &Settings, served: Option<&str>) -> Result<String, UnusableRegistry> {
        let package = "acme:thing".parse().unwrap();
        let home = settings.home(&package).unwrap();
        let served = served.map(|text| RegistryMetadata::parse(text.as_bytes()).unwrap());
        settings.location(&home, served.as_ref()).map(|location| match location {
            Location::Oci(oci) => oci.reference(&package, None).unwrap().bare().to_string(),
            Location::Local(local) => local.root().display().to_string(),
        })
    }

    #[test]
    fn settings_go_before_what_the_registry_says() {
        let plain = "default_registry = \"acme.example\"\n";
        let inline = "[namespace_registries.acme]\nregistry = \"acme\"\nmetadata.oci.registry = \"quay.io\"\n";
        let local = format!("{plain}[registry.\"acme.example\".local]\nroot = \"packages\"\n");
        let both = format!("{local}[registry.\"acme.example\".oci]\n");
        let named = format!("{both}[registry.\"acme.example\"]\ndefault = \"local\"\n");
        for (config, served, expected) in [
            (plain, None, "acme.example/acme/thing"),
            (plain, Some(OCI), "ghcr.io/acme/acme/thing"),
            (plain, Some("{}"), "acme.example/acme/thing"),
            (inline, Some(OCI), "quay.io/acme/thing"),
            (&local, Some(OCI), "packages"),
            (&both, Some(OCI), "ghcr.io/acme/acme/thing"),
            (&named, None, "packages"),
            ("default_registry = \"acme\"", Some(OCI), "ghcr.io/acme/acme/thing"),
            ("default_registry = \"acme:443\"", None, "acme:443/acme/thing"),
            ("default_registry = \"acme\"\n[registry.acme.local]\nroot = \"packages\"", None, "packages"),
        ] {
            assert_eq!(location_of("", config, served), Ok(expected.to_owned()), "{config}");
        }
    }

    #[test]
    fn a_registry_that_leads_nowhere_is_told() {
        let plain = "default_registry = \"acme.example\"\n";
        let local = format!("{plain}[registry.\"acme.example\"]\ntype = \"local\"\n");
        let warg = format!("{plain}[registry.\"acme.example\"]\ntype = \"warg\"\n");
        let registry: RegistryName = "acme.example".parse().unwrap();
        let unknown = |protocol: &str| UnusableRegistry::UnknownProtocol {
            registry: registry.clone(),
            protocol: protocol.to_owned(),
        };
        let alone = |registry: &str, host: &str| UnusableRegistry::NoReference {
            registry: registry.parse().unwrap(),
            host: host.parse().unwrap(),
        };
        for (config, served, expected) in [
            (local.as_str(), None, UnusableRegistry::NoFolder { registry: registry.clone() }),
            (warg.as_str(), None, unknown("warg")),
            (plain, Some(r#"{"preferredProtocol":"other"}"#), unknown("other")),
            ("default_registry = \"acme\"", None, alone("acme", "acme")),
            ("default_registry = \"acme\"", Some("{}"), alone("acme", "acme")),
            ("default_registry = \"acme\"\n[registry.acme.oci]", None, alone("acme", "acme")),
            (plain, Some(r#"{"oci":{"registry":"acme"}}"#), alone("acme.example", "acme")),
            (plain, Some(r#"{"local":{"root":"a"}}"#), UnusableRegistry::ForeignFolder { registry: registry.clone() }),
        ] {
            assert_eq!(location_of("", config, served), Err(expected), "{config}");
        }
    }

    #[test]
    fn a_registry_is_asked_only_where_the_settings_do_not_tell() {
        for (config, expected) in [
            ("default_registry = \"a.example\"", true),
            ("default_registry = \"a.example\"\n[registry.\"a.example\".oci]", true),
            ("default_registry = \"a.example\"\n[registry.\"a.example\".local]\nroot = \"a\"", false),
            ("namespace_registries.acme = { registry = \"a.example\", metadata = {} }", false),
        ] {
            let settings = settings("", config);
            let home = settings.home(&"acme:thing".parse().unwrap()).unwrap();
            assert_eq!(settings.needs_metadata(&home), expected, "{config}");
        }
    }

    #[test]
    fn the_command_line_goes_before_all_settings() {
        let inline = |registry: &str| {
            format!("acme = {{ registry = \"{registry}\", metadata = {{ oci = {{ registry = \"quay.io\" }} }} }}\n")
        };
        let of_project = |registry: &str| format!("[registries]\n{}", inline(registry));
        let of_user = |registry: &str| format!("[namespace_registries]\n{}", inline(registry));
        let package = "[packages]\n\"acme:thing\" = \"acme.example\"\n";
        let local = "[registry.\"flag.example\".local]\nroot = \"packages\"\n";
        for (project, config, rule, expected) in [
            ("", "", HomeRule::Flag, "ghcr.io/acme/acme/thing"),
            (package, "default_registry = \"acme.example\"\n", HomeRule::Flag, "ghcr.io/acme/acme/thing"),
            (&of_project("acme.example"), "", HomeRule::Flag, "ghcr.io/acme/acme/thing"),
            ("", &of_user("acme.example"), HomeRule::Flag, "ghcr.io/acme/acme/thing"),
            // What is said of the very registry that the command line names holds for it.
            ("", &of_user("flag.example"), HomeRule::Namespace, "quay.io/acme/thing"),
            (&of_project("flag.example"), "", HomeRule::ProjectNamespace, "quay.io/acme/thing"),
            (package, local, HomeRule::Flag, "packages"),
        ] {
            let flag = Some("flag.example".parse().unwrap());
            let settings = Settings { flag, ..settings(project, config) };
            let home = settings.home(&"acme:thing".parse().unwrap()).unwrap();
            assert_eq!((home.registry.as_str(), home.rule), ("flag.example", rule), "{project}{config}");
            assert_eq!(place(&settings, Some(OCI)), Ok(expected.to_owned()), "{project}{config}");
        }
    }

    #[test]
    fn a_project_cannot_lead_the_credential_of_a_registry_to_another_host() {
        let config = r#"
            default_registry = "acme.example"
            [registry."acme.example".oci]
            auth = { username = "open", password = "sesame" }
        "#;
        let has_settings = |project: &str, config: &str| {
            let settings = settings(project, config);
            settings.registry(&settings.home(&"acme:thing".parse().unwrap()).unwrap()).is_some()
        };
        let to = |host: &str| {
            format!("[registries.acme]\nregistry = \"acme.example\"\nmetadata.oci.registry = \"{host}\"\n")
        };
        for (project, expected) in [
            ("default = \"acme.example\"", true),
            (&to("acme.example"), true),
            (&to("evil.example"), false),
            (&to("acme.example:8443"), false),
            (&to("acme.example").replace("registries.acme", "packages.\"acme:thing\""), true),
            (&to("evil.example").replace("registries.acme", "packages.\"acme:thing\""), false),
            (&to("evil.example").replace("registries.acme", "default"), false),
        ] {
            assert_eq!(has_settings(project, config), expected, "{project}");
        }
        let users_own = "[namespace_registries]\nacme = { registry = \"acme.example\", metadata = { oci = { registry = \
                         \"ghcr.io\" } } }\n[registry.\"acme.example\".oci]\n";
        assert!(has_settings("", users_own), "users lead their own credentials wherever they like");
    }
}
