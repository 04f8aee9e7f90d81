//! Which keys sign a provider: those that are given, else those that `wash` keeps.

use std::path::{Path, PathBuf};

use wharf::{Key, MissingKeys};
use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::failure::Failure;

/// Where the keys are.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Keys")]
pub(crate) struct KeyArgs {
    /// Key of the account that signs: a file, or a seed; the variable keeps a seed out of the process list
    /// [env: WASH_ISSUER_KEY]
    #[arg(long, short, value_name = "KEY")]
    issuer: Option<String>,
    /// Key of the provider: a file, or a seed [env: WASH_SUBJECT_KEY]
    #[arg(long, short, value_name = "KEY")]
    subject: Option<String>,
    /// Folder of the keys that are not given [env: WASH_KEYS] [default: ~/.wash/keys]
    #[arg(long, short = 'd', value_name = "FOLDER")]
    directory: Option<PathBuf>,
    /// Fail where a key is missing, instead of making it
    #[arg(long)]
    disable_keygen: bool,
}

impl KeyArgs {
    /// Returns the keys of the issuer and of the provider, whose first program is `program`; `wash` calls the key of a
    /// provider as its program, and that of an account as the user.
    pub(crate) fn find(&self, program: &Path, environment: &Environment) -> Result<(Key, Key), Failure> {
        let user = environment.user.as_deref().unwrap_or("user");
        let program = program.file_stem().unwrap_or_default().to_string_lossy();
        let folder = self.directory.as_ref().or(environment.wash_keys.as_ref());
        let find = |flag: &Option<String>, variable: &Option<String>, name: String| match (
            flag.as_ref().or(variable.as_ref()),
            folder,
        ) {
            (Some(text), _) => Ok(key(text)),
            (None, Some(folder)) => Ok(Key::File(folder.join(name))),
            (None, None) => {
                Err(Failure::Usage("there is no HOME for keys: pass --issuer and --subject, or --directory".to_owned()))
            }
        };
        let issuer = find(&self.issuer, &environment.wash_issuer_key, format!("{user}_account.nk"))?;
        let subject = find(&self.subject, &environment.wash_subject_key, format!("{program}_service.nk"))?;
        Ok((issuer, subject))
    }

    /// Returns what to do where a key is not there.
    pub(crate) fn missing(&self) -> MissingKeys {
        if self.disable_keygen { MissingKeys::Refuse } else { MissingKeys::Make }
    }
}

/// Takes a text as the path of a key where there is such a file, else as the seed of one.
fn key(text: &str) -> Key {
    let is_seed = text.starts_with('S') && !text.contains(['/', '.', '\\']) && !Path::new(text).exists();
    if is_seed { Key::Seed(Zeroizing::new(text.to_owned())) } else { Key::File(text.into()) }
}
