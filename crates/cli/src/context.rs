//! What every command needs: the environment, the client, and the way to the outside.

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use wharf::client::{
    CaCertificate, Client, ClientOptions, Credential, CredentialSource, Credentials, Proxies, Retries, Secret, Security,
};
use wharf::oci::{Progress, Registry};

use crate::args::{ConnectionArgs, Format, RegistryArgs, Talk};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output::{self, Render};

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

    /// Returns the seconds since 1970 that an artifact says it was created at.
    pub(crate) fn created(&self) -> Result<i64, Failure> {
        let Some(text) = &self.environment.source_date_epoch else { return Ok(0) };
        let usage = |_| Failure::Usage(format!("SOURCE_DATE_EPOCH is `{text}`, which is no number of seconds"));
        text.parse().map_err(usage)
    }

    /// Makes the client for a command; a credential given by flag or variable goes to `owner` alone.
    pub(crate) fn client(&self, args: &RegistryArgs, owner: Option<&Registry>) -> Result<Client, Failure> {
        let mut credentials = self.credentials(args.auth_file.as_deref());
        if let (Some(owner), Some((credential, source))) = (owner, self.given(args)) {
            credentials = credentials.with_given(owner.clone(), credential, source);
        }
        self.connect(&args.connection, credentials)
    }

    /// Returns the credential files of this user, or the one that was named.
    pub(crate) fn credentials(&self, auth_file: Option<&Path>) -> Credentials {
        let environment = &self.environment;
        let named = auth_file.or(environment.auth_file.as_deref()).map(|file| vec![file.to_owned()]);
        let files = named.unwrap_or_else(|| environment.credential_files.clone());
        let credentials = files.into_iter().fold(Credentials::default(), Credentials::with_file);
        environment.program_folders.iter().fold(credentials, Credentials::with_helper_directory)
    }

    /// Makes a client with these credentials.
    pub(crate) fn connect(&self, args: &ConnectionArgs, credentials: Credentials) -> Result<Client, Failure> {
        let mut ca_certificates = Vec::new();
        for path in &args.ca_file {
            let pem = std::fs::read(path).map_err(|source| Failure::File { path: path.clone(), source })?;
            ca_certificates.extend(CaCertificate::parse_pem(&pem)?);
        }
        let options = ClientOptions {
            security: security(args),
            ca_certificates,
            proxies: self.proxies(),
            credentials,
            retries: self.retries()?,
            ..ClientOptions::default()
        };
        Ok(Client::new(options)?)
    }

    /// Returns the credential that flags or variables give; flags go before variables.
    fn given(&self, args: &RegistryArgs) -> Option<(Credential, CredentialSource)> {
        let environment = &self.environment;
        let flags = basic(args.username.as_ref(), args.password.as_ref()).or_else(|| bearer(args.token.as_ref()));
        if let Some(credential) = flags {
            return Some((credential, CredentialSource::CommandLine));
        }
        if let Some(credential) = bearer(environment.token.as_ref()) {
            return Some((credential, CredentialSource::Variable("WHARF_TOKEN".to_owned())));
        }
        let credential = basic(environment.username.as_ref(), environment.password.as_ref())?;
        Some((credential, CredentialSource::Variable("WHARF_PASSWORD".to_owned())))
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

fn basic(username: Option<&String>, password: Option<&String>) -> Option<Credential> {
    let (username, password) = username.zip(password)?;
    Some(Credential::Basic { username: username.clone(), password: Secret::from(password.clone()) })
}

fn bearer(token: Option<&String>) -> Option<Credential> {
    token.map(|token| Credential::Bearer(Secret::from(token.clone())))
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
