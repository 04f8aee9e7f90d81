//! Documents that hosts tell to everybody.

use wharf_client::{Client, Error};
use wharf_testing::script::{Reply, ScriptServer, Step};

use crate::setup::{challenge, registry, with_password};

const LINE: &str = "GET /.well-known/wasm-pkg/registry.json";
const PATH: &str = "wasm-pkg/registry.json";

#[tokio::test]
async fn a_document_is_fetched_without_a_credential() {
    let server = ScriptServer::start([
        Step::new(LINE, Reply::new(503)),
        Step::new(LINE, Reply::new(302).header("location", "/registry.json")).without("authorization"),
        Step::new("GET /registry.json", Reply::new(200).body("{}")).without("authorization"),
    ])
    .await;
    let client = Client::new(with_password(&server)).unwrap();
    assert_eq!(client.well_known(&registry(&server), PATH, 10).await.unwrap().unwrap(), "{}");
    server.assert_finished();
}

#[tokio::test]
async fn a_host_without_the_document_has_none_whatever_it_answers() {
    let page = Reply::new(200).header("content-type", "text/html; charset=utf-8").body("<html>");
    for reply in [Reply::new(404), Reply::new(403), challenge(), page] {
        let server = ScriptServer::start([Step::new(LINE, reply)]).await;
        let client = Client::new(with_password(&server)).unwrap();
        assert_eq!(client.well_known(&registry(&server), PATH, 10).await.unwrap(), None);
        server.assert_finished();
    }
}

#[tokio::test]
async fn a_document_that_is_too_large_is_an_error() {
    let server = ScriptServer::start([Step::new(LINE, Reply::new(200).body("{         }"))]).await;
    let client = Client::new(with_password(&server)).unwrap();
    let error = client.well_known(&registry(&server), PATH, 10).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 10, .. }), "{error:?}");
}
