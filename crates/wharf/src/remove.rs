//! `remove`: lets a project no longer use a package.

use wharf_package::PackageSpec;

use crate::add::finish;
use crate::blocking::blocking;
use crate::homes::Connect;
use crate::project::ProjectEdit;
use crate::tree::spelled_alike;
use crate::{Cause, EditOutcome, Error, FetchOptions};

/// What to remove from which project.
#[derive(Debug, Clone)]
pub struct RemoveOptions {
    /// The project, of which a single package is meant, and how what is left is fetched.
    pub fetch: FetchOptions,
    /// What to remove; of a package without a version, all that are used.
    pub packages: Vec<PackageSpec>,
}

/// Lets a project no longer use packages: takes out what its worlds import, export and include of them, and what
/// `wkg.toml` and `wharf.toml` say of them.
///
/// What is left is fetched, as [`fetch`](crate::fetch()) does, before any file is written: what nobody needs any more goes
/// from `wit/deps` and from the lock files.
///
/// ```no_run
/// use wharf::{Connect, FetchOptions, RemoveOptions, remove};
///
/// # async fn example(connect: &dyn Connect, fetch: FetchOptions) -> Result<(), Box<dyn std::error::Error>> {
/// let options = RemoveOptions { fetch, packages: vec!["wasi:io".parse()?] };
/// println!("{:?}", remove(connect, &options).await?.changes);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Remove`], among them where types of the package are still used. The project is then as it was before, unless
/// it was a disk that failed.
pub async fn remove(connect: &dyn Connect, options: &RemoveOptions) -> Result<EditOutcome, Error> {
    let run = async {
        let read = options.clone();
        let edit = blocking(move || edited(&read)).await?;
        finish(connect, (edit, &[]), &options.fetch).await
    };
    run.await.map_err(|source| {
        let packages = options.packages.iter().map(ToString::to_string).collect();
        Error::Remove { packages, project: options.fetch.project.folder.clone(), source }
    })
}

fn edited(options: &RemoveOptions) -> Result<ProjectEdit, Cause> {
    let mut edit = ProjectEdit::read(&options.fetch.project.folder)?;
    for package in &options.packages {
        take_out(&mut edit, package)?;
    }
    Ok(edit)
}

fn take_out(edit: &mut ProjectEdit, spec: &PackageSpec) -> Result<(), Cause> {
    let PackageSpec { name, version } = spec;
    let named: Vec<PackageSpec> =
        edit.mentions()?.into_iter().filter_map(|(named, _)| named.to_string().parse().ok()).collect();
    let used: Vec<_> = named.iter().filter(|used| used.name == *name).collect();
    let (meant, left): (Vec<_>, Vec<_>) =
        used.into_iter().partition(|used| version.is_none() || used.version == *version);
    if meant.is_empty() && !left.is_empty() {
        let near = left.into_iter().cloned().collect();
        return Err(Cause::NotUsed { package: spec.clone(), near });
    }
    edit.remove(name, version.as_ref())?;
    // Of a package that is still used in another version, files go on to say where it comes from.
    let is_forgotten = left.is_empty() && edit.forget(name)?;
    if meant.is_empty() && !is_forgotten {
        return Err(Cause::NotUsed { package: spec.clone(), near: spelled_alike(spec, &named) });
    }
    Ok(())
}
