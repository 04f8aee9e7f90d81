//! Speaks to OCI registries: pulls, pushes, lists and deletes, with authentication, retries and resumption.
//!
//! A [`Client`] holds the connections, the tokens and the rules; a [`Repository`] of it implements the content
//! traits of [`wharf_oci`], so that [`wharf_oci::copy`] moves graphs from and to it.
//!
//! ```text
//!   Repository   which requests make a pull, a push, a listing        (distribution-spec)
//!       │
//!   exchange     one request: authorization, redirects, its answer as a value or a typed error
//!       │
//!   transport    one HTTP message: time-outs, limits                  (reqwest, rustls with ring)
//! ```
//!
//! What holds for all requests:
//!
//! - There is no probe of `/v2/`. The first request to a registry goes without authorization; what the registry
//!   answers to that is remembered, and so is each token for as long as it is valid.
//! - A credential goes to the registry it is for, and to a token server of the same site, and nowhere else: not along a
//!   redirect, not to an upload location or a next page on another host.
//! - Every body has a limit (see [`limits`]), every wait a time-out.
//! - Content that was interrupted goes on where it stopped.
//!
//! This crate knows nothing of packages, and reads neither the environment nor a configuration of its own: what
//! is in [`ClientOptions`] is all there is.
//!
//! ```no_run
//! use wharf_client::{Client, ClientOptions};
//! use wharf_oci::Reference;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(ClientOptions::default())?;
//! let reference: Reference = "ghcr.io/acme/hello:1.0.0".parse()?;
//! let repository = client.repository(reference.registry(), reference.repository());
//! let manifest = repository.manifest(&reference.selector()).await?;
//! println!("{}", manifest.digest());
//! # Ok(())
//! # }
//! ```

mod answer;
mod auth;
mod client;
mod credentials;
mod error;
mod exchange;
pub mod limits;
mod repository;
mod retry;
mod route;
mod secret;
mod tls;
mod transport;
mod well_known;

pub use answer::{Answer, RegistryError};
pub use client::{Client, ClientOptions, Proxies, Security, Timeouts};
pub use credentials::{CredentialFileFault, CredentialSource, Credentials, HelperFault};
pub use error::{Detour, Error, HttpFault, InvalidCertificate, RequestLine, TlsFault, UntrustedRealm, Violation};
pub use repository::Repository;
pub use retry::Retries;
pub use secret::{Credential, Secret};
pub use tls::CaCertificate;
