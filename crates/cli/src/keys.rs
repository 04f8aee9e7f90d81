//! Which keys sign a provider: those that are given, else those that `wash` keeps.

use std::path::{Path, PathBuf};

use wharf::Key;
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
    /// Key of the provider, which is its identity: a file, or a seed; by default the file that `wash` calls as the first
    /// program [env: WASH_SUBJECT_KEY]
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
            (Some(text), _) => Ok(given(text)),
            (None, Some(folder)) if self.disable_keygen => Ok(Key::File(folder.join(name))),
            (None, Some(folder)) => Ok(Key::Kept(folder.join(name))),
            (None, None) => {
                Err(Failure::Usage("there is no HOME for keys: pass --issuer and --subject, or --directory".to_owned()))
            }
        };
        let issuer = find(&self.issuer, &environment.wash_issuer_key, format!("{user}_account.nk"))?;
        let subject = find(&self.subject, &environment.wash_subject_key, format!("{program}_service.nk"))?;
        Ok((issuer, subject))
    }
}

/// Takes a text as the path of a key where it is there or looks like one, else as the seed of one: an error about a
/// seed repeats nothing of it, and an error about a path does.
fn given(text: &str) -> Key {
    let text = text.trim();
    let is_path = text.contains(['/', '\\']) || text.ends_with(".nk") || Path::new(text).exists();
    if is_path { Key::File(text.into()) } else { Key::Seed(Zeroizing::new(text.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_path_is_taken_for_a_seed_and_never_for_the_name_of_a_file() {
        for text in ["SAAPN2HM", "saapn2hm", "\"SAAPN2HM\"", " SAAPN2HM", "x"] {
            assert!(matches!(given(text), Key::Seed(_)), "{text}");
        }
        for text in ["keys/acme.nk", "./acme", "acme.nk", "Cargo.toml"] {
            assert!(matches!(given(text), Key::File(_)), "{text}");
        }
    }

    #[test]
    fn a_key_is_made_only_where_wharf_keeps_it() {
        let environment = Environment { wash_keys: Some("keys".into()), ..Environment::default() };
        let args = |issuer: Option<&str>, disable_keygen| KeyArgs {
            issuer: issuer.map(str::to_owned),
            subject: None,
            directory: None,
            disable_keygen,
        };
        let issuer = |args: KeyArgs| args.find(Path::new("out/store"), &environment).unwrap().0;
        assert!(matches!(issuer(args(None, false)), Key::Kept(path) if path == Path::new("keys/user_account.nk")));
        assert!(matches!(issuer(args(None, true)), Key::File(_)));
        assert!(matches!(issuer(args(Some("no/such.nk"), false)), Key::File(_)));
        let (_, subject) = args(None, false).find(Path::new("out/store"), &environment).unwrap();
        assert!(matches!(subject, Key::Kept(path) if path == Path::new("keys/store_service.nk")));
    }
}
