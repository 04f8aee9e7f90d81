//! What a guest may reach beyond its own memory.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::Network;

/// Parts the two paths of a [`Folder`]; one colon alone may be in either.
const PATHS: &str = "::";

/// The ends of a [`Folder`] that say what may be done in it.
const READ_ONLY: &str = ":ro";
const READ_WRITE: &str = ":rw";

/// What a guest is granted. By default: nothing but clocks, randomness, and what [`Stdio`](crate::Stdio) gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Folders of this machine.
    pub folders: Vec<Folder>,
    /// Variables of the environment, name and value.
    pub environment: Vec<(String, String)>,
    /// Hosts and ports.
    pub network: Network,
}

impl Grants {
    /// Grants all of this machine's files and network, and the environment that is given. The guest then does whatever
    /// this process can.
    #[must_use]
    pub fn all(environment: Vec<(String, String)>) -> Self {
        let root = Folder { host: PathBuf::from("/"), guest: "/".to_owned(), access: Access::ReadWrite };
        Self { folders: vec![root], environment, network: Network::all() }
    }
}

/// A folder of this machine that a guest sees.
///
/// As text it is `HOST[::GUEST][:ro]`: `.`, `data:ro`, `/srv/data::/data`. Without `GUEST` the guest calls it as this
/// machine does. `:rw` at the end says the default, for a folder whose own name ends in `:ro`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Where it is.
    pub host: PathBuf,
    /// What the guest calls it.
    pub guest: String,
    /// What the guest may do in it.
    pub access: Access,
}

/// What may be done in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    Read,
    /// Read, write, make and remove.
    ReadWrite,
}

/// Text that is no [`Folder`], [`Rule`](crate::Rule) or [`HttpRule`](crate::HttpRule).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidGrant {
    /// A folder without a path, on one of the sides.
    #[error("the folder has no path {}", if *.guest { "for the guest after `::`" } else { "of this machine" })]
    Path {
        /// Whether the guest's path is empty, and not this machine's.
        guest: bool,
    },
    /// A rule without a port.
    #[error("`{rule}` names no port: write `{rule}:443`, or `{rule}:*` for all of them")]
    PortMissing {
        /// The rule as given.
        rule: String,
    },
    /// A port that is none.
    #[error("`{port}` is no port: it is a number from 1 to 65535, or `*` for all of them")]
    Port {
        /// The port as given.
        port: String,
    },
    /// A URL, where the host of one is asked for.
    #[error("`{url}` is a URL: write its host and port")]
    Url {
        /// The rule as given.
        url: String,
    },
    /// A host that is none.
    #[error("`{host}` is no host: it is a name, `*.` and a name, an address, a block such as `10.0.0.0/8`, or `*`")]
    Host {
        /// The host as given.
        host: String,
    },
    /// An address of IPv6 as it is, where a colon could be of the address or stand before the port.
    #[error("`{host}` is an address of IPv6: write it in brackets, as in `[::1]:80`")]
    Brackets {
        /// The address as given.
        host: String,
    },
    /// A block whose address has bits behind its prefix, so that it is unclear what is meant.
    #[error("`{block}` is no block: its address is not the first one; that is `{first}`")]
    Block {
        /// The block as given.
        block: String,
        /// The block that this address is in.
        first: String,
    },
}

impl FromStr for Folder {
    type Err = InvalidGrant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // After another colon it is the guest's path: `data::ro` is the folder `data`, which the guest calls `ro`.
        let without = |end| text.strip_suffix(end).filter(|paths| !paths.ends_with(':'));
        let (paths, access) = match (without(READ_ONLY), without(READ_WRITE)) {
            (Some(paths), _) => (paths, Access::Read),
            (None, Some(paths)) => (paths, Access::ReadWrite),
            (None, None) => (text, Access::ReadWrite),
        };
        let (host, guest) = paths.rsplit_once(PATHS).unwrap_or((paths, paths));
        if host.is_empty() || guest.is_empty() {
            return Err(InvalidGrant::Path { guest: !host.is_empty() });
        }
        Ok(Self { host: PathBuf::from(host), guest: guest.to_owned(), access })
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = match self.access {
            Access::Read => READ_ONLY,
            Access::ReadWrite => READ_WRITE,
        };
        write!(formatter, "{}{PATHS}{}{access}", self.host.display(), self.guest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn folders_are_read() {
        use Access::{Read, ReadWrite};
        for (text, host, guest, access) in [
            (".", ".", ".", ReadWrite),
            ("data", "data", "data", ReadWrite),
            ("data:ro", "data", "data", Read),
            ("data:rw", "data", "data", ReadWrite),
            ("data:ro:rw", "data:ro", "data:ro", ReadWrite),
            ("/srv/data::/data", "/srv/data", "/data", ReadWrite),
            ("/srv/data::/data:ro", "/srv/data", "/data", Read),
            (r"C:\data::/data:ro", r"C:\data", "/data", Read),
            (r"C:\data", r"C:\data", r"C:\data", ReadWrite),
            ("a:b", "a:b", "a:b", ReadWrite),
            ("a::b::c", "a::b", "c", ReadWrite),
            ("data::ro", "data", "ro", ReadWrite),
            ("data::ro:ro", "data", "ro", Read),
        ] {
            let folder = Folder { host: host.into(), guest: guest.to_owned(), access };
            assert_eq!(text.parse(), Ok(folder), "{text}");
        }
    }

    #[test]
    fn a_folder_without_a_path_is_refused() {
        for (text, guest) in [("", false), (":ro", false), ("::/data", false), ("data::", true)] {
            assert_eq!(text.parse::<Folder>(), Err(InvalidGrant::Path { guest }), "{text}");
        }
    }

    #[test]
    fn nothing_is_granted_by_default_and_all_of_the_files_with_all() {
        let Grants { folders, environment, network } = Grants::default();
        assert!(folders.is_empty() && environment.is_empty() && network == Network::default());
        let all = Grants::all(vec![("A".to_owned(), "1".to_owned())]);
        assert_eq!((all.folders, all.environment.len()), (vec!["/".parse().unwrap()], 1));
    }

    proptest! {
        #[test]
        fn a_folder_is_read_as_it_is_written(host in "[^\\x00]{1,20}", guest in "[a-z/.:]{0,9}[a-z/.]", read in any::<bool>()) {
            prop_assume!(!guest.contains("::") && !guest.starts_with(':'));
            let access = if read { Access::Read } else { Access::ReadWrite };
            let folder = Folder { host: host.into(), guest, access };
            prop_assert_eq!(folder.to_string().parse(), Ok(folder));
        }

        #[test]
        fn no_text_upsets_the_reader_of_folders(text in ".*") {
            let _ = text.parse::<Folder>();
        }
    }
}
