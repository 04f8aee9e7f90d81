//! Chooses and brings what the packages of a project need, for all verbs that work on a project.
//!
//! ```text
//!   folder ──read──> Project ──plan──> needs ──choose──> versions ──bring──> Wasm
//!                                        │ locked, or    ^
//!                                        └─ tag lists ───┘ where neither the WIT nor the lock has a version
//! ```
//!
//! Nothing is written: a verb does that when all else is done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wharf_package::resolve::{Choice, Demand, Problem, Requirement, Requirer, Taken};
use wharf_package::{Config, Lock, Locked, Origin, PackageName, RegistryName, Settings, Version, WharfLock, exactly};

use crate::Cause;
use crate::blocking::blocking;
use crate::homes::{Connect, Homes, Network, Served};
use crate::package_cache::PackageCache;
use crate::package_source::{Brought, PackageSource, Wanted};
use crate::project::{Locks, Needed, Plan, Project};

/// Packages that are asked for at the same time.
pub(crate) const PACKAGES_AT_ONCE: usize = 32;

/// Which project to work on, and where the packages come from that it needs.
#[derive(Debug, Clone)]
pub struct ProjectOptions {
    /// A folder of WIT, one with a folder `wit`, or one whose `wkg.toml` is that of a workspace: then all its members are
    /// meant.
    pub folder: PathBuf,
    /// Where packages come from.
    pub sources: Sources,
    /// Whether the lock file may change.
    pub locking: Locking,
}

/// Where packages come from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The settings of the user.
    pub config: Config,
    /// The folder in which packages are kept for the next time; it is made where it is not there.
    pub cache: PathBuf,
    /// Whether registries may be asked.
    pub network: Network,
    /// Packages that may come from another registry than before.
    pub may_move: Vec<PackageName>,
}

/// Whether the lock file may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Locking {
    /// What is not locked yet is locked, and what is no longer needed is taken out.
    #[default]
    Update,
    /// It has to be as it would be written.
    Locked,
}

/// A project whose packages are all here.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) project: Project,
    /// Those that are meant, each after those that it needs.
    pub(crate) packages: Vec<ReadyPackage>,
}

/// A package, with all that it needs.
#[derive(Debug)]
pub(crate) struct ReadyPackage {
    /// Its place in the project.
    pub(crate) index: usize,
    pub(crate) plan: Plan,
    pub(crate) brought: Vec<Brought>,
}

impl ProjectOptions {
    /// Reads the project, and brings what its packages need.
    pub(crate) async fn ready(&self, connect: &dyn Connect) -> Result<Ready, Cause> {
        let (project, plans) = self.plans().await?;
        self.bring(connect, (project, plans), &[]).await
    }

    /// Reads the project, and finds what its packages need.
    pub(crate) async fn plans(&self) -> Result<(Project, Vec<(usize, Plan)>), Cause> {
        let folder = self.folder.clone();
        blocking(move || {
            let project = Project::read(&folder)?;
            let plan = |&index: &usize| Ok((index, Plan::new(&project, index)?));
            let plans = project.selected.iter().map(plan).collect::<Result<Vec<_>, Cause>>()?;
            Ok((project, plans))
        })
        .await
    }

    /// Brings what the packages of a project need, as its locks say, but for what was brought for it already.
    pub(crate) async fn bring(
        &self,
        connect: &dyn Connect,
        (project, plans): (Project, Vec<(usize, Plan)>),
        brought: &[Brought],
    ) -> Result<Ready, Cause> {
        let brought = if plans.iter().all(|(_, plan)| plan.requirers.is_empty()) {
            vec![Vec::new(); plans.len()]
        } else {
            let cache = PackageCache::open(&self.sources.cache).await?;
            let settings = self.sources.settings(&project.settings);
            let source = self.sources.open(connect, &settings, &cache, &project.locks);
            let source = PackageSource { brought, ..source };
            bring_all(&source, &plans, &BTreeSet::new()).await?
        };
        Ok(Ready::new(project, plans, brought))
    }
}

impl Sources {
    /// Puts the settings of the user and of a project together.
    pub(crate) fn settings(&self, project: &wharf_package::Project) -> Settings {
        Settings { config: self.config.clone(), project: project.clone(), flag: None }
    }

    /// Makes what packages come from.
    pub(crate) fn open<'a>(
        &'a self,
        connect: &'a dyn Connect,
        settings: &'a Settings,
        cache: &'a PackageCache,
        locks: &'a Locks,
    ) -> PackageSource<'a> {
        let homes = Homes { settings, connect, network: self.network, served: Served::default() };
        PackageSource { homes, cache, locks, may_move: &self.may_move, brought: &[] }
    }
}

impl Ready {
    /// Puts the packages of a project, in the order of their plans, together with what was brought for each.
    pub(crate) fn new(project: Project, plans: Vec<(usize, Plan)>, brought: Vec<Vec<Brought>>) -> Self {
        let packages = plans.into_iter().zip(brought);
        let packages = packages.map(|((index, plan), brought)| ReadyPackage { index, plan, brought }).collect();
        let needs = |package: &ReadyPackage, other: &ReadyPackage| {
            package.plan.given.iter().any(|given| given.name() == other.plan.root.name())
        };
        Self { project, packages: in_order(packages, needs) }
    }

    /// Returns the lock files as they are to be: with what is needed, and with what was generated in folders of `deps`.
    pub(crate) fn locks(&self, generated: BTreeMap<String, BTreeSet<String>>) -> Locks {
        let mut chosen = Lock::default();
        let mut packages: BTreeMap<PackageName, Origin> = BTreeMap::new();
        for Brought { wanted, registry, repository, content, .. } in self.brought() {
            let Wanted { name, requirement, version } = wanted;
            let locked =
                Locked { requirement: requirement.clone(), version: version.clone(), digest: content.wasm.clone() };
            chosen = chosen.with(name.clone(), Some(registry.clone()), locked);
            let new = Origin { registry: registry.clone(), repository: repository.clone(), versions: BTreeMap::new() };
            packages.entry(name.clone()).or_insert(new).versions.insert(version.clone(), content.clone());
        }
        // What components are composed of is not of the WIT.
        let components = self.project.locks.origins.components.clone();
        let locks = Locks { chosen: Some(chosen), origins: WharfLock { packages, components, generated } };
        let mut locks = if self.project.is_whole() { locks } else { self.project.locks.completed_by(locks) };
        locks.origins.generated.retain(|_, names| !names.is_empty());
        locks
    }

    /// Adds what is in folders of `deps` and was generated before.
    pub(crate) fn with_stale(
        &self,
        mut generated: BTreeMap<String, BTreeSet<String>>,
    ) -> BTreeMap<String, BTreeSet<String>> {
        for package in &self.packages {
            let names = generated.entry(self.project.packages[package.index].key.clone()).or_default();
            names.extend(package.plan.stale.iter().cloned());
        }
        generated
    }

    /// Fails where a lock file would have to change, and must not. None is as good as one of no packages.
    pub(crate) fn check_locked(&self, after: &Locks) -> Result<(), Cause> {
        let (before, after) = (self.project.locks.chosen.clone().unwrap_or_default(), after.chosen.clone());
        let after = after.unwrap_or_default();
        if before == after { Ok(()) } else { Err(Cause::LockOutdated { changes: differences(&before, &after) }) }
    }

    /// Returns all that was brought, each once.
    pub(crate) fn brought(&self) -> Vec<&Brought> {
        let mut all: Vec<&Brought> = Vec::new();
        for brought in self.packages.iter().flat_map(|package| &package.brought) {
            if !all.iter().any(|it| it.wanted == brought.wanted) {
                all.push(brought);
            }
        }
        all
    }
}

/// Chooses versions for each of the packages, those in `anew` whatever is locked, and brings them all at the same time.
pub(crate) async fn bring_all(
    source: &PackageSource<'_>,
    plans: &[(usize, Plan)],
    anew: &BTreeSet<PackageName>,
) -> Result<Vec<Vec<Brought>>, Cause> {
    let wanted = choose(source, plans, anew).await?;
    let mut each: Vec<&Wanted> = Vec::new();
    for wanted in wanted.iter().flatten() {
        if !each.contains(&wanted) {
            each.push(wanted);
        }
    }
    let brought = stream::iter(each).map(|wanted| source.bring(wanted)).buffered(PACKAGES_AT_ONCE);
    let brought: Vec<Brought> = brought.try_collect().await?;
    let of = |wanted: &Wanted| brought.iter().find(|it| it.wanted == *wanted).cloned().expect("each was brought");
    Ok(wanted.iter().map(|wanted| wanted.iter().map(of).collect()).collect())
}

/// Chooses a version for all that is needed; the versions of what is open and not locked have to be asked for.
async fn choose(
    source: &PackageSource<'_>,
    plans: &[(usize, Plan)],
    anew: &BTreeSet<PackageName>,
) -> Result<Vec<Vec<Wanted>>, Cause> {
    let mut problems: Vec<_> = plans.iter().map(|(_, plan)| plan.problem()).collect();
    let is_kept = |needed: &&Needed| needed.exact.is_none() && !anew.contains(&needed.name);
    for needed in plans.iter().flat_map(|(_, plan)| plan.needs()).filter(is_kept) {
        if let Some(version) = source.locked(needed)? {
            for problem in &mut problems {
                problem.locked.entry(needed.name.clone()).or_default().insert(version.clone());
            }
        }
    }
    let unlisted: BTreeSet<_> = problems.iter().flat_map(Problem::unlisted).cloned().collect();
    let ask = async |name: PackageName| {
        let needs = plans.iter().flat_map(|(_, plan)| plan.needs());
        let open = needs.filter(|needed| needed.name == name && needed.exact.is_none());
        let requirements: Vec<_> = open.map(|needed| needed.requirement.clone()).collect();
        let versions = source.versions(&name, &requirements).await?;
        Ok::<_, Cause>((name, versions))
    };
    let listed = stream::iter(unlisted).map(ask).buffered(PACKAGES_AT_ONCE);
    let listed: BTreeMap<PackageName, Vec<Version>> = listed.try_collect().await?;
    for problem in &mut problems {
        problem.versions.clone_from(&listed);
    }
    let choices = resolve(&problems)?;
    let disputed = disputed(&problems, &choices);
    if disputed.is_empty() {
        return Ok(choices);
    }
    for problem in &mut problems {
        problem.locked.extend(disputed.clone());
    }
    resolve(&problems)
}

fn resolve(problems: &[Problem]) -> Result<Vec<Vec<Wanted>>, Cause> {
    let resolve = |problem: &Problem| Ok(problem.resolve()?.into_iter().filter_map(Wanted::of).collect());
    problems.iter().map(resolve).collect()
}

/// Returns the packages of which the same was asked for several members with other answers, where the lock has room for
/// one: with the oldest answer, which most likely does for all, as each got the newest that did for it.
fn disputed(problems: &[Problem], choices: &[Vec<Wanted>]) -> BTreeMap<PackageName, BTreeSet<Version>> {
    let mut answers: BTreeMap<(&PackageName, String), BTreeSet<&Version>> = BTreeMap::new();
    for Wanted { name, requirement, version } in choices.iter().flatten().filter(|wanted| !wanted.is_exact()) {
        answers.entry((name, requirement.to_string())).or_default().insert(version);
    }
    // What is locked stays.
    answers.retain(|(name, _), versions| {
        versions.len() > 1 && !problems.iter().any(|problem| problem.locked.contains_key(*name))
    });
    let oldest = |((name, _), versions): ((&PackageName, String), BTreeSet<&Version>)| {
        (name.clone(), versions.into_iter().take(1).cloned().collect())
    };
    answers.into_iter().map(oldest).collect()
}

impl Plan {
    /// Returns what bears on which versions are taken, as far as files tell.
    fn problem(&self) -> Problem {
        let requirers = self.requirers.iter().map(|requirer| Requirer {
            package: requirer.package.clone(),
            label: requirer.label.clone(),
            demands: requirer.needs.iter().map(Needed::demand).collect(),
        });
        Problem { requirers: requirers.collect(), ..Problem::default() }
    }
}

impl Wanted {
    /// Takes what a registry has; nothing for what is here.
    fn of(choice: Choice) -> Option<Self> {
        match choice.taken {
            Taken::Version(version) => {
                Some(Self { name: choice.package, requirement: choice.requirement.to_version_req(), version })
            }
            Taken::Here { .. } => None,
        }
    }

    /// Whether its version alone was asked for.
    fn is_exact(&self) -> bool {
        self.requirement == exactly(&self.version)
    }
}

impl Needed {
    fn demand(&self) -> Demand {
        let requirement = match &self.exact {
            Some(version) => Requirement::Exactly(version.clone()),
            None => Requirement::Open(self.requirement.clone()),
        };
        Demand { package: self.name.clone(), requirement, place: Some(self.place.clone()) }
    }
}

/// Puts each package after those of the others that it needs. What needs itself by way of others stays where it is:
/// merging will tell.
pub(crate) fn in_order<T>(mut packages: Vec<T>, needs: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut ordered = Vec::new();
    while !packages.is_empty() {
        let is_free = |&index: &usize| {
            let mut others = packages.iter().enumerate().filter(|&(other, _)| other != index);
            others.all(|(_, other)| !needs(&packages[index], other))
        };
        let next = (0..packages.len()).find(is_free).unwrap_or(0);
        ordered.push(packages.remove(next));
    }
    ordered
}

/// Says in words how two lock files differ.
fn differences(before: &Lock, after: &Lock) -> Vec<String> {
    let entries = |lock: &Lock| -> BTreeSet<String> {
        let entry = |(name, registry, locked): (&PackageName, Option<&RegistryName>, &Locked)| match registry {
            Some(registry) => format!("{name} {} from {registry}", locked.requirement),
            None => format!("{name} {}", locked.requirement),
        };
        lock.entries().map(entry).collect()
    };
    let (before, after) = (entries(before), entries(after));
    let added = after.difference(&before).map(|entry| format!("+ {entry}"));
    added.chain(before.difference(&after).map(|entry| format!("- {entry}"))).collect()
}
