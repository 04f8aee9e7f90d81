//! Why bytes are no Wasm binary that Wharf takes.

use std::error::Error as StdError;
use std::{fmt, io};

use crate::limits::{NAMES_BYTES_MAX, NESTING_DEPTH_MAX};

/// Why bytes are refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidWasm {
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// It is WebAssembly text.
    #[error("the file is WebAssembly text (`.wat`), not a binary")]
    Text,
    /// It is native code, or a script. Wharf never loads that.
    #[error("the file is {format}, not a Wasm binary")]
    Native {
        /// Of which kind.
        format: NativeFormat,
    },
    /// It is an archive, or compressed.
    #[error("the file is {packing}, not a Wasm binary: unpack it first")]
    Packed {
        /// How.
        packing: Packing,
    },
    /// It is something else.
    #[error("the file is not a Wasm binary: it does not start with `\\0asm`")]
    Foreign,
    /// It is a Wasm binary of a version that is no longer, or not yet, in use.
    #[error(
        "the file is a Wasm binary of version {version:#x}, layer {layer}; Wharf reads core modules (version 0x1, \
         layer 0) and components (version 0xd, layer 1)"
    )]
    Version {
        /// The version of the format.
        version: u16,
        /// 0 for a core module, 1 for a component.
        layer: u16,
    },
    /// The file ends too early.
    #[error("the file is cut short: {missing} bytes or more are missing in the {section} at offset {offset}")]
    Truncated {
        /// What is not complete, such as `code section`.
        section: &'static str,
        /// Where that starts.
        offset: u64,
        /// How many bytes it needs that are not there, at least.
        missing: u64,
    },
    /// What stands where a section should start is none.
    #[error("the bytes at offset {offset} are no section: the file is corrupt, or something follows its end")]
    Trailing {
        /// Where.
        offset: u64,
    },
    /// A section is not what the specification says.
    #[error("the {section} at offset {offset} is corrupt")]
    Corrupt {
        /// Which, such as `type section`.
        section: &'static str,
        /// Where it starts.
        offset: u64,
        /// What is wrong with it.
        source: Defect,
    },
    /// A section that has to be read into memory is larger than
    /// [`SECTION_BYTES_MAX`](crate::limits::SECTION_BYTES_MAX).
    #[error("the {section} at offset {offset} has {size} bytes; the limit is {limit}")]
    SectionTooLarge {
        /// Which, such as `type section`.
        section: &'static str,
        /// Where it starts.
        offset: u64,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Components nest deeper than [`NESTING_DEPTH_MAX`].
    #[error("the component at offset {offset} is nested deeper than the limit of {NESTING_DEPTH_MAX}")]
    TooDeep {
        /// Where the first that is too deep starts.
        offset: u64,
    },
    /// The names of imports and exports take more than [`NAMES_BYTES_MAX`].
    #[error("the names of imports and exports take more than {NAMES_BYTES_MAX} bytes")]
    TooManyNames,
    /// A WIT package is larger than [`PACKAGE_BYTES_MAX`](crate::limits::PACKAGE_BYTES_MAX).
    #[error("the WIT package has {size} bytes; the limit is {limit}")]
    PackageTooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// It holds WIT that cannot be decoded.
    #[error("the WIT in the file cannot be decoded")]
    Wit(#[source] UndecodableWit),
    /// WIT was asked for, and a core module has none.
    #[error("the file is a core module, which has no WIT")]
    NoWit,
    /// The bytes were others when they were read again.
    #[error("the file changed while it was read")]
    Changed,
    /// The reader failed.
    #[error("the file cannot be read")]
    Read(#[source] io::Error),
}

/// What is wrong with a section.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// An item is not what the specification says.
    #[error(transparent)]
    Item(#[from] wasmparser::Error),
    /// Something ends beyond what it stands in.
    #[error("the {part} at offset {offset} ends {beyond} bytes beyond what it stands in")]
    Overrun {
        /// What, such as `function body`.
        part: &'static str,
        /// Where it starts.
        offset: u64,
        /// How many bytes too far it goes.
        beyond: u64,
    },
    /// More bytes follow the last item.
    #[error("{count} bytes follow the last item")]
    Excess {
        /// How many.
        count: u64,
    },
    /// A data segment has flags that are not defined.
    #[error("the data segment at offset {offset} has the unknown flags {flags}")]
    SegmentFlags {
        /// Where the segment starts.
        offset: u64,
        /// The flags.
        flags: u32,
    },
    /// The section stands behind one that it has to precede, or stands twice.
    #[error("it stands twice, or after a section that must follow it")]
    Order,
    /// Two sections give different numbers of the same things.
    #[error("there are {found} {what} where {announced} are announced")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many an earlier section announces.
        announced: u32,
        /// How many there are.
        found: u32,
    },
    /// What is nested does not start as a module or component does.
    #[error("it does not start with the header of a {expected}")]
    Header {
        /// What it should be.
        expected: &'static str,
    },
}

/// A form of programs that a machine runs without a Wasm engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NativeFormat {
    /// ELF: a program of Linux, or what Wasmtime precompiles on any system (`.cwasm`).
    Elf,
    /// Mach-O: a program of macOS.
    MachO,
    /// Portable Executable: a program of Windows.
    PortableExecutable,
    /// A script, by its `#!`.
    Script,
}

impl NativeFormat {
    /// Tells it from the first four bytes of a file; nothing where it is none.
    #[must_use]
    pub fn of(first_bytes: &[u8]) -> Option<Self> {
        const MARKS: [(&[u8], NativeFormat); 8] = [
            (b"\x7fELF", NativeFormat::Elf),
            (b"\xfe\xed\xfa\xce", NativeFormat::MachO),
            (b"\xfe\xed\xfa\xcf", NativeFormat::MachO),
            (b"\xce\xfa\xed\xfe", NativeFormat::MachO),
            (b"\xcf\xfa\xed\xfe", NativeFormat::MachO),
            (b"\xca\xfe\xba\xbe", NativeFormat::MachO),
            (b"MZ", NativeFormat::PortableExecutable),
            (b"#!", NativeFormat::Script),
        ];
        MARKS.iter().find(|(mark, _)| first_bytes.starts_with(mark)).map(|(_, format)| *format)
    }
}

impl fmt::Display for NativeFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Elf => "native code (ELF), such as a precompiled `.cwasm`",
            Self::MachO => "native code (Mach-O)",
            Self::PortableExecutable => "native code (PE, of Windows)",
            Self::Script => "a script (`#!`)",
        })
    }
}

/// How a file is packed that is no Wasm binary itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packing {
    /// Compressed with gzip.
    Gzip,
    /// Compressed with Zstandard.
    Zstd,
    /// A zip archive.
    Zip,
    /// A tar archive.
    Tar,
}

impl fmt::Display for Packing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Gzip => "compressed with gzip",
            Self::Zstd => "compressed with zstd",
            Self::Zip => "a zip archive",
            Self::Tar => "a tar archive",
        })
    }
}

/// Why WIT could not be decoded or printed, as `wit-parser` and `wit-component` say it.
pub struct UndecodableWit(Box<dyn StdError + Send + Sync>);

impl UndecodableWit {
    pub(super) fn new(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl fmt::Debug for UndecodableWit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for UndecodableWit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl StdError for UndecodableWit {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}
