//! Which function the first words of a call name.
//!
//! ```text
//!   add                        where no other interface has an `add`; one that the program exports itself comes first
//!   math add                   acme:calc/math add       acme:calc/math@1.0.0 add       and the same with `#` between
//!   counter new                math counter new         …                              of a resource
//! ```

use super::fault::{UsageError, near, shown};
use super::signature::{Function, FunctionKind};

/// Words that name a function: its interface, its resource, and its name.
const SPELLING_MAX: usize = 3;

/// Finds the function that words begin with, and how many of them name it.
pub(super) fn find<'f>(functions: &'f [Function], words: &[&str]) -> Result<(&'f Function, usize), UsageError> {
    if functions.is_empty() {
        return Err(UsageError::NoFunctions);
    }
    let named = functions.iter().filter_map(|function| Some((function, named_by(function, words)?)));
    let named: Vec<(&Function, usize)> = named.collect();
    let Some(longest) = named.iter().map(|(_, length)| *length).max() else {
        return Err(unknown(functions, words));
    };
    let mut named = named.into_iter().filter(|(_, length)| *length == longest);
    // What the program exports itself has no longer name than this, all others have.
    let own = named.clone().find(|(function, _)| function.interface.is_none());
    match (own, named.next(), named.next()) {
        (Some(found), ..) | (None, Some(found), None) => Ok(found),
        (None, Some((function, _)), _) => {
            let all = functions.iter().filter(|other| named_by(other, words) == Some(longest));
            let interfaces = all.filter_map(|function| function.interface.clone()).collect();
            Err(UsageError::Ambiguous { name: called(function), interfaces })
        }
        (None, None, _) => Err(UsageError::NoFunction),
    }
}

/// Returns the functions that words lead to, as far as they do: one, those of an interface or a resource, or all.
pub(super) fn lead_to<'f>(functions: &'f [Function], words: &[&str]) -> Vec<&'f Function> {
    if let Ok((function, _)) = find(functions, words) {
        return vec![function];
    }
    let Some(first) = words.first() else { return functions.iter().collect() };
    let within: Vec<&Function> = functions.iter().filter(|function| is_within(function, first)).collect();
    if within.is_empty() { functions.iter().collect() } else { within }
}

/// Returns the fewest words that name a function.
pub(super) fn spelling(functions: &[Function], function: &Function) -> String {
    let spellings = spellings(function).into_iter();
    let mut joined = spellings.map(|spelling| spelling.iter().map(ToString::to_string).collect::<Vec<String>>());
    let is_it = |spelling: &Vec<String>| {
        let words: Vec<&str> = spelling.iter().map(String::as_str).collect();
        find(functions, &words).is_ok_and(|(found, _)| std::ptr::eq(found, function))
    };
    joined.find(is_it).map_or_else(|| function.path(), |spelling| spelling.join(" "))
}

/// Returns a function's name with its resource.
pub(super) fn called(function: &Function) -> String {
    match function.resource() {
        Some(resource) => format!("{resource} {}", function.name()),
        None => function.name().to_owned(),
    }
}

/// Returns how many words name a function, the most there are; nothing where they name another.
fn named_by(function: &Function, words: &[&str]) -> Option<usize> {
    // Nearly all functions are told by this from the one that is meant.
    let may_be = |word: &&str| *word == function.name() || word.contains('#');
    if !words.iter().take(SPELLING_MAX).any(may_be) {
        return None;
    }
    longest(function, words).or_else(|| {
        let (interface, name) = words.first()?.split_once('#')?;
        if function.interface.as_deref() == Some(interface) && function.export() == name {
            return Some(1);
        }
        let parts: Vec<&str> = [interface, name].into_iter().chain(words[1..].iter().copied()).collect();
        longest(function, &parts).filter(|length| *length > 1).map(|length| length - 1)
    })
}

fn longest(function: &Function, words: &[&str]) -> Option<usize> {
    spellings(function).into_iter().filter(|spelling| words.starts_with(spelling)).map(|spelling| spelling.len()).max()
}

/// Returns all ways to name a function, the shortest first.
fn spellings(function: &Function) -> Vec<Vec<&str>> {
    let name: Vec<&str> = function.resource().into_iter().chain([function.name()]).collect();
    let interfaces = function.interface.as_deref().map(interfaces).unwrap_or_default();
    let with = interfaces.iter().map(|interface| [interface].into_iter().chain(&name).copied().collect::<Vec<_>>());
    [name.clone()].into_iter().chain(with).collect()
}

/// Returns all ways to name an interface, the shortest first: `math`, `acme:calc/math`, `acme:calc/math@1.0.0`.
pub(super) fn interfaces(interface: &str) -> Vec<&str> {
    let bare = interface.split_once('@').map_or(interface, |(bare, _)| bare);
    let short = bare.rsplit_once('/').map_or(bare, |(_, short)| short);
    let mut names = vec![short, bare, interface];
    names.dedup();
    names
}

/// Whether a word names the interface or the resource of a function.
fn is_within(function: &Function, word: &str) -> bool {
    let interface = function.interface.as_deref().map(interfaces).unwrap_or_default();
    function.resource() == Some(word) || interface.contains(&word)
}

/// Says what words that name no function are.
fn unknown(functions: &[Function], words: &[&str]) -> UsageError {
    let Some(first) = words.first() else { return UsageError::NoFunction };
    let within: Vec<&Function> = functions.iter().filter(|function| is_within(function, first)).collect();
    let names_of = |functions: &[&Function]| -> Vec<String> {
        let of = functions.iter().flat_map(|function| [Some(function.name()), function.resource()]);
        of.flatten().map(str::to_owned).collect()
    };
    match (within.is_empty(), words.get(1)) {
        (true, _) => {
            let mut names = names_of(&functions.iter().collect::<Vec<_>>());
            let spelled = functions.iter().filter_map(|function| function.interface.as_deref()).flat_map(interfaces);
            names.extend(spelled.map(str::to_owned));
            UsageError::UnknownFunction { name: shown(first), near: near(first, names.iter().map(String::as_str)) }
        }
        (false, None) => UsageError::Incomplete { of: shown(first) },
        (false, Some(second)) => {
            let names = names_of(&within);
            // `math counter` ends with the resource of an interface.
            if words.len() == 2 && within.iter().any(|function| function.resource() == Some(second)) {
                return UsageError::Incomplete { of: format!("{} {}", shown(first), shown(second)) };
            }
            let name = format!("{} {}", shown(first), shown(second));
            UsageError::UnknownFunction { name, near: near(second, names.iter().map(String::as_str)) }
        }
    }
}

/// Finds the method that a word names, of a resource that there is.
pub(super) fn find_method<'f>(
    functions: &'f [Function],
    resource: &super::Resource,
    word: Option<&&str>,
) -> Result<&'f Function, UsageError> {
    let methods: Vec<&Function> = functions.iter().filter(|function| function.is_method_of(resource)).collect();
    let Some(word) = word else { return Err(UsageError::Incomplete { of: resource.name.clone() }) };
    let found = methods.iter().find(|function| function.name() == *word);
    found.copied().ok_or_else(|| {
        let near = near(word, methods.iter().map(|function| function.name()));
        UsageError::UnknownFunction { name: format!("{} {}", resource.name, shown(word)), near }
    })
}

/// Refuses a method that no resource stands before.
pub(super) fn check_first(function: &Function) -> Result<(), UsageError> {
    match &function.kind {
        FunctionKind::Method { resource, name } => {
            Err(UsageError::NoResource { name: name.clone(), resource: resource.clone() })
        }
        _ => Ok(()),
    }
}
