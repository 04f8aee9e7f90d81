//! Pages of a list: `n` entries after `last`, and the `Link` to the next (distribution-spec, "Listing Tags").

use http::HeaderValue;
use url::form_urlencoded;

use crate::response::header;

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Page {
    /// How many entries, where the client says so.
    pub(crate) size: Option<usize>,
    /// The entry after which to start.
    pub(crate) last: Option<String>,
}

impl Page {
    /// Returns how many entries to give; never more than `limit`.
    pub(crate) fn size(&self, limit: usize) -> usize {
        self.size.unwrap_or(limit).min(limit)
    }
}

/// Writes the `Link` header that leads to what comes after the entry `last`.
///
/// `kept` are parameters that the next request needs as this one did.
pub(crate) fn next_link(path: &str, size: usize, last: &str, kept: &[(&str, &str)]) -> HeaderValue {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("n", &size.to_string()).append_pair("last", last).extend_pairs(kept);
    header(format_args!("<{path}?{}>; rel=\"next\"", query.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_never_larger_than_the_limit() {
        for (size, expected) in [(None, 10), (Some(0), 0), (Some(9), 9), (Some(usize::MAX), 10)] {
            assert_eq!(Page { size, last: None }.size(10), expected);
        }
    }

    #[test]
    fn nothing_that_a_client_sent_breaks_out_of_the_link() {
        let link = next_link("/v2/a/b/referrers/x", 5, "c", &[("artifactType", "x>\r\nSet-Cookie: a=b; \"é")]);
        let expected = "</v2/a/b/referrers/x?n=5&last=c&artifactType=x%3E%0D%0ASet-Cookie%3A+a%3Db%3B+%22%C3%A9>; \
                        rel=\"next\"";
        assert_eq!(link, expected);
    }
}
