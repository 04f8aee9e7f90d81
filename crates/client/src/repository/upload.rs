//! Pushing a blob: mounted, whole, or in parts (distribution-spec, "Pushing blobs").
//!
//! ```text
//! POST uploads/?mount=…&from=…   201: done      202: an upload to go on with
//! POST uploads/                  202: an upload at `Location`
//!   PUT <location>?digest=…      201: done      or, where the registry does not take it whole:
//!   PATCH <location>             202: the next part to the new `Location`
//!   PUT <location>?digest=…      201: done
//! ```
//!
//! The bytes are verified on their way, and the last of them are held back until all are: content that is not what
//! its digest says is never completed at the registry.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;
use wharf_oci::{ByteStream, Descriptor, Fetch, MediaType, Origin, Transfer, verified};

use super::Repository;
use crate::Error;
use crate::answer::shown;
use crate::auth::Access;
use crate::error::Violation;
use crate::exchange::{Request, check_route};
use crate::limits::{CHUNK_BYTES, CHUNK_BYTES_MAX};
use crate::retry::Tries;
use crate::transport::{Reply, SendFault};

const CHUNK_HEADER: &str = "oci-chunk-min-length";

/// An upload that the registry has opened.
struct Upload {
    /// Where the next bytes go.
    location: Url,
    /// The size of parts, where it is sent in parts.
    chunk_bytes: usize,
}

/// How the registry takes blobs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Whole,
    Parts,
}

impl Repository {
    pub(super) async fn push_blob(
        &self,
        descriptor: &Descriptor,
        source: &dyn Fetch,
    ) -> Result<Transfer, wharf_oci::Error> {
        let mut open = match source.origin().filter(|origin| self.can_mount(origin)) {
            Some(origin) => match self.mount(descriptor, &origin).await? {
                Mount::Done => return Ok(Transfer::Mounted),
                Mount::Open(upload) => Some(upload),
                Mount::Refused => None,
            },
            None => None,
        };
        let mut tries = Tries::new(self.client.shared.retries);
        let mut way = Way::Whole;
        let mut may_authorize = true;
        loop {
            let error = match self.upload(descriptor, source, (open.take(), way)).await {
                Ok(()) => return Ok(Transfer::Sent),
                Err(SendFault::Source(error)) => return Err(error),
                Err(SendFault::Sink(error)) => error,
            };
            match error {
                Error::Unauthorized { .. } if may_authorize => may_authorize = false,
                error if way == Way::Whole && wants_parts(&error) => way = Way::Parts,
                error => tries.next(error).await?,
            }
        }
    }

    /// Whether a blob can be linked from where it is instead of sent.
    fn can_mount(&self, origin: &Origin) -> bool {
        origin.registry == self.registry && origin.repository != self.name
    }

    async fn mount(&self, descriptor: &Descriptor, origin: &Origin) -> Result<Mount, Error> {
        let mut request = self.upload_request(descriptor)?;
        request.scope.mount = Some(origin.repository.clone());
        request
            .url
            .query_pairs_mut()
            .append_pair("mount", &descriptor.digest.to_string())
            .append_pair("from", origin.repository.as_str());
        match self.client.call(&request).await {
            Ok(reply) if reply.status() == StatusCode::CREATED => Ok(Mount::Done),
            Ok(reply) => Upload::open(&reply).map(Mount::Open),
            // Whoever may not read there may still send the bytes, and so may all where nothing is mounted (501).
            Err(
                Error::Unauthorized { .. }
                | Error::Forbidden { .. }
                | Error::NotFound { .. }
                | Error::Refused { .. }
                | Error::Server { .. },
            ) => Ok(Mount::Refused),
            Err(error) => Err(error),
        }
    }

    /// Sends a blob once.
    async fn upload(
        &self,
        descriptor: &Descriptor,
        source: &dyn Fetch,
        start: (Option<Upload>, Way),
    ) -> Result<(), SendFault> {
        let (open, way) = start;
        let upload = match open {
            Some(upload) => upload,
            None => Upload::open(&self.client.exchange(&self.upload_request(descriptor)?).await?)?,
        };
        let stream = source.fetch(descriptor, 0).await.map_err(SendFault::Source)?;
        let bytes = verified(stream, descriptor);
        match way {
            Way::Whole => self.put_whole(descriptor, &upload, bytes).await,
            Way::Parts => self.put_parts(descriptor, upload, bytes).await,
        }
    }

    async fn put_whole(&self, descriptor: &Descriptor, upload: &Upload, bytes: ByteStream) -> Result<(), SendFault> {
        let request = self.last_request(descriptor, upload.location.clone())?;
        let request = request.with(CONTENT_LENGTH, descriptor.size.into()).with(CONTENT_TYPE, octets());
        let reply = self.client.send_stream(&request, bytes).await?;
        Ok(expect(&reply, StatusCode::CREATED)?)
    }

    /// Sends a blob in parts, each held in memory so that the registry is told its length first.
    async fn put_parts(
        &self,
        descriptor: &Descriptor,
        mut upload: Upload,
        mut bytes: ByteStream,
    ) -> Result<(), SendFault> {
        let mut part = BytesMut::new();
        let mut sent = 0;
        while let Some(piece) = bytes.next().await.transpose().map_err(SendFault::Source)? {
            part.extend_from_slice(&piece);
            while part.len() >= upload.chunk_bytes {
                let chunk = part.split_to(upload.chunk_bytes).freeze();
                sent += self.patch(descriptor, &mut upload, (sent, chunk)).await?;
            }
        }
        if !part.is_empty() {
            self.patch(descriptor, &mut upload, (sent, part.freeze())).await?;
        }
        let request = self.last_request(descriptor, upload.location)?;
        let reply = self.client.exchange(&request).await?;
        Ok(expect(&reply, StatusCode::CREATED)?)
    }

    /// Sends the part that starts at `sent`, and returns its length.
    async fn patch(&self, descriptor: &Descriptor, upload: &mut Upload, part: (u64, Bytes)) -> Result<u64, Error> {
        let (sent, part) = part;
        let length = part.len() as u64;
        let end = sent + length - 1;
        let range = HeaderValue::from_str(&format!("{sent}-{end}")).expect("digits are visible characters");
        let request = self.session_request(Method::PATCH, descriptor, upload.location.clone())?;
        let mut request = request.with(CONTENT_RANGE, range).with(CONTENT_TYPE, octets());
        request.body = part;
        let reply = self.client.exchange(&request).await?;
        expect(&reply, StatusCode::ACCEPTED)?;
        let name = "range";
        // Registries disagree on whether the unit stands before the range.
        let stated = reply.header(name)?.map(|range| range.strip_prefix("bytes=").unwrap_or(range));
        if let Some(value) = stated.filter(|&range| range != format!("0-{end}")) {
            return Err(reply.violation(Violation::Header { name, value: shown(value) }));
        }
        upload.location = location(&reply)?;
        Ok(length)
    }

    /// Makes the request that opens an upload.
    fn upload_request(&self, descriptor: &Descriptor) -> Result<Request, Error> {
        let what = format_args!("the upload of blob {}", descriptor.digest);
        self.request(Method::POST, "blobs/uploads/", Access::Push, &what)
    }

    /// Makes the request that completes an upload.
    fn last_request(&self, descriptor: &Descriptor, location: Url) -> Result<Request, Error> {
        let mut request = self.session_request(Method::PUT, descriptor, location)?;
        request.url.query_pairs_mut().append_pair("digest", &descriptor.digest.to_string());
        Ok(request)
    }

    /// Makes a request to an open upload.
    fn session_request(&self, method: Method, descriptor: &Descriptor, location: Url) -> Result<Request, Error> {
        Ok(Request { method, url: location, headers: HeaderMap::new(), ..self.upload_request(descriptor)? })
    }
}

/// What became of a mount.
enum Mount {
    Done,
    Open(Upload),
    Refused,
}

impl Upload {
    /// Reads where the bytes go, and in parts of which size.
    fn open(reply: &Reply) -> Result<Self, Error> {
        expect(reply, StatusCode::ACCEPTED)?;
        let least = match reply.header(CHUNK_HEADER)? {
            Some(value) => value
                .trim()
                .parse()
                .map_err(|_| reply.violation(Violation::Header { name: CHUNK_HEADER, value: shown(value) }))?,
            None => 0,
        };
        if least > CHUNK_BYTES_MAX {
            let (request, limit) = (reply.line.clone(), CHUNK_BYTES_MAX as u64);
            return Err(Error::TooLarge { request, limit, unit: "bytes in one part of an upload" });
        }
        Ok(Self { location: location(reply)?, chunk_bytes: CHUNK_BYTES.max(least) })
    }
}

/// Returns where an upload goes on, which may be at another host, but not at any.
fn location(reply: &Reply) -> Result<Url, Error> {
    let location = reply.location()?;
    check_route(reply, &location)?;
    Ok(location)
}

/// Whether a refusal of a whole blob may be of the way and not of the blob.
fn wants_parts(error: &Error) -> bool {
    let (Error::NotFound { answer, .. } | Error::Refused { answer, .. } | Error::Server { answer, .. }) = error else {
        return false;
    };
    matches!(answer.status.as_u16(), 404 | 405 | 413 | 416 | 501)
        || (answer.status.is_client_error() && (answer.has_code("UNSUPPORTED") || answer.has_code("SIZE_INVALID")))
}

fn expect(reply: &Reply, expected: StatusCode) -> Result<(), Error> {
    match reply.status() {
        status if status == expected => Ok(()),
        status => Err(reply.violation(Violation::Status { status })),
    }
}

fn octets() -> HeaderValue {
    HeaderValue::from_str(MediaType::OCTET_STREAM.as_str()).expect("a media type has visible characters only")
}
