//! How many packages the workspace is made of.

use super::finding::Finding;

/// Packages in `Cargo.lock`, ours included: what there are, and a few to spare. Each is code that somebody has to
/// trust and to keep up to date, so that raising this number needs a sentence of reason.
///
/// The engine that `wharf run` is (Wasmtime, its compiler, WASI) is 90 of them, and the composer 15.
pub(crate) const PACKAGES_MAX: usize = 402;

const LOCK: &str = "Cargo.lock";

/// Returns how many packages a `Cargo.lock` holds.
pub(crate) fn count(lock: &str) -> usize {
    lock.lines().filter(|line| *line == "[[package]]").count()
}

/// Finds a `Cargo.lock` that holds more than it may.
pub(crate) fn check(lock: &str) -> Vec<Finding> {
    let packages = count(lock);
    if packages <= PACKAGES_MAX {
        return Vec::new();
    }
    let what = format!("{packages} packages; the limit is {PACKAGES_MAX}");
    let mend = "do without the new one, or raise the limit in xtask/src/tidy/dependencies.rs with a reason";
    vec![Finding { path: LOCK.to_owned(), line: 1, what, mend }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_have_a_limit() {
        let lock = |packages| "[[package]]\nname = \"a\"\n\n".repeat(packages);
        assert_eq!(check(&lock(PACKAGES_MAX)), []);
        let found = check(&lock(PACKAGES_MAX + 1));
        let expected = format!("Cargo.lock:1: {} packages", PACKAGES_MAX + 1);
        assert_eq!(found[0].to_string().split(';').next(), Some(expected.as_str()));
    }
}
