//! The names in a registry: tags of a repository, and repositories.

use axum::body::Body;
use http::header::LINK;
use http::{Response, StatusCode};
use serde_json::{Value, json};
use wharf_store::{Repository, Store};

use crate::Limits;
use crate::page::{Page, next_link};
use crate::response::{Answer, json};

/// Lists the tags of a repository, sorted by their bytes.
pub(crate) async fn list(repository: &Repository, page: &Page, limits: &Limits) -> Answer {
    let size = page.size(limits.page_max);
    // One more than is shown tells whether there is another page.
    let tags = repository.tags(page.last.as_deref(), size.saturating_add(1)).await?;
    let names: Vec<&str> = tags.iter().map(wharf_oci::TagName::as_str).collect();
    let path = format!("/v2/{}/tags/list", repository.name());
    Ok(names_page(&path, size, &names, |tags| json!({ "name": repository.name().as_str(), "tags": tags })))
}

/// Lists the repositories of the registry, sorted by their bytes.
pub(crate) async fn catalog(store: &Store, page: &Page, limits: &Limits) -> Answer {
    let size = page.size(limits.page_max);
    let repositories = store.repositories().await?;
    let first = repositories.partition_point(|name| page.last.as_deref().is_some_and(|last| name.as_str() <= last));
    let names: Vec<&str> = repositories[first..].iter().map(wharf_oci::RepositoryName::as_str).collect();
    Ok(names_page("/v2/_catalog", size, &names, |names| json!({ "repositories": names })))
}

/// Shows the first `size` of `names`, with a link to the next page where there are more.
fn names_page(path: &str, size: usize, names: &[&str], document: impl FnOnce(&[&str]) -> Value) -> Response<Body> {
    let shown = &names[..size.min(names.len())];
    let mut response = json(StatusCode::OK, "application/json", &document(shown));
    if let Some(last) = shown.last().filter(|_| shown.len() < names.len()) {
        response.headers_mut().insert(LINK, next_link(path, size, last, &[]));
    }
    response
}
