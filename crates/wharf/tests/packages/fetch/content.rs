//! Whether the bytes are those that they should be.

use wharf::Cause;
use wharf::client::Error as ClientError;
use wharf::oci::Digest;
use wharf_testing::script::{Fault, Reply, ScriptServer, Step};

use crate::setup::{APP, LOG, Project, artifact, asked, config, publish, registry_with, wasm};

#[tokio::test]
async fn a_tag_that_moved_is_refused_with_both_digests() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    let locked = project.fetch().await.packages[0].digest.clone();
    let moved = publish(&registry, "acme/log:1.0.0", &wasm(&LOG.replace("put", "other"), &[])).await;
    assert!(!project.fetch().await.is_changed, "what is locked and kept stays");
    project.clear_cache();
    for options in [project.options(), project.locked()] {
        let cause = project.refuse(&options).await;
        let Cause::LockedOtherwise { locked: first, found, .. } = &cause else { panic!("{cause:?}") };
        assert_eq!((first, found), (&locked, &moved));
        let expected = format!("`acme:log@1.0.0` is {moved}, where `wkg.lock` has {locked}");
        assert_eq!(cause.to_string(), expected);
    }
}

#[tokio::test]
async fn a_lock_of_wkg_alone_holds_too() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    let lock = |registry: &str| {
        let digest = Digest::sha256(b"other");
        format!(
            "version = 1\n\n[[packages]]\nname = \"acme:log\"\n{registry}\n[[packages.versions]]\n\
             requirement = \"=1.0.0\"\nversion = \"1.0.0\"\ndigest = \"{digest}\"\n"
        )
    };
    for registry in ["registry = \"acme.example\"\n", ""] {
        project.write("wkg.lock", lock(registry));
        let cause = project.refuse(&project.options()).await;
        assert!(matches!(cause, Cause::LockedOtherwise { .. }), "{cause:?}");
    }
}

#[tokio::test]
async fn a_version_is_held_to_its_lock_whatever_it_is_asked_for_by() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), &APP.replace("@1.0.0", ""));
    let locked = project.fetch().await.packages[0].digest.clone();
    project.write("wit/world.wit", APP);
    publish(&registry, "acme/log:1.0.0", &wasm(&LOG.replace("put", "other"), &[])).await;
    registry.clear_log();
    let cause = {
        let kept = project.files();
        assert_eq!(project.fetch().await.packages[0].digest, locked);
        assert_eq!(asked(&registry), [""; 0], "it is kept");
        kept.iter().for_each(|(path, content)| project.write(path, content));
        project.clear_cache();
        project.refuse(&project.options()).await
    };
    assert!(matches!(&cause, Cause::LockedOtherwise { locked: it, .. } if *it == locked), "{cause:?}");
}

/// Starts a server that gives the blob of a package in a wrong way as often as it is asked for in one run, and then
/// in the right way.
async fn registry_that_fails_first(wasm: &[u8], blob: Reply, times: usize) -> ScriptServer {
    let (manifest, [_, (layer, _)]) = artifact(wasm);
    let serve = Reply::new(200).header("content-type", manifest.media_type().as_str()).body(manifest.bytes().clone());
    let line = format!("GET /v2/acme/log/blobs/{}", layer.digest);
    ScriptServer::start([
        Step::new("GET /v2/acme/log/manifests/1.0.0", serve).times(2),
        Step::new(&line, blob).times(times),
        Step::new(&line, Reply::new(200).body(wasm.to_vec())),
    ])
    .await
}

#[tokio::test]
async fn wrong_bytes_are_not_kept_and_the_next_run_asks_again() {
    let wasm = wasm(LOG, &[]);
    let mut other = wasm.clone();
    *other.last_mut().unwrap() ^= 1;
    let short = wasm[..wasm.len() - 3].to_vec();
    for (blob, times) in [
        (Reply::new(200).body(other), 1),
        (Reply::new(200).body(short), 2),
        (Reply::new(200).body(wasm.clone()).fault(Fault::Close(20)), 2),
    ] {
        let server = registry_that_fails_first(&wasm, blob.clone(), times).await;
        let project = Project::new(&config(server.address()), APP);
        let place = format!("{}/acme/log", server.address());
        let cause = project.refuse_from(&place, &project.options()).await;
        assert!(matches!(cause, Cause::Content(_)), "{blob:?}: {cause:?}");
        let cause = project.refuse(&project.offline()).await;
        assert!(matches!(cause, Cause::Offline { .. }), "{blob:?}: {cause:?}");
        let outcome = project.fetch().await;
        assert_eq!(outcome.packages[0].digest, Digest::sha256(&wasm));
        server.assert_finished();
    }
}

#[tokio::test]
async fn a_damaged_package_is_fetched_again() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    let digest = project.fetch().await.packages[0].digest.clone();
    let files = project.files();
    registry.clear_log();
    project.damage_cached(&digest);
    let cause = project.refuse(&project.offline()).await;
    assert!(matches!(cause, Cause::Offline { .. }), "{cause:?}");
    let outcome = project.fetch().await;
    assert!(outcome.packages[0].is_fetched && !outcome.is_changed);
    assert_eq!(asked(&registry).len(), 2);
    assert_eq!(project.files(), files);
}

#[tokio::test]
async fn a_registry_that_gives_another_package_is_refused() {
    let registry = registry_with(&[("acme/log:1.0.0", "package evil:log@1.0.0;\ninterface sink {}\n")]).await;
    let project = Project::new(&config(registry.registry()), APP);
    let cause = project.refuse(&project.options()).await;
    let Cause::OtherPackage { found, .. } = &cause else { panic!("{cause:?}") };
    assert_eq!(found, "evil:log@1.0.0");
    publish(&registry, "acme/log:1.0.0", &wasm(&LOG.replace("1.0.0", "1.0.1"), &[])).await;
    let cause = project.refuse(&project.options()).await;
    let Cause::OtherPackage { found, .. } = &cause else { panic!("{cause:?}") };
    assert_eq!(found, "acme:log@1.0.1");
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_named() {
    let registry = registry_with(&[]).await;
    let host = registry.registry().clone();
    registry.stop().await;
    let project = Project::new(&config(&host), APP);
    let cause = project.refuse_from(&format!("{host}/acme/log"), &project.options()).await;
    assert!(matches!(cause.client(), Some(ClientError::Connect { .. })), "{cause:?}");
    // Where its packages are is not even known.
    let project = Project::new(&format!("default_registry = \"{host}\"\n"), APP);
    let cause = project.refuse(&project.options()).await;
    assert!(matches!(cause.client(), Some(ClientError::Connect { .. })), "{cause:?}");
    assert!(cause.to_string().contains(host.as_str()), "{cause}");
}

#[tokio::test]
async fn a_registry_that_says_nothing_is_given_up_on() {
    let line = "GET /v2/acme/log/manifests/1.0.0";
    let silent = Step::new(line, Reply::new(200).fault(Fault::Silence)).times(2);
    let server = ScriptServer::start([silent]).await;
    let project = Project::impatient(&config(server.address()), APP);
    let cause = project.refuse_from(&format!("{}/acme/log", server.address()), &project.options()).await;
    assert!(matches!(cause.client(), Some(ClientError::TimedOut { .. })), "{cause:?}");
}
