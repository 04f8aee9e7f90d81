//! `fetch`.

mod content;
mod deps;
mod homes;
mod interrupted;
mod requests;
mod versions;
mod wit;
mod workspaces;
