//! Where worlds, statements and names of packages stand in the text of a file.

use std::collections::HashMap;
use std::ops::Range;

use semver::Version;
use wit_parser::PackageName;

use super::Keyword;
use super::token::{Token, TokenKind};

/// A file as far as edits look at it.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) worlds: Vec<World>,
    pub(super) mentions: Vec<Mention>,
}

/// A world.
#[derive(Debug)]
pub(super) struct World {
    pub(super) name: String,
    /// Whether it is in a `package … { … }`.
    pub(super) is_nested: bool,
    /// The keyword.
    pub(super) start: usize,
    /// What is between the braces.
    pub(super) body: Range<usize>,
    pub(super) items: Vec<Item>,
}

/// Something in a world.
#[derive(Debug)]
pub(super) struct Item {
    /// Nothing for `use` and types.
    pub(super) keyword: Option<Keyword>,
    /// Where what goes with it starts: the first of its doc comments, else of its attributes, else its keyword.
    pub(super) lead: usize,
    /// From the first attribute on.
    pub(super) span: Range<usize>,
}

/// A place at which a package is named, or something of it by the name that a `use` of the file gave it.
#[derive(Debug)]
pub(super) struct Mention {
    pub(super) role: Role,
    pub(super) package: PackageName,
    /// The interface or world.
    pub(super) item: String,
    pub(super) path: Path,
    /// Whether the package is none that the text defines.
    pub(super) is_foreign: bool,
    /// What is removed with the statement: its doc comments, its attributes, and at last itself.
    pub(super) pieces: Vec<Range<usize>>,
}

/// What a package is named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A statement of a world, which is given by its number.
    Statement(usize, Keyword),
    /// A statement of a world that gives it a label: `import label: ns:name/item;`.
    Labelled,
    /// A `use` outside of interfaces and worlds.
    TopLevelUse,
    /// A `use` of types, in an interface or a world.
    TypeUse,
}

/// A path as it is written.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub(super) start: usize,
    /// Where the name of the interface or world ends.
    pub(super) item_end: usize,
    pub(super) version: Option<Range<usize>>,
    /// Whether the package is in it.
    pub(super) is_full: bool,
}

impl Outline {
    /// Finds what is in a file that the parser has read.
    pub(super) fn new(tokens: &[Token<'_>]) -> Self {
        let mut reader = Reader { tokens, at: 0, outline: Self::default(), scope: Scope::default() };
        while reader.peek().is_some() {
            reader.declaration();
        }
        reader.close_scope();
        reader.outline.mentions.sort_by_key(|mention| mention.path.start);
        reader.outline
    }
}

/// What stands before something, and belongs to it.
struct Lead {
    /// Its doc comments and attributes.
    pieces: Vec<Range<usize>>,
    /// Where the first attribute starts.
    attribute: Option<usize>,
}

impl Mention {
    /// Tells whether it is one of a package that the text does not define; without a version, of any version.
    pub(super) fn is_of(&self, package: &PackageName) -> bool {
        let PackageName { namespace, name, version } = &self.package;
        (namespace, name) == (&package.namespace, &package.name)
            && (package.version.is_none() || *version == package.version)
            && self.is_foreign
    }
}

/// Goes through the tokens.
struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    outline: Outline,
    scope: Scope,
}

/// What a file, or a `package … { … }` in it, has to know of itself before its names can be told.
#[derive(Default)]
struct Scope {
    mentions: Vec<Unresolved>,
    /// What a top-level `use` names, by the name that it gets.
    aliases: HashMap<String, Name>,
}

struct Unresolved {
    role: Role,
    name: Name,
    path: Path,
    pieces: Vec<Range<usize>>,
}

#[derive(Clone)]
struct Name {
    package: Option<PackageName>,
    item: String,
}

impl<'a> Reader<'a> {
    /// Returns the next token that is no comment.
    fn peek(&self) -> Option<&'a Token<'a>> {
        self.significant().next()
    }

    fn significant(&self) -> impl Iterator<Item = &'a Token<'a>> + use<'a> {
        self.tokens[self.at..].iter().filter(|token| !token.is_comment())
    }

    /// Takes the next token that is no comment.
    fn next(&mut self) -> Option<&'a Token<'a>> {
        let left = &self.tokens[self.at..];
        let skipped = left.iter().take_while(|token| token.is_comment()).count();
        self.at = (self.at + skipped + 1).min(self.tokens.len());
        left.get(skipped)
    }

    /// Takes the next token if it is this one.
    fn eat(&mut self, text: &str) -> Option<&'a Token<'a>> {
        self.peek().filter(|token| token.text == text)?;
        self.next()
    }

    /// Takes all tokens up to this one, and this one.
    fn skip_past(&mut self, text: &str) -> usize {
        while let Some(token) = self.next() {
            if token.text == text {
                return token.end();
            }
        }
        self.end()
    }

    /// Returns where the last token ends that was taken.
    fn end(&self) -> usize {
        self.tokens[..self.at].iter().rfind(|token| !token.is_comment()).map_or(0, Token::end)
    }

    fn declaration(&mut self) {
        let Lead { mut pieces, .. } = self.lead();
        let Some(keyword) = self.next() else { return };
        match keyword.text {
            "package" => self.package(),
            "interface" => {
                self.skip_past("{");
                self.rest_of_braces(1);
            }
            "world" => self.world(keyword.start),
            "use" => {
                let path = self.path();
                let alias = self.eat("as").and_then(|_| self.next()).map(|token| plain(token.text));
                pieces.push(keyword.start..self.skip_past(";"));
                if let Some((name, path)) = path {
                    self.scope.aliases.insert(alias.unwrap_or_else(|| name.item.clone()), name.clone());
                    self.scope.mentions.push(Unresolved { role: Role::TopLevelUse, name, path, pieces });
                }
            }
            _ => {}
        }
    }

    /// Takes what comes after the keyword `package`.
    fn package(&mut self) {
        let opening = self.significant().find(|token| matches!(token.text, ";" | "{"));
        if opening.is_none_or(|token| token.text == ";") {
            self.skip_past(";");
            return;
        }
        self.skip_past("{");
        let outer = std::mem::take(&mut self.scope);
        let first_world = self.outline.worlds.len();
        while self.peek().is_some_and(|token| token.text != "}") {
            self.declaration();
        }
        self.next();
        self.outline.worlds[first_world..].iter_mut().for_each(|world| world.is_nested = true);
        self.close_scope();
        self.scope = outer;
    }

    /// Takes the doc comments and the attributes of what comes next.
    fn lead(&mut self) -> Lead {
        let (mut pieces, mut attribute) = (Vec::new(), None);
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind {
                TokenKind::Comment => self.at += 1,
                TokenKind::Doc => {
                    pieces.push(token.start..token.end());
                    self.at += 1;
                }
                _ if token.text == "@" => {
                    pieces.push(token.start..self.skip_past(")"));
                    attribute.get_or_insert(token.start);
                }
                _ => break,
            }
        }
        Lead { pieces, attribute }
    }

    /// Takes what comes after the keyword `world`.
    fn world(&mut self, start: usize) {
        let name = self.next().map(|token| plain(token.text)).unwrap_or_default();
        let open = self.skip_past("{");
        let mut items = Vec::new();
        let close = loop {
            let lead = self.lead();
            match self.next() {
                Some(token) if token.text != "}" => items.push(self.item(token, lead)),
                closing => break closing.map_or_else(|| self.end(), |token| token.start),
            }
        };
        self.outline.worlds.push(World { name, is_nested: false, start, body: open..close, items });
    }

    /// Takes the rest of something in a world, after its first word.
    fn item(&mut self, first: &Token<'_>, lead: Lead) -> Item {
        let keyword = match first.text {
            "import" => Some(Keyword::Import),
            "export" => Some(Keyword::Export),
            "include" => Some(Keyword::Include),
            _ => None,
        };
        let role = match keyword {
            Some(Keyword::Import | Keyword::Export) if self.eat_label() => Role::Labelled,
            Some(keyword) => Role::Statement(self.outline.worlds.len(), keyword),
            None => Role::TypeUse,
        };
        let path = if keyword.is_some() || first.text == "use" { self.path() } else { None };
        match first.text {
            "use" => drop(self.skip_past(";")),
            _ => self.rest_of_braces(0),
        }
        let Lead { mut pieces, attribute } = lead;
        let span = attribute.unwrap_or(first.start)..self.end();
        let lead = pieces.first().map_or(first.start, |piece| piece.start);
        pieces.push(first.start..span.end);
        if let Some((name, path)) = path {
            self.scope.mentions.push(Unresolved { role, name, path, pieces });
        }
        Item { keyword, lead, span }
    }

    /// Takes `label:` where it stands before a path, and not before a function, an interface or the rest of the path.
    fn eat_label(&mut self) -> bool {
        let next: Vec<_> = self.significant().take(4).map(|token| token.text).collect();
        let [_, ":", first, second] = next.as_slice() else { return false };
        let is_label = !matches!(*first, "func" | "async" | "interface") && !matches!(*second, "/" | "(");
        if is_label {
            self.skip_past(":");
        }
        is_label
    }

    /// Takes `item`, or `ns:name/item` with a version or without; nothing where it is neither, as in `item: func()`.
    fn path(&mut self) -> Option<(Name, Path)> {
        let first = self.next()?;
        if self.eat(":").is_none() {
            let name = Name { package: None, item: plain(first.text) };
            return Some((name, Path { start: first.start, item_end: first.end(), version: None, is_full: false }));
        }
        let package = self.next()?;
        self.eat("/")?;
        let item = self.next()?;
        let version = self.eat("@").and_then(|_| self.next());
        let package = PackageName {
            namespace: plain(first.text),
            name: plain(package.text),
            version: match version {
                // The parser passes over a sign that nothing follows.
                Some(version) => Some(Version::parse(version.text.trim_end_matches(['-', '+'])).ok()?),
                None => None,
            },
        };
        let name = Name { package: Some(package), item: plain(item.text) };
        let version = version.map(|version| version.start..version.end());
        Some((name, Path { start: first.start, item_end: item.end(), version, is_full: true }))
    }

    /// Takes all up to the end of a statement, or up to the end of the braces that it has, or is in.
    fn rest_of_braces(&mut self, mut depth: usize) {
        while let Some(token) = self.next() {
            match token.text {
                "{" => depth += 1,
                "}" if depth <= 1 => return,
                "}" => depth -= 1,
                ";" if depth == 0 => return,
                "use" => {
                    if let Some((name, path)) = self.path() {
                        self.scope.mentions.push(Unresolved { role: Role::TypeUse, name, path, pieces: Vec::new() });
                    }
                }
                _ => {}
            }
        }
    }

    /// Tells what is named in a scope, now that all of it has been read.
    fn close_scope(&mut self) {
        let Scope { mentions, aliases } = std::mem::take(&mut self.scope);
        for Unresolved { role, name, path, pieces } in mentions {
            // What a `use` does not name is of the package itself; no `use` names what another one does.
            let name = if path.is_full { Some(&name) } else { aliases.get(&name.item) };
            if let Some(Name { package: Some(package), item }) = name.cloned() {
                self.outline.mentions.push(Mention { role, package, item, path, is_foreign: true, pieces });
            }
        }
    }
}

/// Returns a name without the `%` that tells it from a keyword.
fn plain(word: &str) -> String {
    word.strip_prefix('%').unwrap_or(word).to_owned()
}
