//! `fetch`.

mod content;
mod deps;
mod homes;
mod requests;
mod versions;
mod wit;
mod workspaces;
