//! The registries of packages: which settings count, and how each registry is reached.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use wharf::Connect;
use wharf::client::{
    CaCertificate, Client, ClientOptions, Credential, CredentialSource, Error as ClientError, Secret, Security,
};
use wharf::oci::Registry;
use wharf::packages::{Config, OciSettings, RegistrySettings, Scheme};

use crate::args::ConnectionArgs;
use crate::context::Context;
use crate::environment::Environment;
use crate::failure::Failure;

/// Where settings are, and how to reach registries.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Registries")]
pub(crate) struct RegistriesArgs {
    /// Settings of packages to use instead of wasm-pkg/config.toml [env: WKG_CONFIG_FILE]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Credential file to use instead of all others [env: REGISTRY_AUTH_FILE]
    #[arg(long, value_name = "FILE")]
    auth_file: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl RegistriesArgs {
    /// Reads the settings of the user. Those that somebody named have to be there.
    pub(crate) fn settings(&self, environment: &Environment) -> Result<Config, Failure> {
        let is_named = self.config.is_some() || environment.is_package_config_named;
        let Some(path) = self.config.as_ref().or(environment.package_config.as_ref()) else {
            return Ok(Config::default());
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && !is_named => return Ok(Config::default()),
            Err(source) => return Err(Failure::File { path: path.clone(), source }),
        };
        Config::parse(&text).map_err(|source| Failure::Settings { path: path.clone(), source: Box::new(source) })
    }

    /// Returns what reaches the registries.
    pub(crate) fn registries<'a>(&self, context: &'a Context) -> Result<Registries<'a>, Failure> {
        let credentials = context.credentials(self.auth_file.as_deref());
        let options = context.client_options(&self.connection, credentials)?;
        let environment = &context.environment;
        let config = self.config.clone().or_else(|| environment.package_config.clone()).unwrap_or_default();
        let is_set = self.connection != ConnectionArgs::default();
        Ok(Registries { environment, config, options, is_set, clients: Mutex::default() })
    }
}

/// Reaches registries as flags, variables and settings say; a flag goes before a setting.
#[derive(Debug)]
pub(crate) struct Registries<'a> {
    environment: &'a Environment,
    /// The file that settings are from.
    config: PathBuf,
    options: ClientOptions,
    /// Whether a flag says how a registry is reached.
    is_set: bool,
    /// One for each registry, as connections and tokens are shared; with settings and without.
    clients: Mutex<BTreeMap<(String, bool), Client>>,
}

impl Connect for Registries<'_> {
    fn client(&self, host: &Registry, settings: Option<&RegistrySettings>) -> Result<Client, ClientError> {
        let key = (host.as_str().to_owned(), settings.is_some());
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = Client::new(self.options_for(host, settings.map(|settings| &settings.oci))?)?;
        clients.insert(key, client.clone());
        Ok(client)
    }
}

impl Registries<'_> {
    fn options_for(&self, host: &Registry, settings: Option<&OciSettings>) -> Result<ClientOptions, ClientError> {
        let mut options = self.options.clone();
        if let Some((variable, token)) = self.environment.package_token(host.as_str()) {
            let (credential, source) = (Credential::Bearer(Secret::from(token)), variable.to_owned());
            let source = CredentialSource::Variable(source);
            options.credentials = options.credentials.with_given(host.clone(), credential, source);
        }
        let Some(settings) = settings else { return Ok(options) };
        if let Some(credential) = &settings.credential {
            let (username, password) = (credential.username.clone(), Secret::from(credential.password.as_str()));
            let source = CredentialSource::File(self.config.clone());
            let credential = Credential::Basic { username, password };
            options.credentials = options.credentials.with_given(host.clone(), credential, source);
        }
        for certificate in &settings.root_certificates {
            options.ca_certificates.extend(CaCertificate::parse_pem(certificate.as_bytes())?);
        }
        if !self.is_set {
            options.security = security(settings);
        }
        Ok(options)
    }
}

fn security(settings: &OciSettings) -> Security {
    match settings.scheme {
        Some(Scheme::Http) => Security::PlainHttp,
        _ if settings.accepts_invalid_certificates => Security::TlsUnverified,
        Some(Scheme::Https) => Security::Tls,
        None => Security::Auto,
    }
}

#[cfg(test)]
mod tests {
    use wharf::packages::{PackageName, Settings};

    use super::*;

    /// A registry with all settings, and one that has none.
    const CONFIG: &str = r#"
        default_registry = "acme.example"
        [registry."acme.example".oci]
        auth = { username = "open", password = "sesame" }
        protocol = "http"
    "#;
    const TOKEN: &str = "WKG_REGISTRY_ACME_EXAMPLE_AUTH_BEARER";

    fn registries(environment: &Environment) -> Registries<'_> {
        let config = PathBuf::from("config.toml");
        let options = ClientOptions::default();
        Registries { environment, config, options, is_set: false, clients: Mutex::default() }
    }

    fn settings(config: &str) -> RegistrySettings {
        let settings = Settings { config: Config::parse(config).unwrap(), ..Settings::default() };
        let package: PackageName = "acme:thing".parse().unwrap();
        settings.registry(&settings.home(&package).unwrap()).unwrap().clone()
    }

    async fn credential(options: &ClientOptions) -> Option<(Credential, CredentialSource)> {
        options.credentials.lookup(&"acme.example".parse().unwrap(), None).await.unwrap()
    }

    #[tokio::test]
    async fn a_variable_goes_before_the_settings_and_these_before_a_login() {
        let login = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(login.path(), r#"{"auths":{"acme.example":{"auth":"a2VwdDp3b3Jk"}}}"#).unwrap();
        let package_tokens = BTreeMap::from([(TOKEN.to_owned(), "secret".to_owned())]);
        let with_token = Environment { package_tokens, ..Environment::default() };
        let [of_login, of_settings, of_variable] = [
            CredentialSource::File(login.path().to_owned()),
            CredentialSource::File("config.toml".into()),
            CredentialSource::Variable(TOKEN.to_owned()),
        ];
        let settings = settings(CONFIG);
        for (environment, host, settings, expected) in [
            (&Environment::default(), "acme.example", None, of_login.clone()),
            (&Environment::default(), "acme.example", Some(&settings.oci), of_settings),
            (&with_token, "acme.example", None, of_variable.clone()),
            (&with_token, "acme.example", Some(&settings.oci), of_variable),
            (&with_token, "other.example", None, of_login),
        ] {
            let mut registries = registries(environment);
            registries.options.credentials = registries.options.credentials.with_file(login.path());
            let options = registries.options_for(&host.parse().unwrap(), settings).unwrap();
            let (found, source) = credential(&options).await.unwrap();
            assert_eq!(source, expected, "{host}");
            assert_eq!(matches!(found, Credential::Bearer(_)), matches!(expected, CredentialSource::Variable(_)));
        }
    }

    #[test]
    fn a_registry_is_reached_as_its_settings_say_unless_a_flag_does() {
        let environment = Environment::default();
        let host = "acme.example".parse().unwrap();
        let accepts = "accept_invalid_certificates = true";
        for (oci, expected) in [
            ("", Security::Auto),
            ("protocol = \"http\"", Security::PlainHttp),
            ("protocol = \"https\"", Security::Tls),
            (accepts, Security::TlsUnverified),
            (&format!("protocol = \"https\"\n{accepts}"), Security::TlsUnverified),
            (&format!("protocol = \"http\"\n{accepts}"), Security::PlainHttp),
        ] {
            let config = format!("default_registry = \"acme.example\"\n[registry.\"acme.example\".oci]\n{oci}\n");
            let settings = settings(&config);
            let mut registries = registries(&environment);
            assert_eq!(registries.options_for(&host, Some(&settings.oci)).unwrap().security, expected, "{oci}");
            assert_eq!(registries.options_for(&host, None).unwrap().security, Security::Auto, "{oci}");
            (registries.is_set, registries.options.security) = (true, Security::Tls);
            assert_eq!(registries.options_for(&host, Some(&settings.oci)).unwrap().security, Security::Tls, "{oci}");
        }
    }

    #[test]
    fn authorities_of_the_settings_are_trusted_for_their_registry() {
        let environment = Environment::default();
        let pem = rcgen::generate_simple_self_signed(["acme.example".to_owned()]).unwrap().cert.pem();
        let config =
            format!("{CONFIG}extra_root_certificates = [{{ encoding = \"pem\", data = \"\"\"{pem}\"\"\" }}]\n");
        let settings = settings(&config);
        let registries = registries(&environment);
        let host = "acme.example".parse().unwrap();
        let count = |settings| registries.options_for(&host, settings).unwrap().ca_certificates.len();
        assert_eq!((count(Some(&settings.oci)), count(None)), (1, 0));
    }
}
