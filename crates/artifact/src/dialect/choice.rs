//! Names for the Wasm of an artifact that holds several.

use std::collections::BTreeSet;

use wharf_oci::Descriptor;

use super::Unreadable;
use super::spin::Component;
use super::unreadable::clean;
use crate::cncf::TITLE;

/// Returns the one of several layers that `name` names: by its digest, its title, or as a component of Spin.
///
/// # Errors
/// [`Unreadable::NoSuchName`] and [`Unreadable::AmbiguousName`].
pub fn choose<'a>(
    layers: &'a [Descriptor],
    components: &[Component],
    name: &str,
) -> Result<&'a Descriptor, Unreadable> {
    let named: Vec<_> = layers.iter().filter(|layer| is_named(layer, components, name)).collect();
    let digests: BTreeSet<_> = named.iter().map(|layer| &layer.digest).collect();
    match (named.first(), digests.len()) {
        (Some(layer), 1) => Ok(layer),
        (None, _) => Err(Unreadable::NoSuchName { name: name.to_owned(), names: names(layers, components) }),
        _ => {
            let names = digests.iter().map(ToString::to_string).collect();
            Err(Unreadable::AmbiguousName { name: name.to_owned(), names })
        }
    }
}

/// Says that there are several layers, where one was expected and none is named.
#[must_use]
pub fn several(layers: &[Descriptor], components: &[Component]) -> Unreadable {
    Unreadable::Several { names: names(layers, components) }
}

fn is_named(layer: &Descriptor, components: &[Component], name: &str) -> bool {
    let is_component = components.iter().any(|component| component.id == name && component.digest == layer.digest);
    is_component || layer.annotations.get(TITLE).is_some_and(|title| title == name) || layer.digest.to_string() == name
}

/// Returns for each layer the shortest of its names.
fn names(layers: &[Descriptor], components: &[Component]) -> Vec<String> {
    let name = |layer: &Descriptor| {
        let component = components.iter().find(|component| component.digest == layer.digest);
        let name = component.map(|component| &component.id).or_else(|| layer.annotations.get(TITLE));
        name.map_or_else(|| layer.digest.to_string(), |name| clean(name))
    };
    layers.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use wharf_oci::MediaType;

    use super::*;

    #[test]
    fn a_layer_is_named_by_digest_title_and_component() {
        let layer = |bytes: &[u8], title: &str| Descriptor::of(MediaType::WASM, bytes).with_annotation(TITLE, title);
        let bare = Descriptor::of(MediaType::WASM, b"3");
        let layers = [layer(b"1", "a.wasm"), layer(b"2", "b.wasm"), bare.clone(), layer(b"4", "b.wasm")];
        let cart = Component { id: "cart".to_owned(), digest: layers[1].digest.clone() };
        let chosen = |name: &str| choose(&layers, std::slice::from_ref(&cart), name);
        assert_eq!(chosen("a.wasm"), Ok(&layers[0]));
        assert_eq!(chosen("cart"), Ok(&layers[1]));
        assert_eq!(chosen(&bare.digest.to_string()), Ok(&bare));
        let ambiguous = chosen("b.wasm").unwrap_err().to_string();
        assert!(
            ambiguous.contains("more than one") && ambiguous.contains(&layers[3].digest.to_string()),
            "{ambiguous}"
        );
        let missing = chosen("c\x1b").unwrap_err().to_string();
        let expected = format!(r"named `c\u{{1b}}`; there are a.wasm, cart, {}, b.wasm", bare.digest);
        assert!(missing.ends_with(&expected), "{missing}");
        let several = several(&layers, &[]).to_string();
        assert!(several.starts_with("artifact holds 4 Wasm binaries: a.wasm, b.wasm, sha256:"), "{several}");
    }

    #[test]
    fn the_same_layer_twice_is_no_two() {
        let layer = Descriptor::of(MediaType::WASM, b"1").with_annotation(TITLE, "a.wasm");
        assert_eq!(choose(&[layer.clone(), layer.clone()], &[], "a.wasm"), Ok(&layer));
    }
}
