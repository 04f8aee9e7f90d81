//! How much memory and time WIT may take, which has to be known before it is decoded or merged.
//!
//! Its size does not bound that by itself. In Wasm:
//!
//! - The decoder makes room for a section or a function as soon as it reads how long that is to be, 4 GiB if it says
//!   so.
//! - It makes up to a hundred bytes of each byte of a type.
//! - It makes an interface of each import of a type, with all names anew. `wasmparser` counts what there is in such a
//!   type, and ends at a million; how long the names are, it does not count.
//!
//! In text, a world has all that a world has which it includes, and all interfaces that those use which it imports: so
//! the imports of all worlds together grow with the square of the text.

use wasmparser::{
    ComponentInstance, ComponentType, ComponentTypeDeclaration, InstanceTypeDeclaration, Parser, Payload,
};
use wit_parser::{PackageMetadata, World, WorldId};

use crate::document::Content;
use crate::limits::{MODULES_MAX, NAME_BYTES_MAX, TYPES_BYTES_MAX, WORLD_ITEMS_MAX};
use crate::{Document, Error, Refusal};

/// Checks that Wasm is whole, and within the [limits](crate::limits) of what is decoded: of its types, its names, and the
/// modules and components in it. It is called `label` in errors.
///
/// # Errors
/// [`Error::Unreadable`] and [`Error::TooComplex`].
pub fn check(label: &str, bytes: &[u8]) -> Result<(), Error> {
    let unreadable = |source| Error::Unreadable { document: label.to_owned(), source: Refusal::new(Broken(source)) };
    let mut tally = Tally::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(unreadable)?;
        tally.add(&payload).map_err(unreadable)?;
        if let Some((what, limit)) = tally.excess() {
            return Err(Error::TooComplex { document: label.to_owned(), what, limit });
        }
    }
    Ok(())
}

/// Checks that the worlds of text are within the limit of what they can come to have when documents are merged.
///
/// # Errors
/// [`Error::TooComplex`].
pub(crate) fn check_worlds(root: &Document, dependencies: &[Document]) -> Result<(), Error> {
    let mut worlds_of_text = 0;
    let mut items = 0;
    for document in dependencies.iter().chain([root]) {
        match &document.content {
            Content::Text(group) => {
                for package in [&group.main].into_iter().chain(&group.nested) {
                    worlds_of_text += package.worlds.len();
                    items += items_of(package.worlds.iter()) + package.interfaces.len();
                }
            }
            Content::Wasm(decoded) => {
                items += items_of(decoded.resolve.worlds.iter()) + decoded.resolve.interfaces.len()
            }
        }
    }
    // No world has more than all interfaces, and all that stands in worlds.
    if worlds_of_text.saturating_mul(items) > WORLD_ITEMS_MAX {
        let what = "imports and exports in its worlds, if each has all that there is";
        return Err(Error::TooComplex { document: root.label.clone(), what, limit: WORLD_ITEMS_MAX });
    }
    Ok(())
}

fn items_of<'a>(worlds: impl Iterator<Item = (WorldId, &'a World)>) -> usize {
    worlds.map(|(_, world)| world.imports.len() + world.exports.len()).sum()
}

#[derive(Debug, thiserror::Error)]
#[error("it is not Wasm, or not all of it")]
struct Broken(#[source] wasmparser::Error);

/// What the decoder would have to take.
#[derive(Default)]
struct Tally {
    modules: usize,
    types_bytes: u64,
    longest_name: usize,
}

impl Tally {
    fn add(&mut self, payload: &Payload<'_>) -> Result<(), wasmparser::Error> {
        if is_decoded(payload)
            && let Some((_, range)) = payload.as_section()
        {
            self.types_bytes += range.end - range.start;
        }
        match payload {
            Payload::Version { .. } => self.modules += 1,
            Payload::ComponentTypeSection(types) => {
                for declared in types.clone() {
                    self.add_type(&declared?);
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports.clone() {
                    self.add_name(import?.name.name);
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports.clone() {
                    self.add_name(export?.name.name);
                }
            }
            Payload::ComponentInstanceSection(instances) => {
                for instance in instances.clone() {
                    if let ComponentInstance::FromExports(exports) = instance? {
                        exports.iter().for_each(|export| self.add_name(export.name.name));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Adds the names in a type that belong to each use of it; those of records and the like are there once.
    fn add_type(&mut self, declared: &ComponentType<'_>) {
        match declared {
            ComponentType::Func(function) => function.params.iter().for_each(|(name, _)| self.add_name(name)),
            ComponentType::Component(declarations) => {
                for declaration in declarations {
                    match declaration {
                        ComponentTypeDeclaration::Type(nested) => self.add_type(nested),
                        ComponentTypeDeclaration::Export { name, .. } => self.add_name(name.name),
                        ComponentTypeDeclaration::Import(import) => self.add_name(import.name.name),
                        ComponentTypeDeclaration::CoreType(_) | ComponentTypeDeclaration::Alias(_) => {}
                    }
                }
            }
            ComponentType::Instance(declarations) => {
                for declaration in declarations {
                    match declaration {
                        InstanceTypeDeclaration::Type(nested) => self.add_type(nested),
                        InstanceTypeDeclaration::Export { name, .. } => self.add_name(name.name),
                        InstanceTypeDeclaration::CoreType(_) | InstanceTypeDeclaration::Alias(_) => {}
                    }
                }
            }
            ComponentType::Defined(_) | ComponentType::Resource { .. } => {}
        }
    }

    fn add_name(&mut self, name: &str) {
        self.longest_name = self.longest_name.max(name.len());
    }

    /// Returns what there is more of than may be, and how much may be.
    fn excess(&self) -> Option<(&'static str, usize)> {
        if self.modules > MODULES_MAX {
            Some(("modules and components", MODULES_MAX))
        } else if self.types_bytes > TYPES_BYTES_MAX as u64 {
            Some(("bytes of types and documentation", TYPES_BYTES_MAX))
        } else if self.longest_name > NAME_BYTES_MAX {
            Some(("bytes in the name of an import, an export or a parameter", NAME_BYTES_MAX))
        } else {
            None
        }
    }
}

/// Whether the decoder keeps what is in a section: that of a component does, apart from what nests in it, and of what
/// is custom only the documentation. Modules are passed by.
fn is_decoded(payload: &Payload<'_>) -> bool {
    match payload {
        Payload::CustomSection(custom) => custom.name() == PackageMetadata::SECTION_NAME,
        Payload::CoreTypeSection(_)
        | Payload::InstanceSection(_)
        | Payload::ComponentAliasSection(_)
        | Payload::ComponentCanonicalSection(_)
        | Payload::ComponentExportSection(_)
        | Payload::ComponentImportSection(_)
        | Payload::ComponentInstanceSection(_)
        | Payload::ComponentTypeSection(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;
    use crate::fixtures::text;
    use crate::merge;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

    fn component(content: &str) -> Vec<u8> {
        wat::parse_str(format!("(component {content})")).unwrap()
    }

    fn outcome(bytes: &[u8]) -> Result<(), (&'static str, usize)> {
        match Document::decode("p", bytes) {
            Ok(_) => Ok(()),
            Err(Error::TooComplex { what, limit, .. }) => Err((what, limit)),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [&[id], number(content.len()).as_slice(), content].concat()
    }

    /// A number as LEB128, in four bytes.
    fn number(value: usize) -> [u8; 4] {
        [0, 7, 14, 21].map(|shift| u8::try_from(value >> shift & 0x7f).unwrap() | if shift < 21 { 0x80 } else { 0 })
    }

    #[test]
    fn a_length_is_not_believed_before_its_bytes_are_there() {
        // 4 GiB less one, as LEB128.
        let most = b"\xff\xff\xff\xff\x0f".as_slice();
        let custom = [b"\0", most].concat();
        let code = section(10, &[b"\x01", most].concat());
        let module = [MODULE, &section(1, b"\x01\x60\0\0"), &section(3, b"\x01\0"), &code].concat();
        let nested = [COMPONENT, &custom].concat();
        for content in [custom, section(1, &module), section(4, &nested), b"\x04\x80\x80\x80\x80\x02".to_vec()] {
            let error = Document::decode("p", &[COMPONENT, &content].concat()).unwrap_err();
            assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
            assert_eq!(error.source().unwrap().to_string(), "it is not Wasm, or not all of it");
        }
    }

    #[test]
    fn modules_and_components_are_counted_wherever_they_are() {
        let pair = "(component (core module))";
        assert_eq!(outcome(&component(&pair.repeat(MODULES_MAX / 2 - 1))), Ok(()));
        assert_eq!(outcome(&component(&pair.repeat(MODULES_MAX / 2))), Err(("modules and components", MODULES_MAX)));
    }

    #[test]
    fn what_is_decoded_has_a_limit_and_what_is_passed_by_has_none() {
        let case = [number(90_000).as_slice(), &[b'a'; 90_000]].concat();
        // Enums of one case.
        let types = |count: usize| {
            section(7, &[&number(count), [b"\x6d\x01", case.as_slice()].concat().repeat(count).as_slice()].concat())
        };
        let custom =
            |name: &str| section(0, &[&[name.len() as u8], name.as_bytes(), &vec![0; TYPES_BYTES_MAX]].concat());
        for (content, is_over) in [
            (types(80), false),
            (types(95), true),
            ([section(4, &[COMPONENT, &types(48)].concat()), types(48)].concat(), true),
            (custom("package-docs"), true),
            (custom("name"), false),
        ] {
            let over = Err(("bytes of types and documentation", TYPES_BYTES_MAX));
            assert_eq!(outcome(&[COMPONENT, &content].concat()), if is_over { over } else { Ok(()) });
        }
    }

    #[test]
    fn a_name_that_many_items_can_be_made_of_has_a_limit() {
        let function = |name: &str| format!("(type $t (func)) (export \"{name}\" (func (type $t)))");
        let instance = "(import \"i\" (func $f))";
        let templates: [&dyn Fn(&str) -> String; 8] = [
            &|name| format!("(import \"{name}\" (func))"),
            &|name| format!("(import \"f\" (func (param \"{name}\" u8)))"),
            &|name| format!("{instance} (export \"{name}\" (func $f))"),
            &|name| format!("{instance} (instance (export \"{name}\" (func $f)))"),
            &|name| format!("(type (instance {}))", function(name)),
            &|name| format!("(type (component (import \"{name}\" (func))))"),
            &|name| format!("(type (component {}))", function(name)),
            &|name| format!("(type (component (type (instance {}))))", function(name)),
        ];
        let over = Err(("bytes in the name of an import, an export or a parameter", NAME_BYTES_MAX));
        for template in templates {
            assert_eq!(outcome(&component(&template(&"a".repeat(NAME_BYTES_MAX)))), Ok(()), "{}", template("a"));
            assert_eq!(outcome(&component(&template(&"a".repeat(NAME_BYTES_MAX + 1)))), over, "{}", template("a"));
        }
    }

    #[test]
    fn worlds_of_text_are_bounded_by_what_they_can_come_to_have() {
        let imports = |count| (0..count).map(|index| format!("import i{index}: func();\n")).collect::<String>();
        let worlds =
            |count| (0..count).map(|index| format!("world w{index} {{ include base; }}\n")).collect::<String>();
        let interfaces = |count| (0..count).map(|index| format!("interface i{index} {{}}\n")).collect::<String>();
        let outcome = |root: &str, dependencies| match merge(text("wit", root), dependencies) {
            Ok(_) => Ok(()),
            Err(Error::TooComplex { document, limit, .. }) => Err((document, limit)),
            Err(other) => panic!("{other:?}"),
        };
        let over = Err(("wit".to_owned(), WORLD_ITEMS_MAX));
        let base = |imported, including| {
            format!("package a:b;\nworld base {{\n{}}}\n{}", imports(imported), worlds(including))
        };
        assert_eq!(outcome(&base(20, 499), vec![]), Ok(()));
        assert_eq!(outcome(&base(2001, 499), vec![]), over);
        let library = format!("package a:lib;\n{}", interfaces(2001));
        assert_eq!(outcome(&base(0, 499), vec![text("lib", &library)]), over);
        let library = merge(text("lib", &library), vec![]).unwrap().encode().unwrap();
        assert_eq!(outcome(&base(0, 499), vec![Document::decode("lib", &library).unwrap()]), over);
    }
}
