//! `wharf hub`.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Serialize;
use wharf::hub::{Hub, HubOptions, listen};

use crate::args::socket_address;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Render;

/// Serve a registry from a folder
///
/// Prints its host:port, as references have it. Any OCI client can push to it and pull from it. It listens on this
/// machine alone unless told otherwise, and asks nobody who they are: whoever reaches the address can read, write and
/// delete.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wharf hub
  wharf hub --listen 127.0.0.1:0 --storage /srv/wharf")]
pub(crate) struct Args {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5000", value_parser = socket_address)]
    listen: SocketAddr,
    /// Folder that holds everything; made if it does not exist
    #[arg(long, value_name = "FOLDER", default_value = "wharf-hub")]
    storage: PathBuf,
}

pub(crate) async fn run(args: Args, context: &Context, stop: impl Future<Output = ()>) -> Result<(), Failure> {
    let (listener, address) = listen(args.listen).await?;
    let hub = Hub::open(&HubOptions::new(&args.storage)).await?;
    if !address.ip().is_loopback() {
        context.note(format_args!(
            "warning: {address} is reachable from other machines, and anyone there can write; listen on 127.0.0.1 \
             behind a proxy that asks for a password instead"
        ));
    }
    context.note(format_args!("serving {} on http://{address}", args.storage.display()));
    context.print(&Serving { address })?;
    hub.serve(listener, stop).await;
    Ok(())
}

/// Where the hub serves.
#[derive(Debug, Serialize)]
struct Serving {
    /// The registry's name in references: `host:port`.
    address: SocketAddr,
}

impl Render for Serving {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.address)
    }
}
