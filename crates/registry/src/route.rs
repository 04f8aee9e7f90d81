//! From a method and a target to what is asked for (distribution-spec, "Endpoints").
//!
//! A repository's name may have slashes, and parts such as `blobs` or `tags`; so the path is read from its end.

use std::borrow::Cow;
use std::str::FromStr as _;

use http::{Method, Uri};
use percent_encoding::percent_decode_str;
use url::form_urlencoded;
use wharf_oci::{Algorithm, Digest, InvalidDigest, InvalidReference, RepositoryName, Selector, TagName};
use wharf_store::UploadId;

use crate::page::Page;
use crate::{Error, range};

/// What a request asks for. Everything in it was parsed; nothing is text that a client made up but the marks of a
/// [`Page`] and the artifact type to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// end-1
    Ping,
    /// The repositories of the registry; not of the specification, but widely asked for.
    Catalog(Page),
    /// All other endpoints act in one repository.
    Repository(RepositoryName, Action),
}

/// What is to be done in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// end-2, `HEAD`
    InspectBlob(Digest),
    /// end-2, `GET`
    ReadBlob(Digest),
    /// end-10
    DeleteBlob(Digest),
    /// end-4a and end-4c
    StartUpload,
    /// end-4b
    PutBlob(Digest),
    /// end-11
    MountBlob(Digest, Option<RepositoryName>),
    /// end-13
    InspectUpload(UploadId),
    /// end-5
    AppendUpload(UploadId),
    /// end-6
    FinishUpload(UploadId, Digest),
    /// end-14
    CancelUpload(UploadId),
    /// end-3, `HEAD`
    InspectManifest(Selector),
    /// end-3, `GET`
    ReadManifest(Selector),
    /// end-7a, and end-7b with tags
    PutManifest(Selector, Vec<TagName>),
    /// end-9
    DeleteManifest(Selector),
    /// end-8
    ListTags(Page),
    /// end-12, with the artifact type to look for
    ListReferrers(Digest, Option<String>, Page),
}

impl Route {
    /// Reads the method and the target of a request.
    pub(crate) fn parse(method: &Method, uri: &Uri) -> Result<Self, Error> {
        let path = percent_decode_str(uri.path()).decode_utf8().map_err(|_| Error::Endpoint)?;
        let query = Query(uri.query().unwrap_or_default());
        let is_read = method == Method::GET || method == Method::HEAD;
        match path.strip_prefix("/v2").ok_or(Error::Endpoint)? {
            "" | "/" if is_read => Ok(Self::Ping),
            "/_catalog" if is_read => Ok(Self::Catalog(query.page()?)),
            "" | "/" | "/_catalog" => Err(Error::Method { allow: READ }),
            rest => {
                let (name, resource) = rest.strip_prefix('/').and_then(Resource::split).ok_or(Error::Endpoint)?;
                let name = name.parse().map_err(Error::Name)?;
                Ok(Self::Repository(name, resource.action(method, &query)?))
            }
        }
    }
}

const READ: &str = "GET, HEAD";

/// What stands after the name of the repository, not yet parsed.
enum Resource<'a> {
    Blob(&'a str),
    Uploads,
    Upload(&'a str),
    Manifest(&'a str),
    Tags,
    Referrers(&'a str),
}

impl<'a> Resource<'a> {
    /// Splits a path into the name of a repository and what is asked of it.
    fn split(path: &'a str) -> Option<(&'a str, Self)> {
        let (rest, last) = path.rsplit_once('/')?;
        let (rest, kind) = rest.rsplit_once('/')?;
        Some(match (kind, last) {
            ("tags", "list") => (rest, Self::Tags),
            ("blobs", "uploads") => (rest, Self::Uploads),
            ("uploads", "") => (rest.strip_suffix("/blobs")?, Self::Uploads),
            ("uploads", id) => (rest.strip_suffix("/blobs")?, Self::Upload(id)),
            ("blobs", digest) => (rest, Self::Blob(digest)),
            ("manifests", reference) => (rest, Self::Manifest(reference)),
            ("referrers", digest) => (rest, Self::Referrers(digest)),
            _ => return None,
        })
    }

    /// Says what a method does with the resource.
    fn action(self, method: &Method, query: &Query<'_>) -> Result<Action, Error> {
        Ok(match (self, method) {
            (Self::Blob(digest), &Method::HEAD) => Action::InspectBlob(digest.parse()?),
            (Self::Blob(digest), &Method::GET) => Action::ReadBlob(digest.parse()?),
            (Self::Blob(digest), &Method::DELETE) => Action::DeleteBlob(digest.parse()?),
            (Self::Uploads, &Method::POST) => query.upload()?,
            (Self::Upload(id), &Method::GET | &Method::HEAD) => Action::InspectUpload(upload_id(id)?),
            (Self::Upload(id), &Method::PATCH) => Action::AppendUpload(upload_id(id)?),
            (Self::Upload(id), &Method::PUT) => Action::FinishUpload(upload_id(id)?, query.digest()?),
            (Self::Upload(id), &Method::DELETE) => Action::CancelUpload(upload_id(id)?),
            (Self::Manifest(text), &Method::HEAD) => Action::InspectManifest(existing(text)?),
            (Self::Manifest(text), &Method::GET) => Action::ReadManifest(existing(text)?),
            (Self::Manifest(text), &Method::PUT) => Action::PutManifest(selector(text)?, query.tags()?),
            (Self::Manifest(text), &Method::DELETE) => Action::DeleteManifest(existing(text)?),
            (Self::Tags, &Method::GET | &Method::HEAD) => Action::ListTags(query.page()?),
            (Self::Referrers(digest), &Method::GET | &Method::HEAD) => {
                Action::ListReferrers(digest.parse()?, query.first("artifactType").map(Cow::into_owned), query.page()?)
            }
            (resource, _) => return Err(Error::Method { allow: resource.allow() }),
        })
    }

    fn allow(&self) -> &'static str {
        match self {
            Self::Blob(_) => "GET, HEAD, DELETE",
            Self::Uploads => "POST",
            Self::Upload(_) => "GET, HEAD, PATCH, PUT, DELETE",
            Self::Manifest(_) => "GET, HEAD, PUT, DELETE",
            Self::Tags | Self::Referrers(_) => READ,
        }
    }
}

/// Reads the name of an upload; what is none names no upload.
fn upload_id(text: &str) -> Result<UploadId, Error> {
    text.parse().map_err(|_| Error::UploadUnknown)
}

/// Reads a tag or a digest.
fn selector(text: &str) -> Result<Selector, Error> {
    text.parse().map_err(|error| match error {
        InvalidReference::Digest(error) => Error::Digest(error),
        error => Error::Tag(error),
    })
}

/// Reads a tag or a digest of what should be there; a name that no tag can have is not.
fn existing(text: &str) -> Result<Selector, Error> {
    selector(text).map_err(|error| match error {
        Error::Tag(_) => Error::ManifestUnknown { reference: text.to_owned() },
        error => error,
    })
}

/// The parameters of a request. Of one that is there twice, the first counts; those not known are ignored.
struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    fn first(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut pairs = form_urlencoded::parse(self.0.as_bytes());
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    }

    fn digest(&self) -> Result<Digest, Error> {
        let digest = self.first("digest").ok_or(Error::DigestMissing)?;
        Ok(digest.parse()?)
    }

    fn upload(&self) -> Result<Action, Error> {
        if let Some(digest) = self.first("mount") {
            let from = self.first("from").map(|name| name.parse()).transpose().map_err(Error::Name)?;
            return Ok(Action::MountBlob(digest.parse()?, from));
        }
        if self.first("digest").is_some() {
            return Ok(Action::PutBlob(self.digest()?));
        }
        // Uploads are kept whatever their digest will be, so that the hint need only name one that is known.
        let hint = self.first("digest-algorithm");
        match hint.filter(|hint| Algorithm::ALL.iter().all(|algorithm| algorithm.name() != hint)) {
            Some(unknown) => Err(InvalidDigest::Algorithm { algorithm: unknown.into_owned() }.into()),
            None => Ok(Action::StartUpload),
        }
    }

    fn tags(&self) -> Result<Vec<TagName>, Error> {
        let pairs = form_urlencoded::parse(self.0.as_bytes()).filter(|(key, _)| key == "tag");
        pairs.map(|(_, tag)| TagName::from_str(&tag).map_err(Error::Tag)).collect()
    }

    fn page(&self) -> Result<Page, Error> {
        let size = self.first("n").map(|size| range::number(&size).ok_or(Error::PageSize)).transpose()?;
        let size = size.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        Ok(Page { size, last: self.first("last").map(Cow::into_owned) })
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::*;

    use super::*;

    const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn parse(method: &str, target: &str) -> Result<Route, Error> {
        let target = target.replace("$D", D).replace("$ID", ID);
        Route::parse(&method.parse().unwrap(), &target.parse().unwrap())
    }

    fn in_repository(name: &str, action: Action) -> Route {
        Route::Repository(name.parse().unwrap(), action)
    }

    fn page(size: Option<usize>, last: Option<&str>) -> Page {
        Page { size, last: last.map(str::to_owned) }
    }

    #[test]
    fn every_endpoint_has_its_route() {
        let digest = || D.parse::<Digest>().unwrap();
        let id = || ID.parse::<UploadId>().unwrap();
        let tag = |text: &str| text.parse::<TagName>().unwrap();
        let any = || Page::default();
        let table = [
            ("GET", "/v2/a/blobs/$D", Action::ReadBlob(digest())),
            ("HEAD", "/v2/a/blobs/$D", Action::InspectBlob(digest())),
            ("DELETE", "/v2/a/blobs/$D", Action::DeleteBlob(digest())),
            ("POST", "/v2/a/blobs/uploads/", Action::StartUpload),
            ("POST", "/v2/a/blobs/uploads", Action::StartUpload),
            ("POST", "/v2/a/blobs/uploads/?digest-algorithm=sha512", Action::StartUpload),
            ("POST", "/v2/a/blobs/uploads/?digest=$D", Action::PutBlob(digest())),
            ("POST", "/v2/a/blobs/uploads/?mount=$D", Action::MountBlob(digest(), None)),
            ("POST", "/v2/a/blobs/uploads/?from=b/c&mount=$D", Action::MountBlob(digest(), "b/c".parse().ok())),
            ("GET", "/v2/a/blobs/uploads/$ID", Action::InspectUpload(id())),
            ("PATCH", "/v2/a/blobs/uploads/$ID", Action::AppendUpload(id())),
            ("PUT", "/v2/a/blobs/uploads/$ID?x=y&digest=$D", Action::FinishUpload(id(), digest())),
            ("DELETE", "/v2/a/blobs/uploads/$ID", Action::CancelUpload(id())),
            ("GET", "/v2/a/manifests/1.0", Action::ReadManifest(Selector::Tag(tag("1.0")))),
            ("HEAD", "/v2/a/manifests/$D", Action::InspectManifest(Selector::Digest(digest()))),
            ("DELETE", "/v2/a/manifests/list", Action::DeleteManifest(Selector::Tag(tag("list")))),
            ("PUT", "/v2/a/manifests/uploads", Action::PutManifest(Selector::Tag(tag("uploads")), vec![])),
            (
                "PUT",
                "/v2/a/manifests/$D?tag=1&tag=1.2",
                Action::PutManifest(Selector::Digest(digest()), vec![tag("1"), tag("1.2")]),
            ),
            ("GET", "/v2/a/tags/list", Action::ListTags(any())),
            ("GET", "/v2/a/tags/list?n=0&last=x", Action::ListTags(page(Some(0), Some("x")))),
            ("GET", "/v2/a/tags/list?n=99999999999999999999", Action::ListTags(page(Some(usize::MAX), None))),
            ("GET", "/v2/a/referrers/$D", Action::ListReferrers(digest(), None, any())),
            (
                "GET",
                "/v2/a/referrers/$D?artifactType=a%2Fb%2Bc",
                Action::ListReferrers(digest(), Some("a/b+c".to_owned()), any()),
            ),
        ];
        for (method, target, action) in table {
            assert_eq!(parse(method, target).unwrap(), in_repository("a", action), "{method} {target}");
        }
        for target in ["/v2", "/v2/"] {
            assert_eq!(parse("GET", target).unwrap(), Route::Ping);
            assert_eq!(parse("HEAD", target).unwrap(), Route::Ping);
        }
        assert_eq!(parse("GET", "/v2/_catalog?n=5").unwrap(), Route::Catalog(page(Some(5), None)));
    }

    #[test]
    fn a_name_may_look_like_an_endpoint() {
        for (path, name) in [
            ("/v2/a/b/c/tags/list", "a/b/c"),
            ("/v2/tags/list/tags/list", "tags/list"),
            ("/v2/a/blobs/uploads/tags/list", "a/blobs/uploads"),
            ("/v2/manifests/latest/tags/list", "manifests/latest"),
            ("/v2/a%2Fb/tags/list", "a/b"),
            ("/v2/v2/tags/list", "v2"),
        ] {
            assert_eq!(parse("GET", path).unwrap(), in_repository(name, Action::ListTags(Page::default())), "{path}");
        }
        let digest = D.parse().unwrap();
        let encoded = format!("/v2/blobs/uploads/blobs/{}", D.replace(':', "%3A"));
        assert_eq!(parse("GET", &encoded).unwrap(), in_repository("blobs/uploads", Action::ReadBlob(digest)));
    }

    #[test]
    fn what_is_no_request_is_refused_with_the_reason() {
        let long = format!("/v2/{}/tags/list", "a".repeat(256));
        let table = [
            ("GET", "/", 404, "UNSUPPORTED"),
            ("GET", "/v1/", 404, "UNSUPPORTED"),
            ("GET", "/v2x/", 404, "UNSUPPORTED"),
            ("GET", "/v2/a", 404, "UNSUPPORTED"),
            ("GET", "/v2/a/b/c", 404, "UNSUPPORTED"),
            ("GET", "/v2/a/tags/other", 404, "UNSUPPORTED"),
            ("GET", "/v2/a/%FF/tags/list", 404, "UNSUPPORTED"),
            ("GET", "/v2//tags/list", 400, "NAME_INVALID"),
            ("GET", "/v2/A/tags/list", 400, "NAME_INVALID"),
            ("GET", "/v2/a/../b/tags/list", 400, "NAME_INVALID"),
            ("GET", "/v2/a/%2e%2e/b/tags/list", 400, "NAME_INVALID"),
            ("GET", "/v2/a%00/tags/list", 400, "NAME_INVALID"),
            ("GET", "/v2/a%252Fb/tags/list", 400, "NAME_INVALID"),
            ("PUT", "/v2/a_/manifests/1", 400, "NAME_INVALID"),
            ("GET", long.as_str(), 400, "NAME_INVALID"),
            ("GET", "/v2/a/blobs/sha256:abc", 400, "DIGEST_INVALID"),
            ("GET", "/v2/a/blobs/md5:d41d8cd98f00b204e9800998ecf8427e", 400, "DIGEST_INVALID"),
            ("GET", "/v2/a/manifests/sha256:baddigeststring", 400, "DIGEST_INVALID"),
            ("PUT", "/v2/a/manifests/sha256:baddigeststring", 400, "DIGEST_INVALID"),
            ("GET", "/v2/a/manifests/.INVALID", 404, "MANIFEST_UNKNOWN"),
            ("DELETE", "/v2/a/manifests/.INVALID", 404, "MANIFEST_UNKNOWN"),
            ("PUT", "/v2/a/manifests/.INVALID", 400, "MANIFEST_INVALID"),
            ("PUT", "/v2/a/manifests/$D?tag=.INVALID", 400, "MANIFEST_INVALID"),
            ("GET", "/v2/a/referrers/latest", 400, "DIGEST_INVALID"),
            ("POST", "/v2/a/blobs/uploads/?digest=", 400, "DIGEST_INVALID"),
            ("POST", "/v2/a/blobs/uploads/?mount=x", 400, "DIGEST_INVALID"),
            ("POST", "/v2/a/blobs/uploads/?mount=$D&from=B", 400, "NAME_INVALID"),
            ("POST", "/v2/a/blobs/uploads/?digest-algorithm=md5", 400, "DIGEST_INVALID"),
            ("PUT", "/v2/a/blobs/uploads/$ID", 400, "DIGEST_INVALID"),
            ("PATCH", "/v2/a/blobs/uploads/..", 404, "BLOB_UPLOAD_UNKNOWN"),
            ("GET", "/v2/a/blobs/uploads/0123", 404, "BLOB_UPLOAD_UNKNOWN"),
            ("GET", "/v2/a/tags/list?n=abc", 400, "UNSUPPORTED"),
            ("GET", "/v2/a/tags/list?n=-1", 400, "UNSUPPORTED"),
            ("GET", "/v2/_catalog?n=", 400, "UNSUPPORTED"),
            ("POST", "/v2/", 405, "UNSUPPORTED"),
            ("DELETE", "/v2/_catalog", 405, "UNSUPPORTED"),
            ("PUT", "/v2/a/blobs/$D", 405, "UNSUPPORTED"),
            ("GET", "/v2/a/blobs/uploads/", 405, "UNSUPPORTED"),
            ("POST", "/v2/a/manifests/1", 405, "UNSUPPORTED"),
            ("DELETE", "/v2/a/tags/list", 405, "UNSUPPORTED"),
            ("BREW", "/v2/a/referrers/$D", 405, "UNSUPPORTED"),
        ];
        for (method, target, status, code) in table {
            let error = parse(method, target).unwrap_err();
            assert_eq!((error.status().as_u16(), error.code()), (status, code), "{method} {target}");
        }
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let error = parse("POST", "/v2/a/manifests/1").unwrap_err();
        assert_eq!(error.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert!(matches!(error, Error::Method { allow: "GET, HEAD, PUT, DELETE" }));
    }

    proptest! {
        #[test]
        fn any_target_is_read_or_refused_without_panic(path in "/v2/[ -~]*", query in "[ -~]*") {
            if let Ok(uri) = format!("{path}?{query}").parse::<Uri>() {
                for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
                    let _ = Route::parse(&method, &uri);
                }
            }
        }
    }
}
