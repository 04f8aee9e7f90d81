//! What can change between two versions, whom that breaks, and what it asks of the version: the table of
//! `docs/compatibility.md`.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Bump;

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
}

/// Whom a change breaks: who fits the old version, and no longer the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Breaks {
    /// Nobody.
    Nobody,
    /// Those who call: a component that imports an interface, or the host where the component exports it.
    Callers,
    /// Those who are called: a component that exports an interface, or the host where the component imports it.
    Implementers,
    /// Callers and implementers.
    Both,
}

impl fmt::Display for Breaks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nobody => "nobody",
            Self::Callers => "callers",
            Self::Implementers => "implementers",
            Self::Both => "both",
        })
    }
}

/// A row of the table.
struct Row {
    id: &'static str,
    kind: Kind,
    breaks: Breaks,
    bump: Bump,
    /// What to do or to know, where the rest does not say it; empty where it does.
    note: &'static str,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident $id:literal $kind:ident $breaks:ident $bump:ident $note:literal;)*) => {
        /// A kind of change: a row of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$doc])* $rule,)*
        }

        impl Rule {
            /// All rules, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$rule),*];

            fn row(self) -> Row {
                match self {
                    $(Self::$rule => Row {
                        id: $id,
                        kind: Kind::$kind,
                        breaks: Breaks::$breaks,
                        bump: Bump::$bump,
                        note: $note,
                    },)*
                }
            }
        }
    };
}

rules! {
    /// An interface is new.
    InterfaceAdded "interface-added" Added Nobody Minor "";
    /// An interface is gone.
    InterfaceRemoved "interface-removed" Removed Callers Major "";
    /// A world is new.
    WorldAdded "world-added" Added Nobody Minor "";
    /// A world is gone.
    WorldRemoved "world-removed" Removed Both Major "";
    /// An interface or a resource has one more function.
    FunctionAdded "function-added" Added Nobody Minor "implementers have to add it";
    /// An interface or a resource lacks a function that it had.
    FunctionRemoved "function-removed" Removed Callers Major "";
    /// A function has other parameters: in number, order, name or type.
    ParametersChanged "parameters-changed" Changed Both Major "";
    /// A function has another result.
    ResultChanged "result-changed" Changed Both Major "";
    /// A function has become `async`, or is no longer.
    AsyncChanged "async-changed" Changed Both Major "";
    /// A type is new.
    TypeAdded "type-added" Added Nobody Minor "";
    /// A type is gone.
    TypeRemoved "type-removed" Removed Callers Major "";
    /// A type is of another kind, or consists of something else.
    TypeChanged "type-changed" Changed Both Major "";
    /// A record has one more field.
    FieldAdded "field-added" Added Both Major "";
    /// A record lacks a field that it had.
    FieldRemoved "field-removed" Removed Both Major "";
    /// A field has another type.
    FieldChanged "field-changed" Changed Both Major "";
    /// The same fields come in another order, which is that in memory.
    FieldsReordered "fields-reordered" Changed Both Major "";
    /// A variant or an enum has one more case.
    CaseAdded "case-added" Added Both Major "";
    /// A variant or an enum lacks a case that it had.
    CaseRemoved "case-removed" Removed Both Major "";
    /// A case of a variant carries another type.
    CaseChanged "case-changed" Changed Both Major "";
    /// The same cases come in another order, which is how they are numbered.
    CasesReordered "cases-reordered" Changed Both Major "";
    /// There is one more flag.
    FlagAdded "flag-added" Added Both Major "";
    /// There is a flag less.
    FlagRemoved "flag-removed" Removed Both Major "";
    /// The same flags come in another order, which is how their bits are numbered.
    FlagsReordered "flags-reordered" Changed Both Major "";
    /// A world has one more import.
    ImportAdded "import-added" Added Nobody Minor "hosts have to provide it";
    /// A world lacks an import that it had.
    ImportRemoved "import-removed" Removed Callers Major "";
    /// An import goes by the same name and is something else.
    ImportChanged "import-changed" Changed Both Major "";
    /// A world has one more export.
    ExportAdded "export-added" Added Implementers Major "";
    /// A world lacks an export that it had.
    ExportRemoved "export-removed" Removed Callers Major "";
    /// An export goes by the same name and is something else.
    ExportChanged "export-changed" Changed Both Major "";
    /// A component imports more than it did.
    ComponentImportAdded "component-import-added" Added Nobody Minor "hosts have to provide it";
    /// A component imports less than it did.
    ComponentImportRemoved "component-import-removed" Removed Nobody Patch "";
    /// A component exports more than it did.
    ComponentExportAdded "component-export-added" Added Nobody Minor "";
    /// A component no longer exports something.
    ComponentExportRemoved "component-export-removed" Removed Callers Major "";
    /// A later, compatible version of another package is used.
    DependencyRaised "dependency-raised" Changed Nobody Minor "what that version adds is asked for too";
    /// An earlier version of another package is used.
    DependencyLowered "dependency-lowered" Changed Callers Major "";
    /// `@since` says something else, or is new or gone.
    SinceChanged "since-changed" Changed Nobody Patch "";
    /// `@deprecated` says something else, or is new or gone.
    DeprecatedChanged "deprecated-changed" Changed Nobody Patch "";
    /// The documentation is another.
    DocumentationChanged "documentation-changed" Changed Nobody Patch "";
}

impl Rule {
    /// Returns the name of the row.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.row().id
    }

    /// Returns what becomes of the item.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.row().kind
    }

    /// Returns whom it breaks.
    #[must_use]
    pub fn breaks(self) -> Breaks {
        self.row().breaks
    }

    /// Returns what it asks of the version.
    #[must_use]
    pub fn bump(self) -> Bump {
        self.row().bump
    }

    /// Returns what else there is to know.
    #[must_use]
    pub fn note(self) -> Option<&'static str> {
        Some(self.row().note).filter(|note| !note.is_empty())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}
