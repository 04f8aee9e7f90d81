//! What every command needs: the environment, the client, and the way to the outside.

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wharf::Surroundings;
use wharf::client::{
    CaCertificate, Client, ClientOptions, Credential, CredentialSource, Credentials, Proxies, Retries, Secret, Security,
};
use wharf::oci::{Progress, Registry};

use crate::args::{ConnectionArgs, Format, RegistryArgs, Talk};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output::{self, Render};
use crate::wash;

/// The process, as a command sees it.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) environment: Environment,
    pub(crate) format: Format,
    pub(crate) talk: Talk,
}

impl Context {
    /// Writes the outcome to standard output.
    pub(crate) fn print(&self, outcome: &impl Render) -> Result<(), Failure> {
        output::write(outcome, self.format, &mut std::io::stdout().lock()).map_err(Failure::Output)
    }

    /// Tells on standard error what happened.
    pub(crate) fn note(&self, text: fmt::Arguments<'_>) {
        if self.talk == Talk::Normal {
            // A note that nobody can read changes nothing.
            let _written = writeln!(std::io::stderr(), "{}", output::printable(&text.to_string()));
        }
    }

    /// Returns who is told how a transfer goes on.
    pub(crate) fn progress(&self, verb: &'static str) -> Arc<dyn Progress> {
        crate::progress::progress(verb, self.talk)
    }

    /// Returns the seconds since 1970 that an artifact is to say it was created at, where the environment gives them.
    pub(crate) fn created(&self) -> Result<Option<i64>, Failure> {
        let Some(text) = &self.environment.source_date_epoch else { return Ok(None) };
        let usage = |_| Failure::Usage(format!("SOURCE_DATE_EPOCH is `{text}`, which is no number of seconds"));
        text.parse().map(Some).map_err(usage)
    }

    /// Returns what the library has to be told of this machine.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub(crate) fn surroundings(&self) -> Surroundings {
        // A clock that stands before 1970 is wrong; claims are then not valid yet.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Surroundings { scratch: std::env::temp_dir(), now }
    }

    /// Makes the client for a command; a credential given by flag or variable goes to `owner` alone.
    pub(crate) fn client(&self, args: &RegistryArgs, owner: Option<&Registry>) -> Result<Client, Failure> {
        self.client_over(&args.connection, args, owner)
    }

    /// Makes a client that reaches registries in a way of its own, with the same credentials.
    pub(crate) fn client_over(
        &self,
        connection: &ConnectionArgs,
        args: &RegistryArgs,
        owner: Option<&Registry>,
    ) -> Result<Client, Failure> {
        let mut credentials = self.credentials(args.auth_file.as_deref());
        if let (Some(owner), Some((credential, source))) = (owner, self.given(args)?) {
            credentials = credentials.with_given(owner.clone(), credential, source);
        }
        if let Some((registry, credential, source)) = wash::given(&self.environment, owner)? {
            credentials = credentials.with_fallback(registry, credential, source);
        }
        self.connect(connection, credentials)
    }

    /// Returns the credential files of this project and this user, or the one that was named.
    pub(crate) fn credentials(&self, auth_file: Option<&Path>) -> Credentials {
        let environment = &self.environment;
        let credentials = match auth_file.or(environment.auth_file.as_deref()) {
            Some(named) => Credentials::default().with_file(named),
            None => {
                let project = Credentials::default().with_wash_project(wash::PROJECT);
                environment.credential_files.iter().fold(project, Credentials::with_file)
            }
        };
        environment.program_folders.iter().fold(credentials, Credentials::with_helper_directory)
    }

    /// Makes a client with these credentials.
    pub(crate) fn connect(&self, args: &ConnectionArgs, credentials: Credentials) -> Result<Client, Failure> {
        Ok(Client::new(self.client_options(args, credentials)?)?)
    }

    /// Returns how a client with these credentials works.
    pub(crate) fn client_options(
        &self,
        args: &ConnectionArgs,
        credentials: Credentials,
    ) -> Result<ClientOptions, Failure> {
        let mut ca_certificates = Vec::new();
        for path in &args.ca_file {
            let pem = std::fs::read(path).map_err(|source| Failure::File { path: path.clone(), source })?;
            let parsed = CaCertificate::parse_pem(&pem);
            ca_certificates
                .extend(parsed.map_err(|source| Failure::Authority { path: path.clone(), source: Box::new(source) })?);
        }
        Ok(ClientOptions {
            security: security(args),
            ca_certificates,
            proxies: self.proxies(),
            credentials,
            retries: self.retries()?,
            ..ClientOptions::default()
        })
    }

    /// Returns the credential that flags or variables give; a flag goes before its variable.
    fn given(&self, args: &RegistryArgs) -> Result<Option<(Credential, CredentialSource)>, Failure> {
        let environment = &self.environment;
        let variable = |name: &str| CredentialSource::Variable(name.to_owned());
        let bearer = |token: &String| Credential::Bearer(Secret::from(token.clone()));
        let is_flagged = args.username.is_some() || args.password.is_some();
        if let Some(token) = &args.token {
            return Ok(Some((bearer(token), CredentialSource::CommandLine)));
        }
        if let Some(token) = environment.token.as_ref().filter(|_| !is_flagged) {
            return Ok(Some((bearer(token), variable("WHARF_TOKEN"))));
        }
        let username = args.username.as_ref().or(environment.username.as_ref());
        let password = args.password.as_ref().or(environment.password.as_ref());
        match (username, password) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(Failure::Usage(
                "there is a user name and no password: set WHARF_PASSWORD, or pass --password".to_owned(),
            )),
            (None, Some(_)) => Err(Failure::Usage(
                "there is a password and no user name: set WHARF_USERNAME, or pass --username".to_owned(),
            )),
            (Some(username), Some(password)) => {
                let source = if is_flagged { CredentialSource::CommandLine } else { variable("WHARF_PASSWORD") };
                let (username, password) = (username.clone(), Secret::from(password.clone()));
                Ok(Some((Credential::Basic { username, password }, source)))
            }
        }
    }

    fn retries(&self) -> Result<Retries, Failure> {
        let retries = Retries::default();
        let Some(text) = &self.environment.retry_delay_ms else { return Ok(retries) };
        let usage = |_| Failure::Usage(format!("WHARF_RETRY_DELAY_MS is `{text}`, which is no number of milliseconds"));
        let base_delay = Duration::from_millis(text.parse().map_err(usage)?);
        Ok(Retries { base_delay, ..retries })
    }

    fn proxies(&self) -> Proxies {
        let environment = &self.environment;
        Proxies {
            http: environment.http_proxy.clone(),
            https: environment.https_proxy.clone(),
            all: environment.all_proxy.clone(),
            no_proxy: environment.no_proxy.clone(),
        }
    }
}

fn security(args: &ConnectionArgs) -> Security {
    match args {
        ConnectionArgs { plain_http: true, .. } => Security::PlainHttp,
        ConnectionArgs { insecure: true, .. } => Security::TlsUnverified,
        ConnectionArgs { tls: true, .. } => Security::Tls,
        // Who names a certificate authority means to use it, also on this machine.
        ConnectionArgs { ca_file, .. } if !ca_file.is_empty() => Security::Tls,
        ConnectionArgs { .. } => Security::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_before_a_retry_is_a_number_of_milliseconds() {
        let delay = |text: Option<&str>| {
            let environment = Environment { retry_delay_ms: text.map(str::to_owned), ..Environment::default() };
            let context = Context { environment, format: Format::Text, talk: Talk::Normal };
            context.retries().map(|retries| retries.base_delay)
        };
        let default = Retries::default().base_delay;
        assert_eq!(default, Duration::from_millis(250), "the table of variables says another default");
        for (text, expected) in
            [(None, default), (Some("0"), Duration::ZERO), (Some("1500"), Duration::from_millis(1500))]
        {
            assert_eq!(delay(text).unwrap(), expected, "{text:?}");
        }
        for text in ["soon", "-1", "1.5", "1s"] {
            assert!(matches!(delay(Some(text)), Err(Failure::Usage(_))), "{text}");
        }
    }
}
