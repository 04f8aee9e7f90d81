//! The registry client: whatever a registry, its token server and the hosts that they point to may answer.
//!
//! Messages have the form that the crate page of `wharf_fuzz` draws. The first says what the client is to do, and what
//! it has; each of the others is the reply to one request, whatever host that goes to:
//!
//! ```text
//! fetch 2                 tags, manifest, resolve, fetch OFFSET, referrers, push, tag or login
//! credential: basic       basic, identity or bearer; without it there is none
//!
//! hello                   the content that is fetched or pushed
//! ====
//! 401
//! www-authenticate: Bearer realm="http://auth.acme.example/token"
//! ====
//! 200
//!
//! {"token":"t"}
//! ```

#![no_main]

mod site;
mod visit;

use std::error::Error as StdError;
use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};
use url::{Host, Url};
use wharf_client::{Error, Repository};
use wharf_fuzz::{Message, messages};
use wharf_oci::{
    Descriptor, Digest, Fetch as _, Manifest, MediaType, MemoryStore, Push as _, Referrers as _, Registry,
};
use wharf_oci::{Resolve as _, Selector, Tag as _, TagName};

use site::{Received, Site};
use visit::{SECRET, SECRET_PAIR, Visit};

const SAME_SITE: &str = "acme.example";

/// Requests that no replies lead the client beyond.
const REQUESTS_MAX: usize = 40;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime can be made"));
static SITE: LazyLock<Site> = LazyLock::new(|| RUNTIME.block_on(Site::start()));

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let mut messages = messages(input);
    // What says the secret itself cannot tell whether the client gives it away.
    if messages.is_empty() || text.contains(SECRET) || text.contains(SECRET_PAIR) {
        return;
    }
    let order = messages.remove(0);
    let visit = Visit::next(order.header("credential").unwrap_or_default(), SITE.address());
    SITE.play(messages);
    RUNTIME.block_on(run(&order, &visit));
    let requests = SITE.requests();
    assert!(requests.len() <= REQUESTS_MAX, "{requests:#?}");
    requests.iter().for_each(|request| check_request(request, &visit.registry));
});

async fn run(order: &Message, visit: &Visit) {
    let Visit { client, registry, credential } = visit;
    let repository = client.repository(registry, &"acme/hello".parse().expect("it is a repository"));
    let content = Bytes::from(order.body.clone());
    let (verb, offset) = order.line.split_once(' ').unwrap_or((&order.line, ""));
    let latest = Selector::Tag(TagName::latest());
    match (verb, credential) {
        ("tags", _) => check_outcome(repository.tags().await),
        ("manifest", _) => check_outcome(repository.manifest(&latest).await),
        ("resolve", _) => check_medium(repository.resolve(&latest).await),
        ("fetch", _) => fetch(&repository, &content, offset.parse().unwrap_or_default()).await,
        ("referrers", _) => check_medium(repository.referrers(&Digest::sha256(&content)).await),
        ("push", _) => {
            let source = MemoryStore::new();
            let descriptor = source.insert(MediaType::WASM, content);
            check_medium(repository.push(&descriptor, &source).await);
        }
        ("tag", _) => {
            if let Ok(manifest) = Manifest::parse(content, None) {
                check_medium(repository.tag(&manifest, &TagName::latest()).await);
            }
        }
        ("login", Some(credential)) => check_outcome(client.check_credential(registry, credential).await),
        _ => {}
    }
}

/// What is fetched ends where its descriptor says, or one byte later.
async fn fetch(repository: &Repository, content: &Bytes, offset: u64) {
    let descriptor = Descriptor::of(MediaType::WASM, content);
    let mut stream = match repository.fetch(&descriptor, offset).await {
        Ok(stream) => stream,
        Err(error) => return check_medium(Err::<(), _>(error)),
    };
    let mut left = (descriptor.size + 1).saturating_sub(offset);
    while let Some(piece) = stream.next().await {
        match piece {
            Ok(piece) => left = left.checked_sub(piece.len() as u64).expect("more comes than was announced"),
            Err(error) => return check_medium(Err::<(), _>(error)),
        }
    }
}

fn check_medium<T: Debug>(outcome: Result<T, wharf_oci::Error>) {
    match outcome {
        Err(error) => match error.medium_ref::<Error>() {
            Some(error) => check_error(error),
            None => check_secrecy(&error),
        },
        Ok(value) => check_outcome(Ok(value)),
    }
}

fn check_outcome<T: Debug>(outcome: Result<T, Error>) {
    match outcome {
        Ok(value) => assert!(!format!("{value:?}").contains(SECRET), "{value:?}"),
        Err(error) => check_error(&error),
    }
}

/// An error can be shown, and the wait that the registry asked for is the one in its answer.
fn check_error(error: &Error) {
    check_secrecy(error);
    let text = error.to_string();
    assert!(!text.contains(char::is_control), "{text:?}");
    if let (Error::TooManyRequests { answer, .. }, Some(reply)) = (error, SITE.only_reply())
        && let Some(seconds) = reply.header("retry-after").and_then(|text| text.parse::<u32>().ok())
    {
        assert_eq!(answer.retry_after, Some(Duration::from_secs(seconds.into())), "{reply:?}");
    }
}

/// No error tells a secret.
fn check_secrecy(error: &dyn StdError) {
    let mut text = format!("{error:?}");
    let mut cause = Some(error);
    while let Some(error) = cause {
        text += &error.to_string();
        cause = error.source();
    }
    assert!(!text.contains(SECRET) && !text.contains(SECRET_PAIR), "{text}");
}

/// A credential goes to the site of the registry alone, what a token server gave to the registry alone, and nothing
/// to a private address.
fn check_request(request: &Received, registry: &Registry) {
    let url = Url::parse(&request.url).expect("a client asks for a URL");
    let host = url.host().expect("a client asks a host");
    let name = url.host_str().unwrap_or_default().trim_end_matches('.');
    let is_same_site = name == SAME_SITE || name.ends_with(&format!(".{SAME_SITE}"));
    let is_registry = url.origin() == Url::parse(&format!("http://{registry}")).expect("it is a URL").origin();
    let authorization = request.authorization.as_deref().unwrap_or_default();
    assert!(!request.url.contains(SECRET), "{request:?}");
    assert!(is_same_site || !format!("{authorization}{}", request.body).contains(SECRET), "{request:?}");
    assert!(is_same_site || !authorization.contains(SECRET_PAIR), "{request:?}");
    assert!(is_registry || !authorization.starts_with("Bearer "), "{request:?}");
    let is_private = match host {
        Host::Domain(_) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        Host::Ipv6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    };
    assert!(!is_private, "{request:?}");
}
