//! One WIT package as it was read, from text or from Wasm.

use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{
    PackageId, PackageName, ParseError, ParseErrorKind, Resolve, SourceMap, UnresolvedPackageGroup, WorldId,
};

use crate::error::locate;
use crate::guard::{guard, returned};
use crate::limits::{FILES_MAX, PACKAGE_BYTES_MAX, PACKAGES_MAX, TEXT_BYTES_MAX, WASM_BYTES_MAX};
use crate::{Diagnostic, Error, Refusal, bounds};

/// How a core module starts. The decoder takes it for a component without imports and exports.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// A file of WIT text, in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    /// What messages call it. Files of a package are read in the order of their names.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// What a [`Document`] was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// WIT text, which names other packages and does not hold them.
    Text,
    /// A WIT package in Wasm, which holds what it takes from others.
    Package,
    /// A component. Its package is called `root:component`, and has one world `root`.
    Component,
}

/// One WIT package with what it holds, read and not yet merged with what it needs.
#[derive(Debug, Clone)]
pub struct Document {
    pub(crate) label: String,
    pub(crate) content: Content,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Text(Box<UnresolvedPackageGroup>),
    Wasm(Box<Decoded>),
}

#[derive(Debug, Clone)]
pub(crate) struct Decoded {
    pub(crate) resolve: Resolve,
    pub(crate) package: PackageId,
    /// The world of a component.
    pub(crate) world: Option<WorldId>,
}

impl Document {
    /// Reads a package from its files of text; `label` is what messages call it.
    ///
    /// One file at least has to name the package. Packages in the form `package ns:name { … }` are held beside it.
    ///
    /// # Errors
    /// [`Error::Syntax`], with the line and a caret; [`Error::TextTooLarge`], [`Error::TooManyFiles`] and
    /// [`Error::TooManyPackages`]; [`Error::Unreadable`] for text that the parser does not get through.
    pub fn parse(label: &str, files: Vec<TextFile>) -> Result<Self, Error> {
        let document = || label.to_owned();
        if files.len() > FILES_MAX {
            return Err(Error::TooManyFiles { document: document(), count: files.len(), limit: FILES_MAX });
        }
        let size = files.iter().map(|file| file.text.len()).sum();
        if size > TEXT_BYTES_MAX {
            return Err(Error::TextTooLarge { document: document(), size, limit: TEXT_BYTES_MAX });
        }
        let mut sources = SourceMap::new();
        for file in &files {
            sources.push_str(&file.name, file.text.as_str());
        }
        let parsed = returned(|| sources.parse())
            .map_err(|source| Error::Unreadable { document: document(), source })?
            .map_err(|(sources, error)| Error::Syntax(diagnose(label, &files, &sources, &error)))?;
        Self { label: document(), content: Content::Text(Box::new(parsed)) }.bounded()
    }

    /// Reads the WIT of a WIT package or a component in Wasm; `label` is what messages call it.
    ///
    /// # Errors
    /// [`Error::Unreadable`] where it is neither, or not as the encoding has to be; [`Error::WasmTooLarge`],
    /// [`Error::TooComplex`] and [`Error::TooManyPackages`].
    pub fn decode(label: &str, bytes: &[u8]) -> Result<Self, Error> {
        let document = || label.to_owned();
        let check_size = |limit| match bytes.len() {
            size if size > limit => Err(Error::WasmTooLarge { document: document(), size, limit }),
            _ => Ok(()),
        };
        check_size(WASM_BYTES_MAX)?;
        if bytes.starts_with(MODULE) {
            let source = Refusal::new("it is a core module, which has no WIT");
            return Err(Error::Unreadable { document: document(), source });
        }
        bounds::check(label, bytes)?;
        let decoded = guard(|| decode(bytes)).map_err(|source| Error::Unreadable { document: document(), source })?;
        let package = decoded.package();
        let (resolve, world) = match decoded {
            DecodedWasm::WitPackage(resolve, _) => {
                check_size(PACKAGE_BYTES_MAX)?;
                (resolve, None)
            }
            DecodedWasm::Component(resolve, world) => (resolve, Some(world)),
        };
        let decoded = Decoded { resolve, package, world };
        Self { label: document(), content: Content::Wasm(Box::new(decoded)) }.bounded()
    }

    /// Returns what messages call it.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns what it was read from.
    #[must_use]
    pub fn form(&self) -> Form {
        match &self.content {
            Content::Text(_) => Form::Text,
            Content::Wasm(decoded) if decoded.world.is_none() => Form::Package,
            Content::Wasm(_) => Form::Component,
        }
    }

    /// Returns the name of the package.
    #[must_use]
    pub fn name(&self) -> &PackageName {
        match &self.content {
            Content::Text(group) => &group.main.name,
            Content::Wasm(decoded) => &decoded.resolve.packages[decoded.package].name,
        }
    }

    /// Returns the names of all packages that it holds: its own first, then those that nest in the text, or those
    /// that the Wasm takes something from, as far as it does.
    #[must_use]
    pub fn packages(&self) -> Vec<&PackageName> {
        match &self.content {
            Content::Text(_) => self.definitions(),
            Content::Wasm(decoded) => {
                let others = decoded.resolve.packages.iter().filter(|&(id, _)| id != decoded.package);
                [self.name()].into_iter().chain(others.map(|(_, package)| &package.name)).collect()
            }
        }
    }

    fn bounded(self) -> Result<Self, Error> {
        let count = self.packages().len();
        if count > PACKAGES_MAX {
            return Err(Error::TooManyPackages { document: self.label, count, limit: PACKAGES_MAX });
        }
        Ok(self)
    }

    /// Returns the names of the packages that it holds as a whole: its own, and those that nest in the text.
    pub(crate) fn definitions(&self) -> Vec<&PackageName> {
        match &self.content {
            Content::Text(group) => {
                [&group.main].into_iter().chain(&group.nested).map(|package| &package.name).collect()
            }
            Content::Wasm(_) => vec![self.name()],
        }
    }
}

/// Tells what is wrong with the files of the package `label`.
fn diagnose(label: &str, files: &[TextFile], sources: &SourceMap, error: &ParseError) -> Diagnostic {
    if matches!(error.kind(), ParseErrorKind::Lex(_))
        && let Some(diagnostic) = files.iter().find_map(diagnose_characters)
    {
        return diagnostic;
    }
    let location = locate(sources, error.kind().span());
    if location.is_none() {
        let message = match files {
            [] => format!("there is no file `*.wit` in `{label}`"),
            _ => format!("`{label}`: {error}"),
        };
        return Diagnostic { rendered: message.clone(), message, location };
    }
    Diagnostic { message: error.to_string(), location, rendered: error.render(sources) }
}

/// Tells what is wrong with the characters of a file; nothing where they make words.
///
/// `wit-parser` counts the place of some of these errors from the start of the file, and takes it for one in all files
/// together. In a file by itself both are the same.
fn diagnose_characters(file: &TextFile) -> Option<Diagnostic> {
    let mut sources = SourceMap::new();
    sources.push_str(&file.name, file.text.as_str());
    let (sources, error) = returned(|| sources.parse()).ok()?.err()?;
    let ParseErrorKind::Lex(fault) = error.kind() else { return None };
    let at = usize::try_from(fault.position()).ok()?;
    let name = |text: String| match file.text.get(at..).and_then(|rest| rest.chars().next()) {
        Some(character) => name_character(&text, character),
        None => text,
    };
    Some(Diagnostic {
        message: name(error.to_string()),
        location: locate(&sources, error.kind().span()),
        rendered: name(error.render(&sources)),
    })
}

/// Calls a character by its number, such as U+202E, where `text` shows it as an escape.
fn name_character(text: &str, character: char) -> String {
    let escape = character.escape_unicode();
    let number = format!("U+{:04X}", u32::from(character));
    text.replace(&format!("{escape:?}"), &number).replace(&format!("'{escape}'"), &number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::{text, wasm};
    use crate::{Location, merge};

    /// The bytes of a component that is empty.
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    fn file(name: &str, text: &str) -> TextFile {
        TextFile { name: name.to_owned(), text: text.to_owned() }
    }

    fn diagnostic(files: Vec<TextFile>) -> Diagnostic {
        match Document::parse("wit", files) {
            Err(Error::Syntax(diagnostic)) => diagnostic,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_error_in_text_shows_the_file_the_line_and_a_caret() {
        let cases: &[(&str, (usize, usize), &str)] = &[
            ("package a:b;\ninterface i {\n  f: fun();\n}\n", (3, 6), "expected keyword `func`, found an identifier"),
            ("package a:b;\ninterface i { f: func(a: u9); }\n", (2, 26), "name `u9` does not exist"),
            ("package a:b;\nworld w { import j; }\n", (2, 18), "interface or world `j` does not exist"),
            ("package a:b;\ninterface i { type t = t; }\n", (2, 24), "type `t` depends on itself"),
            (
                "package a:b;\ninterface i { use j.{t}; }\ninterface j { use i.{t}; }\n",
                (3, 11),
                "interface or world `j` depends on itself",
            ),
            (
                "package a:b;\nworld v { include w; }\nworld w { include v; }\n",
                (3, 7),
                "interface or world `w` depends on itself",
            ),
            ("package a:b;\ninterface i {\n", (3, 1), "found eof"),
            (
                "package a:b;\n@since(version = one)\ninterface i {}\n",
                (2, 18),
                "expected an integer, found an identifier",
            ),
        ];
        for (text, (line, column), message) in cases {
            let found = diagnostic(vec![file("wit/a.wit", "interface first {}\n"), file("wit/b.wit", text)]);
            let place = Location { file: "wit/b.wit".to_owned(), line: *line, column: *column };
            assert!(found.message.contains(message), "{text}: {found}");
            assert_eq!(found.location.as_ref(), Some(&place), "{text}: {found}");
            assert!(found.to_string().contains(&format!("--> {place}")), "{text}: {found}");
            let marker = found.rendered.lines().last().unwrap().trim_end_matches('-');
            assert_eq!(marker.len(), "      | ".len() + column, "{text}: {found}");
            assert!(marker.ends_with('^'), "{text}: {found}");
        }
    }

    #[test]
    fn an_error_of_characters_is_in_the_file_and_the_line_where_they_are() {
        let cases = [
            ("interface ok {\n  f: func();\n  g: fu\u{1}nc();\n}\n", 8, "Control code U+0001"),
            (
                "interface ok {\n  f: func();\n  g: \u{202e}func();\n}\n",
                6,
                "Input contains bidirectional override codepoint U+202E",
            ),
            ("interface ok {\n  f: func();\n  \u{149}: func();\n}\n", 3, "Codepoint U+0149 is discouraged by Unicode"),
            ("interface ok {\n  f: func();\n  g: \u{200b}func();\n}\n", 6, "unexpected character U+200B"),
            ("interface ok {\n  f: func();\n  g: €;\n}\n", 6, "unexpected character '€'"),
            ("interface ok {\n  f: func();\n  g: \"unterminated\n}\n", 19, "invalid string character '\\n'"),
            ("interface ok {\n  f: func();\n  /* open\n}\n", 3, "unterminated block comment"),
            ("interface ok {\n  f: func();\n  A-b-: func();\n}\n", 3, "identifiers must have characters between '-'s"),
        ];
        // By itself this file is one that the parser does not get through.
        let gate = "world w {\n  @since(version = 1.0.0)\n  @since(version = 1.0.0)\n  import c:d/e;\n}";
        for (text, column, message) in cases {
            for first in ["package a:b;\ninterface i { f: func(); }\nworld w { import i; }\n", gate] {
                let found = diagnostic(vec![file("wit/w.wit", first), file("wit/z.wit", text)]);
                let place = Location { file: "wit/z.wit".to_owned(), line: 3, column };
                assert_eq!((found.message.as_str(), found.location), (message, Some(place.clone())));
                assert!(found.rendered.starts_with(&format!("{message}\n     --> {place}\n")), "{}", found.rendered);
            }
        }
    }

    #[test]
    fn a_package_without_a_name_is_refused_as_a_whole() {
        for (files, message) in [
            (vec![], "there is no file `*.wit` in `wit`"),
            (
                vec![file("a.wit", "interface i {}")],
                "`wit`: no `package` header was found in any WIT file for this package",
            ),
        ] {
            let found = diagnostic(files);
            assert_eq!((found.message.as_str(), found.to_string().as_str()), (message, message));
            assert_eq!(found.location, None);
        }
    }

    #[test]
    fn files_make_one_package_in_the_order_of_their_names() {
        let one = file("1.wit", "package a:b@1.0.0;\ninterface one { type t = u8; }");
        let two = file("2.wit", "interface two { use one.{t}; }");
        let print = |files| merge(Document::parse("wit", files).unwrap(), vec![]).unwrap().print().unwrap();
        let printed = print(vec![one.clone(), two.clone()]);
        assert!(printed.find("interface one").unwrap() < printed.find("interface two").unwrap());
        assert_eq!(printed, print(vec![two, one]));
    }

    #[test]
    fn a_document_tells_what_it_was_read_from_and_which_packages_it_holds() {
        let inner = "package a:inner@1.0.0 { interface i { type t = u8; } }";
        let user = "package a:user@2.0.0;\ninterface i { use a:inner/i@1.0.0.{t}; }";
        let component = Document::decode("app.wasm", COMPONENT).unwrap();
        let cases = [
            (text("t", &format!("{user}\n{inner}")), Form::Text, "a:user@2.0.0 a:inner@1.0.0"),
            (text("t", user), Form::Text, "a:user@2.0.0"),
            (
                wasm(
                    "w",
                    user,
                    &[&inner
                        .replace(" {", ";")
                        .replace("; interface", ";\ninterface")
                        .replace(" } }", " }")
                        .replace("i; type", "i { type")],
                ),
                Form::Package,
                "a:user@2.0.0 a:inner@1.0.0",
            ),
            (component, Form::Component, "root:component"),
        ];
        for (document, form, packages) in cases {
            assert_eq!(document.form(), form);
            let names: Vec<_> = document.packages().iter().map(ToString::to_string).collect();
            assert_eq!(names.join(" "), packages);
            assert_eq!(names[0], document.name().to_string());
        }
    }

    #[test]
    fn what_is_no_wit_in_wasm_is_refused_by_name() {
        let package = merge(text("p", "package a:b;\ninterface i { f: func(); }"), vec![]).unwrap().encode().unwrap();
        let cut = &package[..package.len() - 3];
        for bytes in [b"".as_slice(), b"text", b"\0asm\x01\0\0\0", cut] {
            let error = Document::decode("acme:log@1.0.0", bytes).unwrap_err();
            assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
            assert_eq!(error.to_string(), "the WIT in acme:log@1.0.0 cannot be read");
        }
    }

    #[test]
    fn what_is_over_a_limit_is_refused() {
        let nested: String = (0..PACKAGES_MAX).map(|index| format!("package a:n{index} {{}}\n")).collect();
        let parse = |files| Document::parse("wit", files).unwrap_err();
        let large = parse(vec![file("a.wit", "package a:b;"), file("b.wit", &" ".repeat(TEXT_BYTES_MAX))]);
        assert!(matches!(large, Error::TextTooLarge { size, .. } if size == TEXT_BYTES_MAX + 12), "{large:?}");
        let many = parse(vec![file("a.wit", ""); FILES_MAX + 1]);
        assert!(matches!(many, Error::TooManyFiles { .. }), "{many:?}");
        let packages = parse(vec![file("a.wit", &format!("package a:b;\n{nested}"))]);
        assert!(matches!(packages, Error::TooManyPackages { count, .. } if count == PACKAGES_MAX + 1), "{packages:?}");
        let wasm = Document::decode("app.wasm", &vec![0; WASM_BYTES_MAX + 1]).unwrap_err();
        assert!(matches!(wasm, Error::WasmTooLarge { limit: WASM_BYTES_MAX, .. }), "{wasm:?}");
    }

    #[test]
    fn a_package_may_have_fewer_bytes_than_a_component() {
        let mut package = merge(text("p", "package a:b;\ninterface i {}"), vec![]).unwrap().encode().unwrap();
        for (mut bytes, is_package) in [(package.split_off(0), true), (COMPONENT.to_vec(), false)] {
            // A custom section without a name, of 16 MiB, the length of which takes four bytes.
            bytes.extend(b"\0\x80\x80\x80\x08");
            bytes.resize(bytes.len() + PACKAGE_BYTES_MAX, 0);
            let decoded = Document::decode("a.wasm", &bytes);
            assert_eq!(
                matches!(decoded, Err(Error::WasmTooLarge { limit: PACKAGE_BYTES_MAX, .. })),
                is_package,
                "{decoded:?}"
            );
            assert_eq!(decoded.is_ok(), !is_package);
        }
    }

    #[test]
    fn text_that_the_parser_does_not_get_through_is_an_error() {
        let gate = "package a:b;\nworld w {\n  @since(version = 1.0.0)\n  @since(version = 1.0.0)\n  import c:d/e;\n}";
        let error = Document::parse("wit", vec![file("a.wit", gate)]).unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
    }

    #[test]
    fn chains_of_any_length_are_read() {
        let types: String = (1..5000).map(|index| format!("type t{index} = list<t{}>;\n", index - 1)).collect();
        let worlds: String = (1..5000).map(|index| format!("world w{index} {{ include w{}; }}\n", index - 1)).collect();
        for (first, chain, last) in [("interface i { type t0 = u8;", types, "}"), ("world w0 {}", worlds, "")] {
            let document = text("t", &format!("package a:b;\n{first}\n{chain}{last}"));
            assert!(merge(document, vec![]).unwrap().print().unwrap().contains("4999"));
        }
    }

    proptest! {
        #[test]
        fn text_of_any_kind_gives_a_document_or_an_error(
            words in prop::collection::vec(prop::sample::select(vec![
                "package a:b;", "package c:d@1.0.0 {", "interface i {", "world w {", "}", "use", "c:d/e@1.0.0", ".{t}", ";",
                "import", "export", "include", "type t =", "list<", "u8", ">", "@since(version = 1.0.0)",
                "@unstable(feature = x)", "@deprecated(version = 1.0.0)", "async func(", ")", "resource r", "{", "/*", "\u{202e}",
            ]), 0..24),
        ) {
            let _ = Document::parse("wit", vec![file("a.wit", &words.join(" "))]);
        }

        #[test]
        fn bytes_of_any_kind_give_a_document_or_an_error(at in 0_usize..400, byte: u8) {
            let source = "package a:b@1.0.0;\ninterface i { resource r { m: func(); } f: func(a: own<r>) -> list<u8>; }";
            let mut bytes = merge(text("p", source), vec![]).unwrap().encode().unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(document) = Document::decode("p", &bytes) {
                let _ = merge(document, vec![]).unwrap().print();
            }
        }
    }
}
