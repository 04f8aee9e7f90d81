//! `wharf login`.

use std::io::{self, IsTerminal as _, Read as _, Write};

use wharf::LoginOutcome;
use wharf::client::{Credential, Secret};
use wharf::oci::Registry;

use crate::args::ConnectionArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Render;

/// A password is no longer than this many bytes.
const PASSWORD_BYTES_MAX: u64 = 64 * 1024;

/// Check a credential with a registry, and keep it where podman and Docker find it too
///
/// Asks for what is not given. A password as an argument would be seen by every user of the machine, so it comes
/// from the terminal, from standard input, or from WHARF_PASSWORD.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf login ghcr.io
  wharf login ghcr.io --username jo --password-stdin < token.txt")]
pub(crate) struct Args {
    /// The registry: host[:port]
    registry: Registry,
    /// User name [env: WHARF_USERNAME]
    #[arg(long, short)]
    username: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// Credential file to write instead of podman's or Docker's [env: REGISTRY_AUTH_FILE]
    #[arg(long, value_name = "FILE")]
    auth_file: Option<std::path::PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let credential = credential(&args, context)?;
    let credentials = context.credentials(args.auth_file.as_deref());
    let client = context.connect(&args.connection, credentials.clone())?;
    let outcome = wharf::login(&client, &credentials, &args.registry, &credential).await?;
    context.note(format_args!("logged in to {}", args.registry));
    context.print(&outcome)
}

impl Render for LoginOutcome {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.kept_in)
    }
}

fn credential(args: &Args, context: &Context) -> Result<Credential, Failure> {
    let environment = &context.environment;
    let username = match args.username.as_ref().or(environment.username.as_ref()) {
        Some(username) => username.clone(),
        None => ask_username()?,
    };
    let password = match &environment.password {
        _ if args.password_stdin => read_password()?,
        Some(password) => password.clone(),
        None if io::stdin().is_terminal() => rpassword::prompt_password("Password: ").map_err(Failure::Input)?,
        None => return Err(Failure::Usage("no password: pass --password-stdin or set WHARF_PASSWORD".to_owned())),
    };
    Ok(Credential::Basic { username, password: Secret::from(password) })
}

fn ask_username() -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage("no user name: pass --username or set WHARF_USERNAME".to_owned()));
    }
    let mut name = String::new();
    write!(io::stderr(), "Username: ").map_err(Failure::Input)?;
    io::stdin().read_line(&mut name).map_err(Failure::Input)?;
    Ok(name.trim_end_matches(['\r', '\n']).to_owned())
}

fn read_password() -> Result<String, Failure> {
    let mut password = String::new();
    io::stdin().lock().take(PASSWORD_BYTES_MAX).read_to_string(&mut password).map_err(Failure::Input)?;
    Ok(password.trim_end_matches(['\r', '\n']).to_owned())
}
