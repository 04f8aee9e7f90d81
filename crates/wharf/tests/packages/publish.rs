//! `publish`.

mod refused;
mod sent;

use std::sync::Arc;

use wharf::oci::{NoProgress, Progress, Selector};
use wharf::{Cause, Error, PackageFault, PublishOptions, PublishOutcome, publish};
use wharf_testing::registry::TestRegistry;

use crate::setup::{LOG, Project};

/// Returns how to publish the project.
fn options(project: &Project) -> PublishOptions {
    PublishOptions::new(project.path(""), project.options().project.sources, project.path(".."))
}

async fn published(project: &Project, options: &PublishOptions) -> PublishOutcome {
    let before = project.files();
    let outcome = run(project, options).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(project.files(), before, "the project stays as it is");
    outcome
}

/// Lets it fail, and returns why.
async fn refused(project: &Project, options: &PublishOptions) -> Cause {
    let before = project.files();
    let error = run(project, options).await.expect_err("it was published");
    assert_eq!(project.files(), before, "the project stays as it is");
    let Error::Publish { source, published, .. } = error else { panic!("{error:?}") };
    assert_eq!(published, [""; 0]);
    source
}

async fn fault(project: &Project, options: &PublishOptions) -> PackageFault {
    match refused(project, options).await {
        Cause::PackageFault(fault) => *fault,
        cause => panic!("{cause:?}"),
    }
}

async fn run(project: &Project, options: &PublishOptions) -> Result<PublishOutcome, Error> {
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    publish(project.connect(), options, &progress).await
}

/// Returns [`LOG`] as another version, with these functions.
fn log(version: &str, functions: &str) -> String {
    LOG.replace("1.0.0", version).replace("put: func(line: string);", functions)
}

/// Returns the manifest that a tag stands for, as `repository:tag`.
async fn tagged(registry: &TestRegistry, place: &str) -> Option<wharf::oci::Digest> {
    let (repository, tag) = place.split_once(':').unwrap();
    let repository = registry.store().repository(&repository.parse().unwrap());
    let found = repository.manifest_descriptor(&Selector::Tag(tag.parse().unwrap())).await.unwrap();
    found.map(|descriptor| descriptor.digest)
}

/// Returns the methods of the requests that write.
fn writes(registry: &TestRegistry) -> Vec<String> {
    let log = registry.log().into_iter().filter(|it| !["GET", "HEAD"].contains(&it.method.as_str()));
    log.map(|it| format!("{} {}", it.method, it.path())).collect()
}
