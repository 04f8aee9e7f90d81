//! What a Rust file names: every path, macro and attribute, told from text in strings and comments.
//!
//! A name is followed through the `use` declarations of its file, so that `use std::env;` and `env::var` are seen
//! for what they are. What macros hold is not parsed, only searched for paths, and names that come through a glob of
//! another crate's are not followed.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// One name in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    /// What is named, from the crate on where the file says so.
    pub(crate) path: Vec<String>,
    /// What the name stands for.
    pub(crate) kind: Kind,
    /// The line, from 1.
    pub(crate) line: usize,
    /// Whether only tests have it.
    pub(crate) in_test: bool,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Path,
    Macro,
    Attribute,
}

impl Mention {
    /// Whether this is `pattern` or something in it; a glob import of what holds `pattern` counts.
    pub(crate) fn is_in(&self, pattern: &str) -> bool {
        let mut pattern = pattern.split("::");
        for segment in &self.path {
            match pattern.next() {
                None => return true,
                Some(_) if segment == "*" => return true,
                Some(expected) if segment != expected => return false,
                Some(_) => {}
            }
        }
        pattern.next().is_none()
    }

    /// Returns the last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

/// Returns everything that `file` names, in its order.
pub(crate) fn mentions(file: &syn::File) -> Vec<Mention> {
    let mut scan = Scan::default();
    scan.visit_file(file);
    let Scan { mut mentions, uses, .. } = scan;
    for mention in &mut mentions {
        mention.resolve(&uses);
    }
    mentions
}

/// Whether an item with these attributes is compiled for tests only.
pub(crate) fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        match &attribute.meta {
            syn::Meta::List(list) if path.is_ident("cfg") => {
                let words = identifiers(list.tokens.clone());
                words.iter().any(|word| word == "test") && !words.iter().any(|word| word == "not" || word == "any")
            }
            _ => path.segments.last().is_some_and(|last| last.ident == "test"),
        }
    })
}

/// Returns the attributes of an item.
pub(crate) fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::ExternCrate(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::ForeignMod(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::TraitAlias(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Union(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl Mention {
    /// Puts what the file's `use` declarations say in the place of the first name.
    fn resolve(&mut self, uses: &[Use]) {
        let Some(first) = self.path.first() else { return };
        // A test sees its own declarations and the file's; the code of the file does not see the tests'.
        let known = uses.iter().find(|it| it.name == *first && (self.in_test || !it.in_test));
        if let Some(known) = known {
            self.path.splice(..1, known.path.iter().cloned());
        }
    }
}

/// A name that a `use` declaration brings in.
struct Use {
    name: String,
    path: Vec<String>,
    in_test: bool,
}

#[derive(Default)]
struct Scan {
    mentions: Vec<Mention>,
    uses: Vec<Use>,
    in_test: bool,
}

impl Scan {
    fn add(&mut self, path: Vec<String>, kind: Kind, line: usize) {
        self.mentions.push(Mention { path, kind, line, in_test: self.in_test });
    }

    /// Runs `visit`, on something that only tests have where `attributes` say so.
    fn within(&mut self, attributes: &[syn::Attribute], visit: impl FnOnce(&mut Self)) {
        let outside = self.in_test;
        self.in_test |= is_test_only(attributes);
        visit(self);
        self.in_test = outside;
    }

    fn use_tree(&mut self, tree: &syn::UseTree, prefix: &[String]) {
        let joined = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.use_tree(&path.tree, &joined(&path.ident)),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.use_tree(tree, prefix)),
            syn::UseTree::Glob(glob) => {
                let path = [prefix, &["*".to_owned()]].concat();
                self.add(path, Kind::Path, glob.star_token.span.start().line);
            }
            syn::UseTree::Name(name) if name.ident == "self" => {
                self.use_name(prefix.last().cloned(), prefix.to_vec(), &name.ident);
            }
            syn::UseTree::Name(name) => self.use_name(Some(name.ident.to_string()), joined(&name.ident), &name.ident),
            syn::UseTree::Rename(name) if name.ident == "self" => {
                self.use_name(Some(name.rename.to_string()), prefix.to_vec(), &name.ident);
            }
            syn::UseTree::Rename(name) => {
                self.use_name(Some(name.rename.to_string()), joined(&name.ident), &name.ident);
            }
        }
    }

    fn use_name(&mut self, name: Option<String>, path: Vec<String>, at: &syn::Ident) {
        self.add(path.clone(), Kind::Path, at.span().start().line);
        self.uses.extend(name.map(|name| Use { name, path, in_test: self.in_test }));
    }

    /// Searches the tokens of a macro for paths and for macros.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path = Vec::new();
        let mut line = 0;
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(ident) => {
                    let separated = path.last().is_none_or(|last| last == "::");
                    if !separated {
                        self.end_of_path(&mut path, Kind::Path, line);
                    }
                    line = ident.span().start().line;
                    path.push(ident.to_string());
                }
                TokenTree::Punct(colon) if colon.as_char() == ':' && is_colon(tokens.peek()) => {
                    tokens.next();
                    path.push("::".to_owned());
                }
                TokenTree::Punct(mark) if mark.as_char() == '!' && is_body(tokens.peek()) => {
                    self.end_of_path(&mut path, Kind::Macro, line);
                }
                TokenTree::Group(group) => {
                    self.end_of_path(&mut path, Kind::Path, line);
                    self.tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => self.end_of_path(&mut path, Kind::Path, line),
            }
        }
        self.end_of_path(&mut path, Kind::Path, line);
    }

    fn end_of_path(&mut self, path: &mut Vec<String>, kind: Kind, line: usize) {
        let path: Vec<_> = path.drain(..).filter(|part| part != "::").collect();
        if !path.is_empty() {
            self.add(path, kind, line);
        }
    }
}

impl<'ast> Visit<'ast> for Scan {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.within(attributes(item), |scan| visit::visit_item(scan, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.within(&item.attrs, |scan| visit::visit_impl_item_fn(scan, item));
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add(segments(path), Kind::Path, line(path));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.add(segments(&call.path), Kind::Macro, line(&call.path));
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        self.add(segments(attribute.path()), Kind::Attribute, line(attribute.path()));
    }
}

fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

fn line(path: &syn::Path) -> usize {
    path.segments.first().map_or(1, |segment| segment.ident.span().start().line)
}

fn identifiers(tokens: TokenStream) -> Vec<String> {
    let words = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) => vec![ident.to_string()],
        TokenTree::Group(group) => identifiers(group.stream()),
        _ => Vec::new(),
    });
    words.flatten().collect()
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
}

/// Whether `token` can be what a macro is called with; `a != (b)` has no such token after its `!`.
fn is_body(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() != Delimiter::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, kind: Kind) -> Vec<(String, usize, bool)> {
        let mentions = mentions(&syn::parse_file(text).unwrap());
        let mentions = mentions.into_iter().filter(|mention| mention.kind == kind);
        mentions.map(|mention| (mention.path.join("::"), mention.line, mention.in_test)).collect()
    }

    fn has(text: &str, path: &str) -> bool {
        names(text, Kind::Path).iter().any(|(found, ..)| found == path)
    }

    #[test]
    fn names_are_followed_through_use() {
        assert!(has("use std::env; fn f() { env::var(\"A\"); }", "std::env::var"));
        assert!(has("use std::{env as e, fs}; fn f() { e::var(\"A\"); }", "std::env::var"));
        assert!(has("use std::env::{self as e}; fn f() { e::var(\"A\"); }", "std::env::var"));
        assert!(has("use std::process::{self, Command}; fn f() { process::exit(1); }", "std::process::exit"));
        assert!(has("fn f() -> ::std::env::Args { loop {} }", "std::env::Args"));
        assert!(has("use tokio::net::TcpListener; struct S(Vec<TcpListener>);", "tokio::net::TcpListener"));
    }

    #[test]
    fn strings_and_comments_name_nothing() {
        let text = "// std::env::var\n/// std::env::var\nfn f() -> &'static str { \"println!() std::env\" }";
        assert!(!has(text, "std::env::var"));
        assert!(names(text, Kind::Macro).is_empty());
    }

    #[test]
    fn macros_are_searched() {
        let text = "fn f() {\n    println!(\"{:?}\", Some(std::env::var(\"A\")));\n}";
        assert_eq!(names(text, Kind::Macro), [("println".to_owned(), 2, false)]);
        assert!(has(text, "std::env::var"));
        let nested = "fn f() { assert!(x != (y), \"{}\", std::dbg!(1)); }";
        let found: Vec<_> = names(nested, Kind::Macro).into_iter().map(|(path, ..)| path).collect();
        assert_eq!(found, ["assert", "std::dbg"]);
    }

    #[test]
    fn what_only_tests_have_is_marked() {
        let text = "#[cfg(test)]\nmod tests {\n use std::env;\n #[ignore]\n fn f() { env::var(\"A\"); }\n}\nfn g() { env::x(); }";
        let found = names(text, Kind::Path);
        assert!(found.contains(&("std::env::var".to_owned(), 5, true)), "{found:?}");
        assert!(found.contains(&("env::x".to_owned(), 7, false)), "{found:?}");
        assert!(names(text, Kind::Attribute).contains(&("ignore".to_owned(), 4, true)));
        assert!(names("#[tokio::test] async fn f() { a::b(); }", Kind::Path).iter().all(|(_, _, in_test)| *in_test));
        for attribute in ["#[cfg(not(test))]", "#[cfg(any(test, unix))]", "#[cfg(unix)]"] {
            let text = format!("{attribute} fn f() {{ a::b(); }}");
            assert!(names(&text, Kind::Path).iter().all(|(_, _, in_test)| !in_test), "{attribute}");
        }
    }

    #[test]
    fn a_pattern_matches_what_it_holds() {
        let mention = |path: &str| Mention {
            path: path.split("::").map(str::to_owned).collect(),
            kind: Kind::Path,
            line: 1,
            in_test: false,
        };
        for (path, expected) in [
            ("std::env", true),
            ("std::env::var", true),
            ("std::*", true),
            ("std::env::*", true),
            ("std", false),
            ("std::envy", false),
            ("core::env", false),
        ] {
            assert_eq!(mention(path).is_in("std::env"), expected, "{path}");
        }
    }
}
