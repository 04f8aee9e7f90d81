//! Words that are no call.

use std::io;

use super::signature::Type;

/// Characters of a wrong text that an error shows.
const SHOWN_MAX: usize = 60;

/// Words that are no call of a function. Nothing has run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// The program exports no function that can be called.
    #[error("the program has no functions to call")]
    NoFunctions,
    /// The words end before they name a function.
    #[error("no function is named")]
    NoFunction,
    /// The words end with an interface or a resource.
    #[error("`{of}` is no function: it has several")]
    Incomplete {
        /// The interface or resource.
        of: String,
    },
    /// There is no function of this name.
    #[error("there is no function `{name}`{}", hint(.near.as_deref()))]
    UnknownFunction {
        /// The name.
        name: String,
        /// The name most like it.
        near: Option<String>,
    },
    /// Several interfaces have a function of this name.
    #[error("`{name}` is of several interfaces: {}", .interfaces.join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// The interfaces.
        interfaces: Vec<String>,
    },
    /// A method stands without the resource that it is of.
    #[error("`{name}` is a method of `{resource}`, and there is none yet")]
    NoResource {
        /// The method.
        name: String,
        /// The resource.
        resource: String,
    },
    /// What a function returns is of a type that nobody could read.
    #[error("the result of `{name}` is of too large a type")]
    ResultTooLarge {
        /// The function.
        name: String,
    },
    /// The function takes no argument of this name.
    #[error("there is no argument `{name}`{}", hint(.near.as_deref()))]
    UnknownArgument {
        /// The name, with dots before fields of records.
        name: String,
        /// The name most like it.
        near: Option<String>,
    },
    /// An argument that needs a value has none.
    #[error("the argument `{name}` is missing")]
    Missing {
        /// The argument, with dots before fields of records.
        name: String,
    },
    /// An argument stands there twice.
    #[error("the argument `{name}` is given twice")]
    Twice {
        /// The argument.
        name: String,
    },
    /// There are more words than arguments.
    #[error("`{word}` is one argument too many")]
    TooMany {
        /// The first word too many.
        word: String,
    },
    /// A text is no value of the type of its argument.
    #[error("the argument `{name}` is to be {expected}, and not `{found}`{}", hint(.near.as_deref()))]
    Value {
        /// The argument, and the way to the value in it.
        name: String,
        /// What was expected.
        expected: String,
        /// The text, shortened.
        found: String,
        /// The word most like it.
        near: Option<String>,
    },
    /// A text is no JSON.
    #[error("the argument `{name}` is to be {expected}, and it is no JSON: {fault}")]
    Json {
        /// The argument.
        name: String,
        /// What was expected.
        expected: String,
        /// What is wrong with it.
        fault: String,
    },
    /// Nobody can write such a value.
    #[error("the argument `{name}` is {what}, which cannot be given")]
    NotGiven {
        /// The argument, and the way to the value in it.
        name: String,
        /// What it is.
        what: &'static str,
    },
    /// The file that bytes are to come from cannot be read.
    #[error("cannot read `{from}` for the argument `{name}`")]
    Read {
        /// The argument.
        name: String,
        /// The file, or `standard input`.
        from: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The arguments are longer together than an engine can take.
    #[error("the argument `{name}` brings the arguments over {limit} bytes")]
    TooLong {
        /// The argument.
        name: String,
        /// The limit.
        limit: u64,
    },
}

/// What is wrong with one value, and where in its argument.
#[derive(Debug)]
pub(super) struct Fault {
    /// From the innermost part outwards: `.x`, `[2]`.
    path: Vec<String>,
    cause: Cause,
}

#[derive(Debug)]
pub(super) enum Cause {
    Value { expected: String, found: String, near: Option<String> },
    Json { expected: String, fault: String },
    Missing,
    Unknown { near: Option<String> },
    Twice,
    NotGiven(&'static str),
    Read { from: String, source: io::Error },
    TooLong { limit: u64 },
}

impl From<Cause> for Fault {
    fn from(cause: Cause) -> Self {
        Self { path: Vec::new(), cause }
    }
}

impl Fault {
    /// A text that is no value of a type.
    pub(super) fn value(ty: &Type, found: &str) -> Self {
        Cause::Value { expected: super::expect::expected(ty), found: shown(found), near: None }.into()
    }

    /// JSON that is no value of a type.
    pub(super) fn json(ty: &Type, found: &str) -> Self {
        Cause::Value { expected: super::expect::expected_json(ty), found: shown(found), near: None }.into()
    }

    /// A name that is none of those there are.
    pub(super) fn name<'a>(ty: &Type, found: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        Cause::Value { expected: super::expect::expected(ty), found: shown(found), near: near(found, names) }.into()
    }

    /// Says in which field it is.
    pub(super) fn in_field(mut self, name: &str) -> Self {
        self.path.push(format!(".{}", shown(name)));
        self
    }

    /// Says in which element it is.
    pub(super) fn at(mut self, position: usize) -> Self {
        self.path.push(format!("[{position}]"));
        self
    }

    /// Says in which argument it is.
    pub(super) fn of_argument(self, name: &str) -> UsageError {
        let name: String = [name.to_owned()].into_iter().chain(self.path.into_iter().rev()).collect();
        match self.cause {
            Cause::Value { expected, found, near } => UsageError::Value { name, expected, found, near },
            Cause::Json { expected, fault } => UsageError::Json { name, expected, fault },
            Cause::Missing => UsageError::Missing { name },
            Cause::Unknown { near } => UsageError::UnknownArgument { name, near },
            Cause::Twice => UsageError::Twice { name },
            Cause::NotGiven(what) => UsageError::NotGiven { name, what },
            Cause::Read { from, source } => UsageError::Read { name, from, source },
            Cause::TooLong { limit } => UsageError::TooLong { name, limit },
        }
    }
}

/// Returns the beginning of a text, fit for one line.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(SHOWN_MAX) {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// Returns the name most like another, unless a third of it is spelled otherwise.
pub(super) fn near<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // A distance takes time as the product of both lengths.
    if name.len() > SHOWN_MAX {
        return None;
    }
    let of = |other: &'a str| {
        let distance = strsim::damerau_levenshtein(name, other);
        let limit = (name.len().max(other.len()) / 3).max(1);
        // Of one letter every other is but one letter away.
        (distance <= limit && distance < name.len()).then_some((distance, other))
    };
    let names = names.into_iter().filter(|other| other.len() <= SHOWN_MAX);
    names.filter_map(of).min().map(|(_, other)| other.to_owned())
}

fn hint(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}
