//! A WIT package as Wasm.

use crate::guard::guard;
use crate::{Error, Resolved};

impl Resolved {
    /// Encodes the root as a WIT package in Wasm, with what it takes from other packages.
    ///
    /// The same packages give the same bytes.
    ///
    /// # Errors
    /// [`Error::Unencodable`].
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        guard(|| wit_component::encode(&self.resolve, self.package, false))
            .map_err(|source| Error::Unencodable { package: Box::new(self.name().clone()), source })
    }
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{text, wasm};
    use crate::{Form, merge};

    const LIBRARY: &str = "package x:lib@1.0.0;\ninterface i { type t = u8; @unstable(feature = f) type u = t; }";
    const ROOT: &str =
        "package a:b@2.0.0;\n/// Of a world.\nworld w { import x:lib/i; }\npackage a:n { interface i {} }";

    #[test]
    fn a_package_is_encoded_with_what_it_takes_from_others() {
        let resolved = merge(text("wit", ROOT), vec![text("lib", LIBRARY)]).unwrap();
        let document = crate::Document::decode("a.wasm", &resolved.encode().unwrap()).unwrap();
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
}
