//! The OCI distribution protocol as a function: a request in, an answer out, over a [`Store`].
//!
//! [`Registry::respond`] speaks the whole of distribution-spec 1.1, and of its development branch the cancelling of
//! uploads, `digest-algorithm` when one starts, and `tag` parameters of a push by digest. It listens on nothing, reads
//! no clock and knows nothing of what the artifacts are. Whoever owns the socket also ends requests that stall, and
//! limits how many there are at a time.
//!
//! ```text
//!             ┌─ route: method and target ──> Route, all of it parsed
//!  Request ───┤
//!             └─ body, headers ──> blobs │ uploads │ manifests │ tags │ referrers ──> Response
//!                                                        │
//!                                                      Store
//! ```
//!
//! ```
//! use axum::body::Body;
//! use http::Request;
//! use wharf_registry::{Limits, Registry};
//! use wharf_store::Store;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let directory = tempfile::tempdir().unwrap();
//! let store = Store::open(directory.path()).await.unwrap();
//! let registry = Registry::new(store, Limits::default());
//! let request = Request::get("/v2/acme/hello/tags/list").body(Body::empty()).unwrap();
//! assert_eq!(registry.respond(request).await.status(), 200);
//! # });
//! ```
//!
//! # What it decides where the specification leaves it open
//!
//! * The manifest of an image or artifact is refused (`MANIFEST_BLOB_UNKNOWN`) unless the repository has its config and
//!   layers, in the sizes it says; but for layers that only their maker may distribute. An index may name manifests
//!   that are not there, and any manifest a subject that is not.
//! * A manifest has one of the types of OCI and of Docker's schema 2, and `Content-Type` agrees with the body.
//! * A blob is seen only in the repositories that it was pushed to or mounted in. A mount that does not say from where
//!   looks nowhere else.
//! * Lists come in pages, also where the client did not ask for them; `Link` leads on.
//! * All referrers come from manifests pushed here; what a client once wrote under a fallback tag
//!   (`sha256-<hex>`) is an index like any other.
//!
//! # Who may
//!
//! Everyone, so far. A decision belongs between the two steps of [`Registry::respond`]: the parsed route names the
//! repository, what is to be done in it, and the repository that a mount reads from.
//!
//! # Errors
//!
//! The client is told in the form and the codes of the specification. A failure of the store is a 500, never a 404, and
//! says nothing of where the store is. Each refusal carries its [`Error`] in the extensions of the response, as
//! `Arc<Error>`, for whoever keeps a log.

mod blobs;
mod body;
mod error;
mod limits;
mod manifests;
mod page;
mod range;
mod referrers;
mod response;
mod route;
mod tags;
mod uploads;

use axum::body::Body;
use http::header::X_CONTENT_TYPE_OPTIONS;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::json;
use wharf_store::{Repository, Store};

pub use error::Error;
pub use limits::Limits;

use response::Answer;
use route::{Action, Route};

const DOCKER_DISTRIBUTION_API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// A registry over a store; a clone is the same registry.
#[derive(Debug, Clone)]
pub struct Registry {
    store: Store,
    limits: Limits,
}

impl Registry {
    /// Makes a registry of a store.
    #[must_use]
    pub fn new(store: Store, limits: Limits) -> Self {
        Self { store, limits }
    }

    /// Answers a request.
    ///
    /// A refusal has its [`Error`] as an `Arc<Error>` among its extensions. The answer to `HEAD` has no body, but the
    /// headers of the answer to `GET`.
    pub async fn respond(&self, request: Request<Body>) -> Response<Body> {
        let is_head = request.method() == Method::HEAD;
        let answer = match Route::parse(request.method(), request.uri()) {
            Ok(route) => self.dispatch(route, request).await,
            Err(error) => Err(error),
        };
        let mut response = answer.unwrap_or_else(Error::into_response);
        let headers = response.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // Clients from before the specification look for this.
        headers.insert(DOCKER_DISTRIBUTION_API_VERSION, HeaderValue::from_static("registry/2.0"));
        if is_head {
            *response.body_mut() = Body::empty();
        }
        response
    }

    async fn dispatch(&self, route: Route, request: Request<Body>) -> Answer {
        match route {
            Route::Ping => Ok(response::json(StatusCode::OK, "application/json", &json!({}))),
            Route::Catalog(page) => tags::catalog(&self.store, &page, &self.limits).await,
            Route::Repository(name, action) => self.act(&self.store.repository(&name), action, request).await,
        }
    }

    async fn act(&self, repository: &Repository, action: Action, request: Request<Body>) -> Answer {
        let limits = &self.limits;
        match action {
            Action::InspectBlob(digest) => blobs::inspect(repository, &digest).await,
            Action::ReadBlob(digest) => blobs::read(repository, &digest, request.headers()).await,
            Action::DeleteBlob(digest) => blobs::delete(repository, &digest).await,
            Action::StartUpload => uploads::start(repository).await,
            Action::PutBlob(digest) => uploads::put(repository, &digest, request.into_body(), limits).await,
            Action::MountBlob(digest, from) => {
                let from = from.map(|name| self.store.repository(&name));
                uploads::mount(repository, &digest, from.as_ref()).await
            }
            Action::InspectUpload(id) => uploads::inspect(repository, &id).await,
            Action::AppendUpload(id) => uploads::append(repository, &id, request, limits).await,
            Action::FinishUpload(id, digest) => uploads::finish(repository, (&id, &digest), request, limits).await,
            Action::CancelUpload(id) => uploads::cancel(repository, &id).await,
            Action::InspectManifest(selector) => manifests::inspect(repository, &selector).await,
            Action::ReadManifest(selector) => manifests::read(repository, &selector).await,
            Action::PutManifest(selector, tags) => {
                manifests::put(repository, (&selector, &tags), request, limits).await
            }
            Action::DeleteManifest(selector) => manifests::delete(repository, &selector).await,
            Action::ListTags(page) => tags::list(repository, &page, limits).await,
            Action::ListReferrers(subject, artifact_type, page) => {
                referrers::list(repository, (&subject, artifact_type.as_deref()), &page, limits).await
            }
        }
    }
}
