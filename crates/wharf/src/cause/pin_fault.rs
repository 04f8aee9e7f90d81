//! Why the images of a file cannot be pinned.

use std::path::PathBuf;

/// Why the images of a file cannot be pinned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinFault {
    /// A text is no YAML.
    #[error("it is no YAML: {message}, in line {line}, column {column}")]
    Yaml {
        /// The line, counted from one.
        line: usize,
        /// The column, counted from one.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A text has collections in each other that nobody would write.
    #[error("more than {limit} levels are in each other, in line {line}")]
    Depth {
        /// The line, counted from one.
        line: usize,
        /// The limit.
        limit: usize,
    },
    /// A text is larger than any manifest.
    #[error("it has more than {limit} bytes")]
    Size {
        /// The limit in bytes.
        limit: usize,
    },
    /// A file has other bytes than those that were read.
    #[error("`{}` was changed by somebody else meanwhile", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}
