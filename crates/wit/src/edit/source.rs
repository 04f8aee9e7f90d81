//! A file with what was found in it, and how its text is laid out.

use std::collections::HashSet;
use std::ops::Range;

use wit_parser::PackageName;

use super::Statement;
use super::outline::{Item, Mention, Outline, World};
use super::token::{Token, TokenKind, tokens};
use crate::requirements::is_met;
use crate::{Location, TextFile};

/// A file with what was found in it.
pub(super) struct Source<'a> {
    pub(super) outline: Outline,
    name: &'a str,
    text: &'a str,
    tokens: Vec<Token<'a>>,
    /// Where the lines start.
    lines: Vec<usize>,
}

/// A change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splice {
    /// What goes.
    pub(super) range: Range<usize>,
    /// What comes instead.
    pub(super) text: String,
}

/// How far an inner line is indented where no other tells it.
const INDENTATION: &str = "  ";

impl<'a> Source<'a> {
    /// Reads a file that the parser has read, of a package that defines these packages.
    pub(super) fn new(file: &'a TextFile, defined: &HashSet<&PackageName>) -> Self {
        let tokens = tokens(&file.text);
        let mut outline = Outline::new(&tokens);
        for mention in &mut outline.mentions {
            mention.is_foreign = !is_met(defined, &mention.package);
        }
        let breaks = file.text.match_indices('\n').map(|(at, _)| at + 1);
        Self { outline, name: &file.name, text: &file.text, tokens, lines: [0].into_iter().chain(breaks).collect() }
    }

    /// Returns the place of a byte, for messages.
    pub(super) fn location(&self, at: usize) -> Location {
        let line = self.lines.partition_point(|&start| start <= at);
        Location { file: self.name.to_owned(), line, column: at - self.lines[line - 1] + 1 }
    }

    /// Adds a statement to a world; [`edit::add`](super::add) says where.
    pub(super) fn insert(&self, world: &World, statement: &Statement) -> Splice {
        let (keyword, text) = (statement.keyword, format!("{statement};"));
        let items = &world.items;
        let is_before = |item: &&Item| item.keyword.is_some_and(|other| other < keyword);
        let is_after = |item: &&Item| item.keyword.is_some_and(|other| other > keyword);
        let like = items.iter().rfind(|item| item.keyword == Some(keyword));
        if let Some(item) = like.or_else(|| items.iter().rfind(is_before)) {
            self.insert_after(item.span.end, &self.indentation_in(world, item.span.start), &text)
        } else if let Some(item) = items.iter().find(is_after) {
            self.insert_before(item.lead, &text)
        } else if let Some(item) = items.last() {
            self.insert_after(item.span.end, &self.indentation_in(world, item.span.start), &text)
        } else {
            self.insert_first(world, &text)
        }
    }

    fn insert_after(&self, at: usize, indentation: &str, text: &str) -> Splice {
        match self.next_line(at) {
            Some(line) => insertion(line, format!("{indentation}{text}{}", self.line_break())),
            None => insertion(at, format!(" {text}")),
        }
    }

    fn insert_before(&self, lead: usize, text: &str) -> Splice {
        let at = self.start_of_comments(lead);
        match self.indentation(at) {
            Some(indentation) => insertion(self.line_start(at), format!("{indentation}{text}{}", self.line_break())),
            None => insertion(self.text[..at].trim_end().len(), format!(" {text}")),
        }
    }

    /// Adds the first statement of a world, which may hold comments.
    fn insert_first(&self, world: &World, text: &str) -> Splice {
        let body = world.body.clone();
        let is_blank = self.text[body.clone()].trim().is_empty();
        if !is_blank || self.next_line(body.start).is_some() {
            return self.insert_after(body.start, &self.inner_indentation(world), text);
        }
        let (outer, inner) = (self.outer_indentation(world.start), self.inner_indentation(world));
        let line_break = self.line_break();
        Splice { range: body, text: format!("{line_break}{inner}{text}{line_break}{outer}") }
    }

    /// Removes statements, with their doc comments and attributes.
    ///
    /// White space between what goes is gone too. What stands alone on its lines goes with them, and a comment after
    /// a statement on its last line with it.
    pub(super) fn removal<'m>(&self, mentions: impl Iterator<Item = &'m Mention>) -> Vec<Splice> {
        let pieces = mentions.flat_map(|mention| {
            let statement = mention.pieces.last();
            mention.pieces.iter().map(move |piece| (piece.clone(), Some(piece) == statement))
        });
        let mut pieces: Vec<_> = pieces.collect();
        pieces.sort_by_key(|(piece, _)| piece.start);
        let mut joined: Vec<(Range<usize>, bool)> = Vec::new();
        for (piece, is_statement) in pieces {
            match joined.last_mut() {
                Some(last) if self.text[last.0.end..piece.start].trim().is_empty() => {
                    *last = (last.0.start..piece.end, is_statement);
                }
                _ => joined.push((piece, is_statement)),
            }
        }
        let widen = |(part, is_statement)| Splice { range: self.widen(part, is_statement), text: String::new() };
        joined.into_iter().map(widen).collect()
    }

    /// Returns what has to go so that nothing shows where a part was, which ends with a statement, or before it.
    fn widen(&self, part: Range<usize>, is_statement: bool) -> Range<usize> {
        let next_line = if is_statement { self.next_line(part.end) } else { self.blank_to_next_line(part.end) };
        match (self.indentation(part.start), next_line) {
            (Some(_), Some(line)) => self.line_start(part.start)..line,
            (Some(_), None) => {
                let rest = &self.text[part.end..];
                part.start..part.end + (rest.len() - rest.trim_start_matches([' ', '\t']).len())
            }
            (None, _) => self.text[..part.start].trim_end_matches([' ', '\t']).len()..part.end,
        }
    }

    /// Returns where the next line starts, where only white space and comments that document nothing stand before it.
    fn next_line(&self, at: usize) -> Option<usize> {
        let mut at = at;
        let first = self.tokens.partition_point(|token| token.start < at);
        for token in &self.tokens[first..] {
            if self.text[at..token.start].contains('\n') || token.kind != TokenKind::Comment {
                break;
            }
            at = token.end();
        }
        self.blank_to_next_line(at)
    }

    /// Returns where the next line starts, or the text ends, where only white space stands before it.
    fn blank_to_next_line(&self, at: usize) -> Option<usize> {
        let rest = &self.text[at..];
        let line = rest.split_inclusive('\n').next().unwrap_or_default();
        line.trim().is_empty().then_some(at + line.len())
    }

    /// Goes up from what starts a line to the first of the comments that stand directly above it.
    fn start_of_comments(&self, lead: usize) -> usize {
        let mut start = lead;
        let above = self.tokens.partition_point(|token| token.start < lead);
        for token in self.tokens[..above].iter().rev() {
            let is_directly_above = self.text[token.end()..start].matches('\n').count() == 1;
            if token.kind != TokenKind::Comment || !is_directly_above || self.indentation(token.start).is_none() {
                break;
            }
            start = token.start;
        }
        start
    }

    fn line_start(&self, at: usize) -> usize {
        self.lines[self.lines.partition_point(|&start| start <= at) - 1]
    }

    /// Returns the white space before what starts a line; nothing where something else stands before it.
    fn indentation(&self, at: usize) -> Option<&'a str> {
        let before = &self.text[self.line_start(at)..at];
        before.trim_matches([' ', '\t']).is_empty().then_some(before)
    }

    /// Returns how far something in a world is indented, or has to be.
    fn indentation_in(&self, world: &World, start: usize) -> String {
        self.indentation(start).map_or_else(|| self.inner_indentation(world), str::to_owned)
    }

    fn outer_indentation(&self, at: usize) -> &'a str {
        let line = &self.text[self.line_start(at)..];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    /// Returns how far what is in a world has to be indented: as far as what is in the first braces with lines.
    fn inner_indentation(&self, world: &World) -> String {
        let pairs = self.tokens.windows(2).filter(|pair| pair[0].text == "{" && pair[1].text != "}");
        let mut steps = pairs.filter_map(|pair| {
            let inner = self.indentation(pair[1].start)?;
            inner.strip_prefix(self.outer_indentation(pair[0].start)).filter(|step| !step.is_empty())
        });
        format!("{}{}", self.outer_indentation(world.start), steps.next().unwrap_or(INDENTATION))
    }

    /// Returns how the first line of the text ends.
    fn line_break(&self) -> &'static str {
        let is_crlf = self.lines.get(1).is_some_and(|&line| self.text[..line].ends_with("\r\n"));
        if is_crlf { "\r\n" } else { "\n" }
    }
}

/// Makes changes, of which no two overlap.
pub(super) fn apply(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|splice| splice.range.start);
    let mut edited = String::with_capacity(text.len());
    let mut end = 0;
    for Splice { range, text: new } in splices {
        edited.push_str(&text[end..range.start]);
        edited.push_str(&new);
        end = range.end;
    }
    edited.push_str(&text[end..]);
    edited
}

fn insertion(at: usize, text: String) -> Splice {
    Splice { range: at..at, text }
}
