//! YAML as a tree that knows where each scalar stands.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use crate::PinFault;

/// Levels of collections in each other. What is pinned is on the ninth.
const DEPTH_MAX: usize = 64;

/// The documents of a text.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The root of each document.
    pub(super) roots: Vec<NodeId>,
}

/// The number of a node; those that stand before others have lower ones.
pub(super) type NodeId = usize;

#[derive(Debug)]
enum Node {
    Scalar(Scalar),
    Sequence(Vec<NodeId>),
    /// Keys and values, in turn.
    Mapping(Vec<NodeId>),
    Alias(NodeId),
}

/// A text in YAML.
#[derive(Debug)]
pub(super) struct Scalar {
    /// What it means.
    pub(super) value: String,
    /// The line that it starts in, counted from one.
    pub(super) line: usize,
    /// Which bytes say so, where they are the value as it is, without quotes.
    pub(super) bytes: Option<Range<usize>>,
}

impl Tree {
    /// Reads a text.
    pub(super) fn parse(text: &str) -> Result<Self, PinFault> {
        // Marks count characters.
        let offsets: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let (tree, open, anchors) = (Self::default(), Vec::new(), HashMap::new());
        let mut builder = Builder { text, offsets, tree, open, anchors, line: 1 };
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| fault(&error))?;
            builder.take(event, span)?;
        }
        Ok(builder.tree)
    }

    /// Returns the scalar that a node is, or stands for.
    pub(super) fn scalar(&self, id: NodeId) -> Option<&Scalar> {
        match &self.nodes[self.resolve(id)] {
            Node::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Returns the values of a mapping under a key. Of a key that stands there twice, readers differ in what they take.
    pub(super) fn values<'a>(&'a self, id: NodeId, key: &'a str) -> impl Iterator<Item = NodeId> + 'a {
        self.entries(id).filter(move |(found, _)| self.scalar(*found).is_some_and(|it| it.value == key)).map(|it| it.1)
    }

    /// Returns what is in a collection: the items of a sequence, the values of a mapping.
    pub(super) fn children(&self, id: NodeId) -> Vec<NodeId> {
        match &self.nodes[self.resolve(id)] {
            Node::Sequence(items) => items.clone(),
            _ => self.entries(id).map(|(_, value)| value).collect(),
        }
    }

    /// Whether a node is a sequence.
    pub(super) fn is_sequence(&self, id: NodeId) -> bool {
        matches!(self.nodes[self.resolve(id)], Node::Sequence(_))
    }

    /// Returns the node that one stands for, which may be itself.
    pub(super) fn resolve(&self, id: NodeId) -> NodeId {
        // An alias leads to what has an anchor, which no alias has.
        if let Node::Alias(target) = &self.nodes[id] { *target } else { id }
    }

    fn entries(&self, id: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> {
        let pairs: &[NodeId] = match &self.nodes[self.resolve(id)] {
            Node::Mapping(pairs) => pairs,
            _ => &[],
        };
        pairs.chunks_exact(2).map(|pair| (pair[0], pair[1]))
    }
}

fn fault(error: &ScanError) -> PinFault {
    let (line, column) = (error.marker().line(), error.marker().col() + 1);
    PinFault::Yaml { line, column, message: error.info().to_owned() }
}

/// Makes a tree of events.
struct Builder<'a> {
    text: &'a str,
    /// Where each character starts, and where the last one ends.
    offsets: Vec<usize>,
    tree: Tree,
    /// The collections that have not ended, the outermost first.
    open: Vec<NodeId>,
    anchors: HashMap<usize, NodeId>,
    /// The line of the last scalar.
    line: usize,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), PinFault> {
        match event {
            Event::Scalar(value, style, anchor, _) => {
                let bytes = self.bytes(&value, style, span);
                let line = match style {
                    // To the parser, a block starts below its header, which is beside the key.
                    ScalarStyle::Literal | ScalarStyle::Folded => self.line,
                    _ => span.start.line(),
                };
                self.line = line;
                let scalar = Scalar { value: value.into_owned(), line, bytes };
                self.add(Node::Scalar(scalar), anchor);
            }
            Event::Alias(anchor) => {
                // The parser knows the anchor, so that it was here before.
                let Some(target) = self.anchors.get(&anchor).copied() else { return Ok(()) };
                self.add(Node::Alias(target), 0);
            }
            Event::SequenceStart(anchor, _) => self.open(Node::Sequence(Vec::new()), anchor, span)?,
            Event::MappingStart(anchor, _) => self.open(Node::Mapping(Vec::new()), anchor, span)?,
            Event::SequenceEnd | Event::MappingEnd => drop(self.open.pop()),
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, node: Node, anchor: usize, span: Span) -> Result<(), PinFault> {
        if self.open.len() == DEPTH_MAX {
            return Err(PinFault::Depth { line: span.start.line(), limit: DEPTH_MAX });
        }
        let id = self.add(node, anchor);
        self.open.push(id);
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> NodeId {
        let id = self.tree.nodes.len();
        self.tree.nodes.push(node);
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        match self.open.last().map(|parent| &mut self.tree.nodes[*parent]) {
            Some(Node::Sequence(children) | Node::Mapping(children)) => children.push(id),
            _ => self.tree.roots.push(id),
        }
        id
    }

    /// Returns the bytes that are the value, if there are such: neither escapes nor folded lines are.
    ///
    /// Where a scalar ends, the parser does not tell: to it, a comment behind a quoted text belongs to that.
    fn bytes(&self, value: &str, style: ScalarStyle, span: Span) -> Option<Range<usize>> {
        let quote = match style {
            ScalarStyle::Plain => "",
            ScalarStyle::SingleQuoted => "'",
            ScalarStyle::DoubleQuoted => "\"",
            ScalarStyle::Literal | ScalarStyle::Folded => return None,
        };
        let content = without_properties(self.text.get(*self.offsets.get(span.start.index())?..)?);
        let rest = content.strip_prefix(quote)?.strip_prefix(value)?;
        let end = self.text.len() - rest.len();
        rest.starts_with(quote).then_some(end - value.len()..end)
    }
}

/// Returns a text from its content on, behind anchor, tag, and comments between them (YAML 1.2, section 6.9).
fn without_properties(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let end = match rest.chars().next() {
            Some('&' | '!') => rest.find(char::is_whitespace),
            Some('#') => rest.find('\n'),
            _ => None,
        };
        let Some(end) = end else { return rest };
        rest = rest[end..].trim_start();
    }
}
