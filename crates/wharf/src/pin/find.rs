//! Finds the images that YAML names.
//!
//! ```text
//!   document ─┬─ kind: List ─ items ─> objects          found by their kind, in KINDS
//!             ├─ apiVersion, kind ───> object           pods, wherever a kind has them, in PODS
//!             └─ services ───────────> Compose          unless they are built there
//! ```
//!
//! An alias leads to what it stands for, and `<<` merges what it names: an image is found where it is written.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::tree::{NodeId, Tree};
use crate::PinFault;

/// Where kinds have a pod: Pod; Deployment, Job and most others; CronJob; PodTemplate.
const PODS: [&str; 4] = ["spec", "spec.template.spec", "spec.jobTemplate.spec.template.spec", "template.spec"];

/// Where pods name images; `*` is each item, or each value.
const IN_PODS: [&str; 4] =
    ["containers.*.image", "initContainers.*.image", "ephemeralContainers.*.image", "volumes.*.image.reference"];

/// The group of a kind, the kind, who reads the images, and where they are named.
const KINDS: [(&str, &str, Reader, &[&str]); 7] = [
    ("core.oam.dev", "Application", Reader::Any, &["spec.components.*.properties.image"]),
    ("extensions.istio.io", "WasmPlugin", Reader::Filters, &["spec.url"]),
    ("gateway.envoyproxy.io", "EnvoyExtensionPolicy", Reader::Filters, &["spec.wasm.*.code.image.url"]),
    ("core.spinkube.dev", "SpinApp", Reader::Any, &["spec.image"]),
    ("runtime.wasmcloud.dev", "Workload", Reader::Any, &["spec.components.*.image", "spec.service.image"]),
    ("runtime.wasmcloud.dev", "WorkloadReplicaSet", Reader::Any, &WORKLOADS),
    ("runtime.wasmcloud.dev", "WorkloadDeployment", Reader::Any, &WORKLOADS),
];
const WORKLOADS: [&str; 2] = ["spec.template.spec.components.*.image", "spec.template.spec.service.image"];

/// Who reads an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reader {
    /// A host that takes the digest of an index too.
    Any,
    /// Istio or Envoy Gateway, which compare the digest with that of the manifest that they choose from an index.
    Filters,
}

/// An image that is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    /// The line, counted from one.
    pub(super) line: usize,
    /// What stands there.
    pub(super) text: String,
    /// The bytes that it stands in, where they are the text as it is.
    pub(super) bytes: Option<Range<usize>>,
    pub(super) reader: Reader,
    /// Whether it is the name of what is built from sources there.
    pub(super) is_built: bool,
}

/// Returns the images that a text names, in their order.
pub(super) fn images(text: &str) -> Result<Vec<Image>, PinFault> {
    let tree = Tree::parse(text)?;
    let mut finder = Finder { tree: &tree, found: BTreeMap::new() };
    for root in &tree.roots {
        finder.search_document(*root);
    }
    let images = finder.found.into_iter().filter_map(|(id, (reader, is_built))| {
        let scalar = tree.scalar(id)?;
        let (text, bytes) = (scalar.value.clone(), scalar.bytes.clone());
        Some(Image { line: scalar.line, text, bytes, reader, is_built })
    });
    Ok(images.collect())
}

struct Finder<'a> {
    tree: &'a Tree,
    /// Each once, however many aliases lead to it.
    found: BTreeMap<NodeId, (Reader, bool)>,
}

impl Finder<'_> {
    fn search_document(&mut self, root: NodeId) {
        let text = |key| self.tree.values(root, key).find_map(|id| self.tree.scalar(id)).map(|it| it.value.as_str());
        match (text("apiVersion"), text("kind")) {
            (Some(_), Some(kind)) if kind.ends_with("List") => {
                let items = self.tree.values(root, "items").flat_map(|items| self.tree.children(items));
                let items: HashSet<_> = items.map(|item| self.tree.resolve(item)).collect();
                items.into_iter().for_each(|item| self.search_object(item));
            }
            (Some(_), Some(_)) => self.search_object(root),
            (None, None) => self.search_services(root),
            _ => {}
        }
    }

    fn search_object(&mut self, root: NodeId) {
        let text = |key| self.tree.values(root, key).find_map(|id| self.tree.scalar(id)).map(|it| it.value.as_str());
        let (Some(version), Some(kind)) = (text("apiVersion"), text("kind")) else { return };
        let group = version.split_once('/').map_or("", |(group, _)| group);
        for (_, _, reader, paths) in KINDS.iter().filter(|(of, name, ..)| (*of, *name) == (group, kind)) {
            for path in *paths {
                self.add(self.select(root, path), *reader, false);
            }
        }
        for pod in PODS {
            for path in IN_PODS {
                self.add(self.select(root, &format!("{pod}.{path}")), Reader::Any, false);
            }
        }
    }

    fn search_services(&mut self, root: NodeId) {
        for service in self.select(root, "services.*") {
            let is_built = !self.select(service, "build").is_empty();
            self.add(self.select(service, "image"), Reader::Any, is_built);
        }
    }

    /// Takes the nodes for images. What somebody reads who is particular, is read by others as well.
    fn add(&mut self, nodes: HashSet<NodeId>, reader: Reader, is_built: bool) {
        for id in nodes {
            let known = self.found.entry(id).or_insert((reader, is_built));
            *known = (known.0.max(reader), known.1 && is_built);
        }
    }

    /// Returns the nodes that a path leads to.
    fn select(&self, root: NodeId, path: &str) -> HashSet<NodeId> {
        let steps: Vec<_> = path.split('.').collect();
        let mut selected = HashSet::new();
        // Aliases lead to one node on many ways, of which each goes on alike.
        let mut seen = HashSet::new();
        let mut open = vec![(root, 0)];
        while let Some((id, taken)) = open.pop() {
            let id = self.tree.resolve(id);
            if !seen.insert((id, taken)) {
                continue;
            }
            match steps.get(taken) {
                None => drop(selected.insert(id)),
                Some(&"*") => open.extend(self.tree.children(id).into_iter().map(|child| (child, taken + 1))),
                Some(key) => {
                    open.extend(self.tree.values(id, key).map(|value| (value, taken + 1)));
                    open.extend(self.merged(id).into_iter().map(|merged| (merged, taken)));
                }
            }
        }
        selected
    }

    /// Returns the mappings that are merged into one.
    fn merged(&self, id: NodeId) -> Vec<NodeId> {
        let merged = self.tree.values(id, "<<").flat_map(|value| match self.tree.is_sequence(value) {
            true => self.tree.children(value),
            false => vec![value],
        });
        merged.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is found, each with its line, and the bytes that it stands in.
    fn found(text: &str) -> Vec<String> {
        let images = images(text).unwrap();
        let shown = |image: &Image| {
            let bytes = image.bytes.clone().map_or("-", |bytes| &text[bytes]);
            assert!(bytes == "-" || bytes == image.text, "{bytes}");
            format!("{}:{}{}", image.line, image.text, if bytes == "-" { " (written otherwise)" } else { "" })
        };
        images.iter().map(shown).collect()
    }

    #[test]
    fn each_kind_names_images_in_its_own_place() {
        let pod = "{containers: [{image: a}, {image: b}], initContainers: [{image: c}], ephemeralContainers: [{image: d}], \
                   volumes: [{image: {reference: e}}, {name: x}]}";
        let all = ["1:a", "1:b", "1:c", "1:d", "1:e"];
        for (head, body, expected) in [
            ("v1, kind: Pod", format!("spec: {pod}"), &all[..]),
            ("apps/v1, kind: Deployment", format!("spec: {{template: {{spec: {pod}}}}}"), &all),
            ("example.org/v1, kind: Rollout", format!("spec: {{template: {{spec: {pod}}}}}"), &all),
            (
                "batch/v1, kind: CronJob",
                format!("spec: {{jobTemplate: {{spec: {{template: {{spec: {pod}}}}}}}}}"),
                &all,
            ),
            ("v1, kind: PodTemplate", format!("template: {{spec: {pod}}}"), &all),
            (
                "core.oam.dev/v1beta1, kind: Application",
                "spec: {components: [{properties: {image: a}}, {properties: {image: b}}]}".to_owned(),
                &["1:a", "1:b"],
            ),
            ("extensions.istio.io/v1alpha1, kind: WasmPlugin", "spec: {url: oci://a}".to_owned(), &["1:oci://a"]),
            (
                "gateway.envoyproxy.io/v1alpha1, kind: EnvoyExtensionPolicy",
                "spec: {wasm: [{code: {image: {url: a}}}, {code: {http: {url: b}}}]}".to_owned(),
                &["1:a"],
            ),
            ("core.spinkube.dev/v1alpha1, kind: SpinApp", "spec: {image: a}".to_owned(), &["1:a"]),
            (
                "runtime.wasmcloud.dev/v1alpha1, kind: WorkloadDeployment",
                "spec: {template: {spec: {components: [{image: a}], service: {image: b}}}}".to_owned(),
                &["1:a", "1:b"],
            ),
            (
                "runtime.wasmcloud.dev/v1alpha1, kind: Workload",
                "spec: {components: [{image: a}], service: {image: b}}".to_owned(),
                &["1:a", "1:b"],
            ),
            // Of another group, the same word means something else.
            ("example.org/v1, kind: WasmPlugin", "spec: {url: oci://a}".to_owned(), &[]),
            ("v1, kind: ConfigMap", "data: {image: a}".to_owned(), &[]),
        ] {
            let text = format!("{{apiVersion: {head}, {body}}}");
            assert_eq!(found(&text), expected, "{text}");
            let list = format!("{{apiVersion: v1, kind: List, items: [{text}]}}");
            assert_eq!(found(&list), expected, "{list}");
        }
        assert_eq!(found("services: {a: {image: a}, b: {build: ., image: b}, c: {}}"), ["1:a", "1:b"]);
        assert_eq!(found("spec: {containers: [{image: a}]}"), [""; 0]);
    }

    #[test]
    fn a_filter_is_read_by_who_compares_digests() {
        let text = "{apiVersion: extensions.istio.io/v1alpha1, kind: WasmPlugin, spec: {url: a}}";
        assert_eq!(images(text).unwrap()[0].reader, Reader::Filters);
        assert_eq!(images("services: {a: {image: a}}").unwrap()[0].reader, Reader::Any);
        let pod = "{apiVersion: v1, kind: Pod, spec: {containers: [{image: &a a}]}}";
        for items in [format!("{pod}, {}", text.replace("url: a", "url: *a")), text.replace("url: a", "url: &a a")] {
            let found = images(&format!("{{apiVersion: v1, kind: List, items: [{items}]}}")).unwrap();
            assert_eq!((found.len(), found[0].reader), (1, Reader::Filters), "{items}");
        }
    }

    #[test]
    fn an_image_stands_where_it_is_written_however_that_is() {
        let service = |image: &str| format!("# é\u{10348}\nservices:\n  a:\n    image: {image}\n");
        for (image, expected) in [
            ("a/b:1", "4:a/b:1"),
            ("a/b:1 # c", "4:a/b:1"),
            ("\"a/b:1\"", "4:a/b:1"),
            ("'a/b:1'   # c", "4:a/b:1"),
            ("&x !!str a/b:1", "4:a/b:1"),
            ("!!str &x \"a/b:1\"", "4:a/b:1"),
            ("&'a' 'a'   # 'a'", "4:a"),
            ("&x # 'a'\n      'a'", "4:a"),
            ("\n\n      a/b:1", "6:a/b:1"),
            ("\"a\\x2fb\"", "4:a/b (written otherwise)"),
            ("\"a\\\n      \"", "4:a (written otherwise)"),
            ("'a''b'", "4:a'b (written otherwise)"),
            ("a\n      b", "4:a b (written otherwise)"),
            (">-\n      a/b:1", "4:a/b:1 (written otherwise)"),
            ("|\n      a/b:1", "4:a/b:1\n (written otherwise)"),
        ] {
            assert_eq!(found(&service(image)), [expected], "{image}");
            let carriage = service(image).replace('\n', "\r\n");
            assert_eq!(found(&carriage), [expected], "{carriage:?}");
            let marked = format!("\u{feff}{}", service(image));
            assert_eq!(found(&marked), [expected], "{marked:?}");
        }
    }

    #[test]
    fn aliases_lead_to_where_something_is_written() {
        let text = "\
x-image: &image a:1
x-base: &base
  image: b:1
x-other: &other
  <<: *base
services:
  a: { image: *image }
  b: { <<: *base }
  c: { <<: [*base, { image: c:1 }] }
  d: *base
  e: *other
";
        assert_eq!(found(text), ["1:a:1", "3:b:1", "9:c:1"]);
    }

    #[test]
    fn documents_stand_for_themselves() {
        let text = "# first\nservices: {a: {image: a}}\n---\n---\n%x\n";
        assert!(matches!(images(text), Err(PinFault::Yaml { .. })));
        let text = "--- # first\nservices: {a: {image: a}}\n...\n---\nservices: {a: {image: b}}\n";
        assert_eq!(found(text), ["2:a", "5:b"]);
    }

    #[test]
    fn what_grows_without_end_is_refused_or_passed_over() {
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        assert!(matches!(images(&deep), Err(PinFault::Depth { line: 1, limit: 64 })));
        assert_eq!(found("services: &a\n  <<: *a\n  b: *a\n"), [""; 0]);
        let many = format!("a: &a {{{}}}\nservices: *a\n", "b: {image: c},".repeat(1000));
        assert_eq!(found(&many).len(), 1000);
        let laughs = "a: &a {image: c}\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\nservices: *c\n";
        assert_eq!(found(laughs), [""; 0]);
    }
}
