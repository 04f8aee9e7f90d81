//! What authors wrote about functions.

use std::collections::BTreeMap;

use wit_parser::{Function, World, WorldItem};

use crate::Resolved;

impl Resolved {
    /// Returns what was written about functions, by their names among all of them: `acme:calc/math@1.0.0#add`, or `add`
    /// of a world. A method is called as in Wasm, such as `[method]counter.step`.
    ///
    /// A component that was built from WIT has this no more; the WIT has.
    #[must_use]
    pub fn docs(&self) -> BTreeMap<String, String> {
        let mut docs = BTreeMap::new();
        for (id, interface) in &self.resolve.interfaces {
            if let Some(name) = self.resolve.id_of(id) {
                interface.functions.values().for_each(|function| note(&mut docs, &format!("{name}#"), function));
            }
        }
        for (_, World { exports, .. }) in &self.resolve.worlds {
            for item in exports.values() {
                if let WorldItem::Function(function) = item {
                    note(&mut docs, "", function);
                }
            }
        }
        docs
    }
}

fn note(docs: &mut BTreeMap<String, String>, interface: &str, function: &Function) {
    if let Some(text) = &function.docs.contents {
        docs.insert(format!("{interface}{}", function.name), text.trim().to_owned());
    }
}

#[cfg(test)]
mod tests {
    use crate::fixtures::text;
    use crate::merge;

    #[test]
    fn functions_have_the_docs_of_their_authors() {
        let wit = "package acme:calc@1.0.0;\n\
            interface math {\n  /// Adds two numbers.\n  /// It wraps.\n  add: func(a: u32, b: u32) -> u32;\n  sub: func();\n\
            resource counter {\n  /// Goes on.\n  step: func();\n  }\n}\n\
            world app {\n  export math;\n  /// Starts.\n  export start: func();\n}\n";
        let docs = merge(text("calc", wit), Vec::new()).unwrap().docs();
        let docs: Vec<_> = docs.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(
            docs,
            [
                ("acme:calc/math@1.0.0#[method]counter.step", "Goes on."),
                ("acme:calc/math@1.0.0#add", "Adds two numbers.\nIt wraps."),
                ("start", "Starts."),
            ]
        );
    }
}
