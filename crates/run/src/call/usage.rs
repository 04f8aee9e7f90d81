//! Tells how to call the functions of a program.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::expect::{example, expected};
use super::find::{lead_to, spelling};
use super::signature::{Function, FunctionKind, Parameter, Type};

/// What authors wrote about functions, by [`Function::path`].
pub type Docs = BTreeMap<String, String>;

/// Characters of a type that are told.
const TYPE_MAX: usize = 200;

/// Where the column of what functions do begins.
const COLUMN: usize = 36;

/// Tells how to call the functions of a program.
#[derive(Debug, Clone, Copy)]
pub struct Usage<'a> {
    /// How the program is called, up to the first word of a function.
    pub program: &'a str,
    /// What functions it has.
    pub functions: &'a [Function],
    /// What they do.
    pub docs: &'a Docs,
}

impl Usage<'_> {
    /// Tells what words may go on with, or about the one function that they name.
    #[must_use]
    pub fn text<W: AsRef<str>>(&self, words: &[W]) -> String {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        match lead_to(self.functions, &words).as_slice() {
            [function] => self.of_one(function),
            functions => self.of_several(functions),
        }
    }

    fn of_several(&self, functions: &[&Function]) -> String {
        let mut text = format!("Usage: {} FUNCTION [ARGUMENT]...\n", self.program);
        let mut interfaces: Vec<Option<&str>> =
            functions.iter().map(|function| function.interface.as_deref()).collect();
        interfaces.dedup();
        for interface in interfaces {
            let _ = writeln!(text, "\n{}:", interface.unwrap_or("Functions"));
            for function in functions.iter().filter(|function| function.interface.as_deref() == interface) {
                let line = format!("  {}", self.synopsis(function));
                let summary = self.docs.get(&function.path()).and_then(|docs| docs.lines().next()).unwrap_or_default();
                let line = match summary {
                    "" => line,
                    _ if line.chars().count() < COLUMN => format!("{line:COLUMN$}{summary}"),
                    _ => format!("{line}\n{:COLUMN$}{summary}", ""),
                };
                text.push_str(&line);
                text.push('\n');
            }
        }
        text
    }

    fn of_one(&self, function: &Function) -> String {
        let mut text = format!("Usage: {} {}\n", self.program, self.synopsis(function));
        if let Some(docs) = self.docs.get(&function.path()) {
            let _ = write!(text, "\n{}\n", docs.trim_end());
        }
        if !function.parameters.is_empty() {
            text.push_str("\nArguments:\n");
        }
        let width = function.parameters.iter().map(|parameter| parameter.name.chars().count()).max().unwrap_or(0);
        for parameter in &function.parameters {
            let _ = writeln!(text, "  {:width$}  {}", parameter.name, shortened(&parameter.ty));
            for line in how(parameter, is_last(function, parameter)) {
                let _ = writeln!(text, "  {:width$}    {line}", "");
            }
        }
        if let Some(result) = &function.result {
            let _ = write!(text, "\nReturns: {}\n", shortened(result));
        }
        if let Some(words) = self.example(function) {
            let _ = write!(text, "\nExample: {} {words}\n", self.program);
        }
        text
    }

    /// Returns how a function is called: `math add <a> [<b>]`.
    fn synopsis(&self, function: &Function) -> String {
        let name = match (&function.kind, self.maker(function)) {
            (FunctionKind::Method { name, .. }, Some(maker)) => {
                format!("{}... . {name}", spelling(self.functions, maker) + " ")
            }
            _ => spelling(self.functions, function),
        };
        let argument = |parameter: &Parameter| match &parameter.ty {
            Type::Option(_) => format!(" [<{}>]", parameter.name),
            ty if ty.is_variadic() && is_last(function, parameter) => format!(" <{}>...", parameter.name),
            _ => format!(" <{}>", parameter.name),
        };
        name + &function.parameters.iter().map(argument).collect::<String>()
    }

    /// Returns what makes the resource of a method: its constructor before others.
    fn maker(&self, method: &Function) -> Option<&Function> {
        let makes = |function: &&Function| function.handed_over().is_some_and(|resource| method.is_method_of(resource));
        let is_constructor = |function: &&Function| matches!(function.kind, FunctionKind::Constructor { .. });
        let makers = || self.functions.iter().filter(makes);
        makers().find(is_constructor).or_else(|| makers().find(|function| !method.eq(function)))
    }

    /// Returns words that call a function, quoted for a shell.
    fn example(&self, function: &Function) -> Option<String> {
        let given = function.parameters.iter().filter(|parameter| !matches!(parameter.ty, Type::Option(_)));
        let words = given.map(|parameter| match &parameter.ty {
            Type::List(element) if parameter.ty.is_variadic() && is_last(function, parameter) => {
                let word = quoted(&example(element)?);
                // A single element that is an array would be taken as the whole list.
                Some(format!("{word} {word}"))
            }
            ty => example(ty).map(|word| quoted(&word)),
        });
        let words: Vec<String> = words.collect::<Option<_>>()?;
        let name = match (&function.kind, self.maker(function)) {
            (FunctionKind::Method { name, .. }, Some(maker)) => format!("{} . {name}", self.example(maker)?),
            (FunctionKind::Method { .. }, None) => return None,
            _ => spelling(self.functions, function),
        };
        Some([name].into_iter().chain(words).collect::<Vec<_>>().join(" "))
    }
}

/// Tells in lines how an argument is written.
fn how(parameter: &Parameter, is_last: bool) -> Vec<String> {
    let Parameter { name, ty } = parameter;
    if let Some(what) = ty.not_given() {
        return vec![format!("{what}, which cannot be given")];
    }
    let inner = if let Type::Option(inner) = ty { inner } else { ty };
    let mut lines = vec![expected(inner)];
    match inner {
        Type::Record(fields) => {
            let given = fields
                .iter()
                .filter_map(|field| Some(format!("--{name}.{} {}", field.name, quoted(&example(&field.ty)?))));
            let given: Vec<String> = given.collect();
            lines.push(format!("or {}", given.join(" ")));
        }
        Type::List(_) if ty.is_variadic() && !is_last => lines.push(format!("or each as --{name} VALUE")),
        _ => (),
    }
    if matches!(ty, Type::Option(_)) {
        lines.push("may be left out".to_owned());
    }
    lines
}

fn is_last(function: &Function, parameter: &Parameter) -> bool {
    function.parameters.last().is_some_and(|last| last.name == parameter.name)
}

fn shortened(ty: &Type) -> String {
    let text = ty.to_string();
    match text.char_indices().nth(TYPE_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Returns a word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-_=+.,/:@%".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
