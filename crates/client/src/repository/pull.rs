//! Pulling: manifests whole and verified, blobs as streams that go on where they were interrupted.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::header::{ACCEPT_ENCODING, RANGE};
use http::{HeaderValue, Method, StatusCode};
use wharf_oci::limits::MANIFEST_BYTES_MAX;
use wharf_oci::{ByteStream, Descriptor, Digest, Fetch, Manifest, MediaType, Origin, Resolve, Selector};

use super::Repository;
use crate::Error;
use crate::answer::shown;
use crate::auth::Access;
use crate::error::Violation;
use crate::exchange::Head;
use crate::limits::PROGRESS_BYTES;
use crate::retry::Tries;
use crate::transport::Reply;

const DIGEST_HEADER: &str = "docker-content-digest";

impl Repository {
    /// Reads a manifest, in one request, verified: the bytes are those of the digest asked for, and of the digest
    /// that the registry states, where it states one.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::DigestLie`], [`Error::Manifest`], and whatever keeps the registry from
    /// answering.
    pub async fn manifest(&self, selector: &Selector) -> Result<Manifest, Error> {
        let request = self.manifest_request(Method::GET, selector, Access::Pull)?;
        let (head, bytes) = self.client.read(&request, MANIFEST_BYTES_MAX).await?;
        let stated = stated_digest(&head)?;
        let named = match selector {
            Selector::Digest(digest) => Some(digest),
            Selector::Tag(_) => None,
        };
        let other = stated.as_ref().filter(|stated| named != Some(stated));
        for expected in named.into_iter().chain(other) {
            let actual = Digest::of(expected.algorithm(), &bytes);
            if actual != *expected {
                return Err(Error::DigestLie { request: head.line, expected: expected.clone(), actual });
            }
        }
        let declared = head.header("content-type").map(MediaType::from_content_type);
        // A tag is named by the digest that the registry prefers.
        let algorithm = named.or(stated.as_ref()).map(Digest::algorithm);
        let manifest = match algorithm {
            Some(algorithm) => Manifest::parse_as(bytes, declared.as_ref(), algorithm),
            None => Manifest::parse(bytes, declared.as_ref()),
        };
        manifest.map_err(|source| Error::Manifest { request: head.line, source })
    }

    /// Asks for the descriptor of a manifest by `HEAD`; `None` where the answer leaves it open.
    async fn head(&self, selector: &Selector) -> Result<Option<Descriptor>, Error> {
        let request = self.manifest_request(Method::HEAD, selector, Access::Pull)?;
        let (head, _) = match self.client.read(&request, 0).await {
            Err(Error::Refused { answer, .. }) if answer.status == StatusCode::METHOD_NOT_ALLOWED => return Ok(None),
            outcome => outcome?,
        };
        let size = head.header("content-length").and_then(|length| length.parse().ok());
        let media_type = head.header("content-type").map(MediaType::from_content_type);
        let (Some(digest), Some(size), Some(media_type)) = (stated_digest(&head)?, size, media_type) else {
            return Ok(None);
        };
        if !media_type.is_manifest() {
            return Ok(None);
        }
        match selector {
            Selector::Digest(expected) if expected.algorithm() != digest.algorithm() => Ok(None),
            Selector::Digest(expected) if *expected != digest => {
                Err(Error::DigestLie { request: head.line, expected: expected.clone(), actual: digest })
            }
            _ => Ok(Some(Descriptor::new(media_type, digest, size))),
        }
    }
}

/// Returns the digest that the registry states; nothing where it states none of a known algorithm.
pub(super) fn stated_digest(head: &Head) -> Result<Option<Digest>, Error> {
    let Some(text) = head.header(DIGEST_HEADER) else { return Ok(None) };
    match text.parse() {
        Ok(digest) => Ok(Some(digest)),
        Err(wharf_oci::InvalidDigest::Algorithm { .. }) => Ok(None),
        Err(_) => Err(head.violation(Violation::Header { name: DIGEST_HEADER, value: shown(text) })),
    }
}

#[async_trait]
impl Resolve for Repository {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor, wharf_oci::Error> {
        if let Some(descriptor) = self.head(selector).await? {
            return Ok(descriptor);
        }
        Ok(self.manifest(selector).await?.descriptor())
    }
}

#[async_trait]
impl Fetch for Repository {
    async fn fetch(&self, descriptor: &Descriptor, offset: u64) -> Result<ByteStream, wharf_oci::Error> {
        if offset > 0 && offset >= descriptor.size {
            return Ok(stream::empty().boxed());
        }
        let mut download = Download::new(self, descriptor, offset);
        while download.reply.is_none() {
            match download.open().await {
                Ok(reply) => download.reply = Some(reply),
                Err(error) => download.tries.next(error).await?,
            }
        }
        let pieces = stream::try_unfold(download, |mut download| async {
            Ok(download.next().await?.map(|piece| (piece, download)))
        });
        Ok(pieces.boxed())
    }

    fn origin(&self) -> Option<Origin> {
        Some(Origin { registry: self.registry.clone(), repository: self.name.clone() })
    }
}

/// Content on its way in.
struct Download {
    repository: Repository,
    descriptor: Descriptor,
    /// How many bytes of the content were handed out, or not asked for.
    position: u64,
    /// What gives the bytes from `position` on.
    reply: Option<Reply>,
    tries: Tries,
    /// Where the tries began.
    tries_from: u64,
}

impl Download {
    fn new(repository: &Repository, descriptor: &Descriptor, offset: u64) -> Self {
        Self {
            repository: repository.clone(),
            descriptor: descriptor.clone(),
            position: offset,
            reply: None,
            tries: Tries::new(repository.client.shared.retries),
            tries_from: offset,
        }
    }

    /// Returns the next bytes, from a new request where the last was interrupted.
    ///
    /// Of content that is longer than announced, one byte more is handed out, for the reader to see that; the rest
    /// is not read.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let size = self.descriptor.size;
        loop {
            if self.position > size || (self.position == size && self.reply.is_none()) {
                return Ok(None);
            }
            let error = match self.piece().await {
                Ok(Some(mut piece)) => {
                    let room = usize::try_from(size + 1 - self.position).unwrap_or(usize::MAX);
                    piece.truncate(room);
                    self.position += piece.len() as u64;
                    return Ok(Some(piece));
                }
                Ok(None) => return Ok(None),
                // There is no more where the content was cut off: it is as short as it seemed.
                Err(Error::Refused { request, answer })
                    if self.position > 0 && answer.status == StatusCode::RANGE_NOT_SATISFIABLE =>
                {
                    return Err(Error::Short { request, read: self.position, expected: size });
                }
                Err(error) => error,
            };
            self.reply = None;
            if self.position - self.tries_from >= PROGRESS_BYTES {
                self.tries.restart();
                self.tries_from = self.position;
            }
            self.tries.next(error).await?;
        }
    }

    /// Returns the next bytes of the request under way; `None` at the end of the content.
    async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        let reply = match self.reply.take() {
            Some(reply) => reply,
            None => self.open().await?,
        };
        let reply = self.reply.insert(reply);
        match reply.chunk().await? {
            None if self.position < self.descriptor.size => {
                let (read, expected) = (self.position, self.descriptor.size);
                Err(Error::Short { request: reply.line.clone(), read, expected })
            }
            piece => Ok(piece),
        }
    }

    /// Asks for the content from `position` on.
    async fn open(&self) -> Result<Reply, Error> {
        let offset = self.position;
        let mut request = self.repository.content_request(Method::GET, &self.descriptor, Access::Pull)?;
        // A range counts bytes as they are sent, and so must be of bytes as they are stored.
        request = request.with(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if offset > 0 {
            let range = HeaderValue::from_str(&format!("bytes={offset}-")).expect("digits are visible characters");
            request = request.with(RANGE, range);
        }
        let reply = self.repository.client.exchange(&request).await?;
        match reply.status() {
            StatusCode::OK => skip(reply, offset).await,
            StatusCode::PARTIAL_CONTENT if offset > 0 => {
                let name = "content-range";
                let value = reply.header(name)?.ok_or_else(|| reply.violation(Violation::MissingHeader { name }))?;
                if !starts_at(value, offset, self.descriptor.size) {
                    return Err(reply.violation(Violation::Header { name, value: shown(value) }));
                }
                Ok(reply)
            }
            status => Err(reply.violation(Violation::Status { status })),
        }
    }
}

/// Reads and drops the start of a body that a registry sent although it was not asked for.
async fn skip(mut reply: Reply, count: u64) -> Result<Reply, Error> {
    let mut left = count;
    while left > 0 {
        let Some(mut piece) = reply.chunk().await? else {
            return Err(Error::Short { request: reply.line, read: count - left, expected: count });
        };
        if piece.len() as u64 > left {
            let rest = piece.split_off(usize::try_from(left).expect("less than the length of a piece in memory"));
            reply.put_back(rest);
        }
        left -= piece.len() as u64;
    }
    Ok(reply)
}

/// Whether a `Content-Range` (RFC 9110, section 14.4) has the form `bytes START-END/SIZE`, with this start, and with
/// this size or `*`.
fn starts_at(value: &str, offset: u64, size: u64) -> bool {
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let Some((range, total)) = value.strip_prefix("bytes ").and_then(|rest| rest.split_once('/')) else { return false };
    let Some((start, end)) = range.split_once('-') else { return false };
    let is_total = total == "*" || number(total) == Some(size);
    is_total && number(start) == Some(offset) && number(end).is_some_and(|end| (offset..size).contains(&end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_the_one_asked_for_or_refused() {
        let table = [
            ("bytes 5-9/10", true),
            ("bytes 5-9/*", true),
            ("bytes 5-7/10", true),
            ("bytes 0-9/10", false),
            ("bytes 4-9/10", false),
            ("bytes 5-10/10", false),
            ("bytes 5-9/11", false),
            ("bytes 5-4/10", false),
            ("bytes=5-9/10", false),
            ("bytes +5-9/10", false),
            ("5-9/10", false),
            ("bytes 5-9", false),
            ("bytes */10", false),
            ("bytes 5-/10", false),
            ("", false),
        ];
        for (value, expected) in table {
            assert_eq!(starts_at(value, 5, 10), expected, "{value}");
        }
    }
}
