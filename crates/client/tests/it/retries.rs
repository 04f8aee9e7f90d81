//! What is tried again, and what is not.

use std::time::Duration;

use tokio::net::TcpListener;
use wharf_client::{ClientOptions, Error, Retries};
use wharf_testing::script::{Fault, Reply, ScriptServer, Step};

use crate::setup::{
    PULL_TOKEN, challenge, impatient, manifest, options, repository, repository_with, serve, tag, token,
};

const MANIFEST: &str = "GET /v2/acme/hello/manifests/1.0.0";

#[tokio::test]
async fn what_fails_in_passing_is_tried_again() {
    let busy = || Reply::new(429).header("retry-after", "0");
    let faults = [
        busy(),
        Reply::new(500),
        Reply::new(502),
        Reply::new(503).header("retry-after", "0"),
        Reply::new(504),
        serve(&manifest()).fault(Fault::Reset(0)),
        serve(&manifest()).fault(Fault::Close(10)),
        serve(&manifest()).fault(Fault::Stall(10)),
        Reply::new(200).fault(Fault::Silence),
        Reply::new(200).fault(Fault::ResetRequest(0)),
    ];
    for fault in faults {
        let text = format!("{fault:?}");
        let steps = [Step::new(MANIFEST, fault), Step::new(MANIFEST, serve(&manifest()))];
        let server = ScriptServer::start(steps).await;
        let outcome = repository_with(&server, impatient()).manifest(&tag("1.0.0")).await;
        assert!(outcome.is_ok(), "{text}: {outcome:?}");
        server.assert_finished();
    }
}

#[tokio::test]
async fn what_does_not_pass_is_given_up_after_the_last_try() {
    let busy = Reply::new(429).header("retry-after", "0").body(r#"{"errors":[{"code":"TOOMANYREQUESTS"}]}"#);
    let server = ScriptServer::start([Step::new(MANIFEST, busy).times(4)]).await;
    let error = repository(&server).manifest(&tag("1.0.0")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{MANIFEST}: 429 Too Many Requests: TOOMANYREQUESTS"));
    server.assert_finished();

    let server = ScriptServer::start([Step::new(MANIFEST, Reply::new(503)).times(2)]).await;
    let retries = Retries { tries: 2, ..options().retries };
    let error = repository_with(&server, ClientOptions { retries, ..options() }).manifest(&tag("1.0.0")).await;
    assert!(matches!(error, Err(Error::Server { .. })), "{error:?}");
    server.assert_finished();
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    for status in [400, 403, 404, 405, 409, 416, 501, 505] {
        let server = ScriptServer::start([Step::new(MANIFEST, Reply::new(status))]).await;
        let error = repository(&server).manifest(&tag("1.0.0")).await.unwrap_err();
        assert!(error.to_string().contains(&status.to_string()) && !error.is_transient(), "{error}");
        server.assert_finished();
    }
}

#[tokio::test]
async fn a_token_server_that_fails_in_passing_is_asked_again() {
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()),
        Step::new(PULL_TOKEN, Reply::new(503)),
        Step::new(PULL_TOKEN, token("t1")),
        Step::new(MANIFEST, serve(&manifest())).with("authorization", "Bearer t1"),
    ])
    .await;
    repository(&server).manifest(&tag("1.0.0")).await.unwrap();
    server.assert_finished();
}

#[tokio::test]
async fn a_silent_registry_is_given_up() {
    let server = ScriptServer::start([Step::new(MANIFEST, Reply::new(200).fault(Fault::Silence))]).await;
    let retries = Retries { tries: 1, ..options().retries };
    let error = repository_with(&server, ClientOptions { retries, ..impatient() }).manifest(&tag("1.0.0")).await;
    let error = error.unwrap_err();
    assert_eq!(error.to_string(), format!("{MANIFEST}: no answer within 0.1 seconds"));
    assert!(matches!(error, Error::TimedOut { limit, .. } if limit == Duration::from_millis(100)));
}

#[tokio::test]
async fn a_closed_port_is_told_from_other_failures() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = wharf_client::Client::new(options()).unwrap();
    let repository = client.repository(&address.to_string().parse().unwrap(), &"acme/hello".parse().unwrap());
    let error = repository.manifest(&tag("1.0.0")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{MANIFEST}: cannot connect to http://{address}"));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("refused"), "{cause}");
}

#[tokio::test]
async fn a_proxy_is_used_for_other_hosts_and_not_for_this_one() {
    let target = "GET http://registry.example/v2/acme/hello/manifests/1.0.0";
    let proxy = ScriptServer::start([
        Step::new(target, serve(&manifest())).with("proxy-authorization", "Basic am86aHVudGVyMg==")
    ])
    .await;
    let server = ScriptServer::start([Step::new(MANIFEST, serve(&manifest()))]).await;
    let mut options = ClientOptions { security: wharf_client::Security::PlainHttp, ..options() };
    options.proxies.http = Some(format!("http://jo:hunter2@{}", proxy.address()));
    let client = wharf_client::Client::new(options).unwrap();
    for registry in ["registry.example".to_owned(), server.address().to_string()] {
        let repository = client.repository(&registry.parse().unwrap(), &"acme/hello".parse().unwrap());
        repository.manifest(&tag("1.0.0")).await.unwrap();
    }
    proxy.assert_finished();
    server.assert_finished();
}

#[test]
fn a_proxy_that_is_no_address_is_refused_without_showing_it() {
    let mut options = options();
    options.proxies.all = Some("http://jo:hunter2@[".to_owned());
    let error = wharf_client::Client::new(options).unwrap_err();
    assert!(matches!(error, Error::Proxy { kind: "all", .. }), "{error}");
    assert!(!crate::setup::full_text(&error).contains("hunter2"));
}
