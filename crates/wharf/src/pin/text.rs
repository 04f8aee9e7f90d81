//! One text: which of its images have tags alone, and how it reads with digests behind them.

use wharf_oci::{Digest, Reference};

use super::find::{Image, Reader, images};
use super::splice::splice;
use super::{SkipReason, SkippedImage};
use crate::PinFault;

/// Bytes of a text. Manifests that a cluster takes have fewer.
pub(super) const BYTES_MAX: usize = 1024 * 1024;

/// What starts what somebody else fills in: Compose, shells and envsubst; Helm, Jinja and Go.
const TEMPLATES: [&str; 2] = ["$", "{{"];

/// A text with images.
#[derive(Debug)]
pub(super) struct PinText {
    pub(super) text: String,
    /// The images that have no digest.
    pub(super) tags: Vec<Tag>,
    /// How many have one.
    pub(super) pinned: usize,
    pub(super) skipped: Vec<SkippedImage>,
}

/// An image that has no digest.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) line: usize,
    /// The image, as it stands there.
    pub(super) text: String,
    pub(super) reference: Reference,
    pub(super) reader: Reader,
    /// How many bytes stand before its end.
    end: usize,
}

impl Tag {
    /// Returns what decides the digest.
    pub(super) fn key(&self) -> (String, Reader) {
        (self.reference.to_string(), self.reader)
    }
}

impl PinText {
    pub(super) fn parse(text: String) -> Result<Self, PinFault> {
        if text.len() > BYTES_MAX {
            return Err(PinFault::Size { limit: BYTES_MAX });
        }
        let images = images(&text)?;
        let mut parsed = Self { text, tags: Vec::new(), pinned: 0, skipped: Vec::new() };
        for image in images {
            match judge(&image) {
                Ok((reference, _)) if reference.digest().is_some() => parsed.pinned += 1,
                Ok((reference, end)) => {
                    let Image { line, text, reader, .. } = image;
                    parsed.tags.push(Tag { line, text, reference, reader, end });
                }
                Err(reason) => parsed.skipped.push(SkippedImage { line: image.line, text: image.text, reason }),
            }
        }
        Ok(parsed)
    }

    /// Returns the text with digests behind the images that `digest` gives one for.
    pub(super) fn with_digests(&self, digest: impl Fn(&Tag) -> Option<Digest>) -> String {
        let insertions = self.tags.iter().filter_map(|tag| Some((tag.end, format!("@{}", digest(tag)?))));
        splice(&self.text, &insertions.collect::<Vec<_>>())
    }
}

/// Returns what an image refers to, and where it ends, if something is to be put there.
fn judge(image: &Image) -> Result<(Reference, usize), SkipReason> {
    if TEMPLATES.iter().any(|start| image.text.contains(start)) {
        return Err(SkipReason::Template);
    }
    let reference: Reference = image.text.parse().map_err(|_| SkipReason::NoReference)?;
    match &image.bytes {
        _ if reference.digest().is_some() => Ok((reference, 0)),
        _ if image.is_built => Err(SkipReason::Built),
        None => Err(SkipReason::Style),
        Some(bytes) => Ok((reference, bytes.end)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pinned(text: &str) -> String {
        PinText::parse(text.to_owned()).unwrap().with_digests(|tag| Some(Digest::sha256(tag.text.as_bytes())))
    }

    #[test]
    fn what_is_no_tag_is_left_alone_with_the_reason() {
        let digest = Digest::sha256(b"");
        for (image, reason) in [
            ("${IMAGE}:1", Some(SkipReason::Template)),
            ("acme/hello:$TAG", Some(SkipReason::Template)),
            ("\"{{ .Values.image }}\"", Some(SkipReason::Template)),
            (">-\n      acme/hello:1", Some(SkipReason::Style)),
            ("file://hello.wasm", Some(SkipReason::NoReference)),
            ("https://acme.example/filter.wasm", Some(SkipReason::NoReference)),
            ("Acme", Some(SkipReason::NoReference)),
            ("acme/hello\n    build: .", Some(SkipReason::Built)),
            (&format!("acme/hello@{digest}"), None),
            (&format!("acme/hello:1@{digest}"), None),
            (&format!(">-\n      acme/hello@{digest}"), None),
        ] {
            let text = format!("services:\n  a:\n    image: {image}\n");
            let parsed = PinText::parse(text.clone()).unwrap();
            assert_eq!(parsed.skipped.first().map(|skipped| skipped.reason), reason, "{text}");
            assert_eq!((parsed.tags.len(), parsed.pinned), (0, usize::from(reason.is_none())), "{text}");
            assert_eq!(pinned(&text), text);
        }
    }

    #[test]
    fn a_text_that_is_too_large_is_refused() {
        assert!(PinText::parse(" ".repeat(BYTES_MAX)).is_ok());
        let refused = PinText::parse(" ".repeat(BYTES_MAX + 1));
        assert!(matches!(refused, Err(PinFault::Size { limit: BYTES_MAX })), "{refused:?}");
    }

    /// Any YAML of Compose, with what people write around images.
    fn yaml() -> impl Strategy<Value = String> {
        let image = prop_oneof![
            "[a-z]{1,8}(/[a-z]{1,8}){0,2}(:[a-z0-9.]{1,8})?",
            "\"[a-z]{1,8}:1\"",
            "'[a-z]{1,8}:1'",
            "&[a-z]{1,3} [a-z]{1,8}:1",
            "[|>]-?\n      [a-z]{1,8}",
            "\\$\\{[A-Z]{1,3}\\}",
            "\"[a-zé]{1,3}\\\\u00e9\"",
        ];
        let service = (image, "( *#[ -~é]{0,8})?", "(\n +#[a-zé\u{10348}]{0,5})?")
            .prop_map(|(image, comment, line)| format!("    image: {image}{comment}{line}\n"));
        let text = ("\u{feff}?", "(#[ é\u{10348}]{0,4}\n)?", prop::collection::vec(service, 0..5)).prop_map(
            |(mark, head, services)| {
                let named = services.iter().enumerate().map(|(at, service)| format!("  s{at}:\n{service}"));
                format!("{mark}{head}services:\n{}", named.collect::<String>())
            },
        );
        (text, any::<bool>()).prop_map(|(text, carriage)| if carriage { text.replace('\n', "\r\n") } else { text })
    }

    proptest! {
        #[test]
        fn every_byte_stays_and_what_is_pinned_is_left_alone(text in yaml()) {
            let Ok(before) = PinText::parse(text.clone()) else { return Ok(()) };
            let once = pinned(&text);
            let after = PinText::parse(once.clone()).unwrap();
            prop_assert_eq!(after.tags.len(), 0);
            prop_assert_eq!(after.pinned, before.pinned + before.tags.len());
            prop_assert_eq!(&after.skipped, &before.skipped);
            prop_assert_eq!(pinned(&once), &once[..]);
            let digests = before.tags.iter().map(|tag| format!("@{}", Digest::sha256(tag.text.as_bytes())));
            prop_assert_eq!(digests.fold(once.clone(), |rest, digest| rest.replacen(&digest, "", 1)), text);
        }
    }
}
