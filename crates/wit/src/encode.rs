//! A WIT package as Wasm.

use std::error::Error as StdError;
use std::fmt::Debug;
use std::str::FromStr;

use wasm_metadata::{AddMetadata, AddMetadataField};

use crate::guard::guard;
use crate::{Error, Refusal, Resolved};

/// What a package in Wasm says of itself beside its name and version; each is a custom section of that name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Who made it.
    pub authors: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The licences, as an SPDX expression.
    pub licenses: Option<String>,
    /// The URL of the source code.
    pub source: Option<String>,
    /// The URL of the home page.
    pub homepage: Option<String>,
    /// The revision of the source code.
    pub revision: Option<String>,
}

impl Resolved {
    /// Encodes the root as a WIT package in Wasm, with what it takes from other packages.
    ///
    /// The same packages give the same bytes.
    ///
    /// # Errors
    /// [`Error::Unencodable`].
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        guard(|| wit_component::encode(&self.resolve, self.package, false)).map_err(|source| self.unencodable(source))
    }

    /// Encodes the root as [`encode`](Self::encode) does, and says in it what it is.
    ///
    /// `wkg build` writes the same custom sections:
    ///
    /// ```text
    ///   producers       processed-by wit-component …, wharf …
    ///   component-name  ns:name
    ///   authors, description, licenses, source, homepage, revision    as far as they are given; URLs are normalized
    ///   version         of the package, if it has one
    /// ```
    ///
    /// # Errors
    /// [`Error::Metadata`] where the licences are no SPDX expression, or what has to be a URL is none;
    /// [`Error::Unencodable`].
    pub fn encode_described(&self, metadata: &Metadata) -> Result<Vec<u8>, Error> {
        let name = self.name();
        let mut added = AddMetadata::default();
        added.name = AddMetadataField::Set(format!("{}:{}", name.namespace, name.name));
        added.processed_by = vec![("wharf".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
        added.authors = field("authors", metadata.authors.as_deref())?;
        added.description = field("description", metadata.description.as_deref())?;
        added.licenses = field("licenses", metadata.licenses.as_deref())?;
        added.source = field("source", metadata.source.as_deref())?;
        added.homepage = field("homepage", metadata.homepage.as_deref())?;
        added.revision = field("revision", metadata.revision.as_deref())?;
        added.version = field("version", name.version.as_ref().map(ToString::to_string).as_deref())?;
        let encoded = self.encode()?;
        added.to_wasm(&encoded).map_err(|error| self.unencodable(Refusal::new(error)))
    }

    fn unencodable(&self, source: Refusal) -> Error {
        Error::Unencodable { package: Box::new(self.name().clone()), source }
    }
}

/// Reads what a field is to be; what is not given stays as it is, which is absent.
fn field<T>(field: &'static str, value: Option<&str>) -> Result<AddMetadataField<T>, Error>
where
    T: FromStr<Err: Into<Box<dyn StdError + Send + Sync>>> + Debug + Clone,
{
    let Some(value) = value else { return Ok(AddMetadataField::Keep) };
    let refuse = |error| Error::Metadata { field, value: value.to_owned(), source: Refusal::new(error) };
    value.parse().map(AddMetadataField::Set).map_err(refuse)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use wasm_metadata::Payload;

    use super::*;
    use crate::fixtures::{text, wasm};
    use crate::{Document, Form, merge};

    const LIBRARY: &str = "package x:lib@1.0.0;\ninterface i { type t = u8; @unstable(feature = f) type u = t; }";
    const ROOT: &str =
        "package a:b@2.0.0;\n/// Of a world.\nworld w { import x:lib/i; }\npackage a:n { interface i {} }";

    #[test]
    fn a_package_is_encoded_with_what_it_takes_from_others() {
        let resolved = merge(text("wit", ROOT), vec![text("lib", LIBRARY)]).unwrap();
        let document = Document::decode("a.wasm", &resolved.encode().unwrap()).unwrap();
        assert_eq!(document.form(), Form::Package);
        let names: Vec<_> = document.packages().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a:b@2.0.0", "x:lib@1.0.0"]);
        let printed = merge(document, vec![]).unwrap().print().unwrap();
        assert!(printed.contains("/// Of a world.") && printed.contains("import x:lib/i@1.0.0;"), "{printed}");
    }

    #[test]
    fn the_same_packages_give_the_same_bytes() {
        let encode = |library| merge(text("wit", ROOT), vec![library]).unwrap().encode().unwrap();
        let first = encode(text("lib", LIBRARY));
        assert_eq!(encode(text("lib", LIBRARY)), first);
        assert_eq!(encode(wasm("lib", LIBRARY, &[])), first);
    }

    fn metadata() -> Metadata {
        let some = |text: &str| Some(text.to_owned());
        Metadata {
            authors: some("Jo <jo@acme.example>"),
            description: some("An application."),
            licenses: some("Apache-2.0 WITH LLVM-exception OR MIT"),
            source: some("https://acme.example/src"),
            homepage: some("https://acme.example"),
            revision: some("abc123"),
        }
    }

    /// The custom sections, as `name=content`, of a binary that is no more than sections.
    fn custom_sections(wasm: &[u8]) -> Vec<String> {
        let take_number = |bytes: &mut &[u8]| {
            let length = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
            let (number, rest) = bytes.split_at(length);
            *bytes = rest;
            number.iter().rev().fold(0, |sum, byte| (sum << 7) | usize::from(byte & 0x7f))
        };
        let mut sections = Vec::new();
        let mut rest = &wasm[8..];
        while let Some((&id, mut content)) = rest.split_first() {
            let size = take_number(&mut content);
            let (mut section, next) = content.split_at(size);
            if id == 0 {
                let (name, text) = section[1..].split_at(take_number(&mut section));
                sections.push(format!("{}={}", name.escape_ascii(), text.escape_ascii()));
            }
            rest = next;
        }
        sections
    }

    #[test]
    fn a_described_package_has_the_sections_that_wkg_writes_in_their_order() {
        let source = "package acme:app@1.2.3;\n/// Doc.\ninterface i { type t = u8; }\nworld w { import i; }";
        let encoded = merge(text("wit", source), vec![]).unwrap().encode_described(&metadata()).unwrap();
        let mut sections = custom_sections(&encoded);
        let producers = sections.remove(1);
        assert!(producers.starts_with("producers=\\x01\\x0cprocessed-by\\x02\\rwit-component"), "{producers}");
        assert!(producers.contains("\\x05wharf"), "{producers}");
        // As wkg 0.16.1 wrote them.
        let expected = [
            r#"package-docs=\x01{\"interfaces\":{\"i\":{\"docs\":\"Doc.\"}}}"#,
            r"component-name=\x00\t\x08acme:app",
            "authors=Jo <jo@acme.example>",
            "description=An application.",
            "licenses=Apache-2.0 WITH LLVM-exception OR MIT",
            "source=https://acme.example/src",
            "homepage=https://acme.example/",
            "revision=abc123",
            "version=1.2.3",
        ];
        assert_eq!(sections, expected);
    }

    #[test]
    fn what_a_package_says_of_itself_is_read_back() {
        let resolved = merge(text("wit", ROOT), vec![text("lib", LIBRARY)]).unwrap();
        let encoded = resolved.encode_described(&metadata()).unwrap();
        let payload = Payload::from_binary(&encoded).unwrap();
        let found = payload.metadata();
        assert_eq!(found.name.as_deref(), Some("a:b"));
        let shown = [
            found.authors.as_ref().map(ToString::to_string),
            found.description.as_ref().map(ToString::to_string),
            found.licenses.as_ref().map(ToString::to_string),
            found.source.as_ref().map(ToString::to_string),
            found.homepage.as_ref().map(ToString::to_string),
            found.revision.as_ref().map(ToString::to_string),
        ];
        let Metadata { authors, description, licenses, source, homepage, revision } = metadata();
        assert_eq!(shown, [authors, description, licenses, source, homepage.map(|url| url + "/"), revision]);
        assert_eq!(found.version.as_ref().map(ToString::to_string).as_deref(), Some("2.0.0"));
        let producers = found.producers.as_ref().unwrap();
        let tools = producers.get("processed-by").unwrap();
        assert_eq!(tools.get("wharf").map(String::as_str), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(Document::decode("a.wasm", &encoded).unwrap().name(), resolved.name());
        assert_eq!(resolved.encode_described(&metadata()).unwrap(), encoded);
    }

    #[test]
    fn what_is_not_given_is_not_written() {
        let resolved = merge(text("wit", "package a:b;\ninterface i {}"), vec![]).unwrap();
        let encoded = resolved.encode_described(&Metadata::default()).unwrap();
        let names: Vec<_> =
            custom_sections(&encoded).iter().map(|section| section.split('=').next().unwrap().to_owned()).collect();
        assert_eq!(names, ["package-docs", "producers", "component-name"]);
    }

    #[test]
    fn what_is_no_licence_and_no_url_is_refused_by_name() {
        let resolved = merge(text("wit", "package a:b;\ninterface i {}"), vec![]).unwrap();
        let mine = Some("mine".to_owned());
        let cases = [
            ("licenses", Metadata { licenses: mine.clone(), ..Metadata::default() }),
            ("source", Metadata { source: mine.clone(), ..Metadata::default() }),
            ("homepage", Metadata { homepage: mine, ..Metadata::default() }),
        ];
        for (field, metadata) in cases {
            let error = resolved.encode_described(&metadata).unwrap_err();
            assert!(matches!(&error, Error::Metadata { field: named, .. } if *named == field), "{error:?}");
            assert_eq!(error.to_string(), format!("`mine` cannot be the `{field}` of a package"));
            assert!(!error.source().unwrap().to_string().contains("cannot be the"));
        }
    }
}
