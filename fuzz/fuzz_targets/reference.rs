//! References: `host[:port]/repository[:tag][@digest]`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use url::{Host, Url};
use wharf_oci::{Reference, Registry, Selector};

fuzz_target!(|text: &str| {
    let Ok(reference) = text.parse::<Reference>() else { return };
    let shown = reference.to_string();
    assert_eq!(shown.parse().as_ref(), Ok(&reference), "`{shown}` is another reference");
    assert!(shown.is_ascii() && !shown.contains(|character: char| character.is_whitespace() || character.is_control()));
    check_parts(&reference);
    check_url(reference.registry());
});

/// Each part says the same by itself, and a selector picks what the reference does.
fn check_parts(reference: &Reference) {
    let (registry, repository) = (reference.registry(), reference.repository());
    assert_eq!(registry.as_str().parse().as_ref(), Ok(registry));
    assert_eq!(repository.as_str().parse().as_ref(), Ok(repository));
    let selector = reference.selector();
    assert_eq!(selector.to_string().parse().as_ref(), Ok(&selector));
    let picked = match selector.clone() {
        Selector::Tag(tag) => reference.with_tag(tag),
        Selector::Digest(digest) => reference.with_digest(digest),
    };
    assert_eq!(picked.selector(), selector);
    assert_eq!(picked.to_string().parse().as_ref(), Ok(&picked));
}

/// Where a registry makes a URL, that leads to the registry, and to this machine where the registry is on it.
fn check_url(registry: &Registry) {
    let Ok(url) = Url::parse(&format!("http://{}/v2/", registry.api_host())) else { return };
    assert_eq!((url.path(), url.query(), url.fragment()), ("/v2/", None, None));
    assert!(url.username().is_empty() && url.password().is_none());
    let is_this_machine = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    assert!(is_this_machine || !registry.is_loopback(), "{registry} counts as this machine, but is {url}");
}
