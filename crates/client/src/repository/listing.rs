//! Listings in pages, each of which names the next (distribution-spec, "Listing Tags" and "Listing Referrers").

use bytes::Bytes;
use url::Url;

use super::Repository;
use crate::error::{Violation, origin};
use crate::exchange::{Head, Request};
use crate::limits::{PAGE_BYTES_MAX, PAGES_MAX};
use crate::route::{is_same_origin, resolve};
use crate::{Detour, Error};

impl Repository {
    /// Reads all pages of a listing.
    pub(super) async fn pages(
        &self,
        mut request: Request,
        mut add: impl FnMut(&Head, Bytes) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for _ in 0..PAGES_MAX {
            let (head, bytes) = self.client.read(&request, PAGE_BYTES_MAX).await?;
            add(&head, bytes)?;
            match next_page(&head, &request.url)? {
                Some(next) => request.url = next,
                None => return Ok(()),
            }
        }
        Err(Error::TooLarge { request: request.line(), limit: PAGES_MAX as u64, unit: "pages" })
    }
}

/// Returns where the next page is, which must be at the same host: the credential goes there.
fn next_page(head: &Head, asked: &Url) -> Result<Option<Url>, Error> {
    let name = "link";
    for value in head.headers.get_all(name) {
        let text = String::from_utf8_lossy(value.as_bytes());
        let Some(target) = next_target(&text) else { continue };
        let next = resolve(&head.url, target).map_err(|_| head.violation(Violation::Url { name }))?;
        if !is_same_origin(&next, asked) {
            let (request, to) = (head.line.clone(), origin(&next));
            return Err(Error::Redirect { request, to, reason: Detour::OtherOrigin });
        }
        if next == *asked {
            return Err(head.violation(Violation::PageLoop));
        }
        return Ok(Some(next));
    }
    Ok(None)
}

/// Finds the target of `rel="next"` in a `Link` header (RFC 8288, section 3).
fn next_target(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (target, after) = rest.split_once('<')?.1.split_once('>')?;
        // A comma inside quotes ends the parameters early here; no relation has one.
        let (parameters, further) = after.split_once(',').unwrap_or((after, ""));
        let is_next = parameters.split(';').any(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else { return false };
            let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
            name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target);
        }
        rest = further;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_next_page_is_found_among_links() {
        let table = [
            (r#"</v2/a/tags/list?n=2&last=b>; rel="next""#, Some("/v2/a/tags/list?n=2&last=b")),
            (r#"<https://a.example/x>; rel=next"#, Some("https://a.example/x")),
            (r#"<x>;REL="NEXT""#, Some("x")),
            (r#"<x>; rel="last next""#, Some("x")),
            (r#"<y>; rel="prev", <x>; title="t"; rel="next""#, Some("x")),
            (r#"<x?a,b>; rel="next""#, Some("x?a,b")),
            (r#"<x>; rel="prev""#, None),
            (r#"<x>; rel="nextish""#, None),
            ("<x>", None),
            ("<x", None),
            ("x>; rel=next", None),
            ("", None),
        ];
        for (header, expected) in table {
            assert_eq!(next_target(header), expected, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_panic(header in "\\PC*") {
            let _ = next_target(&header);
        }
    }
}
