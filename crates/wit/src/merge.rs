//! Puts a package and what it needs together.

use std::collections::HashMap;

use wit_parser::{PackageId, PackageName, Resolve, ResolveError, ResolveErrorKind, UnresolvedPackage, WorldId};

use crate::agreement::disagreement;
use crate::bounds::check_worlds;
use crate::document::{Content, Decoded};
use crate::error::locate;
use crate::guard::{guard, returned};
use crate::limits::PACKAGES_MAX;
use crate::plan::{Alias, Plan};
use crate::{Diagnostic, Document, Error, Form, Refusal};

/// A package with all that it needs, every name in it resolved.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub(crate) resolve: Resolve,
    pub(crate) package: PackageId,
    /// What nests in the text of the package.
    pub(crate) nested: Vec<PackageId>,
    /// What the packages that were text name.
    pub(crate) named: HashMap<PackageId, Vec<PackageId>>,
    /// The world of a component.
    pub(crate) world: Option<WorldId>,
}

impl Resolved {
    /// Returns all packages with what they hold.
    #[must_use]
    pub fn resolve(&self) -> &Resolve {
        &self.resolve
    }

    /// Returns which of the packages the root is.
    #[must_use]
    pub fn package(&self) -> PackageId {
        self.package
    }

    /// Returns the world of the root where it is a component.
    #[must_use]
    pub fn world(&self) -> Option<WorldId> {
        self.world
    }

    /// Returns the name of the root.
    #[must_use]
    pub fn name(&self) -> &PackageName {
        &self.resolve.packages[self.package].name
    }
}

/// Merges `root` with the packages that it needs, of which each may be text or a WIT package in Wasm.
///
/// Several versions of a package stand side by side. What two WIT packages in Wasm hold of a third one is put
/// together, where it does not contradict. A name without a version means the one version that is given. What is
/// `@unstable` is kept. The result does not depend on the order of `dependencies`.
///
/// A root in Wasm holds what it needs, and stays as it is; `dependencies` do not matter then.
///
/// # Errors
/// [`Error::MissingPackage`] and [`Error::Invalid`] with the line and a caret, [`Error::AmbiguousVersion`],
/// [`Error::NamedTwice`], [`Error::Cycle`], [`Error::Duplicate`], [`Error::Conflict`], [`Error::Component`] where one
/// of `dependencies` is a component, [`Error::TooManyPackages`], [`Error::TooComplex`], and [`Error::Unmergeable`] for
/// what `wit-parser` refuses without saying which package it is in.
pub fn merge(root: Document, dependencies: Vec<Document>) -> Result<Resolved, Error> {
    if let Some(component) = dependencies.iter().find(|document| document.form() == Form::Component) {
        return Err(Error::Component { document: component.label.clone() });
    }
    if let Content::Wasm(decoded) = root.content {
        let Decoded { resolve, package, world } = *decoded;
        return Ok(Resolved { resolve, package, nested: Vec::new(), named: HashMap::new(), world });
    }
    let mut documents = dependencies;
    // What two dependencies hold of a third package is put together in this order.
    documents.sort_by(|one, other| (one.name(), &one.label).cmp(&(other.name(), &other.label)));
    let count = documents.iter().chain([&root]).map(|document| document.definitions().len()).sum();
    if count > PACKAGES_MAX {
        return Err(Error::TooManyPackages { document: root.label, count, limit: PACKAGES_MAX });
    }
    check_worlds(&root, &documents)?;
    documents.push(root);
    let plan = Plan::new(&documents)?;
    let mut merger = Merger::new(documents);
    for step in plan.steps {
        merger.add(step.document, step.part, step.aliases)?;
    }
    Ok(merger.finish())
}

struct Merger {
    resolve: Resolve,
    labels: Vec<String>,
    parts: Vec<Vec<Option<Part>>>,
    /// Which document first brought a package, whole or in part.
    bearers: HashMap<PackageName, usize>,
    ids: HashMap<(usize, usize), PackageId>,
    /// What the packages that were text name.
    named: HashMap<PackageId, Vec<PackageId>>,
}

enum Part {
    Text(Box<UnresolvedPackage>, u32),
    Wasm(Box<Decoded>),
}

impl Merger {
    fn new(documents: Vec<Document>) -> Self {
        let mut resolve = Resolve { all_features: true, ..Resolve::default() };
        let labels = documents.iter().map(|document| document.label.clone()).collect();
        let parts = documents.into_iter().map(|document| parts(document, &mut resolve)).collect();
        Self { resolve, labels, parts, bearers: HashMap::new(), ids: HashMap::new(), named: HashMap::new() }
    }

    fn add(&mut self, document: usize, part: usize, aliases: Vec<Alias>) -> Result<(), Error> {
        let content = self.parts[document][part].take().expect("a plan has each part once");
        let id = match content {
            Part::Text(package, offset) => self.add_text(document, *package, offset, aliases)?,
            Part::Wasm(decoded) => self.add_wasm(document, *decoded)?,
        };
        self.ids.insert((document, part), id);
        Ok(())
    }

    fn add_text(
        &mut self,
        document: usize,
        package: UnresolvedPackage,
        offset: u32,
        aliases: Vec<Alias>,
    ) -> Result<PackageId, Error> {
        for alias in &aliases {
            let id = self.resolve.package_names[&alias.meant];
            self.resolve.package_names.insert(alias.name.clone(), id);
        }
        self.bearers.insert(package.name.clone(), document);
        let named =
            package.foreign_deps.keys().filter_map(|name| self.resolve.package_names.get(name)).copied().collect();
        let pushed = returned(|| self.resolve.push(package, offset))
            .map_err(|source| Error::Unmergeable { document: self.labels[document].clone(), source })?;
        for alias in &aliases {
            self.resolve.package_names.shift_remove(&alias.name);
        }
        let id = pushed.map_err(|error| refused(&self.resolve, &error))?;
        self.named.insert(id, named);
        Ok(id)
    }

    fn add_wasm(&mut self, document: usize, decoded: Decoded) -> Result<PackageId, Error> {
        let Decoded { resolve, package, .. } = decoded;
        let names: Vec<_> =
            resolve.topological_packages().iter().map(|&id| resolve.packages[id].name.clone()).collect();
        if let Some((package, source)) = disagreement(&self.resolve, &resolve) {
            let [first, second] = [self.bearers[&package], document].map(|index| self.labels[index].clone());
            return Err(Error::Conflict { package: Box::new(package), first, second, source });
        }
        let merged = guard(|| self.resolve.merge(resolve));
        let remap = merged.map_err(|source| self.differ(document, &names, source))?;
        for name in names {
            self.bearers.entry(name).or_insert(document);
        }
        Ok(remap.packages[package.index()])
    }

    /// Names the package on which a document differs from an earlier one, as `wit-parser` found out.
    ///
    /// It says so in the text of its error only.
    fn differ(&self, document: usize, names: &[PackageName], source: Refusal) -> Error {
        let text = source.to_string();
        let second = self.labels[document].clone();
        let named = names.iter().find(|name| text.contains(&format!("`{name}`")));
        match named.and_then(|name| Some((name, self.bearers.get(name)?))) {
            Some((package, &first)) => Error::Conflict {
                package: Box::new(package.clone()),
                first: self.labels[first].clone(),
                second,
                source,
            },
            None => Error::Unmergeable { document: second, source },
        }
    }

    fn finish(self) -> Resolved {
        let root = self.labels.len() - 1;
        let nested = (1..self.parts[root].len()).map(|part| self.ids[&(root, part)]).collect();
        let package = self.ids[&(root, 0)];
        Resolved { resolve: self.resolve, package, nested, named: self.named, world: None }
    }
}

/// Takes a document apart: its own package first, then those that nest in its text.
fn parts(document: Document, resolve: &mut Resolve) -> Vec<Option<Part>> {
    match document.content {
        Content::Text(group) => {
            let offset = resolve.push_source_map(group.source_map);
            let packages = [group.main].into_iter().chain(group.nested);
            packages.map(|package| Some(Part::Text(Box::new(package), offset))).collect()
        }
        Content::Wasm(decoded) => vec![Some(Part::Wasm(decoded))],
    }
}

fn refused(resolve: &Resolve, error: &ResolveError) -> Error {
    let diagnostic = Diagnostic {
        message: error.to_string(),
        location: locate(&resolve.source_map, error.kind().span()),
        rendered: error.render(&resolve.source_map),
    };
    match error.kind() {
        ResolveErrorKind::PackageNotFound { requested, .. } => {
            Error::MissingPackage { package: Box::new(requested.clone()), diagnostic }
        }
        _ => Error::Invalid(diagnostic),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::{text, wasm};

    const ONE: &str = "package x:one@1.0.0;\ninterface i { type t = u8; }\ninterface j { type t = u16; }";
    const TWO: &str = "package x:two@1.0.0;\ninterface i { use x:one/i@1.0.0.{t}; }";
    const THREE: &str = "package x:three@1.0.0;\ninterface i { use x:one/j@1.0.0.{t}; }";

    fn printed(resolved: &Resolved) -> String {
        let folders = resolved.tree().unwrap().into_iter().map(|folder| format!("{}\n{}", folder.name, folder.text));
        resolved.print().unwrap() + &folders.collect::<String>()
    }

    fn refusal(root: &str, dependencies: Vec<Document>) -> Error {
        merge(text("wit", root), dependencies).map(|resolved| printed(&resolved)).unwrap_err()
    }

    #[test]
    fn versions_of_a_package_stand_side_by_side() {
        let newer = ONE.replace("1.0.0", "1.1.0-rc.1");
        let root = "package a:b;\nworld w { import x:one/i@1.0.0; import x:one/i@1.1.0-rc.1; }";
        for dependencies in [[text("old", ONE), text("new", &newer)], [wasm("old", ONE, &[]), wasm("new", &newer, &[])]]
        {
            let resolved = merge(text("wit", root), dependencies.to_vec()).unwrap();
            let names: Vec<_> = resolved.tree().unwrap().iter().map(|folder| folder.package.to_string()).collect();
            assert_eq!(names, ["x:one@1.0.0", "x:one@1.1.0-rc.1"]);
        }
    }

    #[test]
    fn what_two_dependencies_hold_of_a_third_package_is_put_together() {
        let root = "package a:b;\nworld w { import x:two/i@1.0.0; import x:three/i@1.0.0; }";
        let resolved = merge(text("wit", root), vec![wasm("two", TWO, &[ONE]), wasm("three", THREE, &[ONE])]).unwrap();
        let one = &resolved.tree().unwrap()[0];
        assert_eq!(one.package.to_string(), "x:one@1.0.0");
        assert!(one.text.contains("interface i") && one.text.contains("interface j"), "{}", one.text);
    }

    #[test]
    fn text_of_a_package_goes_before_what_others_hold_of_it() {
        let documented = ONE.replace("interface j", "/// Newer.\ninterface j");
        let root = "package a:b;\nworld w { import x:two/i@1.0.0; import x:one/j@1.0.0; }";
        let resolved = merge(text("wit", root), vec![wasm("two", TWO, &[ONE]), text("one", &documented)]).unwrap();
        assert!(printed(&resolved).contains("/// Newer."));
    }

    #[test]
    fn other_contents_of_one_package_are_a_conflict_that_names_both_sides() {
        let other = ONE.replace("u8", "string");
        let user = THREE.replace("one/j", "one/i");
        let root = "package a:b;\nworld w { import x:two/i@1.0.0; import x:three/i@1.0.0; }";
        let error = refusal(root, vec![wasm("two.wasm", TWO, &[ONE]), wasm("three.wasm", &user, &[&other])]);
        let Error::Conflict { package, first, second, .. } = &error else { panic!("{error:?}") };
        assert_eq!(package.to_string(), "x:one@1.0.0");
        assert_eq!((first.as_str(), second.as_str()), ("three.wasm", "two.wasm"));
        let source = error.source().unwrap().to_string();
        assert_eq!(source, "interface i: type t: `string` in the one, `u8` in the other");
    }

    #[test]
    fn a_name_without_a_version_means_the_one_that_is_given() {
        let root = "package a:b;\ninterface i { use x:one/i.{t}; }\nworld w { import x:one/j; include x:app/w; }";
        let app = "package x:app@2.0.0-rc.1;\nworld w { import x:one/i; }";
        let dependencies = vec![text("app", app), wasm("one", ONE, &[])];
        let resolved = merge(text("wit", root), dependencies).unwrap();
        assert!(resolved.print().unwrap().contains("use x:one/i@1.0.0.{t};"));
        assert!(resolved.resolve().package_names.keys().all(|name| name.name != "one" || name.version.is_some()));
    }

    #[test]
    fn a_name_without_a_version_is_refused_where_it_is_not_clear() {
        let newer = ONE.replace("1.0.0", "1.1.0");
        let root = "package a:b;\nworld w {\n  import x:one/i;\n}";
        let error = refusal(root, vec![text("new", &newer), text("old", ONE)]);
        let expected = "`x:one` is named without a version, and is there as `x:one@1.0.0`, `x:one@1.1.0`: name one of them \
                        (wit.wit:3:16)";
        assert_eq!(error.to_string(), expected);
        let root = "package a:b;\nworld w { import x:one/i; import x:one/i@1.0.0; }";
        let error = refusal(root, vec![text("one", ONE)]);
        let expected = "`i` is named both as of `x:one@1.0.0` and without the version: name it one way (wit.wit:2:24)";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_cycle_is_shown_as_one() {
        let needs = |name: &str, needed: &str| {
            text(name, &format!("package x:{name};\ninterface i {{ use x:{needed}/i.{{t}}; type u = u8; }}"))
        };
        let root = "package a:b;\nworld w { import x:p/i; }";
        let nested = "package x:p;\ninterface i { use x:q/i.{t}; }\npackage x:q { interface i { use x:p/i.{t}; } }";
        let held = wasm(
            "held",
            "package x:p;\ninterface i { use a:b/i.{t}; }",
            &["package a:b;\ninterface i { type t = u8; }"],
        );
        let cases = [
            (root, vec![needs("p", "q"), needs("q", "r"), needs("r", "p")], "`x:p` -> `x:q` -> `x:r` -> `x:p`"),
            (root, vec![needs("p", "p")], "`x:p` -> `x:p`"),
            (root, vec![text("p", nested)], "`x:p` -> `x:q` -> `x:p`"),
            (root, vec![held.clone()], "`x:p` -> `a:b` -> `x:p`"),
            ("package a:b;\nworld w {}", vec![held], "`x:p` -> `a:b` -> `x:p`"),
            ("package a:b;\ninterface i { use a:b/i.{t}; }", vec![], "`a:b` -> `a:b`"),
        ];
        for (root, dependencies, cycle) in cases {
            assert_eq!(refusal(root, dependencies).to_string(), format!("packages need each other: {cycle}"));
        }
    }

    #[test]
    fn what_is_missing_is_shown_where_it_is_named() {
        let root = "package a:b;\nworld w {\n  import x:one/none@1.0.0;\n}";
        let error = refusal(root, vec![text("other", &ONE.replace("1.0.0", "1.0.1"))]);
        let Error::MissingPackage { package, diagnostic } = &error else { panic!("{error:?}") };
        assert_eq!(package.to_string(), "x:one@1.0.0");
        assert_eq!(diagnostic.location.as_ref().map(ToString::to_string).as_deref(), Some("wit.wit:3:10"));
        let error = refusal(root, vec![text("one", ONE)]);
        let Error::Invalid(diagnostic) = &error else { panic!("{error:?}") };
        assert_eq!(diagnostic.location.as_ref().map(ToString::to_string).as_deref(), Some("wit.wit:3:16"));
        assert!(error.to_string().contains("    3 |   import x:one/none@1.0.0;"), "{error}");
    }

    #[test]
    fn a_package_that_is_defined_twice_is_refused_where_one_is_text() {
        let nested = "package a:b;\nworld w {}\npackage x:one@1.0.0 {}";
        let double = format!("{nested}\npackage x:one@1.0.0 {{ interface i {{}} }}");
        let cases = [
            (nested, vec![text("one", ONE)], "one and by wit"),
            (nested, vec![wasm("one", ONE, &[])], "one and by wit"),
            (&double, vec![], "wit and by wit"),
            ("package a:b;", vec![text("2", ONE), wasm("1", ONE, &[])], "1 and by 2"),
        ];
        for (root, dependencies, by) in cases {
            assert_eq!(refusal(root, dependencies).to_string(), format!("`x:one@1.0.0` is defined by {by}"));
        }
        let twice = vec![wasm("1", ONE, &[]), wasm("2", ONE, &[])];
        assert_eq!(merge(text("wit", "package a:b;"), twice).unwrap().tree().unwrap().len(), 1);
    }

    #[test]
    fn a_component_is_no_dependency() {
        let component = Document::decode("app.wasm", b"\0asm\x0d\0\x01\0").unwrap();
        let error = refusal("package a:b;", vec![component]);
        assert_eq!(error.to_string(), "app.wasm is a component, not a WIT package");
    }

    #[test]
    fn no_more_packages_than_the_limit_are_merged() {
        let packages = |count| (0..count).map(|index| text("n", &format!("package a:n{index};"))).collect();
        assert!(merge(text("wit", "package a:b;"), packages(PACKAGES_MAX - 1)).is_ok());
        let error = refusal("package a:b;", packages(PACKAGES_MAX));
        assert!(matches!(error, Error::TooManyPackages { count, .. } if count == PACKAGES_MAX + 1), "{error:?}");
    }

    #[test]
    fn a_root_in_wasm_stays_as_it_is() {
        let root = wasm("two", TWO, &[ONE]);
        let resolved = merge(root, vec![]).unwrap();
        assert_eq!((resolved.name().to_string().as_str(), resolved.world()), ("x:two@1.0.0", None));
        let component = merge(Document::decode("app.wasm", b"\0asm\x0d\0\x01\0").unwrap(), vec![]).unwrap();
        assert_eq!(component.resolve().worlds[component.world().unwrap()].name, "root");
    }

    proptest! {
        #[test]
        fn the_order_of_dependencies_does_not_matter(order in Just(vec![0, 1, 2, 3]).prop_shuffle()) {
            let four = "package x:four@1.0.0;\ninterface i { use x:one/k@1.0.0.{t}; use x:two/i@1.0.0.{t as u}; }";
            let one = format!("{ONE}\ninterface k {{ type t = u32; }}");
            let user = "package x:five@1.0.0;\ninterface i { use x:one/j@1.0.0.{t}; use x:one/k@1.0.0.{t as u}; }";
            let all = [
                wasm("two", TWO, &[&one]), wasm("three", THREE, &[&one]), wasm("four", four, &[&one, TWO]), wasm("five", user, &[&one]),
            ];
            let root = || text("wit", "package a:b;\nworld w { import x:two/i@1.0.0; }");
            let expected = printed(&merge(root(), all.to_vec()).unwrap());
            let shuffled = order.into_iter().map(|index| all[index].clone()).collect();
            prop_assert_eq!(printed(&merge(root(), shuffled).unwrap()), expected);
        }
    }
}
